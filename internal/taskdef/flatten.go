package taskdef

import (
	"slices"
	"strconv"
	"strings"
)

// leaf is one setting of a definition, in a normal form.
type leaf struct {
	kind   byte   // of its JSON: " t f 0 [ or {, so that "1" is not 1
	text   string // decoded
	hidden bool   // it looks like a secret and is not for display
}

// flatten is the definition as ECS understands it: every setting under its
// path. Left out are what only ECS writes, tags, nulls, empty lists and
// objects, and what ECS takes when nothing is said. Lists without an order
// are keyed: containerDefinitions[web].environment[FEATURE_X].
func flatten(d *Document) map[string]leaf {
	f := flattening{doc: d, networkMode: d.text(d.def.get("networkMode")), leaves: map[string]leaf{}}
	for _, m := range d.def.members {
		if !isReadOnly(m.name) && m.name != "tags" {
			f.value(m.value, place{path: pathStep(m.name), schema: m.name, name: m.name})
		}
	}
	return f.leaves
}

type flattening struct {
	doc         *Document
	networkMode string
	leaves      map[string]leaf
}

// place is where a value sits: path tells it from every other value, schema
// is the same with [] for any element, name the last key on the way.
type place struct {
	path, schema, name string
}

func (p place) member(name string) place {
	step := pathStep(name)
	if step[0] != '[' {
		step = "." + step
	}
	return place{path: p.path + step, schema: p.schema + "." + name, name: name}
}

func (p place) element(key string) place {
	return place{path: p.path + "[" + key + "]", schema: p.schema + "[]", name: key}
}

// pathStep quotes a name that could be taken for something else in a path.
func pathStep(name string) string {
	if isPlain(name) {
		return name
	}
	return "[" + strconv.Quote(name) + "]"
}

func isPlain(name string) bool {
	for _, c := range name {
		if (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) && c != '_' && c != '-' && c != '/' {
			return false
		}
	}
	return name != ""
}

func (f *flattening) value(n node, at place) {
	switch n.kind {
	case 'n':
	case '{':
		for _, m := range n.members {
			f.value(m.value, at.member(m.name))
		}
	case '[':
		f.list(n, at)
	default:
		l := f.scalar(n)
		if at.schema == "cpu" || at.schema == "memory" {
			l = leaf{kind: '"', text: taskSize(l.text)}
		}
		if !isDefault(at.schema, l) {
			f.put(at, l)
		}
	}
}

func (f *flattening) put(at place, l leaf) {
	l.hidden = isFreeText(at.schema) && namesSecret(at.name) || holdsSecret(l.text)
	f.leaves[at.path] = l
}

func (f *flattening) scalar(n node) leaf {
	raw := string(f.doc.raw[n.start:n.end])
	switch n.kind {
	case '"':
		return leaf{kind: '"', text: unquote([]byte(raw))}
	case 't', 'f', 'n':
		return leaf{kind: n.kind, text: raw}
	}
	return leaf{kind: '0', text: canonicalNumber(raw)}
}

func (f *flattening) list(n node, at place) {
	if len(n.items) == 0 {
		return
	}
	if !slices.ContainsFunc(n.items, func(item node) bool { return item.kind == '{' || item.kind == '[' }) {
		f.put(at, f.scalars(n, at))
		return
	}
	set := setAt(at.schema)
	keys := f.keys(n.items, set)
	for i, item := range n.items {
		f.element(item, at.element(keys[i]), set)
	}
}

// scalars is a list of plain values as one setting: a command line reads
// better whole.
func (f *flattening) scalars(n node, at place) leaf {
	var texts []string
	for _, item := range n.items {
		l := f.scalar(item)
		if l.kind == '"' {
			l.text = quote(l.text)
		}
		texts = append(texts, l.text)
	}
	switch at.schema {
	case "requiresCompatibilities",
		"containerDefinitions[].linuxParameters.capabilities.add",
		"containerDefinitions[].linuxParameters.capabilities.drop":
		slices.Sort(texts)
	}
	return leaf{kind: '[', text: "[" + strings.Join(texts, ", ") + "]"}
}

// element puts one object of a list. It leaves a trace even when all of its
// members are defaults: that it is there is a setting too.
func (f *flattening) element(item node, at place, set set) {
	if item.kind != '{' {
		f.put(at, leaf{kind: '{', text: "present"})
		f.value(item, at.member("value"))
		return
	}
	self := leaf{kind: '{', text: "present"}
	if set.value != "" {
		self = leaf{kind: '"'}
	}
	for _, m := range item.members {
		switch {
		case set.key != "" && m.name == set.key && m.value.kind == '"':
		case set.value != "" && m.name == set.value && m.value.kind != '{' && m.value.kind != '[':
			if m.value.kind != 'n' {
				self = f.scalar(m.value)
			}
		case m.name == "hostPort" && f.hostPortIsImplied(item, at):
		default:
			f.value(m.value, at.member(m.name))
		}
	}
	f.put(at, self)
}

