package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// MalformedError says what is wrong with a document, in the words behind
// MalformedPolicyDocument.
type MalformedError struct{ Message string }

func (e *MalformedError) Error() string { return e.Message }

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

func syntax() error { return malformed("Syntax errors in policy.") }

// current is the version of the language since which there are variables.
const current = "2012-10-17"

// Parse reads a document of a kind. What is wrong with it is a
// [*MalformedError].
func Parse(text string, kind Kind) (Document, error) {
	fields, err := object([]byte(text), "Version", "Id", "Statement")
	if err != nil {
		if !json.Valid([]byte(text)) && kind == Trust {
			return Document{}, malformed("This policy contains invalid Json")
		}
		return Document{}, err
	}
	version, err := version(fields["Version"])
	if err != nil {
		return Document{}, err
	}
	if kind != Trust && kind != Resource && version != current {
		return Document{}, malformed("Policy document must be version 2012-10-17 or greater.")
	}
	raw, err := oneOrMany(fields["Statement"])
	if err != nil || len(raw) == 0 {
		return Document{}, syntax()
	}
	d := Document{variables: version == current}
	for _, doc := range raw {
		s, err := statement(doc)
		if err != nil {
			return Document{}, err
		}
		d.Statements = append(d.Statements, s)
	}
	return d, check(d, kind)
}

func version(raw json.RawMessage) (string, error) {
	if raw == nil {
		return "2008-10-17", nil // "If you do not include a Version element, the value defaults to 2008-10-17"
	}
	var v string
	if json.Unmarshal(raw, &v) != nil || v != current && v != "2008-10-17" {
		return "", syntax()
	}
	return v, nil
}

// object reads a JSON object with no other members than those.
func object(doc []byte, members ...string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(doc))
	if d.Decode(&fields) != nil || fields == nil {
		return nil, syntax()
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, syntax()
	}
	for name := range fields {
		if !slices.Contains(members, name) {
			return nil, syntax()
		}
	}
	return fields, nil
}

func oneOrMany(raw json.RawMessage) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, nil
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var many []json.RawMessage
	if err := json.Unmarshal(raw, &many); err != nil {
		return nil, syntax()
	}
	return many, nil
}

// texts reads a string or a list of them.
func texts(raw json.RawMessage) ([]string, error) {
	many, err := oneOrMany(raw)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, one := range many {
		var s *string
		if json.Unmarshal(one, &s) != nil || s == nil {
			return nil, syntax()
		}
		out = append(out, *s)
	}
	return out, nil
}

func statement(doc json.RawMessage) (Statement, error) {
	var s Statement
	fields, err := object(doc, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
	if err != nil {
		return s, err
	}
	var effect string
	if json.Unmarshal(fields["Effect"], &effect) != nil || effect != "Allow" && effect != "Deny" {
		return s, syntax()
	}
	s.Deny = effect == "Deny"
	if raw := fields["Sid"]; raw != nil && json.Unmarshal(raw, &s.SID) != nil {
		return s, syntax()
	}
	for _, list := range []struct {
		into *[]string
		name string
	}{{&s.Actions, "Action"}, {&s.NotActions, "NotAction"}, {&s.Resources, "Resource"}, {&s.NotResources, "NotResource"}} {
		if *list.into, err = texts(fields[list.name]); err != nil {
			return s, err
		}
	}
	if len(s.Actions) > 0 && len(s.NotActions) > 0 || len(s.Resources) > 0 && len(s.NotResources) > 0 || fields["Principal"] != nil && fields["NotPrincipal"] != nil {
		return s, syntax()
	}
	if s.Principals, err = principals(fields["Principal"]); err != nil {
		return s, err
	}
	if s.Excepted, err = principals(fields["NotPrincipal"]); err != nil {
		return s, err
	}
	s.Conditions, err = conditions(fields["Condition"])
	return s, err
}

func principals(raw json.RawMessage) ([]Principal, error) {
	if raw == nil {
		return nil, nil
	}
	var star string
	if json.Unmarshal(raw, &star) == nil {
		if star != "*" {
			return nil, syntax()
		}
		return []Principal{{Kind: "*"}}, nil
	}
	kinds, err := object(raw, "AWS", "Service", "Federated", "CanonicalUser")
	if err != nil {
		return nil, err
	}
	var out []Principal
	for _, kind := range []string{"AWS", "Service", "Federated", "CanonicalUser"} {
		values, err := texts(kinds[kind])
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			out = append(out, Principal{kind, v})
		}
	}
	if len(out) == 0 {
		return nil, malformed("Missing required field Principal cannot be empty!")
	}
	return out, nil
}

