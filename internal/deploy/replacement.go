package deploy

import "github.com/plimsoll-ecs/plimsoll/internal/image"

// Replacement is a container and the image that it gets.
type Replacement struct {
	Container string
	Image     image.Reference // with a tag
}
