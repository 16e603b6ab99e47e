package iam

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/signature"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Identity is who calls.
type Identity struct {
	ARN     string // as GetCallerIdentity has it
	UserID  string
	Role    string // name of the role of a session
	Session string // name of that session
	User    string // name of a user
	key     string // the access key of a session
}

// IsLocal tells the administrator that all foreign credentials stand for.
func (id Identity) IsLocal() bool { return id.ARN != "" && id.Role == "" && id.User == "" }

// The user that calls with credentials which were not given out here.
const (
	localUser   = "drydock"
	localUserID = "AIDADRYDOCKDRYDOCKDRY" // AIDA and 17 letters or digits, as every user's
)

// Local is the account's administrator.
func (i *IAM) Local() Identity {
	return Identity{ARN: i.arn("user/" + localUser), UserID: localUserID}
}

type identityKey struct{}

// With says for everything behind it who calls. What of drydock knows no
// identities hears of it by [wire.CallerOf], unless it is the administrator.
func With(ctx context.Context, id Identity) context.Context {
	ctx = context.WithValue(ctx, identityKey{}, id)
	if id.IsLocal() {
		return ctx
	}
	return wire.WithCaller(ctx, id.ARN)
}

// Of is who calls; the zero value when nobody has said.
func Of(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}

// identity is [Of], and the administrator when nobody has said.
func (i *IAM) identity(ctx context.Context) Identity {
	if id := Of(ctx); id.ARN != "" {
		return id
	}
	return i.Local()
}

// Why credentials are refused.
var (
	ErrUnknownKey = errors.New("the access key or token is not known")
	ErrExpired    = errors.New("the session has expired")
)

// credential is a key that was given out here.
type credential struct {
	secret  string
	token   string
	expires time.Time // zero: never
	who     Identity
}

// credential finds a key. known is false for keys of elsewhere.
func (i *IAM) credential(id string) (c credential, known bool, err error) {
	if k, found := i.keys.rows[id]; found {
		u := i.users.rows[k.User]
		c = credential{secret: k.Secret, who: Identity{ARN: u.ARN, UserID: u.ID, User: u.Name}}
		if k.Status != types.StatusTypeActive {
			return c, true, ErrUnknownKey
		}
		return c, true, nil
	}
	if s, found := i.sessions.rows[id]; found {
		return credential{s.Secret, s.Token, s.Expires, s.identity()}, true, nil
	}
	if GivenOut(id) {
		return c, true, ErrUnknownKey // deleted, expired long ago, or another drydock's
	}
	return c, false, nil
}

// GivenOut tells whether a key is one of a drydock, this or another.
func GivenOut(id string) bool { return len(id) > 4 && strings.HasPrefix(id[4:], issued) }

// Authenticate tells who signed a request. Keys that were not given out here
// are the administrator's, whatever the signature; the others are held to
// theirs: the errors are [ErrUnknownKey], [ErrExpired] and those of package
// signature. Signers use their machine's
// clock, so the time of a signature may be that of this machine or that of
// the calendar. maxBody is how much of a body is read for it, in bytes.
func (i *IAM) Authenticate(r *http.Request, maxBody int64) (Identity, error) {
	s, err := signature.Read(r)
	if err != nil {
		return Identity{}, err
	}
	i.mu.Lock()
	c, known, err := i.credential(s.AccessKey)
	now := i.clock.Now()
	i.mu.Unlock()
	switch {
	case !known:
		return i.Local(), nil
	case err != nil:
		return Identity{}, err
	case s.Token != c.token:
		return c.who, ErrUnknownKey
	case !c.expires.IsZero() && !now.Before(c.expires):
		return c.who, ErrExpired
	}
	return c.who, s.Check(r, c.secret, maxBody, now, time.Now())
}

// Known tells who an identity of an earlier call is now: false when its user,
// role or session is gone. Tokens of the registry ask it.
func (i *IAM) Known(arn string) (Identity, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if local := i.Local(); arn == local.ARN || arn == "" {
		return local, true
	}
	for _, u := range i.users.rows {
		if u.ARN == arn {
			return Identity{ARN: u.ARN, UserID: u.ID, User: u.Name}, true
		}
	}
	var newest session
	for _, s := range i.sessions.rows {
		if s.identity().ARN == arn && s.Expires.After(newest.Expires) {
			newest = s
		}
	}
	_, alive := i.roles.rows[newest.Role]
	return newest.identity(), newest.Key != "" && alive
}
