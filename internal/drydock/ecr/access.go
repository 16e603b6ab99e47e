package ecr

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"

	imageref "github.com/plimsoll-ecs/plimsoll/internal/image"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// RepositoryARN finds the repository of an image reference; ok is false for an
// image of another registry. The repository need not exist.
func (r *Registry) RepositoryARN(ref imageref.Reference) (arn string, ok bool) {
	return r.arn(ref.Repository), r.isHere(ref.Registry)
}

// ResourceTags are the tags of a repository, by ARN; nil when there is none.
func (r *Registry) ResourceTags(arn string) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.byARN(&arn)
	if err != nil {
		return nil
	}
	return repo.Tags
}

// PolicyOf is the policy of a repository, by name; "" when it has none.
func (r *Registry) PolicyOf(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if repo, found := r.state[name]; found {
		return repo.Policy
	}
	return ""
}

// A token of somebody says who that is: docker's side is authorized as the one
// who got the token.

// token is the password of a login as a principal, whose ARN is "" for the
// account's administrator.
func (r *Registry) token(principal string) string {
	until := r.clock.Now().Add(tokenLife)
	if principal == "" {
		return r.seal(sealedToken, until)
	}
	return r.seal(sealedToken+"\n"+principal, until) + "." + base64.RawURLEncoding.EncodeToString([]byte(principal))
}

// Login tells whose authorization token username and secret are: the ARN of
// the principal that got it, "" for the account's administrator. The error is
// [ErrForged] or [ErrExpired].
func (r *Registry) Login(username, secret string) (principal string, err error) {
	if username != user {
		return "", ErrForged
	}
	seal, named, isNamed := strings.Cut(secret, ".")
	if !isNamed {
		return "", r.checkSeal(sealedToken, seal)
	}
	arn, err := base64.RawURLEncoding.DecodeString(named)
	if err != nil || len(arn) == 0 {
		return "", ErrForged
	}
	return string(arn), r.checkSeal(sealedToken+"\n"+string(arn), seal)
}

// authorizationToken is GetAuthorizationToken for whoever calls.
func (r *Registry) authorizationToken() wire.Operation {
	return wire.Typed(func(ctx context.Context, in *ecr.GetAuthorizationTokenInput) (*ecr.GetAuthorizationTokenOutput, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.getAuthorizationToken(in, wire.CallerOf(ctx))
	})
}
