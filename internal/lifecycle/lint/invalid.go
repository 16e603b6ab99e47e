package lint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// maxWildcards is what ECR takes in one pattern.
const maxWildcards = 4

// invalid says what is wrong with a text that ECR refuses: every explicit null
// and every pattern with too many wildcards, since ECR's own answer names
// neither, and the parser's finding where that is another.
func invalid(text []byte, err error) []Remark {
	places, _ := lifecycle.Places(text) // none where it is no JSON: the parser says so
	numbers := priorities(places)
	var remarks []Remark
	for _, p := range places {
		index, part := ruleOf(p.Path)
		at := Remark{Severity: Error, Rule: numbers[index], Line: p.Line, Column: p.Column}
		switch {
		case p.Null:
			at.Code, at.What = "LC002", fmt.Sprintf("%s is null, and ECR refuses the policy", lastName(p.Path))
			at.Why = "to ECR a null is not an absence; its answer is \"instance failed to match exactly one schema\", which names nothing"
			at.Do = "leave " + lastName(p.Path) + " out; in Terraform drop null members before jsonencode, or use aws_ecr_lifecycle_policy_document"
		case strings.HasPrefix(part, "selection.tagPatternList[") && strings.Count(p.Text, "*") > maxWildcards:
			at.Code, at.What = "LC003", fmt.Sprintf("%q has %d wildcards, and ECR takes %d", p.Text, strings.Count(p.Text, "*"), maxWildcards)
			at.Why = "a pattern has at most four *"
			at.Do = "shorten it; one * may stand for several parts of a tag"
		default:
			continue
		}
		remarks = append(remarks, at)
	}
	refused, ok := errors.AsType[*lifecycle.PolicyError](err)
	if !ok {
		return remarks
	}
	for _, r := range remarks {
		if r.Line == refused.Line && r.Column == refused.Column {
			return remarks
		}
	}
	return append(remarks, Remark{
		Code: "LC001", Severity: Error, Line: refused.Line, Column: refused.Column,
		What: "ECR refuses the policy: " + refused.Detail,
		Why:  refused.Constraint,
		Do:   "mend it; the policy in force stays until then",
	})
}

// ruleOf is the index of the rule that a path lies in, with the rest of the
// path; -1 is none.
func ruleOf(path string) (int, string) {
	inside, ok := strings.CutPrefix(path, "rules[")
	number, part, closed := strings.Cut(inside, "]")
	index, err := strconv.Atoi(number)
	if !ok || !closed || err != nil {
		return -1, path
	}
	return index, strings.TrimPrefix(part, ".")
}

func lastName(path string) string {
	return path[strings.LastIndexByte(path, '.')+1:]
}

// priorities are the numbers that rules give themselves, by index.
func priorities(places []lifecycle.Place) map[int]int {
	numbers := map[int]int{}
	for _, p := range places {
		if index, part := ruleOf(p.Path); part == "rulePriority" {
			numbers[index], _ = strconv.Atoi(p.Text) // 0 where it is no number
		}
	}
	return numbers
}

// byPriority sorts places by the rule that they are in.
func byPriority(places []lifecycle.Place) map[int]map[string]lifecycle.Place {
	numbers := priorities(places)
	located := map[int]map[string]lifecycle.Place{}
	for _, p := range places {
		index, part := ruleOf(p.Path)
		if index < 0 {
			continue
		}
		n := numbers[index]
		if located[n] == nil {
			located[n] = map[string]lifecycle.Place{}
		}
		located[n][part] = p
	}
	return located
}
