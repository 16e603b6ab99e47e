package taskdef

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Document is one task definition: the bare object, or DescribeTaskDefinition's
// answer with the object and its tags inside. Members of another JSON type
// than ECS gives them count as absent.
type Document struct {
	raw  []byte
	root node
	def  node // the definition itself: root, or root's taskDefinition
}

// Parse reads a task definition and keeps raw's bytes. The error is a
// [*ParseError] with line and column.
func Parse(raw []byte) (*Document, error) {
	raw = bytes.Clone(raw)
	root, err := scan(raw)
	if err != nil {
		return nil, err
	}
	d := &Document{raw: raw, root: root, def: root}
	if root.kind != '{' {
		return nil, errorAt(raw, root.start, "a task definition is an object")
	}
	if inner := root.get("taskDefinition"); inner.kind == '{' && root.get("containerDefinitions").kind == 0 {
		d.def = inner
	}
	if err := d.checkContainers(); err != nil {
		return nil, err
	}
	for _, list := range []node{d.root.get("tags"), d.def.get("tags")} {
		if err := d.checkTags(list); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// checkContainers makes sure of what the edits rely on.
func (d *Document) checkContainers() error {
	list := d.def.get("containerDefinitions")
	if list.kind != '[' {
		return errorAt(d.raw, max(list.start, d.def.start), "a task definition has a list containerDefinitions")
	}
	var names []string
	for _, c := range list.items {
		name := d.text(c.get("name"))
		switch {
		case name == "":
			return errorAt(d.raw, c.start, "a container is an object with a name")
		case slices.Contains(names, name):
			return errorAt(d.raw, c.start, "two containers are named %q", name)
		}
		names = append(names, name)
	}
	return nil
}

func (d *Document) checkTags(list node) error {
	if list.kind != 0 && list.kind != 'n' && list.kind != '[' {
		return errorAt(d.raw, list.start, "tags must be a list")
	}
	for _, tag := range list.items {
		if d.text(tag.get("key")) == "" {
			return errorAt(d.raw, tag.start, "a tag is an object with a key")
		}
	}
	return nil
}

// Bytes is the document as it was read or edited.
func (d *Document) Bytes() []byte { return bytes.Clone(d.raw) }

// Family is the name that all revisions share.
func (d *Document) Family() string { return d.text(d.def.get("family")) }

// Revision is the number of the revision; 0 for a definition that is not
// registered.
func (d *Document) Revision() int {
	n := d.def.get("revision")
	revision, err := strconv.Atoi(canonicalNumber(string(d.raw[n.start:n.end])))
	if err != nil {
		return 0
	}
	return revision
}

// ARN is the full ARN of the revision; "" for a definition that is not
// registered.
func (d *Document) ARN() string { return d.text(d.def.get("taskDefinitionArn")) }

// Status is ACTIVE, INACTIVE or DELETE_IN_PROGRESS; "" for a definition that
// is not registered.
func (d *Document) Status() string { return d.text(d.def.get("status")) }

// RegisteredAt is when the revision was registered; zero for a definition that
// is not.
func (d *Document) RegisteredAt() time.Time {
	n := d.def.get("registeredAt")
	seconds, err := strconv.ParseFloat(string(d.raw[n.start:n.end]), 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

// RegisteredBy is the ARN of who registered the revision; "" for a definition
// that is not registered.
func (d *Document) RegisteredBy() string { return d.text(d.def.get("registeredBy")) }

// ExecutionRoleARN is the role that ECS itself uses to pull images, read
// secrets and write logs; "" when there is none.
func (d *Document) ExecutionRoleARN() string { return d.text(d.def.get("executionRoleArn")) }

// TaskRoleARN is the role of the application; "" when there is none.
func (d *Document) TaskRoleARN() string { return d.text(d.def.get("taskRoleArn")) }

// RequiresFargate reports whether the definition is for Fargate.
func (d *Document) RequiresFargate() bool {
	return slices.ContainsFunc(d.def.get("requiresCompatibilities").items, func(n node) bool { return d.text(n) == "FARGATE" })
}

// RuntimePlatform is what the tasks run on, in ECS's words.
type RuntimePlatform struct {
	OperatingSystemFamily string // LINUX, WINDOWS_SERVER_2022_CORE …; "" where the definition says nothing
	CPUArchitecture       string // X86_64 or ARM64; "" where the definition says nothing
}

// RuntimePlatform is the definition's runtimePlatform. Fargate takes LINUX and
// X86_64 where it says nothing; on EC2 the instance decides.
func (d *Document) RuntimePlatform() RuntimePlatform {
	p := d.def.get("runtimePlatform")
	return RuntimePlatform{
		OperatingSystemFamily: d.text(p.get("operatingSystemFamily")),
		CPUArchitecture:       d.text(p.get("cpuArchitecture")),
	}
}

// text is the value of a JSON string, "" of anything else.
func (d *Document) text(n node) string {
	if n.kind != '"' {
		return ""
	}
	return unquote(d.raw[n.start:n.end])
}

// edit replaces the bytes from start to end; with start = end it inserts.
type edit struct {
	start, end int
	text       string
}

// apply makes the edited document. Edits may touch, not overlap.
func (d *Document) apply(edits ...edit) (*Document, error) {
	slices.SortFunc(edits, func(a, b edit) int { // an insertion before a cut at the same place
		return cmp.Or(a.start-b.start, a.end-b.end)
	})
	var b bytes.Buffer
	at := 0
	for _, e := range edits {
		b.Write(d.raw[at:e.start])
		b.WriteString(e.text)
		at = e.end
	}
	b.Write(d.raw[at:])
	return Parse(b.Bytes())
}
