package taskdef

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Container is what a deploy needs to know of a container definition. The
// values of its environment are left out on purpose: they may be secret.
type Container struct {
	Name        string
	Image       string
	Essential   bool // true unless the definition says false, as in ECS
	Environment []string
	Secrets     []Secret
	Log         Log
	// VersionConsistency is enabled or disabled: whether ECS fixes the image's
	// digest for a deployment. "" where the definition says nothing, which is
	// enabled.
	VersionConsistency string
}

// Secret is an environment variable, or a log option, that ECS fills in when
// the task starts.
type Secret struct {
	Name      string
	ValueFrom string // ARN of a Secrets Manager secret, maybe with :key:stage:version, or an SSM parameter's ARN or name
}

// Log is where the container's output goes. Driver is "" when the definition
// says nothing.
type Log struct {
	Driver  string            // awslogs, awsfirelens …
	Options map[string]string // of the driver, such as awslogs-group
	Secrets []Secret
}

// Containers lists the containers in the order of the definition.
func (d *Document) Containers() []Container {
	list := d.def.get("containerDefinitions").items
	containers := make([]Container, 0, len(list))
	for _, c := range list {
		log := c.get("logConfiguration")
		containers = append(containers, Container{
			Name:        d.text(c.get("name")),
			Image:       d.text(c.get("image")),
			Essential:   c.get("essential").kind != 'f',
			Environment: d.names(c.get("environment")),
			Secrets:     d.secrets(c.get("secrets")),
			Log: Log{
				Driver:  d.text(log.get("logDriver")),
				Options: d.texts(log.get("options")),
				Secrets: d.secrets(log.get("secretOptions")),
			},
			VersionConsistency: d.text(c.get("versionConsistency")),
		})
	}
	return containers
}

func (d *Document) names(list node) []string {
	var names []string
	for _, n := range list.items {
		names = append(names, d.text(n.get("name")))
	}
	return names
}

func (d *Document) secrets(list node) []Secret {
	var secrets []Secret
	for _, n := range list.items {
		secrets = append(secrets, Secret{Name: d.text(n.get("name")), ValueFrom: d.text(n.get("valueFrom"))})
	}
	return secrets
}

func (d *Document) texts(object node) map[string]string {
	texts := make(map[string]string, len(object.members))
	for _, m := range object.members {
		texts[m.name] = d.text(m.value)
	}
	return texts
}

// NoContainerError is a container that the definition does not have.
type NoContainerError struct {
	Family  string
	Name    string   // asked for
	Names   []string // there are
	Nearest string   // what was probably meant, or ""
}

func (e *NoContainerError) Error() string {
	s := fmt.Sprintf("task definition %s has no container %q; it has %s", e.Family, e.Name, listed(e.Names))
	if e.Nearest != "" {
		s += fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	return s
}

// AmbiguousContainerError is a container left unnamed where there is not
// exactly one.
type AmbiguousContainerError struct {
	Family string
	Names  []string
}

func (e *AmbiguousContainerError) Error() string {
	return fmt.Sprintf("task definition %s has %s: say which container gets the image", e.Family, listed(e.Names))
}

func listed(names []string) string {
	if len(names) == 0 {
		return "no container"
	}
	return strings.Join(names, ", ")
}

// TargetContainer finds the container that gets a new image. An empty name
// means the only one. The error is a [*NoContainerError] or an
// [*AmbiguousContainerError].
func (d *Document) TargetContainer(name string) (Container, error) {
	i, err := d.target(name)
	if err != nil {
		return Container{}, err
	}
	return d.Containers()[i], nil
}

func (d *Document) target(name string) (int, error) {
	names := d.names(d.def.get("containerDefinitions"))
	if name == "" {
		if len(names) != 1 {
			return 0, &AmbiguousContainerError{Family: d.Family(), Names: names}
		}
		return 0, nil
	}
	i := slices.Index(names, name)
	if i < 0 {
		return 0, &NoContainerError{Family: d.Family(), Name: name, Names: names, Nearest: nearest(name, names)}
	}
	return i, nil
}

// SetImage gives a container another image, and changes no byte but those of
// the image's own JSON string. An empty container means the only one. ref must
// be an image reference; the errors are those of [image.Parse] and of
// [Document.TargetContainer].
func (d *Document) SetImage(container, ref string) (*Document, error) {
	if _, err := image.Parse(ref); err != nil {
		return nil, err
	}
	i, err := d.target(container)
	if err != nil {
		return nil, err
	}
	c := d.def.get("containerDefinitions").items[i]
	old := c.get("image")
	if old.kind != '"' {
		return nil, fmt.Errorf("container %q of task definition %s has no image to replace", d.text(c.get("name")), d.Family())
	}
	if d.text(old) == ref {
		return d, nil
	}
	return d.apply(edit{old.start, old.end, quote(ref)})
}

// nearest is the candidate that takes the fewest edits to become, as long as
// those are at most a third of the name.
func nearest(name string, candidates []string) string {
	best, fewest := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if n := edits(name, c); n < fewest {
			best, fewest = c, n
		}
	}
	return best
}

// edits is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours, so that wbe is one edit from web.
func edits(a, b string) int {
	var previous []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], previous[j-1]+1)
			}
		}
		previous, row = row, next
	}
	return row[len(b)]
}
