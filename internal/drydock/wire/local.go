package wire

import (
	"context"
	"encoding/json"
	"fmt"
)

// Local calls operations in process: no HTTP, no signature, no log, and the
// same answers. It is for drydock's own views of what it holds.
type Local struct {
	operations map[string]Operation // by "ECS.DescribeServices"
}

// NewLocal makes a [Local] of services.
func NewLocal(services ...Service) Local {
	l := Local{map[string]Operation{}}
	for _, s := range services {
		for name, op := range s.Operations {
			l.operations[s.Name+"."+name] = op
		}
	}
	return l
}

// Call calls the operation of that name, such as "ECS.DescribeServices", with
// in as the members of its request, and decodes the answer into out by
// encoding/json. An error of AWS's is an [*Error].
func (l Local) Call(ctx context.Context, name string, in map[string]any, out any) error {
	op, ok := l.operations[name]
	if !ok {
		return fmt.Errorf("drydock has no operation %s", name)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	answer, err := op(ctx, Call{Body: body})
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
