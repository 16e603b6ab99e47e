package leastprivilege_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/leastprivilege"
)

func TestPage(t *testing.T) {
	golden.Section(t, "../../docs/iam.md", "features", strings.TrimRight(leastprivilege.Page(), "\n")+"\n")
}

// The policies of the Lambda function that a page has, for Terraform and for
// CloudFormation, allow what a function was rehearsed with. What Lambda itself does
// in its name, with the queue and the log, is beside that.
func TestLambdaExamples(t *testing.T) {
	features, err := leastprivilege.Find("lambda")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, n := range features[0].Needs {
		want = append(want, n.Action)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	text, err := os.ReadFile("../../docs/maintenance.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, from := range map[string]string{"hcl": `data "aws_iam_policy_document" "plimsoll"`, "yaml": "PolicyName: maintenance"} {
		_, example, _ := strings.Cut(string(text), from)
		example, _, _ = strings.Cut(example, "```")
		var got []string
		for _, found := range regexp.MustCompile(`\b(?:ecs|ecr|iam|health|elasticloadbalancing|application-autoscaling):[A-Z]\w+|\blogs:GetLogEvents`).FindAllString(example, -1) {
			if found != "iam:PassedToService" { // a key of conditions
				got = append(got, found)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("docs/maintenance.md, %s: a function needs (-) and is allowed (+):\n%s", language, diff)
		}
	}
}
