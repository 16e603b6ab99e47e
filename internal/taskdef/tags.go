package taskdef

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTags is how many tags an ECS resource may have; those of AWS itself
// (aws:…) do not count. Keys have up to 128 characters, values up to 256.
// (Tag in the ECS API reference.)
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// TooManyTagsError is a definition that would have more tags than ECS takes.
type TooManyTagsError struct {
	Count, Limit int
}

func (e *TooManyTagsError) Error() string {
	return fmt.Sprintf("the task definition would have %d tags, ECS allows %d: remove some from the definition", e.Count, e.Limit)
}

// TagError is a tag that ECS would refuse.
type TagError struct {
	Key     string
	Problem string
}

func (e *TagError) Error() string { return fmt.Sprintf("tag %q: %s", e.Key, e.Problem) }

// Tags are the tags of the definition, never nil.
func (d *Document) Tags() map[string]string {
	tags := map[string]string{}
	for _, t := range d.tagList().items {
		tags[d.text(t.get("key"))] = d.text(t.get("value"))
	}
	return tags
}

// tagList is the list of tags: beside the definition as DescribeTaskDefinition
// answers, inside it as RegisterTaskDefinition takes it.
func (d *Document) tagList() node {
	outside, inside := d.root.get("tags"), d.def.get("tags")
	if outside.kind == 0 || len(outside.items) == 0 && len(inside.items) > 0 {
		return inside
	}
	return outside
}

// isSystemTag tells AWS's own tags, which nobody else may write.
func isSystemTag(key string) bool { return strings.HasPrefix(strings.ToLower(key), "aws:") }

// SetTags adds tags to the definition; a tag of the same key gets the new
// value, every other one stays as it is. The error is a [*TooManyTagsError] or
// a [*TagError].
func (d *Document) SetTags(tags map[string]string) (*Document, error) {
	if len(tags) == 0 {
		return d, nil
	}
	all := d.Tags()
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if problem := tagProblem(key, tags[key]); problem != "" {
			return nil, &TagError{Key: key, Problem: problem}
		}
		all[key] = tags[key]
	}
	maps.DeleteFunc(all, func(key, _ string) bool { return isSystemTag(key) })
	if len(all) > maxTags {
		return nil, &TooManyTagsError{Count: len(all), Limit: maxTags}
	}

	list := d.tagList()
	missing := maps.Clone(tags)
	var changes []edit
	for _, t := range list.items {
		key := d.text(t.get("key"))
		value, ok := tags[key]
		if !ok {
			continue
		}
		delete(missing, key)
		if old := t.get("value"); old.kind != 0 {
			changes = append(changes, edit{old.start, old.end, quote(value)})
		} else {
			changes = append(changes, edit{t.start, t.end, tag(key, value)})
		}
	}
	if len(missing) > 0 {
		changes = append(changes, d.addTags(list, missing))
	}
	return d.apply(changes...)
}

func (d *Document) addTags(list node, tags map[string]string) edit {
	var added []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		added = append(added, tag(key, tags[key]))
	}
	text := strings.Join(added, ",")
	switch {
	case len(list.items) > 0:
		end := list.items[len(list.items)-1].end
		return edit{end, end, "," + text}
	case list.kind != 0: // [] or null
		return edit{list.start, list.end, "[" + text + "]"}
	}
	_, end, comma := remove(d.root, nil)
	return edit{end, end, comma + `"tags":[` + text + "]"}
}

func tag(key, value string) string {
	return `{"key":` + quote(key) + `,"value":` + quote(value) + `}`
}

func tagProblem(key, value string) string {
	switch {
	case key == "":
		return "the key is empty"
	case isSystemTag(key):
		return "keys that start with aws: belong to AWS"
	case utf8.RuneCountInString(key) > maxTagKey:
		return fmt.Sprintf("the key is longer than %d characters", maxTagKey)
	case utf8.RuneCountInString(value) > maxTagValue:
		return fmt.Sprintf("the value is longer than %d characters", maxTagValue)
	}
	for _, c := range key + value {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsSpace(c) && !strings.ContainsRune("+-=._:/@", c) {
			return fmt.Sprintf("%q is not allowed; ECS takes letters, digits, spaces and + - = . _ : / @", c)
		}
	}
	return ""
}
