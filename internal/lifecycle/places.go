package lifecycle

import "fmt"

// Place is a value in the text of a policy, and where it stands.
type Place struct {
	Path         string // "rules[0].selection.tagPatternList[1]"; "" is the whole
	Text         string // of a string, a number or a boolean
	Null         bool
	Line, Column int // from 1; columns count characters
}

// Places lists the values in the text of a policy in their order, whether ECR
// would take it or not. It fails with a [*PolicyError] where the text is not
// JSON.
func Places(text []byte) ([]Place, error) {
	root, err := readDocument(text)
	if err != nil {
		p := &parser{text: text}
		p.notJSON(err)
		return nil, p.err
	}
	return appendPlaces(nil, text, "", &root), nil
}

func appendPlaces(places []Place, text []byte, path string, n *node) []Place {
	p := Place{Path: path, Text: n.text, Null: n.kind == isNull}
	p.Line, p.Column = position(text, n.at)
	places = append(places, p)
	for i := range n.members {
		m := &n.members[i]
		name := m.name
		if path != "" {
			name = path + "." + name
		}
		places = appendPlaces(places, text, name, &m.value)
	}
	for i := range n.elements {
		places = appendPlaces(places, text, fmt.Sprintf("%s[%d]", path, i), &n.elements[i])
	}
	return places
}

// Identifies returns a function that says whether the rule identifies an image,
// whichever rule the image belongs to.
func (r *Rule) Identifies() func(*Image) bool {
	s := newSelector(r)
	return func(i *Image) bool { return s.identifies(i.storageClass(), i.Tags) }
}

// MatchTag reports whether a tag is one that a pattern of a tagPatternList
// means: all of it, with * for any characters.
func MatchTag(pattern, tag string) bool {
	g := newGlob(pattern)
	return g.match(tag)
}
