package maintenance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// unreadParts are the services that start from an image of several platforms
// whose parts nobody has read: one that lacks the part of the tasks' platform is
// there, and cannot be pulled. Where the lifecycle policy goes by pulls an audit
// reads none, since that is one, and nothing is said.
func unreadParts(fleet audit.Fleet) map[string][]string {
	indexes := map[string]string{} // the repository's name by digest
	for i := range fleet.Repositories {
		r := &fleet.Repositories[i]
		if strings.Contains(r.Policy, string(lifecycle.SincePulled)) {
			continue
		}
		for _, one := range r.Images {
			several := strings.Contains(one.MediaType, "image.index") || strings.Contains(one.MediaType, "manifest.list")
			if several && len(one.Children) == 0 {
				indexes[r.Name+"@"+one.Digest] = r.Name
			}
		}
	}
	found := map[string][]string{}
	for _, s := range fleet.Services {
		unread := map[string]bool{}
		for _, release := range s.Runs {
			for _, c := range release.Containers {
				if ref, err := image.Parse(c.Image); err == nil {
					unread[indexes[ref.Repository+"@"+c.Digest]] = true
				}
			}
		}
		delete(unread, "")
		for _, name := range slices.Sorted(maps.Keys(unread)) {
			found[s.Cluster+"/"+s.Name] = append(found[s.Cluster+"/"+s.Name],
				fmt.Sprintf("whether repository %s has all parts of its image of several platforms: they could not be read (ecr:BatchGetImage)", name))
		}
	}
	return found
}
