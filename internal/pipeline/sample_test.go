package pipeline

import "strings"

// plans are what the golden files are made of: a service that has the variables of
// its pipeline and nothing else, and several services in several accounts.
func plans() map[string]Plan {
	return map[string]Plan{
		"variables": {
			Names: Names{
				Registry: "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", Repository: "your-repo-name", Cluster: "your-cluster-name",
				Service: "your-service-name", TaskDefinition: "your-family", Region: "ap-northeast-1",
			},
			Images: []Image{{}},
			Environments: []Environment{{
				Name: "production", URL: "https://app.example.com", Role: "arn:aws:iam::123456789012:role/deploy", Region: "ap-northeast-1",
			}},
			BuildRole: "arn:aws:iam::123456789012:role/build", AuditRole: "arn:aws:iam::123456789012:role/audit",
			Plimsoll: Release{"v1.2.3", strings.Repeat("0123456789abcdef", 4)},
			GitHub:   Actions{Uses: "plimsoll-ecs/plimsoll@0123456789abcdef0123456789abcdef01234567", Comment: "v1.2.3"},
		},
		"services": {
			Config: "deploy/plimsoll.yaml", Several: true, Services: []string{"api", "web"},
			Images: []Image{{"api", "api/Dockerfile"}, {"web", "web/Dockerfile"}},
			Environments: []Environment{
				{Name: "stage", Config: "stage", Region: "eu-west-1", Registry: "210987654321"},
				{Name: "production", Region: "ap-northeast-1", Registry: "123456789012"},
			},
			GitHub: Actions{
				Uses: "plimsoll-ecs/plimsoll@0123456789abcdef0123456789abcdef01234567", TagDeploys: true,
				Stop: "0 13 * * 1-5", Start: "0 23 * * 0-4",
			},
		},
	}
}
