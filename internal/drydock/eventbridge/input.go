package eventbridge

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/eventpattern"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
)

// matter is an event as text and as value.
type matter struct {
	doc   string
	value any
}

func render(e events.Event) (matter, error) {
	doc, err := json.Marshal(e)
	if err != nil {
		return matter{}, err
	}
	value, err := eventpattern.Decode(doc)
	return matter{string(doc), value}, err
}

// input is what a target gets for an event: what it was given, a part of the event, a
// template filled with parts of it, or the event. given is false for the last.
func (t target) input(m matter, ruleARN, ruleName string) (body string, given bool) {
	switch {
	case t.Input != nil:
		return *t.Input, true
	case t.InputPath != nil:
		part, _ := find(m.value, *t.InputPath)
		return text(part), true
	case t.InputTransformer != nil:
		return t.InputTransformer.fill(m, ruleARN, ruleName), true
	}
	return m.doc, false
}

// text is a value as JSON.
func text(v any) string {
	doc, err := json.Marshal(v)
	if err != nil {
		return "null" // what was decoded from JSON has nothing that cannot be encoded
	}
	return string(doc)
}

// steps reads a JSON path of the kind that targets have: $.detail.containers[0].name,
// or $.detail['a.b'].
func steps(path string) ([]string, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, false
	}
	var out []string
	step := regexp.MustCompile(`^(?:\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\])`)
	for rest != "" {
		m := step.FindStringSubmatch(rest)
		if m == nil {
			return nil, false
		}
		out = append(out, m[1]+m[2]+m[3])
		rest = rest[len(m[0]):]
	}
	return out, true
}

// find is the part of a value at a path; nil and false when there is none.
func find(v any, path string) (any, bool) {
	names, ok := steps(path)
	if !ok {
		return nil, false
	}
	for _, name := range names {
		switch at := v.(type) {
		case map[string]any:
			if v, ok = at[name]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// fill puts parts of an event into a template: as JSON, or inside of quotes as text
// (user guide, Amazon EventBridge input transformation). A variable without a part is
// left out, as AWS does.
func (x inputTransformer) fill(m matter, ruleARN, ruleName string) string {
	template := aws.ToString(x.InputTemplate)
	values := map[string]any{
		"aws.events.rule-arn": ruleARN, "aws.events.rule-name": ruleName, "aws.events.event.json": m.value, "aws.events.event": m.value,
	}
	if at, ok := find(m.value, "$.time"); ok {
		values["aws.events.event.ingestion-time"] = at
	}
	for name, path := range x.InputPathsMap {
		if part, ok := find(m.value, path); ok {
			values[name] = part
		} else {
			values[name] = nil
		}
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(template); i++ {
		switch c := template[i]; {
		case c == '\\' && quoted && i+1 < len(template):
			b.WriteString(template[i : i+2])
			i++
			continue
		case c == '"':
			quoted = !quoted
		case c == '<':
			end := strings.IndexByte(template[i:], '>')
			if end < 0 {
				break
			}
			value, known := values[template[i+1:i+end]]
			if !known {
				break
			}
			b.WriteString(part(value, quoted))
			i += end
			continue
		}
		b.WriteByte(template[i])
	}
	return b.String()
}

// part is a value in a template.
func part(v any, quoted bool) string {
	if !quoted {
		if v == nil {
			return ""
		}
		return text(v)
	}
	s, isText := v.(string)
	switch {
	case v == nil:
		return ""
	case !isText:
		s = text(v)
	}
	escaped := text(s)
	return escaped[1 : len(escaped)-1]
}

// checkTransformer says what of a transformer is wrong, "" for nothing.
func checkTransformer(x *inputTransformer) string {
	if x == nil {
		return ""
	}
	if aws.ToString(x.InputTemplate) == "" {
		return "InputTemplate must not be empty"
	}
	for name, path := range x.InputPathsMap {
		if _, ok := steps(path); !ok {
			return fmt.Sprintf("Invalid InputPathsMap: %s is not a JSON path", path)
		}
		if strings.HasPrefix(strings.ToLower(name), "aws.") {
			return "Invalid InputPathsMap: keys must not begin with AWS."
		}
	}
	return ""
}
