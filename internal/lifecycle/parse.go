package lifecycle

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a policy, from the API model and the service quotas.
const (
	minLength    = 100
	maxLength    = 30720
	maxRules     = 50
	maxWildcards = 4
	// Archived images are kept at least this long; a shorter rule is refused.
	minArchiveDays = 90
)

// What ECR says of a bad policy. All but the last two are quoted in error
// reports; noSchema is what it says when a rule's parts do not go together.
// The wording of the last two is ours.
const (
	notAPolicy       = "Could not map policyString into LifecyclePolicy."
	tagsMissing      = "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."
	noSchema         = "instance failed to match exactly one schema (matched 0 out of 2)"
	untaggedTwice    = "Only one rule can select Untagged images per storage class"
	anyNotLast       = "Rule for tagStatus=ANY must have the lowest priority per storage class"
	priorityTwice    = "Rule priorities must be unique"
	prefixesRepeated = "Tag prefixes must be unique per storage class"
)

// PolicyError says why ECR refuses a policy, and where the fault is.
type PolicyError struct {
	// Constraint is what the policy failed to satisfy, in ECR's words: the
	// quoted end of "Invalid parameter at 'LifecyclePolicyText' failed to
	// satisfy constraint: '…'".
	Constraint string
	// Line and Column of the offending place, from 1.
	Line, Column int
	// Detail says it to a person.
	Detail string
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("%s (line %d, column %d: %s)", e.Constraint, e.Line, e.Column, e.Detail)
}

// ParsePolicy reads the text of a policy. It refuses what PutLifecyclePolicy
// refuses, with a [*PolicyError].
func ParsePolicy(text []byte) (Policy, error) {
	p := &parser{text: text}
	rules := p.policy()
	if p.err != nil {
		return Policy{}, p.err
	}
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return Policy{rules}, nil
}

// parser keeps the first fault it meets and reads on harmlessly.
type parser struct {
	text []byte
	err  error
}

// refuse notes a fault of the policy at n.
func (p *parser) refuse(n *node, reason, detail string, args ...any) {
	p.reject(n.at, "Lifecycle policy validation failure: "+reason, detail, args...)
}

func (p *parser) reject(at int, constraint, detail string, args ...any) {
	if p.err != nil {
		return
	}
	line, column := position(p.text, at)
	p.err = &PolicyError{Constraint: constraint, Line: line, Column: column, Detail: fmt.Sprintf(detail, args...)}
}

// notJSON refuses the text for what readDocument says of it.
func (p *parser) notJSON(err error) {
	at := len(p.text)
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		at = syntax.at
	}
	p.refuse(&node{at: at}, notAPolicy, "%v", err)
}

func (p *parser) policy() []Rule {
	p.length()
	doc, err := readDocument(p.text)
	if err != nil {
		p.notJSON(err)
		return nil
	}
	if doc.kind != isObject {
		p.refuse(&doc, notAPolicy, "a policy is an object with a list of rules")
	}
	p.members(&doc, "the policy", []string{"rules"})
	list := p.list(doc.get("rules"), "rules")
	if len(list) > maxRules {
		p.refuse(&list[maxRules], fmt.Sprintf("array is too long: must have at most %d elements but instance has %d elements", maxRules, len(list)),
			"a policy has at most %d rules", maxRules)
	}
	var rules []Rule
	for i := range list {
		rules = append(rules, p.rule(&list[i]))
	}
	if p.err == nil {
		p.together(list, rules)
	}
	return rules
}

func (p *parser) length() {
	switch n := utf8.RuneCount(p.text); {
	case n < minLength:
		p.reject(0, fmt.Sprintf("must have length greater than or equal to %d", minLength),
			"the text has %d characters; ECR takes %d to %d, white space included", n, minLength, maxLength)
	case n > maxLength:
		p.reject(0, fmt.Sprintf("must have length less than or equal to %d", maxLength),
			"the text has %d characters; ECR takes %d to %d", n, minLength, maxLength)
	}
}

func (p *parser) rule(n *node) Rule {
	line, _ := position(p.text, n.at)
	r := Rule{Line: line, StorageClass: Standard}
	if !p.is(n, isObject, "a rule") {
		return r
	}
	p.members(n, "a rule", []string{"rulePriority", "selection", "action"}, "description")
	r.Priority = p.integer(n.get("rulePriority"), "rulePriority")
	r.Description = p.str(n.get("description"), "description")
	p.selection(n.get("selection"), &r)
	p.action(n.get("action"), &r)
	if p.err == nil {
		p.combination(n, &r)
	}
	return r
}

