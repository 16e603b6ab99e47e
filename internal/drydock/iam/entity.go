package iam

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// entity is what roles and users have in common.
type entity struct {
	Name     string
	Path     string
	ARN      string
	ID       string
	Created  time.Time
	Tags     map[string]string
	Inline   map[string]string // documents by name
	Attached []string          // ARNs of managed policies, in order
	Boundary string            // ARN of the permissions boundary; "" for none
}

// The wording of refusals is IAM's own as users report it, and moto's where
// nobody does.

func notFound(format string, args ...any) error {
	e := wire.Errorf("NoSuchEntity", format, args...)
	e.Status = 404
	return e
}

func conflict(code, format string, args ...any) error {
	e := wire.Errorf(code, format, args...)
	e.Status = 409
	return e
}

func exists(format string, args ...any) error {
	return conflict("EntityAlreadyExists", format, args...)
}
func inUse(why string) error { return conflict("DeleteConflict", "Cannot delete entity, must %s", why) }
func limit(format string, args ...any) error {
	return conflict("LimitExceeded", format, args...)
}

func validation(value, member, constraint string) error {
	return wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// checkName holds a name to IAM's rule; most is how long it may be.
func checkName(member string, name *string, most int) error {
	switch {
	case name == nil:
		return wire.Errorf("ValidationError", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must not be null", member)
	case *name == "":
		return validation(*name, member, "Member must have length greater than or equal to 1")
	case len(*name) > most:
		return validation(*name, member, "Member must have length less than or equal to "+itoa(most))
	case !regexp.MustCompile(`^[\w+=,.@-]+$`).MatchString(*name):
		return validation(*name, member, `Member must satisfy regular expression pattern: [\w+=,.@-]+`)
	}
	return nil
}

// checkPath gives a path its default, "/".
func checkPath(path *string) (string, error) {
	if path == nil {
		return "/", nil
	}
	if !regexp.MustCompile(`^(/|/[\x21-\x7e]+/)$`).MatchString(*path) || len(*path) > 512 {
		return "", wire.Errorf("ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return *path, nil
}

// Characters of a document, without white space (user guide, "IAM and AWS STS
// quotas").
const (
	maxTrust   = 2048
	maxInline  = 10240 // of all inline policies of a role
	maxUser    = 2048  // of all inline policies of a user
	maxManaged = 6144
)

func size(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// parse reads a document of an identity, once for each text.
func (i *IAM) parse(text string, kind policy.Kind) (policy.Document, error) {
	if d, known := i.parsed[text]; known && kind != policy.Trust {
		return d, nil
	}
	d, err := policy.Parse(text, kind)
	if err != nil {
		return d, wire.Errorf("MalformedPolicyDocument", "%s", err.Error())
	}
	const enough = 1000
	if len(i.parsed) >= enough {
		clear(i.parsed)
	}
	if kind == policy.Identity {
		i.parsed[text] = d
	}
	return d, nil
}

// document is a policy as IAM shows it: percent-encoded by RFC 3986.
func document(text string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

const maxTags = 50

// withTags lays tags over old ones.
func withTags(old map[string]string, tags []types.Tag) (map[string]string, error) {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		switch {
		case key == "" || len([]rune(key)) > 128:
			return nil, validation(key, "tags", "Member must have length between 1 and 128")
		case t.Value == nil || len([]rune(*t.Value)) > 256:
			return nil, validation(aws.ToString(t.Value), "tags", "Member must have length less than or equal to 256")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, wire.Errorf("InvalidInput", "Tag keys starting with aws: are reserved for internal use")
		case seen[strings.ToLower(key)]:
			return nil, wire.Errorf("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(key)] = true
		out[key] = *t.Value
	}
	if len(out) > maxTags {
		return nil, limit("The number of tags has reached the maximum limit.")
	}
	return out, nil
}

func withoutTags(old map[string]string, keys []string) map[string]string {
	out := maps.Clone(old)
	for _, key := range keys {
		delete(out, key)
	}
	return out
}

func tagList(tags map[string]string) []types.Tag {
	out := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out
}

// page is a part of a sorted list: what comes after the marker, up to the
// limit, with the marker of the next part.
func page(names []string, marker *string, most *int32) (part []string, next *string, err error) {
	n := 100
	if most != nil {
		if n = int(*most); n < 1 || n > 1000 {
			return nil, nil, validation(itoa(n), "maxItems", "Member must have value between 1 and 1000")
		}
	}
	from := 0
	if marker != nil {
		var found bool
		if from, found = slices.BinarySearch(names, *marker); found {
			from++
		}
	}
	part = names[from:]
	if len(part) > n {
		part = part[:n]
		next = aws.String(part[n-1])
	}
	return part, next, nil
}

// putInline is the entity with one more inline policy.
func (i *IAM) putInline(e entity, kind string, most int, name, text *string) (entity, error) {
	if err := checkName("policyName", name, 128); err != nil {
		return e, err
	}
	if _, err := i.parse(aws.ToString(text), policy.Identity); err != nil {
		return e, err
	}
	inline := maps.Clone(e.Inline)
	if inline == nil {
		inline = map[string]string{}
	}
	inline[*name] = *text
	total := 0
	for _, doc := range inline {
		total += size(doc)
	}
	if total > most {
		return e, limit("Maximum policy size of %d bytes exceeded for %s %s", most, kind, e.Name)
	}
	e.Inline = inline
	return e, nil
}

func (e entity) inline(kind string, name *string) (string, error) {
	text, found := e.Inline[aws.ToString(name)]
	if !found {
		return "", notFound("The %s policy with name %s cannot be found.", kind, aws.ToString(name))
	}
	return text, nil
}

func (e entity) withoutInline(kind string, name *string) (entity, error) {
	if _, err := e.inline(kind, name); err != nil {
		return e, err
	}
	e.Inline = maps.Clone(e.Inline)
	delete(e.Inline, *name)
	return e, nil
}

const maxAttached = 10

func (i *IAM) attach(e entity, kind string, arn *string) (entity, error) {
	if _, known := i.managed(aws.ToString(arn)); !known {
		return e, notFound("Policy %s does not exist or is not attachable.", aws.ToString(arn))
	}
	if slices.Contains(e.Attached, *arn) {
		return e, nil
	}
	if len(e.Attached) >= maxAttached {
		return e, limit("Cannot exceed quota for PoliciesPer%s: %d", kind, maxAttached)
	}
	e.Attached = append(slices.Clone(e.Attached), *arn)
	return e, nil
}

func (i *IAM) detach(e entity, arn *string) (entity, error) {
	at := slices.Index(e.Attached, aws.ToString(arn))
	if at < 0 {
		return e, notFound("Policy %s was not found.", aws.ToString(arn))
	}
	e.Attached = slices.Delete(slices.Clone(e.Attached), at, at+1)
	return e, nil
}

func (i *IAM) attachedList(e entity, prefix, marker *string, most *int32) ([]types.AttachedPolicy, *string, error) {
	arns := slices.Sorted(slices.Values(e.Attached))
	if prefix != nil {
		arns = slices.DeleteFunc(arns, func(arn string) bool {
			p, _ := i.managed(arn)
			return !strings.HasPrefix(p.Path, *prefix)
		})
	}
	arns, next, err := page(arns, marker, most)
	out := []types.AttachedPolicy{}
	for _, arn := range arns {
		out = append(out, types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(arn[strings.LastIndexByte(arn, '/')+1:])})
	}
	return out, next, err
}

// boundary checks what is to bound an entity.
func (i *IAM) boundary(arn *string) (string, error) {
	if arn == nil {
		return "", nil
	}
	if _, known := i.managed(*arn); !known {
		return "", notFound("Scope ARN: %s does not exist or is not attachable.", *arn)
	}
	return *arn, nil
}

func (e entity) boundaryShown() *types.AttachedPermissionsBoundary {
	if e.Boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: aws.String(e.Boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
	}
}
