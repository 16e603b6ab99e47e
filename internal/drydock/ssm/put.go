package ssm

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// The longest values of the tiers, in bytes, and the deepest hierarchy
// (PutParameter in the API reference).
const (
	maxStandard = 4096
	maxAdvanced = 8192
	maxLevels   = 15
	maxName     = 1011 // with the ARN before it
)

// checkName holds a new name to the rules of PutParameter.
func (s *Store) checkName(name string) error {
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case len(s.arn(name)) > maxName:
		return invalid("Parameter name: the name, with the ARN before it, can have at most %d characters.", maxName)
	case strings.HasPrefix(first, "aws"):
		return wire.Errorf("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case strings.HasPrefix(first, "ssm"), strings.ContainsFunc(name, notOfName), strings.Contains(name, "//"), strings.HasSuffix(name, "/"):
		return invalid(`Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return invalid("Parameter name must be a fully qualified name.")
	case strings.Count(name, "/") > maxLevels:
		return wire.Errorf("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of %d levels. For more information, see Requirements and constraints for parameter names in the Amazon Web Services Systems Manager User Guide.", maxLevels)
	}
	return nil
}

func notOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.-/", r)
}

func checkPut(in *putParameterInput) error {
	var c constraint.Checks
	if c.Present("name", in.Name != nil) {
		c.Length("name", in.Name, 1, 2048)
	}
	if c.Present("value", in.Value != nil) {
		c.SecretLength("value", len(*in.Value), 1, maxAdvanced)
	}
	c.Length("description", in.Description, 0, 1024)
	c.Length("keyId", in.KeyId, 1, 256)
	c.Length("allowedPattern", in.AllowedPattern, 0, 1024)
	constraint.OneOf(&c, "type", in.Type, in.Type.values())
	constraint.OneOf(&c, "tier", in.Tier, in.Tier.values())
	if err := c.Err(); err != nil {
		return err
	}
	switch {
	case in.Policies != nil && *in.Policies != "" && *in.Policies != "[]" && *in.Policies != "[{}]":
		return wire.Errorf("InvalidPolicyTypeException", "drydock has no parameter policies.")
	case in.DataType != nil && *in.DataType != "text" && *in.DataType != "":
		return invalid("drydock has parameters of the data type text only.")
	case aws.ToBool(in.Overwrite) && len(in.Tags) > 0:
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case strings.Contains(*in.Value, "{{") && strings.Contains(*in.Value, "}}"):
		return invalid(`Parameter value can't nest another parameter. Do not use "{{}}" in the value.`)
	}
	return nil
}

func (s *Store) putParameter(_ context.Context, in *putParameterInput) (*putParameterOutput, error) {
	if err := checkPut(in); err != nil {
		return nil, err
	}
	name := strings.TrimSpace(*in.Name)
	if name == "" {
		return nil, invalid("Parameter name must not be blank.")
	}
	if err := s.checkName(name); err != nil {
		return nil, err
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, exists := s.parameters[name]
	var before version
	switch {
	case !exists:
		p = parameter{Name: name, Tags: tags}
	case !aws.ToBool(in.Overwrite):
		return nil, wire.Errorf("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	default:
		before = p.latest()
	}
	v, err := next(before, in)
	if err != nil {
		return nil, err
	}
	v.Modified = s.options.Clock.Now()
	if p.Versions, err = withVersion(p, v); err != nil {
		return nil, err
	}
	return &putParameterOutput{Version: v.Number, Tier: v.Tier}, s.put(p)
}

// next is the version that a request makes after another one, the zero version
// for a new parameter. What the request does not say stays.
func next(v version, in *putParameterInput) (version, error) {
	v.Number, v.Labels, v.Value = v.Number+1, nil, *in.Value
	if in.Type != "" {
		v.Type = in.Type
	}
	if in.Description != nil {
		v.Description = *in.Description
	}
	if in.AllowedPattern != nil {
		v.AllowedPattern = *in.AllowedPattern
	}
	switch {
	case v.Type == "":
		return v, invalid("A parameter type is required when you create a parameter.")
	case v.Type != typeSecureString && in.KeyId != nil:
		return v, invalid("KeyId can only be used with a parameter of the type SecureString.")
	case v.Type != typeSecureString:
		v.KeyID = ""
	case in.KeyId != nil:
		v.KeyID = *in.KeyId
	case v.KeyID == "":
		v.KeyID = defaultKey
	}
	if err := v.checkPattern(); err != nil {
		return v, err
	}
	return v.inTier(in.Tier)
}

// checkPattern holds a value to its allowed pattern. The message has the
// pattern and never the value.
func (v version) checkPattern() error {
	if v.AllowedPattern == "" {
		return nil
	}
	pattern, err := regexp.Compile(v.AllowedPattern)
	if err != nil {
		return wire.Errorf("InvalidAllowedPatternException", "The request doesn't meet the regular expression requirement.")
	}
	if !pattern.MatchString(v.Value) {
		return wire.Errorf("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", v.AllowedPattern)
	}
	return nil
}

// inTier puts a version in the tier that was asked for, or in the one that the
// value needs, and never back from Advanced to Standard.
func (v version) inTier(asked parameterTier) (version, error) {
	before := v.Tier
	switch {
	case asked == tierAdvanced, before == tierAdvanced && asked != tierStandard,
		asked == tierIntelligent && len(v.Value) > maxStandard:
		v.Tier = tierAdvanced
		return v, nil
	case before == tierAdvanced:
		return v, invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case len(v.Value) > maxStandard:
		return v, invalid("Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html")
	}
	v.Tier = tierStandard
	return v, nil
}

// withVersion is the versions of a parameter with one more. The oldest goes
// when there are too many, unless it has a label.
func withVersion(p parameter, v version) ([]version, error) {
	versions := append(slices.Clone(p.Versions), v)
	if len(versions) <= maxVersions {
		return versions, nil
	}
	if oldest := versions[0]; len(oldest.Labels) > 0 {
		return nil, wire.Errorf("ParameterMaxVersionLimitExceeded", "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", p.Name, oldest.Number)
	}
	return versions[1:], nil
}

func (s *Store) deleteParameter(_ context.Context, in *deleteParameterInput) (*deleteParameterOutput, error) {
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
	if !ok || selector != "" {
		return nil, notFound()
	}
	return &deleteParameterOutput{}, s.drop([]string{p.Name})
}

func (s *Store) deleteParameters(_ context.Context, in *deleteParametersInput) (*deleteParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &deleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	var gone []string
	for _, id := range in.Names {
		if p, selector, ok := s.find(id); ok && selector == "" {
			gone = append(gone, p.Name)
			out.DeletedParameters = append(out.DeletedParameters, id)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, id)
		}
	}
	return out, s.drop(gone)
}

func checkNames(names []string) error {
	var c constraint.Checks
	if c.Present("names", names != nil) {
		c.Count("names", len(names), 1, 10)
	}
	for _, name := range names {
		c.Length("names", &name, 1, 2048)
	}
	return c.Err()
}
