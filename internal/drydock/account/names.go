package account

import (
	"regexp"
	"slices"
	"strings"
)

// origin is where an export comes from, and the hosts its repositories have.
type origin struct {
	account, region string
	registries      []string
}

// origin finds the account and region by the ARNs of what is exported: one of
// each, for drydock has no more.
func (x *export) origin() origin {
	var out origin
	see := func(arn string) {
		field := strings.SplitN(arn, ":", 6)
		if len(field) != 6 || field[0] != "arn" {
			return
		}
		switch {
		case out.account == "":
			out.region, out.account = field[3], field[4]
		case out.account != field[4] || out.region != field[3]:
			x.fault("%s is not of %s in %s, as the rest is: drydock is one account in one region", arn, out.account, out.region)
		}
	}
	for _, c := range x.clusters {
		see(c.ClusterArn)
	}
	for _, s := range x.services {
		see(s.ServiceArn)
	}
	for _, r := range x.repositories {
		b := r.body()
		see(b.RepositoryArn)
		if host, ok := strings.CutSuffix(b.RepositoryUri, "/"+b.RepositoryName); ok && !slices.Contains(out.registries, host) {
			out.registries = append(out.registries, host)
		}
	}
	return out
}

func (r repositoryDoc) body() repositoryBody {
	if r.Repository != nil {
		return *r.Repository
	}
	return r.repositoryBody
}

// renaming puts this drydock's account, region and registry in the place of
// those that texts name.
type renaming struct {
	registry   string
	hosts      []string
	arn        *regexp.Regexp
	as         string
	regionless *regexp.Regexp
	bare       string
}

func (x *export) renaming(from origin, here Here) renaming {
	n := renaming{registry: here.Account + ".dkr.ecr." + here.Region + ".amazonaws.com"}
	if from.account == "" {
		return n
	}
	n.hosts = append(slices.Clone(from.registries), from.account+".dkr.ecr."+from.region+".amazonaws.com")
	n.arn = regexp.MustCompile(`\barn:aws:([a-z0-9-]+):` + regexp.QuoteMeta(from.region) + `:` + regexp.QuoteMeta(from.account) + `:`)
	n.as = "arn:aws:${1}:" + here.Region + ":" + here.Account + ":"
	n.regionless = regexp.MustCompile(`\barn:aws:([a-z0-9-]+)::` + regexp.QuoteMeta(from.account) + `:`)
	n.bare = "arn:aws:${1}::" + here.Account + ":"
	return n
}

// text renames what a text names.
func (n renaming) text(s string) string {
	if n.arn == nil {
		return s
	}
	for _, host := range n.hosts {
		if rest, ok := strings.CutPrefix(s, host+"/"); ok {
			s = n.registry + "/" + rest
			break
		}
	}
	return n.regionless.ReplaceAllString(n.arn.ReplaceAllString(s, n.as), n.bare)
}

// within renames in every text of a document.
func (n renaming) within(v any) any {
	switch v := v.(type) {
	case string:
		return n.text(v)
	case []any:
		for i := range v {
			v[i] = n.within(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = n.within(v[name])
		}
	}
	return v
}

// last is the name at the end of an ARN, or the name itself.
func last(nameOrARN string) string {
	return nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:]
}
