package deploy

import (
	"net/url"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// console makes links to AWS's console in one region. The zero console makes
// none.
type console struct{ host, region string }

// consoleOf is the console for what an ARN names. The hosts are those of
// "AWS Management Console endpoints"; partitions that are not on the internet
// have none.
func consoleOf(arn string) console {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[3] == "" {
		return console{}
	}
	domain := map[string]string{
		"aws":        "console.aws.amazon.com",
		"aws-cn":     "console.amazonaws.cn",
		"aws-us-gov": "console.amazonaws-us-gov.com",
		"aws-eusc":   "console.amazonaws-eusc.eu",
	}[parts[1]]
	if domain == "" {
		return console{}
	}
	return console{parts[3] + "." + domain, parts[3]}
}

func (c console) link(name, path, query, fragment string) []story.Link {
	if c.host == "" {
		return nil
	}
	address := "https://" + c.host + path + "?region=" + c.region
	if query != "" {
		address += "&" + query
	}
	if fragment != "" {
		address += "#" + fragment
	}
	return []story.Link{{Name: name, URL: address}}
}

func (c console) service(cluster, service string) []story.Link {
	return c.link("service", "/ecs/v2/clusters/"+url.PathEscape(cluster)+"/services/"+url.PathEscape(service)+"/events", "", "")
}

func (c console) task(cluster, id string) []story.Link {
	return c.link("task", "/ecs/v2/clusters/"+url.PathEscape(cluster)+"/tasks/"+url.PathEscape(id)+"/configuration", "", "")
}

func (c console) log(group, stream string) []story.Link {
	fragment := "logsV2:log-groups/log-group/" + twiceEscaped(group)
	if stream != "" {
		fragment += "/log-events/" + twiceEscaped(stream)
	}
	return c.link("log", "/cloudwatch/home", "", fragment)
}

// twiceEscaped is how the console's pages of CloudWatch Logs take a name in
// their fragment: escaped, and the percent signs of that as $25.
func twiceEscaped(name string) string {
	return strings.ReplaceAll(url.QueryEscape(name), "%", "$25")
}

func (c console) repository(ref image.Reference, account string) []story.Link {
	if registry, ok := image.ParseECRHost(ref.Registry); ok {
		if c.host == "" {
			return nil
		}
		_, domain, _ := strings.Cut(c.host, ".")
		c, account = console{registry.Region + "." + domain, registry.Region}, registry.Account
	}
	return c.link("images", "/ecr/repositories/private/"+account+"/"+ref.Repository, "", "")
}

func (c console) secret(name string) []story.Link {
	return c.link("secret", "/secretsmanager/secret", "name="+url.QueryEscape(name), "")
}

func (c console) role(name string) []story.Link {
	return c.link("role", "/iam/home", "", "/roles/details/"+url.PathEscape(name))
}

func (c console) targetGroup(arn string) []story.Link {
	return c.link("targets", "/ec2/home", "", "TargetGroup:targetGroupArn="+arn)
}
