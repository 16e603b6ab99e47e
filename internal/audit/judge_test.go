package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Each fault is made in the fleet that has none, and what is said of it is all
// that is said.
func TestFindings(t *testing.T) {
	type fleet = audit.Fleet
	web := func(f *fleet) *audit.Repository { return &f.Repositories[0] }
	drop := func(f *fleet, name string) {
		r := web(f)
		var kept []audit.Image
		for _, img := range r.Images {
			if img.Digest != digest(name) {
				kept = append(kept, img)
			}
		}
		r.Images = kept
	}
	policy := func(rules string) func(f *fleet) {
		return func(f *fleet) { web(f).Policy = `{"rules":[` + rules + `]}` }
	}
	const (
		untagged = `{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}`
		old20    = `{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["v1.2*"],"countType":"sinceImagePushed","countUnit":"days","countNumber":20},"action":{"type":"expire"}}`
		keep12   = `{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":12},"action":{"type":"expire"}}`
		pulled   = `{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":60},"action":{"type":"transition","targetStorageClass":"archive"}}`
	)
	for _, test := range []struct {
		name string
		make func(f *fleet)
		with func(o *audit.Options)
		want []string // in the order of the report
		says string   // the what, why and fixes of the first finding contain it; parts are separated by |
	}{
		{name: "clean", make: func(*fleet) {}},
		{
			name: "the image and its tag are gone", make: func(f *fleet) { drop(f, "b") },
			want: []string{"error PL001 prod/web app"},
			says: "prod/web cannot restart: its image is gone|repository web has neither sha256:000000000000 nor a tag v1.2.0|plimsoll rescue --cluster prod --service web|plimsoll deploy --cluster prod --service web --repository web --image-tag v1.1.0 --force",
		},
		{
			name: "the repository is gone", make: func(f *fleet) { f.Repositories = nil; f.Services[0].Before = nil },
			want: []string{"error PL001 prod/web app"},
			says: "registry " + registry + " has no repository web",
		},
		{
			name: "repositories could not be listed", make: func(f *fleet) {
				f.Repositories = nil
				f.Blind = []audit.Blind{{Place: place(), Action: "ecr:DescribeRepositories", About: "all repositories", Reason: "AccessDeniedException"}}
			},
			want: []string{"note PL081 all repositories"},
			says: "all repositories could not be seen|ecr:DescribeRepositories: AccessDeniedException|allow ecr:DescribeRepositories",
		},
		{
			name: "the digest is gone and the tag is another image", make: func(f *fleet) { drop(f, "b"); web(f).Images = append(web(f).Images, picture("c", 2, "v1.2.0")) },
			want: []string{"error PL002 prod/web app"},
			says: "the digest that it is pinned to is gone|a pull by tag works and a restart does not|plimsoll deploy --cluster prod --service web --repository web --image-tag v1.2.0 --force",
		},
		{
			name: "a digest in the reference decides", make: func(f *fleet) {
				f.Services[0].Runs[0].Containers[0].Digest = ""
				f.Services[0].Runs[0].Containers[0].Image = registry + "/web:v1.2.0@" + digest("zz")
			},
			want: []string{"error PL002 prod/web app"},
		},
		{
			name: "archived", make: func(f *fleet) {
				web(f).Images[1].Status = lifecycle.Archived
				web(f).Images[1].LastArchivedAt = daysAgo(3)
			},
			want: []string{"error PL003 prod/web app"},
			says: "its image is archived|since 2026-11-18|restore it from the archive",
		},
		{
			name: "archived, by a rule that would do so again", make: func(f *fleet) {
				policy(pulled)(f)
				web(f).Images[1].Status, f.Services[0].Before = lifecycle.Archived, nil
			},
			want: []string{"error PL003 prod/web app"},
			says: "plimsoll rescue --cluster prod --service web|plimsoll lifecycle apply --shield --repository web",
		},
		{
			name: "being restored", make: func(f *fleet) { web(f).Images[1].Status = lifecycle.Activating },
			want: []string{"warning PL004 prod/web app"},
			says: "cannot restart yet",
		},
		{
			name: "a child of the index is gone", make: func(f *fleet) { web(f).Images[1].Children = []string{digest("arm")} },
			want: []string{"error PL005 prod/web app"},
			says: "a part of its image is gone",
		},
		{
			name: "a child of the index is archived", make: func(f *fleet) {
				web(f).Images[1].Children = []string{digest("old")}
				web(f).Images[2].Status = lifecycle.Archived
			},
			want: []string{"error PL005 prod/web app"},
			says: "a part of its image is archived",
		},
		{
			name: "a schedule without a task definition", make: func(f *fleet) {
				f.Schedules = []audit.Schedule{
					{Place: place(), Kind: "rule", Name: "default/nightly", Enabled: true, Cluster: "prod", TaskDefinition: definition("report", 3)},
					{Place: place(), Kind: "rule", Name: "default/off", Cluster: "prod", TaskDefinition: strings.TrimSuffix(definition("ghost", 0), ":0")},
				}
				f.Definitions[definition("report", 3)] = audit.Revision{ARN: definition("report", 3), Family: "report", Number: 3}
			},
			want: []string{"error PL006 default/nightly", "warning PL006 default/off"},
			says: "its task definition report:3 is deregistered|RunTask refuses",
		},
		{
			name: "a schedule of a family runs its newest active revision, by tag", make: func(f *fleet) {
				f.Schedules = []audit.Schedule{{Place: place(), Kind: "schedule", Name: "default/nightly", Enabled: true, Cluster: "prod", TaskDefinition: strings.TrimSuffix(definition("report", 0), ":0")}}
				for n, tag := range []string{"v1.1.0", "v1.2.0", "v9"} {
					f.Definitions[definition("report", n)] = audit.Revision{
						ARN: definition("report", n), Family: "report", Number: n, Active: true,
						Containers: []audit.Container{{Name: "job", Image: registry + "/web:" + tag}},
					}
				}
			},
			want: []string{"error PL001 default/nightly job"},
			says: "schedule default/nightly cannot run|has no tag v9, and nothing pins a digest|plimsoll push --repository web --tag v9",
		},
		{
			name: "a schedule whose image is archived", make: func(f *fleet) {
				web(f).Images[2].Tags, web(f).Images[2].Status = []string{"v3"}, lifecycle.Archived
				f.Schedules = []audit.Schedule{{Place: place(), Kind: "rule", Name: "default/nightly", Enabled: true, TaskDefinition: definition("job", 1)}}
				f.Definitions[definition("job", 1)] = audit.Revision{Family: "job", Active: true, Containers: []audit.Container{{Name: "job", Image: registry + "/web:v3"}}}
			},
			want: []string{"error PL003 default/nightly job"},
			says: "aws ecr update-image-storage-class --repository-name web --image-id imageDigest=sha256:",
		},
		{
			name: "a task of its own, whose tag is gone", make: func(f *fleet) {
				f.Tasks = append(f.Tasks, audit.Task{
					Place: place(), Cluster: "prod", ARN: "arn:aws:ecs:eu-west-1:1:task/prod/2", Group: "family:job", TaskDefinition: definition("job", 1),
					Containers: []audit.Container{{Name: "job", Image: registry + "/web:v7", Digest: digest("b")}},
				})
			},
			want: []string{"warning PL001 prod/job:1 job"},
			says: "prod/job:1 cannot be started again",
		},
		{
			name: "the next run", make: func(f *fleet) {
				policy(untagged)(f)
				web(f).Images[1] = picture("b", 20)
				web(f).Images[1].Tags = nil
				web(f).Images = append(web(f).Images, picture("c", 2, "v1.2.0"))
			},
			want: []string{"error PL010 prod/web app"},
			says: "prod/web is about to lose its image: rule 1 deletes it at the next run|rule 1 of repository web deletes untagged images older than 14 days|its tag v1.2.0 names an image pushed 2026-11-19|plimsoll pin --cluster prod --service web",
		},
		{
			name: "the next run, by one reading", make: func(f *fleet) { // a tie
				policy(strings.Replace(keep12, "12", "1", 1))(f)
				web(f).Images = []audit.Image{picture("b", 10, "v1.2.0"), picture("c", 10, "v1.3.0")}
				f.Services[0].Before = nil
			},
			want: []string{"warning PL010 prod/web app"},
			says: "by one reading of AWS's text|which of two images of the same age goes first is not documented",
		},
		{
			name: "an age rule within the horizon", make: policy(old20),
			want: []string{"error PL011 prod/web app"},
			says: "prod/web loses its image on 2026-12-01: rule 1 deletes it|plimsoll pin --cluster prod --service web|plimsoll lifecycle apply --shield --repository web",
		},
		{
			name: "pinned, and no rule protects pins", make: func(f *fleet) {
				policy(old20)(f)
				web(f).Images[1].Tags = append(web(f).Images[1].Tags, "keep-prod-web-1")
			},
			want: []string{"error PL011 prod/web app"},
			says: "it is pinned, and no rule protects pins|plimsoll lifecycle apply --shield --repository web",
		},
		{
			name: "an age rule beyond the horizon", make: policy(strings.Replace(old20, "20", "40", 1)),
			want: []string{"warning PL012 web"},
			says: "nothing protects 1 image of web in use from its lifecycle policy|in use by prod/web|plimsoll pin --cluster prod --service web|plimsoll lifecycle apply --shield --repository web",
		},
		{
			name: "a count rule, by the cadence", make: policy(keep12), with: func(o *audit.Options) { o.Cadence = steady },
			want: []string{"warning PL011 prod/web app", "warning PL032 prod/web"},
			says: "prod/web may lose its image from 2026-11-30 on: after 11 more pushes rule 1 deletes it",
		},
		{
			name: "a count rule without a cadence", make: policy(keep12),
			want: []string{"warning PL012 web"},
			says: "beyond the newest 12; in use by prod/web",
		},
		{
			name: "sinceImagePulled, nearly due", make: func(f *fleet) {
				policy(pulled)(f)
				web(f).Images[1].LastPulledAt = daysAgo(55)
				f.Services[0].Before = nil
			},
			want: []string{"warning PL011 prod/web app"},
			says: "unless something pulls it before",
		},
		{
			name: "sinceImagePulled under a running task", make: func(f *fleet) {
				policy(pulled)(f)
				web(f).Images[1].LastPulledAt = daysAgo(35)
				f.Services[0].Before = nil
			},
			want: []string{"warning PL012 web", "warning PL013 prod/web app"},
		},
		{
			name: "sinceImagePulled without a recorded pull", make: func(f *fleet) { policy(pulled)(f); web(f).Images[1].LastPulledAt = time.Time{} },
			want: []string{"warning PL012 web", "note PL053 web"},
		},
		{
			name: "the tag moved", make: func(f *fleet) {
				web(f).Images[1].Tags = []string{"keep-prod-web-1", "v1.2.0-old"}
				web(f).Images = append(web(f).Images, picture("c", 2, "v1.2.0"))
			},
			want: []string{"warning PL020 prod/web app"},
			says: "prod/web runs sha256:000000000000, which tag v1.2.0 does not name any more|the next deployment under that tag starts other code",
		},
		{
			name: "a floating tag", make: func(f *fleet) {
				web(f).Images[1].Tags = []string{"latest", "v1.2.0"}
				f.Services[0].Runs[0].Containers[0].Image = registry + "/web"
			},
			want: []string{"warning PL021 prod/web app"},
			says: "under the floating tag latest|plimsoll deploy --cluster prod --service web --repository web --image-tag v1.2.0 --force",
		},
		{
			name: "a tag against the policy", with: func(o *audit.Options) { o.Tags = strict() }, make: func(f *fleet) {
				web(f).Images[1].Tags = []string{"v1.2.0", "build-7"}
				f.Services[0].Runs[0].Containers[0].Image = registry + "/web:build-7"
			},
			want: []string{"warning PL022 prod/web app"},
			says: "tag build-7, which is against the tag policy",
		},
		{
			name: "a mutable repository", make: func(f *fleet) { web(f).Mutability = "MUTABLE" },
			want: []string{"warning PL023 web"},
			says: "a push can move the tags of web that are in use: v1.2.0|aws ecr put-image-tag-mutability --repository-name web",
		},
		{name: "mutable but for releases", make: func(f *fleet) { web(f).Mutability = "MUTABLE_WITH_EXCLUSION"; web(f).Exclusions = []string{"v*"} }},
		{
			name: "immutable but for what runs", make: func(f *fleet) { web(f).Mutability = "IMMUTABLE_WITH_EXCLUSION"; web(f).Exclusions = []string{"v1.*"} },
			want: []string{"warning PL023 web"},
			says: "with the filters v1.*",
		},
		{
			name: "version consistency is off", make: func(f *fleet) { f.Services[0].Runs[0].Containers[0].Unpinned = true },
			want: []string{"warning PL024 prod/web app"},
		},
		{
			name: "nothing to roll back to", make: func(f *fleet) { drop(f, "a") },
			want: []string{"warning PL030 prod/web"},
			says: "prod/web has nothing to roll back to|web:6: sha256:000000000000 is gone",
		},
		{
			name: "some releases are gone", make: func(f *fleet) {
				f.Services[0].Before = append(f.Services[0].Before, runs(5, registry+"/web:v1.0.0", "gone"))
				r := f.Definitions[definition("web", 6)]
				f.Definitions[definition("web", 5)] = r
			},
			want: []string{"note PL031 prod/web"},
			says: "prod/web cannot roll back to web:5",
		},
		{
			name: "a revision that never ran is no way back, and no loss", make: func(f *fleet) {
				f.Services[0].Before = append(f.Services[0].Before, runs(1, registry+"/web:not-yet", ""))
			},
		},
		{
			name: "a read that failed for another reason than permission", make: func(f *fleet) {
				f.Blind = []audit.Blind{{Place: place(), Action: "health:DescribeEvents", About: "announced retirements", Reason: "SubscriptionRequiredException"}}
			},
			want: []string{"note PL081 announced retirements"},
		},
		{
			name: "a deregistered revision is no way back", make: func(f *fleet) {
				r := f.Definitions[definition("web", 6)]
				r.Active = false
				f.Definitions[definition("web", 6)] = r
			},
			want: []string{"warning PL030 prod/web"},
			says: "the task definition is deregistered",
		},
		{
			name: "the way back sinks", make: policy(strings.NewReplacer("v1.2*", "v1.1*", "20", "40").Replace(old20)),
			want: []string{"warning PL032 prod/web"},
		},
		{
			name: "a retirement that works", make: func(f *fleet) {
				f.Retirements = []audit.Retirement{{Place: place(), Event: "arn:aws:health:eu-west-1::event/ECS/X/X_1", At: now().Add(72 * time.Hour), Cluster: "prod", Service: "web"}}
			},
			want: []string{"note PL041 prod/web"},
			says: "AWS restarts prod/web on 2026-11-24 or later, which would work|plimsoll maintenance run --service prod/web",
		},
		{
			name: "a retirement beyond the horizon, after the image is gone", make: func(f *fleet) {
				policy(strings.Replace(old20, "20", "30", 1))(f)
				for _, task := range [][]string{nil, {f.Tasks[0].ARN}} { // the same event twice: by service, and by task
					r := audit.Retirement{Place: place(), Event: "arn:aws:health:eu-west-1::event/ECS/X/X_1", At: now().AddDate(0, 0, 25), Cluster: "prod", Tasks: task}
					if task == nil {
						r.Service = "web"
					}
					f.Retirements = append(f.Retirements, r)
				}
			},
			want: []string{"error PL011 prod/web app", "error PL040 prod/web"},
		},
		{
			name: "a retirement of a task of its own", make: func(f *fleet) {
				f.Tasks[0].Group = "family:web"
				f.Retirements = []audit.Retirement{{Place: place(), Event: "x/1", At: now().Add(72 * time.Hour), Cluster: "prod", Tasks: []string{f.Tasks[0].ARN}}}
			},
			want: []string{"warning PL041 prod/web:7"},
			says: "nothing starts it again",
		},
		{
			name: "a retirement of a service that was not read", make: func(f *fleet) {
				f.Retirements = []audit.Retirement{{Place: place(), Event: "x/1", At: now().Add(72 * time.Hour), Cluster: "other", Service: "web", Tasks: []string{"gone"}}}
			},
			want: []string{"warning PL041 other/web"},
			says: "whether that works could not be seen",
		},
		{
			name: "a stopped service", make: func(f *fleet) {
				drop(f, "b")
				f.Tasks = nil
				s := &f.Services[0]
				s.Desired, s.Running, s.Remembered = 0, 0, 3
			},
			want: []string{"error PL001 prod/web app", "error PL042 prod/web"},
			says: "prod/web cannot start: its image is gone",
		},
		{
			name: "autoscaling", make: func(f *fleet) { drop(f, "b"); f.Services[0].MostTasks = 10 },
			want: []string{"error PL001 prod/web app", "error PL043 prod/web"},
		},
		{
			name: "no lifecycle policy", make: func(f *fleet) { web(f).Policy = "" },
			want: []string{"note PL050 web"},
			says: "it keeps 3 images, 300 MB",
		},
		{
			name: "a policy of tomorrow", make: policy(`{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImageSighed"}}`),
			want: []string{"warning PL051 web"},
		},
		{
			name: "a remark of the linter", make: func(*fleet) {}, with: func(o *audit.Options) {
				o.Lint = func(r *audit.Repository, p lifecycle.Policy, uses []audit.Use, _ time.Time) []audit.Remark {
					return []audit.Remark{{Code: "LC001", Severity: audit.Error, Rule: 2, What: r.Name + " has a rule that never fires", Why: uses[0].By}}
				}
			},
			want: []string{"warning PL052 web"},
		},
		{
			name: "unused images", with: func(o *audit.Options) { o.Unused = 90 }, make: func(f *fleet) {
				cold := picture("cold", 200, "v0.1.0")
				cold.LastPulledAt = daysAgo(100)
				child, index, signature := picture("child", 200), picture("index", 200, "v1.2.0"), picture("sig", 200, "v-sig")
				for _, img := range []*audit.Image{&child, &index, &signature} {
					img.LastPulledAt = time.Time{}
				}
				index.Children, signature.Subject = []string{child.Digest}, index.Digest
				web(f).Policy = strings.Replace(safePolicy, "14", "900", 1)
				web(f).Images = []audit.Image{picture("a", 30, "v1.1.0"), index, child, signature, cold}
				f.Services[0].Runs[0].Containers[0].Digest, f.Tasks = index.Digest, nil
			},
			want: []string{"note PL054 web"},
			says: "1 image of web was not used for 90 days: 100 MB",
		},
		{
			name: "one role for both", make: func(f *fleet) {
				r := f.Definitions[definition("web", 7)]
				r.ExecutionRole, r.TaskRole = role("web"), role("web")
				f.Definitions[definition("web", 7)] = r
			},
			want: []string{"warning PL060 web"},
		},
		{
			name: "roles that are shared and wide", make: func(f *fleet) {
				for n, family := range []string{"web", "job"} {
					f.Definitions[definition(family, 7)] = audit.Revision{ARN: definition(family, 7), Family: family, Number: 7 + n, Active: true, TaskRole: role("app"), ExecutionRole: role("exec")}
				}
				f.Roles = map[string]audit.Role{
					role("app"): {ARN: role("app"), Trust: `{"Statement":{"Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"],"Federated":"arn:aws:iam::1:oidc-provider/gitlab.com"}}}`, Statements: []audit.Statement{
						{Policy: "p", Actions: []string{"*"}, Resources: []string{"*"}},
					}},
					role("exec"): {ARN: role("exec"), Trust: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"}}]}`, Statements: []audit.Statement{
						{Policy: "start", Actions: []string{"ecr:BatchGetImage", "logs:PutLogEvents"}, Resources: []string{"*"}},
						{Policy: "more", Actions: []string{"s3:PutObject", "secretsmanager:GetSecretValue"}, Resources: []string{"*"}},
					}},
				}
			},
			want: []string{"warning PL062 exec", "warning PL063 app", "warning PL064 app", "note PL061 app"},
		},
		{
			name: "a pipeline that is tasks, takes roles and passes them", make: func(f *fleet) {
				f.Definitions[definition("web", 7)] = audit.Revision{ARN: definition("web", 7), Family: "web", Number: 7, Active: true, TaskRole: role("app"), ExecutionRole: role("exec")}
				f.Pipelines = []string{role("ci"), role("app")}
				f.Roles = map[string]audit.Role{role("ci"): {ARN: role("ci"), Trust: tokens(`"gitlab.com:aud":"https://gitlab.com","gitlab.com:sub":"project_path:team/web:*"`), Statements: []audit.Statement{
					{Policy: "deploy", Actions: []string{"ecs:*", "iam:PassRole", "sts:AssumeRole"}, Resources: []string{"*"}},
				}}}
			},
			want: []string{"warning PL065 app", "warning PL066 ci", "warning PL067 ci", "warning PL068 ci", "warning PL069 ci"},
			says: "the pipeline's role ci may pass roles too widely: iam:PassRole on * (policy deploy), to every service (policy deploy)",
		},
		{
			name: "a pipeline that is as it should be", make: func(f *fleet) {
				f.Pipelines = []string{role("ci")}
				f.Roles = map[string]audit.Role{role("ci"): {ARN: role("ci"), Trust: tokens(`"gitlab.com:aud":"https://gitlab.com","gitlab.com:sub":"project_path:team/web:ref_type:tag:ref:v*"`), Statements: []audit.Statement{
					{Policy: "deploy", Actions: []string{"iam:PassRole"}, Resources: []string{role("app")}, PassedTo: []string{"ecs-tasks.amazonaws.com"}},
					{Policy: "deploy", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []string{"*"}},
				}}}
			},
		},
		{
			name: "tokens of anybody", make: func(f *fleet) {
				f.Pipelines = []string{role("ci")}
				f.Roles = map[string]audit.Role{role("ci"): {ARN: role("ci"), Trust: tokens(`"gitlab.com:sub":"project_path:*/web:ref_type:branch:ref:main"`)}}
			},
			want: []string{"error PL068 ci"},
			says: "any audience of gitlab.com, project_path:*/web:ref_type:branch:ref:main",
		},
		{
			name: "another registry, once", make: func(f *fleet) {
				for _, name := range []string{"x", "y"} {
					s := service(name, runs(7, registry+"/web:v1.2.0", "b"))
					s.Runs[0].Containers = append(s.Runs[0].Containers, audit.Container{Name: "proxy", Image: "docker.io/library/nginx:1", Digest: digest("n")})
					f.Services = append(f.Services, s)
				}
			},
			want: []string{"note PL080 docker.io/library/nginx:1"},
			says: "needed by prod/x, prod/y",
		},
		{
			name: "an account that was not asked for", make: func(f *fleet) {
				f.Services[0].Runs[0].Containers[0].Image = "999999999999.dkr.ecr.eu-west-1.amazonaws.com/web:v1"
			},
			want: []string{"note PL080 999999999999.dkr.ecr.eu-west-1.amazonaws.com/web:v1"},
		},
		{
			name: "an unread repository", make: func(f *fleet) {
				*web(f) = audit.Repository{Place: place(), Name: "web", URI: registry + "/web", Unread: "AccessDeniedException"}
			},
			want: []string{"note PL081 web"},
		},
		{
			name: "a rule that has ended", make: func(f *fleet) { web(f).Mutability = "MUTABLE" }, with: func(o *audit.Options) {
				o.Accept = []audit.Accept{{Code: "PL023", Object: "web", Reason: "soon", Expires: daysAgo(0)}}
			},
			want: []string{"warning PL023 web", "note PL082 PL023 on web"},
		},
		{
			name: "two containers of one task", make: func(f *fleet) {
				c := &f.Services[0].Runs[0].Containers
				*c = append(*c, audit.Container{Name: "proxy", Image: registry + "/web:v0", Digest: digest("p")})
			},
			want: []string{"error PL001 prod/web proxy"},
			says: "the image of container proxy is gone",
		},
		{
			name: "the other forms of the registry's host", make: func(f *fleet) {
				f.Services[0].Runs[0].Containers[0].Image = account + ".dkr-ecr.eu-west-1.on.aws/web:v1.2.0"
				f.Services[0].Before[0].Containers[0].Image = account + ".dkr.ecr-fips.eu-west-1.amazonaws.com/web:v1.1.0"
			},
		},
		{
			name: "drydock's registry", make: func(f *fleet) {
				web(f).URI = "127.0.0.1:4510/web"
				f.Services[0].Runs[0].Containers[0].Image = "127.0.0.1:4510/web:v1.2.0"
				f.Services = append(f.Services, service("y", runs(1, "127.0.0.1:4510/ghost:v1.2.0", "")))
			},
			want: []string{"error PL001 prod/y app"},
			says: "registry 127.0.0.1:4510 has no repository ghost",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, o := clean(), options()
			test.make(&f)
			if test.with != nil {
				test.with(&o)
			}
			r := audit.Judge(f, o)
			want := append([]string{}, test.want...)
			if diff := cmp.Diff(want, shorts(r)); diff != "" {
				t.Fatalf("findings (-want +got):\n%s\n%s", diff, told(r))
			}
			for _, part := range strings.Split(test.says, "|") {
				if part != "" && !strings.Contains(told(r), part) {
					t.Errorf("nothing says %q:\n%s", part, told(r))
				}
			}
			documented(t, r)
		})
	}
}

