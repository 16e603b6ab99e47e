package ssm

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// parameter is the record of a parameter with all of its versions. Records are
// values: a change puts a changed copy and leaves the slices and maps of the old
// one alone.
type parameter struct {
	Name     string
	Tags     map[string]string
	Versions []version // oldest first, never empty
}

// version is what one PutParameter said. Everything but the tags belongs to it.
type version struct {
	Number         int64
	Type           parameterType
	Value          string
	Description    string
	KeyID          string // "" unless it is a SecureString
	AllowedPattern string
	Tier           parameterTier
	Modified       time.Time
	Labels         []string
}

// defaultKey is the key of a SecureString that names none.
const defaultKey = "alias/aws/ssm"

// maxVersions is how many versions a parameter keeps: "when the 101st is
// created, the oldest is removed" (user guide, Working with parameter versions).
const maxVersions = 100

func (p parameter) latest() version { return p.Versions[len(p.Versions)-1] }

// selected finds the version that a selector names, a number or a label, the
// latest for "".
func (p parameter) selected(selector string) (version, bool) {
	if selector == "" {
		return p.latest(), true
	}
	number, err := strconv.ParseInt(selector, 10, 64)
	n := slices.IndexFunc(p.Versions, func(v version) bool {
		return err == nil && v.Number == number || slices.Contains(v.Labels, selector)
	})
	if n < 0 {
		return version{}, false
	}
	return p.Versions[n], true
}

func (s *Store) arnPrefix() string {
	return fmt.Sprintf("arn:aws:ssm:%s:%s:parameter", s.options.Region, s.options.Account)
}

// arn: the slash that a hierarchy begins with is the one behind "parameter".
func (s *Store) arn(name string) string {
	return s.arnPrefix() + "/" + strings.TrimPrefix(name, "/")
}

// find is the parameter that an id names, and the selector behind it: NAME,
// NAME:VERSION or NAME:LABEL, or the same with an ARN. An ARN of another
// account or region names nothing here.
func (s *Store) find(id string) (p parameter, selector string, ok bool) {
	rest, isARN := strings.CutPrefix(id, s.arnPrefix()+"/")
	if !isARN && strings.HasPrefix(id, "arn:") {
		return parameter{}, "", false
	}
	name, selector, selects := strings.Cut(rest, ":")
	if selects && selector == "" {
		return parameter{}, "", false
	}
	p, ok = s.parameters[name]
	if !ok && isARN { // an ARN does not tell a name from a hierarchy of one level
		p, ok = s.parameters["/"+name]
	}
	return p, selector, ok
}

// show is a version as GetParameter and its relatives show it. selector is
// what it was asked for by.
func (s *Store) show(p parameter, v version, selector string, decrypt bool) shownParameter {
	arn, dataType := s.arn(p.Name), "text"
	value := s.value(p, v, decrypt)
	out := shownParameter{
		ARN: &arn, DataType: &dataType, LastModifiedDate: &v.Modified, Name: &p.Name, Type: v.Type, Value: &value, Version: v.Number,
	}
	if selector != "" {
		selector = ":" + selector
		out.Selector = &selector
	}
	return out
}

// value is the value of a version; that of a SecureString, without decryption,
// is bytes that nothing can be made of, as KMS's are.
func (s *Store) value(p parameter, v version, decrypt bool) string {
	if v.Type != typeSecureString || decrypt {
		return v.Value
	}
	var sealed []byte
	for part := range 5 {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s:%d:%d", s.arn(p.Name), v.Number, part))
		sealed = append(sealed, sum[:]...)
	}
	return "AQICAHh" + base64.StdEncoding.EncodeToString(sealed)[7:]
}

func (s *Store) sorted() []parameter {
	return slices.SortedFunc(maps.Values(s.parameters), func(a, b parameter) int { return strings.Compare(a.Name, b.Name) })
}

// notFound has no message on AWS either.
func notFound() error { return wire.Errorf("ParameterNotFound", "") }

func versionNotFound(p parameter, selector string) error {
	return wire.Errorf("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector, p.Name)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}
