package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// PolicyText is a lifecycle policy as ECR takes it, from whichever of the three
// was given; "" when none was. Files are looked for in folder.
func PolicyText(rules []Rule, document any, file, folder string) (string, error) {
	given := 0
	for _, is := range []bool{len(rules) > 0, document != nil, file != ""} {
		if is {
			given++
		}
	}
	if given > 1 {
		return "", fmt.Errorf("a lifecycle policy is given in one way, not in %d", given)
	}
	switch {
	case document != nil:
		text, err := json.Marshal(document)
		return string(text), err
	case file != "":
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			return "", fmt.Errorf("lifecycle policy: %w", err)
		}
		return string(text), nil
	case len(rules) > 0:
		return rulesText(rules)
	}
	return "", nil
}

// rule is a rule as ECR takes it (user guide, lifecycle policy properties).
type rule struct {
	Priority  int       `json:"rulePriority"`
	Selection selection `json:"selection"`
	Action    action    `json:"action"`
}

type selection struct {
	TagStatus   string   `json:"tagStatus"`
	TagPrefixes []string `json:"tagPrefixList,omitempty"`
	TagPatterns []string `json:"tagPatternList,omitempty"`
	CountType   string   `json:"countType"`
	CountUnit   string   `json:"countUnit,omitempty"`
	CountNumber int      `json:"countNumber"`
}

type action struct {
	Type string `json:"type"`
}

func rulesText(rules []Rule) (string, error) {
	var out struct {
		Rules []rule `json:"rules"`
	}
	for i, r := range rules {
		s := selection{TagStatus: "any", TagPrefixes: r.Prefix, TagPatterns: r.Pattern}
		switch {
		case (r.Keep > 0) == (r.Days > 0):
			return "", fmt.Errorf("rule %d of the lifecycle policy: give keep or days, above 0", i+1)
		case r.Keep > 0:
			s.CountType, s.CountNumber = "imageCountMoreThan", r.Keep
		default:
			s.CountType, s.CountUnit, s.CountNumber = "sinceImagePushed", "days", r.Days
		}
		tagged := len(r.Prefix) > 0 || len(r.Pattern) > 0
		switch {
		case tagged && r.Untagged:
			return "", fmt.Errorf("rule %d of the lifecycle policy: untagged images have no prefix or pattern", i+1)
		case tagged:
			s.TagStatus = "tagged"
		case r.Untagged:
			s.TagStatus = "untagged"
		}
		out.Rules = append(out.Rules, rule{i + 1, s, action{"expire"}})
	}
	text, err := json.Marshal(out)
	return string(text), err
}
