package config

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Account is an account that an audit reads.
type Account struct {
	strictyaml.Where
	Account    string   `yaml:"account,required" doc:"The AWS account, 12 digits, in quotes."`
	Regions    []string `yaml:"regions,required" doc:"Its regions."`
	Role       string   `yaml:"role" doc:"The ARN of a role there, which is assumed; the credentials are of the account itself when not given."`
	ExternalID string   `yaml:"external_id" doc:"The external id that the role's trust policy asks for."`
}

// accounts checks each by itself, and that no place is meant twice.
func (c *checker) accounts(list []*Account) {
	places := map[string]bool{}
	for _, a := range list {
		c.account(a.Where, a.Account)
		c.role(a)
		if a.Has("regions") && len(a.Regions) == 0 {
			c.wrong(a.Of("regions"), "regions: name at least one")
		}
		for _, region := range a.Regions {
			switch place := a.Account + " " + region; {
			case region == "" || strings.ContainsAny(region, " \t\n"):
				c.wrong(a.Of("regions"), "regions: %q: want a name, without blanks", region)
			case places[place]:
				c.wrong(a.Of("regions"), "regions: %s of account %s is named twice", region, a.Account)
			default:
				places[place] = true
			}
		}
	}
}

// role refuses what is no role, and a role of another account.
func (c *checker) role(a *Account) {
	if a.Has("external_id") && a.Role == "" {
		c.wrong(a.Of("external_id"), "external_id: it goes with a role")
	}
	if !a.Has("role") {
		return
	}
	parts := strings.SplitN(a.Role, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/") {
		c.wrong(a.Of("role"), "role: %q: want the ARN of a role, arn:aws:iam::123456789012:role/NAME", a.Role)
	} else if parts[4] != a.Account {
		c.wrong(a.Of("role"), "role: it is of account %s, not of %s", parts[4], a.Account)
	}
}

// Place is where everything is expected to be and which tags are in order
// there; empty where nobody says.
type Place struct {
	Account, Region Value
	Tags            Of[image.Policy]
}

// Place is that of the file, or of the chosen environment.
func (l Lookup) Place() (Place, error) {
	e, err := l.environment()
	if err != nil || l.File == nil {
		return Place{}, err
	}
	var s Settings
	err = l.File.place(&s, e, l.Environment)
	return Place{s.Account, s.Region, s.Tags}, err
}
