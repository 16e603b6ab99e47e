package maintenance

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func TestUnreadParts(t *testing.T) {
	const index = "application/vnd.oci.image.index.v1+json"
	for name, c := range map[string]struct {
		mediaType, policy string
		children          []string
		want              int
	}{
		"an index whose parts were not read": {mediaType: index, want: 1},
		"an index that was read":             {mediaType: index, children: []string{"sha256:part"}},
		"an image":                           {mediaType: "application/vnd.oci.image.manifest.v1+json"},
		"a policy that goes by pulls":        {mediaType: index, policy: `{"countType":"sinceImagePulled"}`},
	} {
		fleet := audit.Fleet{
			Repositories: []audit.Repository{{Name: "web", Policy: c.policy, Images: []audit.Image{
				{Image: lifecycle.Image{Digest: "sha256:runs", MediaType: c.mediaType, Children: c.children}},
			}}},
			Services: []audit.Service{{Cluster: "prod", Name: "api", Runs: []audit.Release{{Containers: []audit.Container{
				{Name: "app", Image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1.0.0", Digest: "sha256:runs"},
				{Name: "too", Image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1.0.0", Digest: "sha256:runs"},
				{Name: "sidecar", Image: "public.ecr.aws/x/y:1"},
			}}}}},
		}
		if got := unreadParts(fleet)["prod/api"]; len(got) != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
