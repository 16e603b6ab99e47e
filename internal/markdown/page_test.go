package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	got := Read(strings.Join([]string{
		"# plimsoll",
		"",
		"See [the `deploy`",
		"command](docs/a.md#deploy), ![a picture](x.svg), https://example.com/x.",
		`Not a \[link](gone.md), nor ` + "`[code](gone.md)`" + `, and [x] is none.`,
		"<!-- not run: for AWS -->",
		"```sh",
		"plimsoll check # [no](link.md)",
		"```",
		"",
		"* in a list:",
		"  ````text",
		"  ```",
		"  ````",
		"## A *title*: `--flag` & more",
		"## a title --flag  more",
	}, "\n"))
	want := Page{
		Headings: []Heading{
			{1, "plimsoll", "plimsoll", 1},
			{2, "A title: --flag & more", "a-title---flag--more", 15},
			{2, "a title --flag  more", "a-title---flag--more-1", 16},
		},
		Links: []Link{
			{"the deploy\ncommand", "docs/a.md#deploy", false, 3},
			{"a picture", "x.svg", true, 4},
			{"https://example.com/x", "https://example.com/x", false, 4},
		},
		Blocks: []Block{
			{"sh", "not run: for AWS", "plimsoll check # [no](link.md)\n", 8},
			{"text", "", "```\n", 13},
		},
		Code: []Code{{"deploy", 3}, {"[code](gone.md)", 5}, {"--flag", 15}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The anchors are those of github.com for these headings.
func TestAnchor(t *testing.T) {
	for text, want := range map[string]string{
		"Hooks: --before and --after":              "hooks---before-and---after",
		"services: a service":                      "services-a-service",
		"LC004: Several patterns in one rule":      "lc004-several-patterns-in-one-rule",
		"plimsoll.yaml と複数のサービス":                   "plimsollyaml-と複数のサービス",
		"ロールバック(前の版へ)":                             "ロールバック前の版へ",
		"drydock: an AWS to rehearse on":           "drydock-an-aws-to-rehearse-on",
		"A, B/C and \"D\"":                         "a-bc-and-d",
		"snake_case stays":                         "snake_case-stays",
		"One-off tasks: plimsoll run -- CMD…":      "one-off-tasks-plimsoll-run----cmd",
		"What is no verdict":                       "what-is-no-verdict",
		"Use it in a pipeline":                     "use-it-in-a-pipeline",
		"喫水線":                                      "喫水線",
		"drydock: リハーサルのための AWS":                   "drydock-リハーサルのための-aws",
		"AWS へ、3 つの手順で":                            "aws-へ3-つの手順で",
		"Where this departs from the first design": "where-this-departs-from-the-first-design",
	} {
		if got := Anchor(text); got != want {
			t.Errorf("Anchor(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whatever a page holds, it is read to its end, and blocks are never longer than it.
func FuzzRead(f *testing.F) {
	f.Add("# a\n```sh\nx\n```\n[a](b) `c`")
	f.Add("![[x](y)\n``` `\n```\n\\")
	f.Add("<!-- <!-- -->\n```")
	f.Fuzz(func(t *testing.T, text string) {
		page := Read(text)
		lines := strings.Count(text, "\n") + 1
		for _, b := range page.Blocks {
			if len(b.Text) > len(text)+1 || b.Line > lines+1 {
				t.Errorf("block %+v of a page with %d lines", b, lines)
			}
		}
		for _, l := range page.Links {
			if l.Line < 1 || l.Line > lines {
				t.Errorf("link %+v of a page with %d lines", l, lines)
			}
		}
	})
}
