package image

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var hex64 = strings.Repeat("0123456789abcdef", 4)

func TestParse(t *testing.T) {
	ecr := "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
	for in, want := range map[string]Reference{
		"nginx":                              {Repository: "nginx"},
		"nginx:1":                            {Repository: "nginx", Tag: "1"},
		"localhost:5000":                     {Repository: "localhost", Tag: "5000"},
		"localhost/api":                      {Registry: "localhost", Repository: "api"},
		"library/nginx:1.27-alpine":          {Repository: "library/nginx", Tag: "1.27-alpine"},
		"docker.io/library/nginx":            {Registry: "docker.io", Repository: "library/nginx"},
		"127.0.0.1:5000/team/api:v1.2.3":     {Registry: "127.0.0.1:5000", Repository: "team/api", Tag: "v1.2.3"},
		"127.0.0.1:5000/api":                 {Registry: "127.0.0.1:5000", Repository: "api"},
		"[::1]:5000/api:v1":                  {Registry: "[::1]:5000", Repository: "api", Tag: "v1"},
		"[2001:db8::1]/api":                  {Registry: "[2001:db8::1]", Repository: "api"},
		ecr + "/api:v1.2.3":                  {Registry: ecr, Repository: "api", Tag: "v1.2.3"},
		ecr + "/api@sha256:" + hex64:         {Registry: ecr, Repository: "api", Digest: "sha256:" + hex64},
		ecr + "/a/b:v1@sha256:" + hex64:      {Registry: ecr, Repository: "a/b", Tag: "v1", Digest: "sha256:" + hex64},
		"api@sha512:" + hex64 + hex64:        {Repository: "api", Digest: "sha512:" + hex64 + hex64},
		"a__b/c---d/e.f_g:_T-1.x":            {Repository: "a__b/c---d/e.f_g", Tag: "_T-1.x"},
		"x:" + strings.Repeat("a", 128):      {Repository: "x", Tag: strings.Repeat("a", 128)},
		strings.Repeat("a", 255):             {Repository: strings.Repeat("a", 255)},
		"Example.COM:80/" + "api":            {Registry: "Example.COM:80", Repository: "api"},
		"host.docker.internal:4510/api:test": {Registry: "host.docker.internal:4510", Repository: "api", Tag: "test"},
	} {
		got, err := Parse(in)
		if err != nil {
			t.Errorf("Parse(%q): %v", in, err)
			continue
		}
		if got != want {
			t.Errorf("Parse(%q) = %#v, want %#v", in, got, want)
		}
		if got.String() != in {
			t.Errorf("Parse(%q).String() = %q", in, got.String())
		}
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	for in, want := range map[string]struct {
		part   string
		offset int
		reason string
	}{
		"":                                     {"repository", 0, "empty"},
		":v1":                                  {"repository", 0, "empty"},
		"api:":                                 {"tag", 4, "empty"},
		"api@":                                 {"digest", 4, "no algorithm"},
		"Api:v1":                               {"repository", 0, "lower case"},
		"team/Api:v1":                          {"repository", 5, "lower case"},
		"MyTeam/api":                           {"repository", 0, "lower case"},
		"example.com/team/a_-b":                {"repository", 18, `"_-"`},
		"example.com/-api":                     {"repository", 12, `"-"`},
		"example.com/api_":                     {"repository", 15, `"_"`},
		"example.com//api":                     {"repository", 12, "empty path component"},
		"example.com/":                         {"repository", 12, "empty"},
		"a:b:c":                                {"repository", 1, "unexpected ':'"},
		"api v1":                               {"repository", 3, "unexpected ' '"},
		"ä:v1":                                 {"repository", 0, "unexpected 'ä'"},
		"a\xff:v1":                             {"repository", 1, "not UTF-8"},
		strings.Repeat("a", 256):               {"repository", 255, "longer than 255"},
		"api:.v1":                              {"tag", 4, "cannot start"},
		"api:v1+build":                         {"tag", 6, "unexpected '+'"},
		"api:" + strings.Repeat("a", 129):      {"tag", 132, "longer than 128"},
		"api@sha256:12":                        {"digest", 11, "2 hex digits"},
		"api@md5:" + hex64:                     {"digest", 4, `unknown algorithm "md5"`},
		"api@sha256:" + strings.ToUpper(hex64): {"digest", 21, "lower case"},
		"api:v1@sha256:" + hex64 + "@sha256:" + hex64: {"digest", 78, "unexpected '@'"},
		"exa_mple.com/api":                            {"registry", 3, "unexpected '_'"},
		"example..com/api":                            {"registry", 8, "empty label"},
		"-a.com/api":                                  {"registry", 0, "starts or ends"},
		"a-.com/api":                                  {"registry", 1, "starts or ends"},
		"a.com:/api":                                  {"registry", 5, "no port"},
		"a.com:70000/api":                             {"registry", 5, "no port"},
		"a.com:0/api":                                 {"registry", 5, "no port"},
		":5000/api":                                   {"registry", 0, "empty label"},
		"[::1/api":                                    {"registry", 0, "no IPv6"},
		"[10.0.0.1]/api":                              {"registry", 0, "no IPv6"},
		"[::1]5000/api":                               {"registry", 5, "no port"},
		"https://example.com/api":                     {"reference", 0, "no scheme"},
	} {
		_, err := Parse(in)
		got, ok := errors.AsType[*ParseError](err)
		if !ok {
			t.Errorf("Parse(%q): error %v, want a ParseError", in, err)
			continue
		}
		if got.Part != want.part || got.Offset != want.offset || !strings.Contains(got.Reason, want.reason) {
			t.Errorf("Parse(%q) = %v\nwant %s at offset %d: …%s…", in, got, want.part, want.offset, want.reason)
		}
	}
}

func TestParseKeepsPasswordsOutOfErrors(t *testing.T) {
	_, err := Parse("https://user:hunter2@example.com/api")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

func TestWith(t *testing.T) {
	r := Reference{Registry: "example.com", Repository: "api", Tag: "v1", Digest: "sha256:" + hex64}
	if got := r.WithTag("v2").String(); got != "example.com/api:v2" {
		t.Errorf("WithTag: %s", got)
	}
	if got := r.WithTag("v2").WithDigest("sha256:" + hex64).String(); got != "example.com/api:v2@sha256:"+hex64 {
		t.Errorf("WithDigest: %s", got)
	}
	if got := r.Name(); got != "example.com/api" {
		t.Errorf("Name: %s", got)
	}
}

// references draws from the grammar itself, so that the parser is held
// against the specification and not against its own code.
func references() *rapid.Generator[Reference] {
	component := rapid.StringMatching(`[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}`)
	return rapid.Custom(func(t *rapid.T) Reference {
		return Reference{
			Registry:   rapid.OneOf(rapid.Just(""), rapid.Just("localhost"), rapid.StringMatching(`[a-zA-Z0-9]{1,6}(-[a-z0-9]{1,3})?\.[a-z]{2,3}(:[1-9][0-9]{0,3})?`)).Draw(t, "registry"),
			Repository: strings.Join(rapid.SliceOfN(component.Filter(func(c string) bool { return c != "localhost" && !strings.Contains(c, ".") }), 1, 3).Draw(t, "path"), "/"),
			Tag:        rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20}`)).Draw(t, "tag"),
			Digest:     rapid.OneOf(rapid.Just(""), rapid.StringMatching(`sha256:[0-9a-f]{64}`)).Draw(t, "digest"),
		}
	})
}

func TestReferencesSurviveTheirSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := references().Draw(t, "reference")
		got, err := Parse(want.String())
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%q came back as %#v, was %#v", want.String(), got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"nginx:1", "localhost:5000/a/b:v1", "[::1]:80/x", "a.b/c@sha256:" + hex64, "a/b:c@sha256:" + hex64,
		"", ":", "/", "@", "a:b:c", "[", "[]", "a@b:c", "A/b", "x://y", "a..b/c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			e, ok := errors.AsType[*ParseError](err)
			if !ok || e.Offset < 0 || e.Offset > len(e.Input) || e.Reason == "" {
				t.Fatalf("Parse(%q): bad error %#v", s, err)
			}
			return
		}
		if r.String() != s {
			t.Fatalf("Parse(%q).String() = %q", s, r.String())
		}
		if again, err := Parse(r.String()); err != nil || again != r {
			t.Fatalf("Parse(%q) = %#v, then %#v, %v", s, r, again, err)
		}
	})
}
