package retain

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

func TestNames(t *testing.T) {
	home := audit.Place{Account: "123456789012", Region: "eu-west-1"}
	away := audit.Place{Account: "210987654321", Region: "eu-west-1"}
	digest := "sha256:3f9a0c12be77" + strings.Repeat("0", 52)
	for _, c := range []struct {
		cluster, service string
		at               audit.Place
		want             string
	}{
		{"prod", "api", home, "keep-prod-api-3f9a0c12be77"},
		{"prod", "web-api", home, "keep-prod-web-api-3f9a0c12be77"},
		{"prod-web", "api", home, "keep-prod.web-api-3f9a0c12be77"},
		{"prod", "api", away, "keep-123456789012.eu.west.1.prod-api-3f9a0c12be77"},
		{"123456789012-eu-west-1-prod", "api", home, "keep-123456789012.eu.west.1.123456789012.eu.west.1.prod-api-3f9a0c12be77"},
	} {
		s := audit.Service{Place: home, Cluster: c.cluster, Name: c.service}
		if got := pinName(stem(s, c.at), digest); got != c.want {
			t.Errorf("%s/%s: %s, want %s", c.cluster, c.service, got, c.want)
		}
	}
}

// The pins of two services in one repository are never taken for one another's,
// and all are tags.
func TestNamesAreOfOneServiceEach(t *testing.T) {
	grammar := regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`) // OCI distribution spec
	name := rapid.StringMatching(`[a-b_-]{1,4}|[a-b1-]{1,3}(-[0-9a-f]{12})?|[ab-]{0,3}[a-z]{250}|(123456789012|210987654321)(-eu-west-1)?-[ab]`)
	place := rapid.SampledFrom([]audit.Place{{Account: "123456789012", Region: "eu-west-1"}, {Account: "210987654321", Region: "eu-west-1"}, {Account: "123456789012", Region: "us-east-1"}})
	service := rapid.Custom(func(t *rapid.T) audit.Service {
		return audit.Service{Place: place.Draw(t, "place"), Cluster: name.Draw(t, "cluster"), Name: name.Draw(t, "service")}
	})
	rapid.Check(t, func(t *rapid.T) {
		one, two, at := service.Draw(t, "one"), service.Draw(t, "two"), place.Draw(t, "repository")
		digest := "sha256:" + rapid.StringMatching(`[0-9a-f]{64}`).Draw(t, "digest")
		tag := pinName(stem(one, at), digest)
		if !grammar.MatchString(tag) || !isPin(stem(one, at), tag) || !strings.HasPrefix(tag, Prefix) {
			t.Fatalf("%s is no pin of its own service", tag)
		}
		same := one.Place == two.Place && one.Cluster == two.Cluster && one.Name == two.Name
		if isPin(stem(two, at), tag) && !same {
			t.Fatalf("%s is a pin of %+v and of %+v", tag, one, two)
		}
	})
}