func role(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

// told is everything that a report says.
func told(r audit.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(short(f) + "\n  " + f.What + "\n  " + f.Why + "\n")
		for _, fix := range f.Fix {
			b.WriteString("  > " + fix.Say + "\n    " + fix.Command + "\n")
		}
	}
	return b.String()
}

// tokens is a trust policy for GitLab with these conditions.
func tokens(conditions string) string {
	return `{"Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/gitlab.com"},"Condition":{"StringLike":{` + conditions + `}}}]}`
}

// documented holds every finding to the catalogue.
func documented(t *testing.T, r audit.Report) {
	t.Helper()
	for _, f := range r.Findings {
		e, err := audit.Explain(string(f.Code))
		switch {
		case err != nil:
			t.Error(err)
		case f.Severity > e.Severity:
			t.Errorf("%s is reported as %s, and documented as %s", f.Code, f.Severity, e.Severity)
		case f.What == "" || f.Why == "" || f.What != strings.TrimSpace(f.What) || strings.HasSuffix(f.What, "."):
			t.Errorf("%s says %q, for %q", f.Code, f.What, f.Why)
		}
	}
}

func TestTheRegionIsNamedWhereThereAreSeveral(t *testing.T) {
	f := clean()
	f.Places = append(f.Places, audit.Place{Account: account, Region: "us-east-1"})
	f.Repositories[0].Images[1].Status = lifecycle.Archived
	r := audit.Judge(f, options())
	if got, want := r.Findings[0].Fix[0].Command, "AWS_REGION=eu-west-1 plimsoll rescue --cluster prod --service web"; got != want {
		t.Errorf("the fix is %q, want %q", got, want)
	}
}