// hostPortIsImplied: 0 asks for any port, which is also what saying nothing
// does; in awsvpc and host mode there is no port but the container's own, and
// ECS writes it in. (PortMapping in the ECS API reference.)
func (f *flattening) hostPortIsImplied(item node, at place) bool {
	if at.schema != "containerDefinitions[].portMappings[]" {
		return false
	}
	host := f.scalar(item.get("hostPort"))
	if host.kind == '0' && host.text == "0" {
		return true
	}
	return (f.networkMode == "awsvpc" || f.networkMode == "host") && host == f.scalar(item.get("containerPort"))
}

// set says how the objects of a list without an order are told apart.
type set struct {
	key   string // the member that names an object; "" for a list with an order
	value string // the one other member it has, where that is so
}

func setAt(schema string) set {
	switch schema {
	case "containerDefinitions", "volumes",
		"containerDefinitions[].ulimits":
		return set{key: "name"}
	case "containerDefinitions[].environment",
		"proxyConfiguration.properties":
		return set{key: "name", value: "value"}
	case "containerDefinitions[].secrets",
		"containerDefinitions[].logConfiguration.secretOptions":
		return set{key: "name", value: "valueFrom"}
	case "containerDefinitions[].resourceRequirements":
		return set{key: "type", value: "value"}
	case "containerDefinitions[].systemControls":
		return set{key: "namespace", value: "value"}
	case "containerDefinitions[].dependsOn":
		return set{key: "containerName", value: "condition"}
	case "containerDefinitions[].mountPoints":
		return set{key: "containerPath"}
	}
	return set{}
}

// keys tells the items of a list apart for their paths: by name in a set, the
// second of a name with #2 behind it and one without a name by #index; by
// index in a list with an order.
func (f *flattening) keys(items []node, set set) []string {
	keys := make([]string, len(items))
	times := map[string]int{}
	for i, item := range items {
		if set.key == "" {
			keys[i] = strconv.Itoa(i)
			continue
		}
		name := f.doc.text(item.get(set.key))
		times[name]++
		switch {
		case name == "":
			keys[i] = "#" + strconv.Itoa(i)
		case isPlain(name):
			keys[i] = name
		default:
			keys[i] = strconv.Quote(name)
		}
		if name != "" && times[name] > 1 {
			keys[i] += "#" + strconv.Itoa(times[name])
		}
	}
	return keys
}

// isDefault tells what ECS takes, or writes in, when nothing is said.
// RegisterTaskDefinition answers with cpu 0, protocol tcp and the numbers of
// the health check filled in; the others are the defaults of the API
// reference. Empty lists, which it fills in too, are no settings anyway.
func isDefault(schema string, l leaf) bool {
	inContainer, ok := strings.CutPrefix(schema, "containerDefinitions[].")
	if !ok {
		switch schema {
		case "enableFaultInjection", "volumes[].configuredAtLaunch":
			return l.kind == 'f'
		case "volumes[].efsVolumeConfiguration.rootDirectory":
			return l.text == "/"
		case "volumes[].efsVolumeConfiguration.transitEncryption",
			"volumes[].efsVolumeConfiguration.authorizationConfig.iam":
			return l.text == "DISABLED"
		}
		return false
	}
	switch inContainer {
	case "cpu", "healthCheck.startPeriod":
		return l.kind == '0' && l.text == "0"
	case "essential":
		return l.kind == 't'
	case "versionConsistency":
		return l.text == "enabled"
	case "portMappings[].protocol":
		return l.text == "tcp"
	case "healthCheck.interval":
		return l.kind == '0' && l.text == "30"
	case "healthCheck.timeout":
		return l.kind == '0' && l.text == "5"
	case "healthCheck.retries":
		return l.kind == '0' && l.text == "3"
	case "privileged", "readonlyRootFilesystem", "interactive", "pseudoTerminal", "disableNetworking",
		"mountPoints[].readOnly", "volumesFrom[].readOnly", "linuxParameters.initProcessEnabled":
		return l.kind == 'f'
	}
	return false
}

// taskSize brings "0.5 vCPU" and "1 GB" to the units and MiB that ECS stores.
func taskSize(s string) string {
	lower := strings.ToLower(s)
	for _, unit := range []string{"vcpu", "gb"} {
		number, ok := strings.CutSuffix(lower, unit)
		if !ok {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil {
			return strconv.FormatFloat(n*1024, 'f', -1, 64)
		}
	}
	return s
}
