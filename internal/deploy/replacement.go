package deploy

import (
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Replacement is a container and the image that it gets.
type Replacement struct {
	Container string
	Image     image.Reference // with a tag
}

// judgeOthers lists what is wrong with the images of other containers, and
// keeps their digests.
func (p *plan) judgeOthers(others []Replacement, digests []reading[string]) []Fault {
	p.others = map[string]string{}
	var list []Fault
	for i, o := range others {
		p.others[o.Container] = digests[i].value
		list = append(list, judgeImage(digests[i], o.Image)...)
	}
	return list
}

// replaceOthers sets the images of other containers.
func replaceOthers(doc *taskdef.Document, others []Replacement) (*taskdef.Document, error) {
	for _, o := range others {
		if _, err := doc.TargetContainer(o.Container); err != nil {
			return nil, err
		}
		next, err := doc.SetImage(o.Container, o.Image.String())
		if err != nil {
			return nil, fmt.Errorf("container %s: %w", o.Container, err)
		}
		doc = next
	}
	return doc, nil
}

// wants is the digest that a deploy wants a container to run; ok is false for
// one that it leaves alone. target is the one that it is about first of all.
func (p *plan) wants(target, container string) (digest string, ok bool) {
	if container == target {
		return p.digest, true
	}
	digest, ok = p.others[container]
	return digest, ok
}
