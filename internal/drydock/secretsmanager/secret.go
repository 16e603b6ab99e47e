package secretsmanager

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// secret is the record of a secret with all of its versions. Records are
// values: a change puts a changed copy and leaves the slices and maps of the old
// one alone.
type secret struct {
	Name        string
	ARN         string
	Description string
	KMSKey      string // "" is the key aws/secretsmanager
	Tags        map[string]string
	Created     time.Time
	Changed     time.Time
	Accessed    time.Time // midnight UTC of the day; zero: never
	Deleted     time.Time // when its deletion was asked for; zero: it is not to be deleted
	Ends        time.Time // when it will be gone
	Versions    []version // oldest first
}

// version is one value of a secret, either text or bytes.
type version struct {
	ID      string
	Created time.Time
	Text    *string
	Binary  []byte
	Stages  []string
}

// The staging labels that Secrets Manager moves itself.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

func (v version) has(stage string) bool { return slices.Contains(v.Stages, stage) }

func (v version) same(other version) bool {
	if (v.Text == nil) != (other.Text == nil) || v.Text != nil && *v.Text != *other.Text {
		return false
	}
	return bytes.Equal(v.Binary, other.Binary)
}

// byID is the place of a version, -1 for none.
func (s secret) byID(id string) int {
	return slices.IndexFunc(s.Versions, func(v version) bool { return v.ID == id })
}

// byStage is the place of the version that has a staging label, -1 for none.
func (s secret) byStage(stage string) int {
	return slices.IndexFunc(s.Versions, func(v version) bool { return v.has(stage) })
}

// label moves a staging label to the version of that id, "" to take it off. A
// move of AWSCURRENT takes AWSPREVIOUS to where it was.
func (s *secret) label(stage, to string) {
	from := s.byStage(stage)
	versions := slices.Clone(s.Versions)
	for n, v := range versions {
		versions[n].Stages = slices.DeleteFunc(slices.Clone(v.Stages), func(has string) bool { return has == stage })
		if v.ID == to {
			versions[n].Stages = append(versions[n].Stages, stage)
		}
	}
	s.Versions = versions
	if stage == stageCurrent && from >= 0 && s.Versions[from].ID != to {
		s.label(stagePrevious, s.Versions[from].ID)
	}
}

// keptVersions: "Secrets Manager keeps 100 of the most recent versions, but it
// keeps all secret versions created in the last 24 hours" (PutSecretValue in the
// API reference). One with a staging label is never removed.
const (
	keptVersions = 100
	keptFor      = 24 * time.Hour
)

// add appends a version, labels it and removes old ones.
func (s *secret) add(v version, stages []string) {
	s.Versions = append(slices.Clone(s.Versions), v)
	for _, stage := range stages {
		s.label(stage, v.ID)
	}
	for excess := len(s.Versions) - keptVersions; excess > 0; excess-- {
		old := slices.IndexFunc(s.Versions, func(o version) bool { return len(o.Stages) == 0 && v.Created.Sub(o.Created) > keptFor })
		if old < 0 {
			return
		}
		s.Versions = slices.Delete(s.Versions, old, old+1)
	}
}

func (m *Manager) arnPrefix() string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:", m.Region, m.Account)
}

// suffixLength: an ARN ends in a hyphen and six characters.
const suffixLength = 6

func (m *Manager) newARN(name string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	suffix := make([]byte, suffixLength)
	for n := range suffix {
		suffix[n] = letters[m.rand.IntN(len(letters))]
	}
	return m.arnPrefix() + name + "-" + string(suffix)
}

func (m *Manager) newVersionID() string { return identifier.UUID(m.rand) }

// find is the secret that an id names: its name, its ARN, or its ARN without the
// hyphen and the six characters (user guide, What's in a Secrets Manager
// secret?). An ARN of another account or region names nothing here.
func (m *Manager) find(id string) (secret, error) {
	name := id
	if strings.HasPrefix(id, "arn:") {
		var ours bool
		if name, ours = strings.CutPrefix(id, m.arnPrefix()); !ours {
			return secret{}, notFound()
		}
		if cut := len(name) - suffixLength - 1; cut > 0 && name[cut] == '-' {
			if s, ok := m.secrets[name[:cut]]; ok && s.ARN == id {
				return s, nil
			}
		}
	}
	s, ok := m.secrets[name]
	if !ok {
		return secret{}, notFound()
	}
	return s, nil
}

// alive is find for what cannot be done to a secret that is to be deleted.
func (m *Manager) alive(id string) (secret, error) {
	s, err := m.find(id)
	if err == nil && !s.Deleted.IsZero() {
		err = wire.Errorf(codeInvalidRequest, "You can't perform this operation on the secret because it was marked for deletion.")
	}
	return s, err
}

func (m *Manager) sorted() []secret {
	return slices.SortedFunc(maps.Values(m.secrets), func(a, b secret) int { return strings.Compare(a.Name, b.Name) })
}

// Codes of refusals.
const (
	codeInvalidRequest   = "InvalidRequestException"
	codeInvalidParameter = "InvalidParameterException"
	codeNotFound         = "ResourceNotFoundException"
	codeExists           = "ResourceExistsException"
	codeLimit            = "LimitExceededException"
)

func notFound() error {
	return wire.Errorf(codeNotFound, "Secrets Manager can't find the specified secret.")
}
