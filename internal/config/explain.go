package config

import (
	"fmt"
	"strings"
	"time"
)

// Explained is one setting for people to read. Its JSON form is what --output
// json prints; fields are only ever added.
type Explained struct {
	Setting string `json:"setting"` // as the file calls it
	Value   string `json:"value"`
	Source  string `json:"source"` // a flag, a variable, a place in the file, or "default"
}

// The words for settings that nobody gave.
const (
	byDefault = "default"
	fromAWS   = "AWS"
)

// Explain lists every setting of a service, in the order of the file's own
// description, and what goes for those that nobody gave.
func (s Settings) Explain() []Explained {
	var out []Explained
	add := func(setting string, v Value, otherwise Value) {
		if v.Source == "" {
			v = otherwise
		}
		if v.Value != "" {
			out = append(out, Explained{setting, v.Value, v.Source})
		}
	}
	add("account", s.Account, Value{"any", byDefault})
	add("region", s.Region, Value{"that of the credentials", fromAWS})
	add("registry", s.Registry, Value{"the account's own", fromAWS})
	add("cluster", s.Cluster, Value{"not set", "-"})
	add("tags", Value{s.TagsText, s.Tags.Source}, Value{tagSemver, byDefault})
	add("service", s.Service, Value{"not set", "-"})
	add("task_definition", s.TaskDefinition, Value{"that of what runs", fromAWS})
	switch {
	case len(s.Containers) == 0:
		add("container", s.Container, Value{"the only one", fromAWS})
		add("repository", s.Repository, Value{"not set", "-"})
	default:
		for i, c := range s.Containers {
			source := s.Container.Source
			if i == 0 { // its repository may be given beside the file
				source = s.Repository.Source
			}
			add("containers."+c.Name, Value{c.Repository, source}, Value{})
		}
	}
	add("wave", Value{fmt.Sprint(s.Wave.Value), s.Wave.Source}, Value{"1", byDefault})
	add("protected", Value{fmt.Sprint(s.Protected.Value), s.Protected.Source}, Value{"false", byDefault})
	add("until", Value(s.Until), Value{"completed", byDefault})
	add("fail_after", Value{fmt.Sprint(s.FailAfter.Value), s.FailAfter.Source}, Value{"2", byDefault})
	add("timeout", Value{short(s.Timeout.Value), s.Timeout.Source}, Value{"15m", byDefault})
	add("desired_count", Value{fmt.Sprint(s.Desired.Value), s.Desired.Source}, Value{"left alone", byDefault})
	add("url", Value(s.URL), Value{})
	add("retention.pin", Value{fmt.Sprint(s.Pin.Value), s.Pin.Source}, Value{"false", byDefault})
	add("retention.keep", Value{fmt.Sprint(s.Keep.Value), s.Keep.Source}, Value{"2", byDefault})
	for _, hooks := range []struct {
		name string
		list Of[[]Hook]
	}{{"hooks.before", s.Before}, {"hooks.after", s.After}} {
		for i, h := range hooks.list.Value {
			add(fmt.Sprintf("%s[%d]", hooks.name, i), Value{h.String(), hooks.list.Source}, Value{})
		}
	}
	return out
}

// String is the hook in a line.
func (h Hook) String() string {
	text := strings.Join(h.Run, " ")
	if h.Container != "" {
		text += " in " + h.Container
	}
	if h.Timeout > 0 {
		text += ", at most " + short(time.Duration(h.Timeout))
	}
	return text
}

// short is a duration without the zeros at its end: 15m, not 15m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
