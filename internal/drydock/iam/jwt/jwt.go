// Package jwt reads the ID tokens of OpenID Connect providers and checks their
// signatures: RS256, RS384, RS512 and ES256, ES384, ES512 of RFC 7518, with a
// JSON Web Key Set of RFC 7517.
package jwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // crypto.SHA256
	_ "crypto/sha512" // crypto.SHA384 and crypto.SHA512
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Token is an ID token whose signature nobody has checked yet.
type Token struct {
	Issuer          string
	Subject         string
	Audience        []string
	AuthorizedParty string
	Expires         int64 // seconds since 1970
	NotBefore       int64
	Email           string
	Methods         []string // amr

	algorithm, keyID string
	signed           string // what the signature is over
	signature        []byte
}

// many is a string or a list of strings.
type many []string

func (m *many) UnmarshalJSON(doc []byte) error {
	var one string
	if json.Unmarshal(doc, &one) == nil {
		*m = many{one}
		return nil
	}
	return json.Unmarshal(doc, (*[]string)(m))
}

// Read takes a token apart. The error says which part cannot be read.
func Read(text string) (Token, error) {
	part := strings.Split(text, ".")
	if len(part) != 3 {
		return Token{}, fmt.Errorf("a token has 3 parts, not %d", len(part))
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	var claims struct {
		Issuer          string      `json:"iss"`
		Subject         string      `json:"sub"`
		Audience        many        `json:"aud"`
		AuthorizedParty string      `json:"azp"`
		Expires         json.Number `json:"exp"`
		NotBefore       json.Number `json:"nbf"`
		Email           string      `json:"email"`
		Methods         many        `json:"amr"`
	}
	if err := decode(part[0], &header); err != nil {
		return Token{}, fmt.Errorf("header: %w", err)
	}
	if err := decode(part[1], &claims); err != nil {
		return Token{}, fmt.Errorf("claims: %w", err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil {
		return Token{}, fmt.Errorf("signature: %w", err)
	}
	return Token{
		Issuer: claims.Issuer, Subject: claims.Subject, Audience: claims.Audience, AuthorizedParty: claims.AuthorizedParty,
		Expires: seconds(claims.Expires), NotBefore: seconds(claims.NotBefore), Email: claims.Email, Methods: claims.Methods,
		algorithm: header.Algorithm, keyID: header.KeyID, signed: part[0] + "." + part[1], signature: signature,
	}, nil
}

// seconds leaves fractions out; what is no number is 0, as if absent.
func seconds(n json.Number) int64 {
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1<<53 {
		return 0
	}
	return int64(f)
}

func decode(part string, into any) error {
	doc, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.NewDecoder(bytes.NewReader(doc)).Decode(into)
}

// ClientID is whom the token was made for: the authorized party when it names
// one, else its audience.
func (t Token) ClientID() string {
	if t.AuthorizedParty != "" || len(t.Audience) == 0 {
		return t.AuthorizedParty
	}
	return t.Audience[0]
}

// Missing is the first claim that a token must have and this one has not.
func (t Token) Missing() string {
	switch {
	case t.Issuer == "":
		return "iss"
	case t.Subject == "":
		return "sub"
	case len(t.Audience) == 0:
		return "aud"
	case t.Expires == 0:
		return "exp"
	}
	return ""
}

// Keys is a key set: public keys by id.
type Keys map[string]crypto.PublicKey

// ReadKeys reads a JSON Web Key Set. Keys of other kinds than RSA and EC are
// passed over; a set without a usable key is an error.
func ReadKeys(doc []byte) (Keys, error) {
	var set struct {
		Keys []struct {
			Type  string `json:"kty"`
			ID    string `json:"kid"`
			N     string `json:"n"`
			E     string `json:"e"`
			Curve string `json:"crv"`
			X     string `json:"x"`
			Y     string `json:"y"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(doc, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	keys := Keys{}
	for _, k := range set.Keys {
		var err error
		switch k.Type {
		case "RSA":
			keys[k.ID], err = rsaKey(k.N, k.E)
		case "EC":
			keys[k.ID], err = ecKey(k.Curve, k.X, k.Y)
		}
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", k.ID, err)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no RSA or EC key")
	}
	return keys, nil
}

func rsaKey(n, e string) (*rsa.PublicKey, error) {
	modulus, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		return nil, err
	}
	exponent, err := base64.RawURLEncoding.DecodeString(e)
	if err != nil {
		return nil, err
	}
	power := new(big.Int).SetBytes(exponent)
	if len(modulus) < 128 || !power.IsInt64() || power.Int64() < 3 || power.Int64() > 1<<31-1 {
		return nil, errors.New("it is no RSA key of 1024 bits or more")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(power.Int64())}, nil
}

func ecKey(curve, x, y string) (*ecdsa.PublicKey, error) {
	known := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	c, ok := known[curve]
	if !ok {
		return nil, fmt.Errorf("the curve %q is not one of P-256, P-384 and P-521", curve)
	}
	size := (c.Params().BitSize + 7) / 8
	point := []byte{4} // uncompressed
	for _, text := range []string{x, y} {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		if len(raw) > size {
			return nil, errors.New("its coordinates are too long")
		}
		point = append(append(point, make([]byte, size-len(raw))...), raw...)
	}
	return ecdsa.ParseUncompressedPublicKey(c, point)
}

// Verify checks the signature with the key that the token names; one that
// names none may be signed with the only key there is.
func (t Token) Verify(keys Keys) error {
	key, known := keys[t.keyID]
	if !known && t.keyID == "" && len(keys) == 1 {
		for _, key = range keys {
			known = true
		}
	}
	if !known {
		return fmt.Errorf("the key set has no key %q", t.keyID)
	}
	hashes := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}
	if len(t.algorithm) != 5 {
		return fmt.Errorf("the algorithm %q is not one of RS256, RS384, RS512, ES256, ES384, ES512", t.algorithm)
	}
	hash, ok := hashes[t.algorithm[2:]]
	if !ok {
		return fmt.Errorf("the algorithm %q is not one of RS256, RS384, RS512, ES256, ES384, ES512", t.algorithm)
	}
	h := hash.New()
	h.Write([]byte(t.signed))
	sum := h.Sum(nil)
	switch key := key.(type) {
	case *rsa.PublicKey:
		if t.algorithm[:2] == "RS" && rsa.VerifyPKCS1v15(key, hash, sum, t.signature) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		half := len(t.signature) / 2
		r, s := new(big.Int).SetBytes(t.signature[:half]), new(big.Int).SetBytes(t.signature[half:])
		if t.algorithm[:2] == "ES" && half == (key.Curve.Params().BitSize+7)/8 && ecdsa.Verify(key, sum, r, s) {
			return nil
		}
	}
	return errors.New("it was not made with that key")
}
