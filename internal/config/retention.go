package config

import "github.com/plimsoll-ecs/plimsoll/internal/strictyaml"

// Retention says what is kept in ECR for restarts and rollbacks.
type Retention struct {
	strictyaml.Where
	Pin  bool `yaml:"pin" doc:"deploy, release and rollback pin what runs once it is stable, and maintenance run before it replaces tasks, as plimsoll pin does."`
	Keep *int `yaml:"keep" doc:"How many releases, besides what runs, are kept pinned: where a rollback could go; 2 when not given."`
}

// MostKept bounds [Retention]'s Keep. ECR has at most 1,000 tags an image, and
// ECS keeps the records of rollouts for about 90 days.
const MostKept = 50

func (c *checker) retention(r *Retention) {
	if r != nil && r.Keep != nil && (*r.Keep < 0 || *r.Keep > MostKept) {
		c.wrong(r.Of("keep"), "keep: %d: it must be between 0 and %d", *r.Keep, MostKept)
	}
}

// retain takes the settings of retention, those of the environment first.
func (f *File) retain(s *Settings, e *Environment) {
	var layers []*Retention
	if e != nil && e.Retention != nil {
		layers = append(layers, e.Retention)
	}
	if f.Retention != nil {
		layers = append(layers, f.Retention)
	}
	for _, r := range layers {
		if r.Has("pin") && !s.Pin.Given() {
			s.Pin = Of[bool]{r.Pin, f.at(r.Of("pin"))}
		}
		if r.Has("keep") && !s.Keep.Given() {
			s.Keep = Of[int]{*r.Keep, f.at(r.Of("keep"))}
		}
	}
}
