// Package fleet describes what an account holds before a story begins:
// clusters, repositories with images and policies, task definitions and
// services. It is what `given` of a scenario and a file for `drydock seed
// --from` say, and [Planter] makes it so through AWS's own API.
package fleet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Fleet is what is there. A service whose image was not pushed waits with no
// task, as Terraform leaves a service before its first release.
type Fleet struct {
	strictyaml.Where
	Clusters        []string              `yaml:"clusters" doc:"Clusters to make; those that services name are made anyway."`
	Repositories    map[string]Repository `yaml:"repositories" doc:"ECR repositories by name."`
	TaskDefinitions map[string]Definition `yaml:"taskDefinitions" doc:"Task definitions by family, as documents. A service of that family runs it."`
	Services        map[string]Service    `yaml:"services" doc:"ECS services by name, on Fargate."`
}

// Repository is an ECR repository.
type Repository struct {
	strictyaml.Where
	Mutability string  `yaml:"mutability" enum:"MUTABLE,IMMUTABLE" doc:"Whether a tag can be moved; MUTABLE when not given."`
	Lifecycle  []Rule  `yaml:"lifecycle" doc:"The lifecycle policy in short: one rule, or a list of them by priority."`
	Policy     any     `yaml:"policy" doc:"The lifecycle policy as ECR takes it: {rules: […]}."`
	PolicyFile string  `yaml:"policyFile" doc:"A file with the lifecycle policy as ECR takes it."`
	Images     []Image `yaml:"images" doc:"Images to push, oldest first: tags, or what push takes."`
}

// Image is an image of a repository; a plain text is its tag.
type Image struct {
	strictyaml.Where
	Tag     string            `yaml:"tag,required" doc:"The tag; v1.0.{1..3} and {a,b} stand for several."`
	Labels  map[string]string `yaml:"labels" doc:"What its container does, by the labels of the simulated runtime: {exit-after: 1m, exit-code: 1}."`
	On      []string          `yaml:"platforms" doc:"Platforms, linux/amd64 when not given; several make a multi-arch index."`
	Content string            `yaml:"content" doc:"Makes it another image than one with the same labels; every image is another one when not given."`
}

// UnmarshalScalar implements [strictyaml.Scalar].
func (i *Image) UnmarshalScalar(text string) error {
	if text == "" {
		return errors.New("want a tag")
	}
	i.Tag = text
	return nil
}

// Describe implements [strictyaml.Described].
func (i *Image) Describe() string { return "a tag, or {tag, labels, platforms, content}" }

// Rule is a rule of a lifecycle policy in short: keep or days says how much
// stays, the rest which images are meant; any when nothing says.
type Rule struct {
	strictyaml.Where
	Keep     int      `yaml:"keep" doc:"Keep so many of the newest images, expire the others."`
	Days     int      `yaml:"days" doc:"Expire images that were pushed more than so many days ago."`
	Prefix   []string `yaml:"prefix" doc:"Images with a tag that begins so."`
	Pattern  []string `yaml:"pattern" doc:"Images with a tag that matches, * standing for anything."`
	Untagged bool     `yaml:"untagged" doc:"Images without a tag."`
}

// Definition is a task definition as a document: what
// RegisterTaskDefinition takes.
type Definition struct {
	strictyaml.Where
	Document any    `yaml:"document" doc:"The document, as RegisterTaskDefinition takes it. The family goes without saying."`
	File     string `yaml:"file" doc:"A file with the document in JSON."`
}

// Service is an ECS service on Fargate.
type Service struct {
	strictyaml.Where
	Cluster     string       `yaml:"cluster" doc:"Its cluster; default when not given."`
	Family      string       `yaml:"family" doc:"Its task definition; named like the service, and made, when not given."`
	Container   string       `yaml:"container" doc:"The container of the made task definition; named like the service when not given."`
	Image       string       `yaml:"image" doc:"repository:tag of its container."`
	Desired     int          `yaml:"desired" doc:"How many tasks; none when not given."`
	Breaker     string       `yaml:"breaker" enum:"on,rollback" doc:"The deployment circuit breaker, off when not given; rollback puts the last deployment back."`
	Minimum     *int         `yaml:"minimum" doc:"minimumHealthyPercent; 100 when not given."`
	Maximum     *int         `yaml:"maximum" doc:"maximumPercent; 200 when not given."`
	HealthCheck *HealthCheck `yaml:"healthCheck" doc:"A health check of the container; the label health says what it finds."`
	Platform    string       `yaml:"platform" enum:"linux/amd64,linux/arm64" doc:"What the tasks run on; linux/amd64 when not given."`
}

// ClusterName is the cluster it is in.
func (s Service) ClusterName() string {
	if s.Cluster == "" {
		return "default"
	}
	return s.Cluster
}

// HealthCheck is a container's own check.
type HealthCheck struct {
	strictyaml.Where
	Interval    Span `yaml:"interval" doc:"Between two checks; 30s when not given."`
	StartPeriod Span `yaml:"startPeriod" doc:"How long failures do not count."`
	Retries     int  `yaml:"retries" doc:"Failures in a row that count; 3 when not given."`
}

// Span is a stretch of time: 90s, 45m, 12h or 7d.
type Span time.Duration

// longest span; drydock's calendar goes no further in one jump.
const longest = 10 * 365 * 24 * time.Hour

// UnmarshalScalar implements [strictyaml.Scalar].
func (s *Span) UnmarshalScalar(text string) error {
	d, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		if !(n >= 0 && n*24*float64(time.Hour) <= float64(longest)) {
			return fmt.Errorf("want %s", s.Describe())
		}
		d = time.Duration(n * 24 * float64(time.Hour))
	}
	if err != nil || d < 0 || d > longest {
		return fmt.Errorf("want %s", s.Describe())
	}
	*s = Span(d)
	return nil
}

// Describe implements [strictyaml.Described].
func (s *Span) Describe() string { return "a span of time such as 90s, 45m, 12h or 7d" }

// Duration is the span as Go has it.
func (s Span) Duration() time.Duration { return time.Duration(s) }

func (s Span) String() string {
	d := time.Duration(s)
	day := 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String() // 1h0m0s
	if d != 0 && d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d != 0 && d%time.Hour == 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
