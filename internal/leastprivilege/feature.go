package leastprivilege

import (
	"fmt"
	"slices"
	"strings"
)

// Feature is something that plimsoll does, with all that it needs.
type Feature struct {
	Name     string
	Commands []string // that need it, without "plimsoll"
	Gives    string   // what it is for, in a few words
	Usual    bool     // a pipeline's role has it unless told otherwise
	Account  bool     // it is about all of an account and region, and not about some services
	Needs    []Need
}

// Need is an action that a feature takes, and on what.
type Need struct {
	Action string // "ecs:UpdateService"
	On     Shape
	// Without says what is lost without it; "" is a feature that does not work.
	Without string
}

// Required reports whether the feature fails without it.
func (n Need) Required() bool { return n.Without == "" }

// UnknownFeatureError is a name that no feature has.
type UnknownFeatureError struct{ Name string }

func (e *UnknownFeatureError) Error() string {
	return fmt.Sprintf("there is no feature %q; there is %s", e.Name, strings.Join(Names(), ", "))
}

// Hint says where they are described.
func (e *UnknownFeatureError) Hint() string { return "docs/iam.md says what each of them is" }

// Names are the names of all features.
func Names() []string {
	var names []string
	for _, f := range Features() {
		names = append(names, f.Name)
	}
	return names
}

// Usual are the features that a pipeline's role has unless told otherwise.
func Usual() []Feature {
	return slices.DeleteFunc(Features(), func(f Feature) bool { return !f.Usual || f.Account })
}

// Find finds features by their names. The error is an *UnknownFeatureError.
func Find(names ...string) ([]Feature, error) {
	all := Features()
	var found []Feature
	for _, name := range names {
		i := slices.IndexFunc(all, func(f Feature) bool { return f.Name == name })
		if i < 0 {
			return nil, &UnknownFeatureError{name}
		}
		found = append(found, all[i])
	}
	return found, nil
}
