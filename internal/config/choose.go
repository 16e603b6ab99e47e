package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Choice says which services a command is about. At most one of its members is
// set; with none it is the one that variables or the file name.
type Choice struct {
	Services []string // as the file or ECS calls them
	All      bool
	Waves    []int
}

// Many reports whether several services may be meant.
func (c Choice) Many() bool { return len(c.Services) > 1 || c.All || len(c.Waves) > 0 }

// Chosen is one service of a choice.
type Chosen struct {
	Name string // for [Flags.Service]; "" where nothing was chosen
	Wave int
}

// Choose finds the services, by wave and name. A name that the file does not
// have is taken as ECS's.
func (l Lookup) Choose(c Choice) ([]Chosen, error) {
	e, err := l.environment()
	if err != nil {
		return nil, err
	}
	if !c.All && len(c.Waves) == 0 {
		return l.named(e, c.Services), nil
	}
	flag := "--all"
	if !c.All {
		flag = "--wave"
	}
	if l.File == nil || len(l.File.names(e)) == 0 {
		return nil, &MissingError{Missing: []string{"services for " + flag + ": name them in " + FileName + " (plimsoll init config writes one), or give --service"}}
	}
	var chosen []Chosen
	var waves []string
	for _, name := range l.File.names(e) {
		wave := l.File.wave(e, name)
		if c.All || slices.Contains(c.Waves, wave) {
			chosen = append(chosen, Chosen{name, wave})
		}
		if w := fmt.Sprint(wave); !slices.Contains(waves, w) {
			waves = append(waves, w)
		}
	}
	for _, wave := range c.Waves {
		if !slices.ContainsFunc(chosen, func(c Chosen) bool { return c.Wave == wave }) {
			return nil, &InvalidError{Source: flag, Value: fmt.Sprint(wave), Why: fmt.Sprintf(
				"no service is in it; the waves of %s are %s", l.File.name, strings.Join(waves, ", "))}
		}
	}
	return chosen, nil
}

// named are the services of a list, each once.
func (l Lookup) named(e *Environment, names []string) []Chosen {
	if len(names) == 0 {
		return []Chosen{{"", 1}}
	}
	var chosen []Chosen
	for _, name := range names {
		one := Chosen{name, 1}
		if l.File != nil {
			if key := l.File.key(e, name); key != "" {
				if !strings.HasPrefix(name, "arn:") {
					one.Name = key
				}
				one.Wave = l.File.wave(e, key)
			}
		}
		if !slices.Contains(chosen, one) {
			chosen = append(chosen, one)
		}
	}
	slices.SortStableFunc(chosen, func(a, b Chosen) int { return cmp.Compare(a.Wave, b.Wave) })
	return chosen
}
