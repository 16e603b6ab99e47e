package panel

import (
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/loadline"
)

// LoadLine is that of a repository of a fleet, with what runs from it marked.
// The error is that of its policy, which ECR would not have taken.
func LoadLine(r *audit.Repository, uses []audit.Use, at time.Time, horizon time.Duration) (loadline.Line, error) {
	var policy lifecycle.Policy
	if r.Policy != "" {
		var err error
		if policy, err = lifecycle.ParsePolicy([]byte(r.Policy)); err != nil {
			return loadline.Line{}, err
		}
	}
	inUse := map[string][]string{}
	for _, u := range uses {
		if !u.Earlier && !slices.Contains(inUse[u.Digest], u.By) {
			inUse[u.Digest] = append(inUse[u.Digest], u.By)
		}
	}
	images := make([]lifecycle.Image, len(r.Images))
	for i := range r.Images {
		images[i] = r.Images[i].Image
	}
	return loadline.Of(loadline.Repository{Name: r.Name, Policy: policy, Images: images, InUse: inUse}, at, horizon), nil
}