// Names of AWS need no quotes; a fleet from a file may have others.
func TestCommandsCanBePasted(t *testing.T) {
	f := clean()
	f.Services[0].Name = "web; rm -rf ~"
	f.Services[0].Cluster = "it's"
	f.Repositories[0].Images[1].Status = lifecycle.Archived
	r := audit.Judge(f, options())
	if got, want := r.Findings[0].Fix[0].Command, `plimsoll rescue --cluster 'it'\''s' --service 'web; rm -rf ~'`; got != want {
		t.Errorf("the fix is %s, want %s", got, want)
	}
}

// The clock of the machine that audits may lag behind AWS's, and does by weeks
// in a rehearsal that has jumped ahead.
func TestTheClockOfAWSDecides(t *testing.T) {
	f := clean()
	f.Repositories[0].EvaluatedAt = now().AddDate(0, 0, 30)
	if r := audit.Judge(f, options()); !r.At.Equal(f.Repositories[0].EvaluatedAt) {
		t.Errorf("judged for %s, though a policy ran at %s", r.At, f.Repositories[0].EvaluatedAt)
	}
}

func TestSeen(t *testing.T) {
	f := clean()
	f.Services = append(f.Services, service("bad", runs(1, registry+"/web:v0", "zz")))
	got := audit.Judge(f, options()).Seen
	want := audit.Seen{Clusters: 1, Services: 2, Tasks: 1, Repositories: 1, Images: 3, Safe: 1}
	if got != want {
		t.Errorf("seen %+v, want %+v", got, want)
	}
}

// A team's own list of floating names replaces the usual one.
func TestFloatingNamesOfTheTeam(t *testing.T) {
	f, o := clean(), options()
	o.Tags = &image.Policy{Floating: []string{"v1.2.0"}}
	if got := shorts(audit.Judge(f, o)); len(got) != 1 || !strings.Contains(got[0], "PL021") {
		t.Errorf("findings %v, want PL021", got)
	}
}