func (p *parser) selection(n *node, r *Rule) {
	if !p.is(n, isObject, "selection") {
		return
	}
	p.members(n, "a selection", []string{"tagStatus", "countType", "countNumber"},
		"tagPatternList", "tagPrefixList", "storageClass", "countUnit")
	r.TagStatus = TagStatus(p.oneOf(n.get("tagStatus"), "tagStatus", string(AnyTag), string(Tagged), string(Untagged)))
	r.CountType = CountType(p.oneOf(n.get("countType"), "countType",
		string(CountMoreThan), string(SincePulled), string(SincePushed), string(SinceTransitioned)))
	r.CountNumber = p.integer(n.get("countNumber"), "countNumber")
	r.TagPatterns = p.strings(n.get("tagPatternList"), "tagPatternList")
	r.TagPrefixes = p.strings(n.get("tagPrefixList"), "tagPrefixList")
	p.oneOf(n.get("countUnit"), "countUnit", "days")
	if class := p.oneOf(n.get("storageClass"), "storageClass", string(Archive), string(Standard)); class != "" {
		r.StorageClass = StorageClass(class)
	}
}

func (p *parser) action(n *node, r *Rule) {
	if !p.is(n, isObject, "action") {
		return
	}
	p.members(n, "an action", []string{"type"}, "targetStorageClass")
	r.Action = Action(p.oneOf(n.get("type"), "type", string(Expire), string(Transition)))
	p.oneOf(n.get("targetStorageClass"), "targetStorageClass", string(Archive))
}

// combination holds a rule to what its parts allow of each other.
func (p *parser) combination(n *node, r *Rule) {
	selection, action := n.get("selection"), n.get("action")
	p.tags(selection, r)
	p.count(selection, r)
	switch target := action.get("targetStorageClass"); {
	case r.Action == Transition && target == nil:
		p.refuse(action, noSchema, "a transition needs targetStorageClass")
	case r.Action == Expire && target != nil:
		p.refuse(target, noSchema, "targetStorageClass goes with a transition only")
	}
}

func (p *parser) tags(selection *node, r *Rule) {
	patterns, prefixes := selection.get("tagPatternList"), selection.get("tagPrefixList")
	list := patterns
	if list == nil {
		list = prefixes
	}
	switch {
	case r.TagStatus == Tagged && list == nil:
		p.refuse(selection, tagsMissing, "tagStatus tagged needs tagPatternList or tagPrefixList")
	case r.TagStatus == Tagged && patterns != nil && prefixes != nil:
		p.refuse(prefixes, noSchema, "a rule has tagPatternList or tagPrefixList, not both")
	case r.TagStatus != Tagged && list != nil:
		p.refuse(list, noSchema, "a list of tags goes with tagStatus tagged only")
	}
	for i, pattern := range r.TagPatterns {
		if strings.Count(pattern, "*") > maxWildcards {
			p.refuse(&patterns.elements[i], noSchema, "%q has more than %d wildcards", pattern, maxWildcards)
		}
	}
}

func (p *parser) count(selection *node, r *Rule) {
	unit, class := selection.get("countUnit"), selection.get("storageClass")
	if class == nil {
		class = selection
	}
	switch {
	case r.CountType == CountMoreThan && unit != nil:
		p.refuse(unit, noSchema, "countUnit goes with the since… count types only")
	case r.CountType != CountMoreThan && unit == nil:
		p.refuse(selection, noSchema, "%s needs countUnit", r.CountType)
	case r.CountType == SinceTransitioned && r.StorageClass != Archive:
		p.refuse(class, noSchema, "%s needs storageClass archive", r.CountType)
	case r.CountType != SinceTransitioned && r.StorageClass == Archive:
		p.refuse(class, noSchema, "of archived images only %s can select", SinceTransitioned)
	case r.CountType == SinceTransitioned && r.Action != Expire:
		p.refuse(selection, noSchema, "%s can only expire", r.CountType)
	case r.CountType == SinceTransitioned && r.CountNumber < minArchiveDays:
		p.refuse(selection.get("countNumber"), noSchema, "archived images are kept for at least %d days", minArchiveDays)
	case r.CountType == SincePulled && r.Action != Transition:
		p.refuse(selection, noSchema, "%s can only transition", r.CountType)
	}
}

