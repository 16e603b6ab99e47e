package actions

import (
	"net/http"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// Service is a service and where it is.
type Service struct {
	audit.Place
	Cluster, Name string
}

// Path is the end of the address of everything that is about the service.
func (s Service) Path() string {
	return s.Account + "/" + s.Region + "/" + s.Cluster + "/" + s.Name
}

func (s Service) String() string { return s.Cluster + "/" + s.Name }

// target holds the use cases to the account and region that the page named.
func (s Service) target() deploy.Target {
	return deploy.Target{Cluster: s.Cluster, Service: s.Name, Account: s.Account, Region: s.Region}
}

// pattern is the end of a route that [serviceOf] reads.
const pattern = "{account}/{region}/{cluster}/{service}"

// serviceOf is the service of a request's address. ok is false for names that
// AWS gives nobody: they are not asked for.
func serviceOf(r *http.Request) (s Service, ok bool) {
	s = Service{audit.Place{Account: r.PathValue("account"), Region: r.PathValue("region")}, r.PathValue("cluster"), r.PathValue("service")}
	for _, name := range []string{s.Account, s.Region, s.Cluster, s.Name} {
		if !isName(name) {
			return Service{}, false
		}
	}
	return s, true
}

// isName reports whether ECS takes a name: up to 255 letters, numbers,
// underscores and hyphens (CreateService in the ECS API reference).
func isName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return s != "" && len(s) <= 255 && strings.Trim(s, letters) == ""
}
