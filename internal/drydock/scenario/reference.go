package scenario

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Reference is the tables of docs/scenarios.md, made of the tags that the
// decoder goes by.
func Reference() string {
	var b strings.Builder
	table := func(title string, of any) {
		fmt.Fprintf(&b, "\n### %s\n\n%s", title, strictyaml.Table(of))
	}
	table("A scenario", new(Scenario))
	table("`given`: a fleet", new(fleet.Fleet))
	table("A repository", new(fleet.Repository))
	table("A rule of a lifecycle policy", new(fleet.Rule))
	table("An image of a repository", new(fleet.Image))
	table("A task definition", new(fleet.Definition))
	table("A service", new(fleet.Service))
	table("A health check", new(fleet.HealthCheck))
	table("Steps", new(Step))
	steps := reflect.TypeFor[Step]()
	for i := range steps.NumField() {
		f := steps.Field(i)
		if f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct && f.Tag.Get("yaml") != "until" {
			table("`"+f.Tag.Get("yaml")+"`", reflect.New(f.Type.Elem()).Interface())
		}
	}
	b.WriteString("\n`until` takes what `expect` takes, and `within`: how long to wait at most; 1h when not given.\n\n")
	return b.String()
}
