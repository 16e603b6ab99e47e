package ecr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// How long ECR's tokens and download addresses hold, on the calendar.
const (
	tokenLife    = 12 * time.Hour
	downloadLife = time.Hour
)

// What is wrong with a secret.
const (
	ErrForged  = constError("the secret was not given out here")
	ErrExpired = constError("the secret has expired")
)

// constError is an error that is a constant: nobody can assign to it.
type constError string

func (e constError) Error() string { return string(e) }

// seal is a secret that says, to this registry alone, that what is allowed
// until then: the time in seconds and a MAC over both. Nothing has to be kept
// for it, and it holds across a restart.
func (r *Registry) seal(what string, until time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(raw, r.mac(raw, what)...))
}

func (r *Registry) mac(until []byte, what string) []byte {
	h := hmac.New(sha256.New, r.key)
	h.Write(until)
	h.Write([]byte(what))
	return h.Sum(nil)
}

func (r *Registry) checkSeal(what, seal string) error {
	raw, err := base64.RawURLEncoding.DecodeString(seal)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], r.mac(raw[:8], what)) {
		return ErrForged
	}
	if r.clock.Now().Unix() >= int64(binary.BigEndian.Uint64(raw)) {
		return ErrExpired
	}
	return nil
}

// sealedToken is what the seal of an authorization token is about.
const sealedToken = "docker login"

// user is who every password is for.
const user = "AWS"

// Credentials are a login that holds for as long as a token does from now.
func (r *Registry) Credentials() (username, secret string) {
	return user, r.seal(sealedToken, r.clock.Now().Add(tokenLife))
}

// getAuthorizationToken: registryIds is deprecated and changes nothing.
func (r *Registry) getAuthorizationToken(_ *ecr.GetAuthorizationTokenInput, principal string) (*ecr.GetAuthorizationTokenOutput, error) {
	until := r.clock.Now().Add(tokenLife)
	login := user + ":" + r.token(principal)
	return &ecr.GetAuthorizationTokenOutput{AuthorizationData: []types.AuthorizationData{{
		AuthorizationToken: aws.String(base64.StdEncoding.EncodeToString([]byte(login))),
		ExpiresAt:          &until,
		ProxyEndpoint:      aws.String("http://" + r.host()),
	}}}, nil
}

// CheckLogin tells whether username and secret are those of an authorization
// token that holds: nil, [ErrForged] or [ErrExpired].
func (r *Registry) CheckLogin(username, secret string) error {
	_, err := r.Login(username, secret)
	return err
}

// CheckDownload tells whether a download address that was given out for this
// path holds: nil, [ErrForged] or [ErrExpired].
func (r *Registry) CheckDownload(path, seal string) error { return r.checkSeal(path, seal) }
