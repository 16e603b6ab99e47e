package image

import "strings"

// ECR says whose private registry a host is.
type ECR struct {
	Account string // 12 digits
	Region  string // "ap-northeast-1"
}

// ParseECRHost reads the host of a private ECR registry, in every form AWS
// hands out: ACCOUNT.dkr.ecr.REGION.amazonaws.com, the dual-stack
// ACCOUNT.dkr-ecr.REGION.on.aws, -fips after either ecr, and the domains of
// the other partitions. The forms are those of amazon-ecr-credential-helper.
func ParseECRHost(host string) (ECR, bool) {
	account, rest, _ := strings.Cut(strings.ToLower(host), ".")
	if !isAccount(account) {
		return ECR{}, false
	}
	dualStack := false
	service, rest, _ := strings.Cut(rest, ".")
	switch service {
	case "dkr":
		service, rest, _ = strings.Cut(rest, ".")
		if service != "ecr" && service != "ecr-fips" {
			return ECR{}, false
		}
	case "dkr-ecr", "dkr-ecr-fips":
		dualStack = true
	default:
		return ECR{}, false
	}
	region, domain, _ := strings.Cut(rest, ".")
	if !isRegion(region) || !isECRDomain(domain, dualStack) {
		return ECR{}, false
	}
	return ECR{Account: account, Region: region}, true
}

func isECRDomain(domain string, dualStack bool) bool {
	switch domain {
	case "on.aws", "on.amazonwebservices.com.cn", "on.amazonwebservices.eu":
		return dualStack
	case "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu",
		"c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov":
		return !dualStack
	}
	return false
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isRegion accepts regions that do not exist yet: AWS adds some every year.
func isRegion(s string) bool {
	for _, c := range s {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return s != "" && s[0] != '-' && s[len(s)-1] != '-'
}

// Host is the registry's plain host name, as repositoryUri has it.
func (e ECR) Host() string {
	domain := "amazonaws.com"
	if strings.HasPrefix(e.Region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return e.Account + ".dkr.ecr." + e.Region + "." + domain
}
