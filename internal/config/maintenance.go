package config

import (
	"path"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Maintenance is how tasks that AWS is going to retire are replaced.
type Maintenance struct {
	strictyaml.Where
	Windows []string `yaml:"windows" doc:"When services may be redeployed, such as \"Mon-Fri 10:00-16:00 Asia/Tokyo\"; any time when not given."`
	Ahead   Duration `yaml:"ahead" doc:"Leave a service alone until so long before its tasks retire, as an ordinary deploy may replace them; as soon as can be when not given."`
	Waves   []string `yaml:"waves" doc:"Patterns of cluster/service or of service names, a wave each, those that match none last; the waves of services when not given."`
}

// Notification is somebody to be told.
type Notification struct {
	strictyaml.Where
	To    string   `yaml:"to,required" enum:"slack,json,sns" doc:"slack: a Slack-compatible webhook. json: any URL that takes a POST of JSON. sns: an SNS topic."`
	URL   string   `yaml:"url" doc:"Of slack and json: env:NAME, the environment variable that has it. It is a secret, and never in this file."`
	Topic string   `yaml:"topic" doc:"Of sns: the ARN of the topic."`
	On    []string `yaml:"on" doc:"What of: failure, finding, maintenance, success; the first three when not given."`
}

// Variable is the environment variable that has the URL; "" where it is written
// otherwise.
func (n Notification) Variable() string {
	name, ok := strings.CutPrefix(n.URL, "env:")
	if inner, braced := strings.CutPrefix(n.URL, "${"); braced {
		name, ok = strings.CutSuffix(inner, "}")
	}
	if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return ""
	}
	return name
}

// Maintenance is what the file says of it, that of the environment first.
func (l Lookup) Maintenance() (Maintenance, error) {
	e, err := l.environment()
	switch {
	case err != nil || l.File == nil:
		return Maintenance{}, err
	case e != nil && e.Maintenance != nil:
		return *e.Maintenance, nil
	case l.File.Maintenance != nil:
		return *l.File.Maintenance, nil
	}
	return Maintenance{}, nil
}

// Notifications are those of the file, those of the environment first.
func (l Lookup) Notifications() ([]Notification, error) {
	e, err := l.environment()
	switch {
	case err != nil || l.File == nil:
		return nil, err
	case e != nil && e.Notifications != nil:
		return e.Notifications, nil
	}
	return l.File.Notifications, nil
}

// WaveOf is the wave of a service that a notice names, 1 where the file does not
// have it.
func (l Lookup) WaveOf(cluster, service string) int {
	e, err := l.environment()
	if err != nil || l.File == nil {
		return 1
	}
	for _, name := range l.File.names(e) {
		s, err := l.Resolve(Flags{Service: name, OneOfMany: true})
		if err == nil && s.Service.Value == service && (s.Cluster.Value == "" || s.Cluster.Value == cluster) {
			return l.File.wave(e, name)
		}
	}
	return 1
}

func (c *checker) maintenance(m *Maintenance) {
	if m == nil {
		return
	}
	for _, pattern := range m.Waves {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			c.wrong(m.Of("waves"), "waves: %q is no pattern: want such as prod/api-*", pattern)
		}
	}
}

func (c *checker) notifications(list []Notification) {
	for _, n := range list {
		switch {
		case n.To == "":
		case n.To == "sns" && !strings.HasPrefix(n.Topic, "arn:"):
			c.wrong(n.At, "notifications: sns wants the ARN of a topic")
		case n.To != "sns" && n.Variable() == "":
			// What is written there may be a secret: it is not repeated.
			c.wrong(n.Of("url"), "url: write env:NAME, the environment variable that has the URL: whoever has the URL can write there, so it is no matter for a file")
		case n.To == "sns" && n.URL != "", n.To != "sns" && n.Topic != "":
			c.wrong(n.At, "notifications: %s takes no %s", n.To, map[bool]string{true: "url", false: "topic"}[n.To == "sns"])
		}
		for _, on := range n.On {
			if !slices.Contains([]string{"failure", "finding", "maintenance", "success"}, on) {
				c.wrong(n.Of("on"), "on: %q%s: want failure, finding, maintenance or success", on, strictyaml.Meant(on, []string{"failure", "finding", "maintenance", "success"}))
			}
		}
	}
}
