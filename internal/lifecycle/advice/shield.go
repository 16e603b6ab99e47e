package advice

import (
	"encoding/json"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Shield is a policy with a first rule that protects pins, and otherwise as it
// was: what is not pinned belongs to the rule that it belonged to. A rule for pins
// that stands further back, or takes some of them, makes way. Where there is
// nothing to do the text comes back as it is.
func Shield(text string) (string, error) {
	policy, err := lifecycle.ParsePolicy([]byte(text))
	if err != nil {
		return "", err
	}
	rules := policy.Rules()
	if len(rules) > 0 && aboutPins(&rules[0]) && Endless(&rules[0]) {
		return text, nil
	}
	// As raw JSON, so that no member is lost.
	var there struct {
		Rules []map[string]json.RawMessage `json:"rules"`
	}
	if err := json.Unmarshal([]byte(text), &there); err != nil {
		return "", err
	}
	byPriority := map[int]map[string]json.RawMessage{}
	for _, raw := range there.Rules {
		var priority int
		if err := json.Unmarshal(raw["rulePriority"], &priority); err != nil {
			return "", err
		}
		byPriority[priority] = raw
	}
	shield := document{Priority: 1, Description: "keep what is pinned", Selection: selection{
		TagStatus: lifecycle.Tagged, Patterns: []string{Pins}, CountType: lifecycle.CountMoreThan, Number: usualShield,
	}}
	shield.Action.Type = "expire"
	after, free := []any{shield}, shield.Priority+1
	for i := range rules {
		if aboutPins(&rules[i]) {
			continue
		}
		raw := byPriority[rules[i].Priority]
		free = max(free, rules[i].Priority)
		if raw["rulePriority"], err = json.Marshal(free); err != nil {
			return "", err
		}
		after, free = append(after, raw), free+1
	}
	shielded, err := json.MarshalIndent(map[string]any{"rules": after}, "", "  ")
	if err != nil {
		return "", err
	}
	if _, err := lifecycle.ParsePolicy(shielded); err != nil { // one rule too many
		return "", err
	}
	return string(shielded) + "\n", nil
}

// aboutPins reports whether a rule is about pins, all of them and nothing else.
func aboutPins(r *lifecycle.Rule) bool {
	return r.StorageClass != lifecycle.Archive && slices.Equal(r.TagPatterns, []string{Pins})
}

// Endless reports whether a rule takes nothing, and so protects: it keeps more
// images than a repository has pins.
func Endless(r *lifecycle.Rule) bool {
	const many = 1000
	return r.CountType == lifecycle.CountMoreThan && r.CountNumber >= many
}

// Spares reports whether a policy takes an image with these tags never, once it
// is pinned, nor when a pin is all that it has left.
func Spares(p lifecycle.Policy, tags []string) bool {
	const pin = "keep-cluster-service-0123456789ab"
	for _, tags := range [][]string{{pin}, append(slices.Clone(tags), pin)} {
		pinned := lifecycle.Image{Tags: tags, Status: lifecycle.Active}
		for _, r := range p.Rules() {
			if r.Identifies()(&pinned) {
				if !Endless(&r) {
					return false
				}
				break
			}
		}
	}
	return true
}
