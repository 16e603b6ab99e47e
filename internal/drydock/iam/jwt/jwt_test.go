package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

const claims = `{"iss":"https://gitlab.com","sub":"project_path:a/b","aud":["https://gitlab.com"],"exp":1795252000,"nbf":1795250000.5,"amr":"x"}`

func unsigned(header string) string {
	return b64([]byte(header)) + "." + b64([]byte(claims))
}

// keysAndTokens are an RSA and an EC key as a set, and a token signed by each.
func keysAndTokens(t *testing.T) (set []byte, rs, es string) {
	t.Helper()
	first, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := second.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	set, err = json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "n": b64(first.N.Bytes()), "e": b64(big.NewInt(int64(first.E)).Bytes())},
		{"kty": "EC", "kid": "e", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "oct", "kid": "s"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	rs = unsigned(`{"alg":"RS256","kid":"r"}`)
	sum := sha256.Sum256([]byte(rs))
	signature, err := rsa.SignPKCS1v15(rand.Reader, first, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	rs += "." + b64(signature)
	es = unsigned(`{"alg":"ES256","kid":"e"}`)
	sum = sha256.Sum256([]byte(es))
	r, s, err := ecdsa.Sign(rand.Reader, second, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	es += "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	return set, rs, es
}

func TestVerify(t *testing.T) {
	set, rs, es := keysAndTokens(t)
	keys, err := ReadKeys(set)
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for _, text := range []string{rs, es} {
		token, err := Read(text)
		if err != nil {
			t.Fatal(err)
		}
		if token.Issuer != "https://gitlab.com" || token.Subject != "project_path:a/b" || token.ClientID() != "https://gitlab.com" ||
			token.Expires != 1795252000 || token.NotBefore != 1795250000 || len(token.Methods) != 1 || token.Missing() != "" {
			t.Errorf("%+v", token)
		}
		if err := token.Verify(keys); err != nil {
			t.Error(err)
		}
		part := strings.Split(text, ".")
		other := b64([]byte(strings.Replace(claims, "a/b", "a/c", 1)))
		for _, forged := range []string{part[0] + "." + other + "." + part[2], part[0] + "." + part[1] + ".", part[0] + "." + part[1] + "." + b64([]byte("x"))} {
			token, err := Read(forged)
			if err != nil {
				t.Fatal(err)
			}
			if token.Verify(keys) == nil {
				t.Errorf("%s is taken", forged)
			}
		}
	}
	// Nothing but the two families, each with its own kind of key.
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"none","kid":"r"}`, `{"alg":"HS256","kid":"r"}`, `{"alg":"ES256","kid":"r"}`, `{"alg":"RS256","kid":"e"}`, `{"alg":"RS256","kid":"x"}`, `{"alg":"RS255","kid":"r"}`, `{"kid":"r"}`} {
		token, err := Read(unsigned(header) + "." + strings.Split(rs, ".")[2])
		if err != nil {
			t.Fatal(err)
		}
		if token.Verify(keys) == nil {
			t.Errorf("%s is taken", header)
		}
	}
}

func TestWhatIsNoToken(t *testing.T) {
	for _, text := range []string{"", "a.b", "a.b.c", unsigned(`{}`), unsigned(`{}`) + ".!", b64([]byte(`{}`)) + "." + b64([]byte(`[]`)) + ".", "=.=.="} {
		if _, err := Read(text); err == nil {
			t.Errorf("%q is one", text)
		}
	}
}

func TestWhatIsNoKeySet(t *testing.T) {
	for _, text := range []string{``, `{}`, `[]`, `{"keys":[]}`, `{"keys":[{"kty":"RSA","n":"!","e":"AQAB"}]}`, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-1","x":"AA","y":"AA"}]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","x":%q,"y":"AA"}]}`, b64(make([]byte, 40)))} {
		if _, err := ReadKeys([]byte(text)); err == nil {
			t.Errorf("%q is one", text)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(unsigned(`{"alg":"RS256"}`)+".AAAA", []byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(_ *testing.T, text string, set []byte) {
		keys, noKeys := ReadKeys(set)
		if token, err := Read(text); err == nil && noKeys == nil {
			_ = token.Verify(keys)
		}
	})
}
