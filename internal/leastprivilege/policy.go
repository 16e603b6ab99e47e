package leastprivilege

import (
	"maps"
	"slices"
)

const policyVersion = "2012-10-17"

// Policy allows what the features need in a scope, and nothing else: one
// statement for each kind of resource.
func Policy(in Scope, features ...Feature) Document {
	actions := map[Shape]map[string]bool{}
	for _, f := range features {
		for _, n := range f.Needs {
			if actions[n.On] == nil {
				actions[n.On] = map[string]bool{}
			}
			actions[n.On][n.Action] = true
		}
	}
	d := Document{Version: policyVersion}
	for _, shape := range slices.Sorted(maps.Keys(actions)) {
		resources := shape.resources(in)
		if len(resources) == 0 {
			continue
		}
		d.Statement = append(d.Statement, Statement{
			Sid: string(shape), Effect: "Allow", Action: slices.Sorted(maps.Keys(actions[shape])), Resource: resources, Condition: shape.conditions(),
		})
	}
	return d
}
