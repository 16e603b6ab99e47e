package ssm

import (
	"context"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxLabels is the most labels that a version may have.
const maxLabels = 10

// validLabel: letters, numbers, periods, hyphens and underscores, not beginning
// with a number, aws or ssm (LabelParameterVersion in the API reference).
func validLabel(label string) bool {
	lower := strings.ToLower(label)
	return label != "" && len(label) <= 100 && !strings.ContainsFunc(label, notOfName) && !strings.Contains(label, "/") &&
		(label[0] < '0' || label[0] > '9') && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// toLabel finds the version whose labels a request changes, 0 for the latest,
// and a copy of the parameter's versions to change.
func (s *Store) toLabel(name *string, number int64, labels []string) (p parameter, n int, err error) {
	var c constraint.Checks
	c.Present("name", name != nil)
	if c.Present("labels", labels != nil) {
		c.Count("labels", len(labels), 1, 10)
	}
	if err := c.Err(); err != nil {
		return p, 0, err
	}
	p, selector, ok := s.find(*name)
	if !ok || selector != "" {
		return p, 0, notFound()
	}
	p.Versions = slices.Clone(p.Versions)
	n = len(p.Versions) - 1
	if number != 0 {
		n = slices.IndexFunc(p.Versions, func(v version) bool { return v.Number == number })
	}
	if n < 0 {
		return p, 0, wire.Errorf("ParameterVersionNotFound", "Systems Manager could not find version %d of %s. Verify the version and try again.", number, p.Name)
	}
	return p, n, nil
}

func (s *Store) labelParameterVersion(_ context.Context, in *labelParameterVersionInput) (*labelParameterVersionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := int64(0)
	if in.ParameterVersion != nil {
		number = *in.ParameterVersion
	}
	p, n, err := s.toLabel(in.Name, number, in.Labels)
	if err != nil {
		return nil, err
	}
	out := &labelParameterVersionOutput{InvalidLabels: []string{}, ParameterVersion: p.Versions[n].Number}
	for _, label := range in.Labels {
		if !validLabel(label) {
			out.InvalidLabels = append(out.InvalidLabels, label)
			continue
		}
		for i := range p.Versions { // a label is on one version at a time
			p.Versions[i].Labels = without(p.Versions[i].Labels, label)
		}
		p.Versions[n].Labels = append(p.Versions[n].Labels, label)
	}
	if len(p.Versions[n].Labels) > maxLabels {
		return nil, wire.Errorf("ParameterVersionLabelLimitExceeded", "A parameter version can have a maximum of ten labels.")
	}
	return out, s.put(p)
}

func (s *Store) unlabelParameterVersion(_ context.Context, in *unlabelParameterVersionInput) (*unlabelParameterVersionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c constraint.Checks
	if !c.Present("parameterVersion", in.ParameterVersion != nil) {
		return nil, c.Err()
	}
	p, n, err := s.toLabel(in.Name, *in.ParameterVersion, in.Labels)
	if err != nil {
		return nil, err
	}
	out := &unlabelParameterVersionOutput{InvalidLabels: []string{}, RemovedLabels: []string{}}
	for _, label := range in.Labels {
		if !slices.Contains(p.Versions[n].Labels, label) {
			out.InvalidLabels = append(out.InvalidLabels, label)
			continue
		}
		out.RemovedLabels = append(out.RemovedLabels, label)
		p.Versions[n].Labels = without(p.Versions[n].Labels, label)
	}
	return out, s.put(p)
}

func without(labels []string, label string) []string {
	return slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return l == label })
}
