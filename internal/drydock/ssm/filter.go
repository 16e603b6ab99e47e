package ssm

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// checkFilters refuses filters of other keys than those, and with options that
// a key does not have (ParameterStringFilter in the API reference). The key
// "tag:" is one for every tag.
func checkFilters(filters []stringFilter, keys ...string) error {
	for _, f := range filters {
		key := aws.ToString(f.Key)
		if tag, isTag := strings.CutPrefix(key, "tag:"); isTag && tag != "" {
			key = "tag:"
		}
		if !slices.Contains(keys, key) {
			return wire.Errorf("InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [%s].", aws.ToString(f.Key), strings.Join(keys, ", "))
		}
		options := []string{"", "Equals"}
		switch key {
		case "Name":
			options = []string{"", "Equals", "BeginsWith", "Contains"}
		case "Path":
			options = []string{"", "OneLevel", "Recursive"}
		}
		if !slices.Contains(options, aws.ToString(f.Option)) {
			return wire.Errorf("InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: [%s].", aws.ToString(f.Option), strings.Join(options[1:], ", "))
		}
		if len(f.Values) == 0 && key != "tag:" || len(f.Values) > 50 {
			return wire.Errorf("InvalidFilterValue", "The filter %s needs 1 to 50 values.", aws.ToString(f.Key))
		}
	}
	return nil
}

// matches tells whether a parameter passes every filter.
func (p parameter) matches(filters []stringFilter) bool {
	for _, f := range filters {
		if !p.passes(aws.ToString(f.Key), aws.ToString(f.Option), f.Values) {
			return false
		}
	}
	return true
}

func (p parameter) passes(key, option string, values []string) bool {
	v := p.latest()
	is := func(have string) bool { return slices.Contains(values, have) }
	if tag, isTag := strings.CutPrefix(key, "tag:"); isTag {
		have, tagged := p.Tags[tag]
		return tagged && (len(values) == 0 || is(have))
	}
	switch key {
	case "Name":
		return slices.ContainsFunc(values, func(want string) bool {
			switch option {
			case "BeginsWith":
				return strings.HasPrefix(p.Name, want)
			case "Contains":
				return strings.Contains(p.Name, want)
			}
			return p.Name == want
		})
	case "Path":
		return slices.ContainsFunc(values, func(path string) bool { return p.under(path, option == "Recursive") })
	case "Type":
		return is(string(v.Type))
	case "KeyId":
		return v.KeyID != "" && is(v.KeyID)
	case "Tier":
		return is(string(v.Tier))
	case "DataType":
		return is("text")
	case "Label":
		return p.labelled(values).Number > 0
	}
	return false
}

// labelled is the newest version with one of the labels, the zero version for
// none.
func (p parameter) labelled(labels []string) version {
	for _, v := range slices.Backward(p.Versions) {
		if slices.ContainsFunc(v.Labels, func(l string) bool { return slices.Contains(labels, l) }) {
			return v
		}
	}
	return version{}
}