// together holds the rules to what they must not say twice.
func (p *parser) together(list []node, rules []Rule) {
	priorities := map[int]bool{}
	prefixes := map[string]bool{}
	untagged := map[StorageClass]bool{}
	last := map[StorageClass]int{}
	for _, r := range rules {
		last[r.StorageClass] = max(last[r.StorageClass], r.Priority)
	}
	for i, r := range rules {
		priority, selection := list[i].get("rulePriority"), list[i].get("selection")
		if priorities[r.Priority] {
			p.refuse(priority, priorityTwice, "priority %d is given to another rule", r.Priority)
		}
		priorities[r.Priority] = true
		switch key := prefixSet(r); {
		case r.TagStatus == AnyTag && r.Priority != last[r.StorageClass]:
			p.refuse(priority, anyNotLast, "rule %d for any tags is not the last for %s storage", r.Priority, r.StorageClass)
		case r.TagStatus == Untagged && untagged[r.StorageClass]:
			p.refuse(selection, untaggedTwice, "another rule selects the untagged images of %s storage", r.StorageClass)
		case r.TagStatus == Untagged:
			untagged[r.StorageClass] = true
		case r.TagPrefixes != nil && prefixes[key]:
			p.refuse(selection.get("tagPrefixList"), prefixesRepeated, "another rule has the same prefixes for %s storage", r.StorageClass)
		case r.TagPrefixes != nil:
			prefixes[key] = true
		}
	}
}

// prefixSet names what must be unique: "The set of all rules selecting a
// specific storage class must contain a unique set of prefixes." Whether
// tagPatternList is meant as well is not said; equal patterns are let pass.
func prefixSet(r Rule) string {
	set := slices.Sorted(slices.Values(r.TagPrefixes))
	return fmt.Sprintf("%s %q", r.StorageClass, slices.Compact(set))
}

// members checks the names of an object's members, and that none is null:
// ECR refuses "countUnit": null where it takes its absence.
func (p *parser) members(n *node, what string, required []string, optional ...string) {
	var missing, unknown []string
	at := n
	for _, name := range required {
		if n.get(name) == nil {
			missing = append(missing, strconv.Quote(name))
		}
	}
	for i := range n.members {
		m := &n.members[i]
		if !slices.Contains(required, m.name) && !slices.Contains(optional, m.name) {
			unknown, at = append(unknown, strconv.Quote(m.name)), &node{at: m.at}
		}
	}
	slices.Sort(missing)
	slices.Sort(unknown)
	switch {
	case len(missing) > 0:
		p.refuse(n, fmt.Sprintf("object has missing required properties ([%s])", strings.Join(missing, ",")), "%s needs %s", what, strings.Join(missing, ", "))
	case len(unknown) > 0:
		p.refuse(at, fmt.Sprintf("object instance has properties which are not allowed by the schema: ([%s])", strings.Join(unknown, ",")), "%s has no %s", what, strings.Join(unknown, ", "))
	}
	for i := range n.members {
		if m := &n.members[i]; m.value.kind == isNull {
			p.refuse(&m.value, noSchema, "%s is null: leave it out", m.name)
		}
	}
}

// is checks the kind of a value. A missing one was noted by members.
func (p *parser) is(n *node, want kind, what string) bool {
	if n == nil || n.kind == isNull {
		return false
	}
	if n.kind != want {
		p.refuse(n, fmt.Sprintf("instance type (%s) does not match any allowed primitive type (allowed: [%q])", n.kind, want), "%s must be of type %s", what, want)
	}
	return n.kind == want
}

func (p *parser) str(n *node, what string) string {
	if !p.is(n, isString, what) {
		return ""
	}
	return n.text
}

func (p *parser) oneOf(n *node, what string, values ...string) string {
	if !p.is(n, isString, what) {
		return ""
	}
	if !slices.Contains(values, n.text) {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = strconv.Quote(v)
		}
		p.refuse(n, fmt.Sprintf("instance value (%s) not found in enum :(possible values: [%s])", n.text, strings.Join(quoted, ",")),
			"%s is one of %s", what, strings.Join(values, ", "))
	}
	return n.text
}

func (p *parser) integer(n *node, what string) int {
	if !p.is(n, isNumber, what) {
		return 0
	}
	if strings.ContainsAny(n.text, ".eE") {
		p.refuse(n, `instance type (number) does not match any allowed primitive type (allowed: ["integer"])`, "%s is a whole number", what)
		return 0
	}
	i, err := strconv.Atoi(n.text)
	switch {
	case err != nil || i > math.MaxInt32 || i < math.MinInt32:
		p.refuse(n, notAPolicy, "%s is out of range", what)
	case i < 1:
		p.refuse(n, fmt.Sprintf("numeric instance is lower than the required minimum (minimum: 1, found: %d)", i), "%s is at least 1", what)
	}
	return i
}

// list is a list that must not be empty.
func (p *parser) list(n *node, what string) []node {
	if !p.is(n, isArray, what) {
		return nil
	}
	if len(n.elements) == 0 {
		p.refuse(n, noSchema, "%s is empty", what)
	}
	return n.elements
}

func (p *parser) strings(n *node, what string) []string {
	var out []string
	list := p.list(n, what)
	for i := range list {
		if list[i].text == "" || list[i].kind == isNull {
			p.refuse(&list[i], noSchema, "%s has an empty entry", what)
		}
		out = append(out, p.str(&list[i], "an entry of "+what))
	}
	return out
}
