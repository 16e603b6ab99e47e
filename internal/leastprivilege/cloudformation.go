package leastprivilege

import "strings"

// cloudFormation is a stack as a template. JSON is a form of templates like
// YAML, and policies are JSON.
func (s Stack) cloudFormation() string {
	type policy struct {
		PolicyName     string
		PolicyDocument Document
	}
	type role struct {
		RoleName                 string
		Description              string
		AssumeRolePolicyDocument Document
		Policies                 []policy `json:",omitempty"`
	}
	type provider struct {
		Url          string
		ClientIdList []string
	}
	type resource struct {
		Type       string
		DependsOn  string `json:",omitempty"`
		Properties any
	}
	type output struct {
		Value map[string][]string
	}
	template := struct {
		AWSTemplateFormatVersion string
		Description              string
		Resources                map[string]resource
		Outputs                  map[string]output
	}{"2010-09-09", s.Says, map[string]resource{}, map[string]output{}}
	const providerID = "OidcProvider"
	before := ""
	if s.Issuer != nil && s.New {
		template.Resources[providerID] = resource{Type: "AWS::IAM::OIDCProvider", Properties: provider{s.Issuer.URL, []string{s.Issuer.Audience}}}
		before = providerID
	}
	for _, r := range s.Roles {
		made := role{RoleName: r.Name, Description: r.Says, AssumeRolePolicyDocument: r.Trust}
		if len(r.Policy.Statement) > 0 {
			made.Policies = []policy{{"plimsoll", r.Policy}}
		}
		id := logical(r.Name)
		template.Resources[id] = resource{"AWS::IAM::Role", before, made}
		template.Outputs[id+"Arn"] = output{map[string][]string{"Fn::GetAtt": {id, "Arn"}}}
	}
	return indented(template)
}

// logical is a name as CloudFormation has them: letters and digits.
func logical(name string) string {
	var b strings.Builder
	upper := true
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z' && upper:
			b.WriteRune(r - 'a' + 'A')
			upper = false
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
			upper = false
		default:
			upper = true
		}
	}
	return b.String()
}
