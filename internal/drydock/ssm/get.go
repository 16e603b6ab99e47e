package ssm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Values are the decrypted values of parameters by the names or ARNs that they
// were asked for by, for ECS, and what of the names there is no parameter for.
func (s *Store) Values(names []string) (values map[string]string, invalid []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	values = map[string]string{}
	for _, id := range names {
		p, selector, ok := s.find(id)
		v, has := version{}, false
		if ok {
			v, has = p.selected(selector)
		}
		if !has {
			invalid = append(invalid, id)
			continue
		}
		values[id] = v.Value
	}
	return values, invalid
}

// ARN is the resource that reading a parameter is authorized on, by its name or
// ARN with or without a selector.
func (s *Store) ARN(id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	name, _, _ := strings.Cut(id, ":")
	return s.arn(name)
}

func (s *Store) getParameter(_ context.Context, in *getParameterInput) (*getParameterOutput, error) {
	var c constraint.Checks
	if c.Present("name", in.Name != nil) {
		c.Length("name", in.Name, 1, 2048)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, selector, ok := s.find(*in.Name)
	if !ok {
		return nil, notFound()
	}
	v, ok := p.selected(selector)
	if !ok {
		return nil, versionNotFound(p, selector)
	}
	shown := s.show(p, v, selector, aws.ToBool(in.WithDecryption))
	return &getParameterOutput{Parameter: &shown}, nil
}

func (s *Store) getParameters(_ context.Context, in *getParametersInput) (*getParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &getParametersOutput{Parameters: []shownParameter{}, InvalidParameters: []string{}}
	for _, id := range in.Names {
		p, selector, ok := s.find(id)
		v, has := version{}, false
		if ok {
			v, has = p.selected(selector)
		}
		if has {
			out.Parameters = append(out.Parameters, s.show(p, v, selector, aws.ToBool(in.WithDecryption)))
		} else {
			out.InvalidParameters = append(out.InvalidParameters, id)
		}
	}
	return out, nil
}

func (s *Store) getParametersByPath(_ context.Context, in *getParametersByPathInput) (*getParametersByPathOutput, error) {
	var c constraint.Checks
	c.Present("path", in.Path != nil)
	limit := c.Limit("maxResults", in.MaxResults, 10)
	if err := c.Err(); err != nil {
		return nil, err
	}
	path := *in.Path
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsFunc(path, notOfName) {
		return nil, invalid(`The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
	}
	if err := checkFilters(in.ParameterFilters, "Type", "KeyId", "Label"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []parameter
	for _, p := range s.sorted() {
		if p.under(path, aws.ToBool(in.Recursive)) && p.matches(in.ParameterFilters) {
			found = append(found, p)
		}
	}
	page, next, ok := listing.Page(found, func(p parameter) string { return p.Name }, listing.Ascending, in.NextToken, limit)
	if !ok {
		return nil, badToken()
	}
	out := &getParametersByPathOutput{Parameters: []shownParameter{}, NextToken: next}
	for _, p := range page {
		v := p.latest()
		if n := slices.IndexFunc(in.ParameterFilters, func(f stringFilter) bool { return aws.ToString(f.Key) == "Label" }); n >= 0 {
			v = p.labelled(in.ParameterFilters[n].Values)
		}
		out.Parameters = append(out.Parameters, s.show(p, v, "", aws.ToBool(in.WithDecryption)))
	}
	return out, nil
}

// under tells whether a parameter is in a hierarchy: right below the path, or
// anywhere below it.
func (p parameter) under(path string, recursive bool) bool {
	below, ok := strings.CutPrefix(p.Name, strings.TrimSuffix(path, "/")+"/")
	return ok && (recursive || !strings.Contains(below, "/")) || recursive && path == "/"
}

func badToken() error {
	return wire.Errorf("InvalidNextToken", "The specified token isn't valid.")
}

func (s *Store) getParameterHistory(_ context.Context, in *getParameterHistoryInput) (*getParameterHistoryOutput, error) {
	var c constraint.Checks
	c.Present("name", in.Name != nil)
	limit := c.Limit("maxResults", in.MaxResults, 50)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, selector, ok := s.find(*in.Name)
	if !ok || selector != "" {
		return nil, notFound()
	}
	page, next, ok := listing.Page(slices.Clone(p.Versions), func(v version) string { return fmt.Sprintf("%020d", v.Number) }, listing.Ascending, in.NextToken, limit)
	if !ok {
		return nil, badToken()
	}
	out := &getParameterHistoryOutput{Parameters: []parameterHistory{}, NextToken: next}
	for _, v := range page {
		out.Parameters = append(out.Parameters, parameterHistory{
			Name: &p.Name, Type: v.Type, KeyId: optional(v.KeyID), LastModifiedDate: &v.Modified, Description: optional(v.Description),
			Value: aws.String(s.value(p, v, aws.ToBool(in.WithDecryption))), AllowedPattern: optional(v.AllowedPattern), Version: v.Number,
			Labels: append([]string{}, v.Labels...), Tier: v.Tier, Policies: []inlinePolicy{}, DataType: aws.String("text"),
		})
	}
	return out, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *Store) describeParameters(_ context.Context, in *describeParametersInput) (*describeParametersOutput, error) {
	var c constraint.Checks
	limit := c.Limit("maxResults", in.MaxResults, 50)
	if err := c.Err(); err != nil {
		return nil, err
	}
	filters := in.ParameterFilters
	switch {
	case len(in.Filters) > 0 && len(filters) > 0:
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	case aws.ToBool(in.Shared):
		return nil, invalid("drydock has one account: parameters are not shared.")
	}
	if err := checkFilters(filters, "Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType", "tag:"); err != nil {
		return nil, err
	}
	for _, f := range in.Filters { // the older form, which matches names from their beginning
		option := "BeginsWith"
		if f.Key != "Name" {
			option = "Equals"
		}
		filters = append(filters, stringFilter{Key: &f.Key, Option: &option, Values: f.Values})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := slices.DeleteFunc(s.sorted(), func(p parameter) bool { return !p.matches(filters) })
	page, next, ok := listing.Page(found, func(p parameter) string { return p.Name }, listing.Ascending, in.NextToken, limit)
	if !ok {
		return nil, badToken()
	}
	out := &describeParametersOutput{Parameters: []parameterMetadata{}, NextToken: next}
	for _, p := range page {
		v := p.latest()
		out.Parameters = append(out.Parameters, parameterMetadata{
			ARN: aws.String(s.arn(p.Name)), Name: &p.Name, Type: v.Type, KeyId: optional(v.KeyID), LastModifiedDate: &v.Modified,
			Description: optional(v.Description), AllowedPattern: optional(v.AllowedPattern), Version: v.Number, Tier: v.Tier,
			Policies: []inlinePolicy{}, DataType: aws.String("text"),
		})
	}
	return out, nil
}
