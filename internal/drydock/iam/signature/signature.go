// Package signature checks AWS Signature Version 4, as the IAM user guide's
// "AWS Signature Version 4 for API requests" has it, in both of its forms: the
// Authorization header, and the query of a presigned address.
//
// [Read] tells who signed and what for, without checking anything; with the
// secret of that key [Signature.Check] tells whether the request is what was
// signed.
package signature

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Errors of [Read] and [Signature.Check].
var (
	ErrUnsigned   = errors.New("the request is not signed")
	ErrIncomplete = errors.New("the signature is incomplete")
	ErrMismatch   = errors.New("the signature does not match")
	ErrSkewed     = errors.New("the signature is of another time")
)

// The only algorithm there is, and what stands for a body that is not signed.
const (
	algorithm       = "AWS4-HMAC-SHA256"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	stampLayout     = "20060102T150405Z"
)

// Tolerance is how far the time of a signature may be from the server's: five
// minutes at most services, 15 at the most generous. drydock takes the latter.
const Tolerance = 15 * time.Minute

// maxPresigned is the longest life of a presigned address, a week.
const maxPresigned = 7 * 24 * time.Hour

// Signature is what a request says about how it was signed.
type Signature struct {
	AccessKey string
	Date      string // YYYYMMDD of the scope
	Region    string
	Service   string
	Token     string // of a session; "" for a key that needs none

	at      time.Time
	expires time.Duration // 0: signed in the header
	headers []string      // names of signed headers, in order
	given   string        // the signature, in hex
	presign bool
}

// Read finds the signature of a request. The error is [ErrUnsigned] when there
// is none and wraps [ErrIncomplete] when it cannot be read.
func Read(r *http.Request) (Signature, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		return fromHeader(r, header)
	}
	if query := r.URL.Query(); query.Get("X-Amz-Signature") != "" {
		return fromQuery(query)
	}
	return Signature{}, ErrUnsigned
}

func incomplete(what string) error { return fmt.Errorf("%w: %s", ErrIncomplete, what) }

func fromHeader(r *http.Request, header string) (Signature, error) {
	fields, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return Signature{}, ErrUnsigned // Basic and Bearer are other people's
	}
	value := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(field), "=")
		value[name] = v
	}
	s := Signature{Token: r.Header.Get("X-Amz-Security-Token"), given: value["Signature"], headers: strings.Split(value["SignedHeaders"], ";")}
	if err := s.scope(value["Credential"]); err != nil {
		return s, err
	}
	return s.stamped(cmp.Or(r.Header.Get("X-Amz-Date"), r.Header.Get("Date")))
}

func fromQuery(query url.Values) (Signature, error) {
	s := Signature{
		Token: query.Get("X-Amz-Security-Token"), given: query.Get("X-Amz-Signature"), presign: true,
		headers: strings.Split(query.Get("X-Amz-SignedHeaders"), ";"),
	}
	if query.Get("X-Amz-Algorithm") != algorithm {
		return s, incomplete("X-Amz-Algorithm must be " + algorithm)
	}
	if err := s.scope(query.Get("X-Amz-Credential")); err != nil {
		return s, err
	}
	seconds, err := strconv.Atoi(cmp.Or(query.Get("X-Amz-Expires"), "900"))
	if err != nil || seconds < 1 || time.Duration(seconds)*time.Second > maxPresigned {
		return s, incomplete("X-Amz-Expires must be between 1 and 604800 seconds")
	}
	s.expires = time.Duration(seconds) * time.Second
	return s.stamped(query.Get("X-Amz-Date"))
}

func (s *Signature) scope(credential string) error {
	part := strings.Split(credential, "/")
	n := len(part)
	if n < 5 || part[n-1] != "aws4_request" {
		return incomplete("Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term")
	}
	s.AccessKey, s.Date, s.Region, s.Service = strings.Join(part[:n-4], "/"), part[n-4], part[n-3], part[n-2]
	return nil
}

func (s Signature) stamped(stamp string) (Signature, error) {
	at, err := time.Parse(stampLayout, stamp)
	if err != nil {
		return s, incomplete("X-Amz-Date must be in ISO-8601 'basic format'")
	}
	if at.Format("20060102") != s.Date {
		return s, incomplete("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	}
	s.at = at
	return s, nil
}

// Check tells whether the request was signed with the secret, in time by any
// of the clocks given, and has the body that was signed: nil, [ErrMismatch] or
// [ErrSkewed]. The body is read and put back.
func (s Signature) Check(r *http.Request, secret string, maxBody int64, clocks ...time.Time) error {
	if !slices.ContainsFunc(clocks, s.inTime) {
		return ErrSkewed
	}
	if !slices.Contains(s.headers, "host") {
		return fmt.Errorf("%w: 'Host' must be a 'SignedHeader'", ErrMismatch)
	}
	hash, err := s.payload(r, maxBody)
	if err != nil {
		return err
	}
	want := hex.EncodeToString(mac(s.key(secret), s.toSign(s.canonical(r, hash))))
	if !hmac.Equal([]byte(want), []byte(s.given)) {
		return ErrMismatch
	}
	return nil
}

func (s Signature) inTime(now time.Time) bool {
	if s.presign {
		return now.After(s.at.Add(-Tolerance)) && now.Before(s.at.Add(s.expires))
	}
	return now.Sub(s.at).Abs() <= Tolerance
}

// payload is the hash of the body as the signature has it. A hash that the
// client states must be the body's.
func (s Signature) payload(r *http.Request, maxBody int64) (string, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if stated == unsignedPayload {
		return stated, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return "", fmt.Errorf("read the body: %w", err)
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if stated != "" && stated != hash {
		return "", fmt.Errorf("%w: the body is not the one that was signed", ErrMismatch)
	}
	return hash, nil
}

func (s Signature) canonical(r *http.Request, payload string) string {
	var headers strings.Builder
	for _, name := range s.headers {
		fmt.Fprintf(&headers, "%s:%s\n", name, headerValue(r, name))
	}
	return strings.Join([]string{r.Method, canonicalPath(r.URL), canonicalQuery(r.URL), headers.String(), strings.Join(s.headers, ";"), payload}, "\n")
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		if r.Header.Get(name) == "" {
			return strconv.FormatInt(r.ContentLength, 10)
		}
	case "transfer-encoding":
		return strings.Join(r.TransferEncoding, ",")
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

// canonicalPath is the path encoded twice, as every service but S3 wants it.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i := range segments {
		segments[i] = escape(segments[i])
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, v := range values {
			pairs = append(pairs, escape(name)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape is RFC 3986's percent-encoding of everything that is not unreserved.
func escape(s string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (s Signature) toSign(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{s.Date, s.Region, s.Service, "aws4_request"}, "/")
	return strings.Join([]string{algorithm, s.at.Format(stampLayout), scope, hex.EncodeToString(sum[:])}, "\n")
}

func (s Signature) key(secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, "aws4_request"} {
		key = mac(key, part)
	}
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
