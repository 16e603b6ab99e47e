package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// Local calls operations in process: no HTTP, no signature, no log, and the
// same answers. It is for drydock's own views of what it holds.
type Local struct {
	operations map[string]local // by "ECS.DescribeServices"
}

// local is an operation, and how it wants to be asked.
type local struct {
	Operation
	name    string
	version string // of a Query service; "" for JSON
}

// NewLocal makes a [Local] of services.
func NewLocal(services ...Service) Local {
	l := Local{map[string]local{}}
	for _, s := range services {
		for name, op := range s.Operations {
			l.operations[s.Name+"."+name] = local{op, name, s.Version}
		}
	}
	return l
}

// Call calls the operation of that name, such as "ECS.DescribeServices", with
// in as the members of its request, named as its protocol names them, and
// decodes the answer into out by encoding/json: members begin in lower case
// there, whatever the protocol. An error of AWS's is an [*Error].
func (l Local) Call(ctx context.Context, name string, in map[string]any, out any) error {
	op, ok := l.operations[name]
	if !ok {
		return fmt.Errorf("drydock has no operation %s", name)
	}
	body, err := op.body(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	answer, err := op.Operation(ctx, Call{Operation: op.name, Body: body})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	doc, err := Encode(answer)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(doc, out); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// body is the request. A Query request is a form of plain members and lists of
// them.
func (l local) body(in map[string]any) ([]byte, error) {
	if l.version == "" {
		return json.Marshal(in)
	}
	form := url.Values{"Action": {l.name}, "Version": {l.version}}
	for name, v := range in {
		items, isList := v.([]string)
		if !isList {
			form.Set(name, fmt.Sprint(v))
		}
		for n, item := range items {
			form.Set(fmt.Sprintf("%s.member.%d", name, n+1), item)
		}
	}
	return []byte(form.Encode()), nil
}