func conditions(raw json.RawMessage) ([]Condition, error) {
	if raw == nil {
		return nil, nil
	}
	var operators map[string]map[string]json.RawMessage
	if json.Unmarshal(raw, &operators) != nil {
		return nil, syntax()
	}
	var out []Condition
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		o, known := operatorOf(name)
		if !known {
			return nil, malformed("Invalid Condition type : %s.", name)
		}
		for _, key := range slices.Sorted(maps.Keys(operators[name])) {
			values, err := scalars(operators[name][key])
			if err != nil {
				return nil, err
			}
			out = append(out, Condition{o, key, values})
		}
	}
	return out, nil
}

// scalars reads strings, numbers and booleans as the strings that they are
// compared as.
func scalars(raw json.RawMessage) ([]string, error) {
	many, err := oneOrMany(raw)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, one := range many {
		var v any
		d := json.NewDecoder(bytes.NewReader(one))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return nil, syntax()
		}
		switch v := v.(type) {
		case string, bool, json.Number:
			out = append(out, fmt.Sprint(v))
		default:
			return nil, syntax()
		}
	}
	return out, nil
}

// check holds a document to what its kind asks.
func check(d Document, kind Kind) error {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if s.SID != "" && seen[s.SID] {
			return malformed("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.SID] = true
		if len(s.Actions)+len(s.NotActions) == 0 {
			return malformed("Policy statement must contain actions.")
		}
		if err := checkActions(slices.Concat(s.Actions, s.NotActions)); err != nil {
			return err
		}
		if err := checkParts(s, kind); err != nil {
			return err
		}
	}
	return nil
}

func checkParts(s Statement, kind Kind) error {
	named := len(s.Principals)+len(s.Excepted) > 0
	resources := slices.Concat(s.Resources, s.NotResources)
	switch kind {
	case Identity, Session:
		if named {
			return malformed("Policy document should not specify a principal.")
		}
		if len(resources) == 0 {
			return malformed("Policy statement must contain resources.")
		}
		for _, r := range resources {
			if err := checkResource(r); err != nil {
				return err
			}
		}
	case Trust:
		if !named {
			return malformed("Missing required field Principal")
		}
		if len(resources) > 0 {
			return malformed("Has prohibited field Resource")
		}
		for _, a := range s.Actions {
			if !strings.HasPrefix(strings.ToLower(a), "sts:") {
				return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	case Resource:
		if !named {
			return malformed("Missing required field Principal")
		}
	}
	return nil
}

func checkActions(actions []string) error {
	vendor := regexp.MustCompile(`^[a-zA-Z0-9.-]+$`)
	for _, a := range actions {
		if a == "*" {
			continue
		}
		service, name, ok := strings.Cut(a, ":")
		switch {
		case !ok:
			return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		case strings.Contains(name, ":"):
			return malformed("Actions/Condition can contain only one colon.")
		case !vendor.MatchString(service):
			return malformed("Vendor %s is not valid", service)
		}
	}
	return nil
}

func checkResource(r string) error {
	if r == "*" {
		return nil
	}
	part := strings.SplitN(r, ":", segments)
	switch {
	case len(part) < 2 || part[0] != "arn":
		return malformed(`Resource %s must be in ARN format or "*".`, r)
	case len(part) < 4:
		return malformed("Resource vendor must be fully qualified and cannot contain regexes.")
	case part[1] != "aws" && part[1] != "aws-cn" && part[1] != "aws-us-gov" && part[1] != "*":
		return malformed("Partition %q is not valid for resource \"%s\".", part[1], r)
	case part[2] == "iam" && part[3] != "" && part[3] != "*":
		return malformed("IAM resource %s cannot contain region information.", r)
	}
	return nil
}
