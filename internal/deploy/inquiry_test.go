package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

func policy(t *testing.T, rules string) *lifecycle.Policy {
	t.Helper()
	p, err := lifecycle.ParsePolicy([]byte(`{"rules":[` + rules + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

const (
	untaggedDay = `{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1},"action":{"type":"expire"}}`
	newestTwo   = `{"rulePriority":2,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}`
	unpulled    = `{"rulePriority":3,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":1},"action":{"type":"transition","targetStorageClass":"archive"}}`
	otherTags   = `{"rulePriority":4,"selection":{"tagStatus":"tagged","tagPatternList":["dev-*"],"countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}`
)

func TestLostImage(t *testing.T) {
	a, b := digestOf("a"), digestOf("b")
	images := []lifecycle.Image{
		{Digest: digestOf("1"), Tags: []string{"v1.1.9"}, PushedAt: day(1)},
		{Digest: digestOf("2"), Tags: []string{"v1.2.0-rc.1", "latest"}, PushedAt: day(2)},
		{Digest: digestOf("3"), Tags: []string{"v9.9.9"}, PushedAt: day(3)},
	}
	moved := append([]lifecycle.Image{{Digest: b, Tags: []string{"v1.2.0"}, PushedAt: day(4)}}, images...)
	for _, c := range []struct {
		name  string
		lost  lostImage
		shelf shelf
		want  []string
	}{
		{
			"never seen", lostImage{repository: "web", tag: "v1.2.0"}, shelf{images: images, whole: true},
			[]string{"web has no tag v1.2.0 now; the closest are v1.1.9 and v1.2.0-rc.1", "nothing shows that web:v1.2.0 was ever pushed"},
		},
		{
			"an empty repository", lostImage{repository: "web", tag: "v1.2.0"}, shelf{whole: true},
			[]string{"web has no tag v1.2.0 now: the repository is empty", "nothing shows that web:v1.2.0 was ever pushed"},
		},
		{"not all was read: nothing is said", lostImage{repository: "web", tag: "v1.2.0", digest: a, seen: day(5)}, shelf{images: images}, nil},
		{
			"it is there after all", lostImage{repository: "web", tag: "v1.1.9"}, shelf{images: images, whole: true},
			[]string{"v1.1.9 is in web now, pushed 2026-11-01 12:00 UTC: a new try would find it"},
		},
		{
			"archived", lostImage{repository: "web", tag: "v1.2.0", digest: a},
			shelf{images: []lifecycle.Image{{Digest: a, Status: lifecycle.Archived, LastArchivedAt: day(6)}}},
			[]string{"the image is in the archive since 2026-11-06 12:00 UTC, and cannot be pulled from there: restore it"},
		},
		{
			"the tag moved, and the rule for untagged images took the rest",
			lostImage{repository: "web", tag: "v1.2.0", digest: a, seen: day(3)}, shelf{images: moved, whole: true, policy: policy(t, untaggedDay)},
			[]string{
				"the tag v1.2.0 moved: ECS wants sha256:aaaaaaaaaaaa, the tag points to sha256:bbbbbbbbbbbb, which was pushed 2026-11-04 12:00 UTC",
				"it was there when it was deployed, 2026-11-03 12:00 UTC",
				"lifecycle rule 1 (untagged images pushed more than 1 day ago) takes such an image: it was that, or somebody by hand",
			},
		},
		{
			"the tag moved today: the rule may have taken it, if it was pushed long before it was deployed",
			lostImage{repository: "web", tag: "v1.2.0", digest: a, seen: day(10)}, shelf{images: moved, whole: true, policy: policy(t, untaggedDay)},
			[]string{
				"the tag v1.2.0 moved: ECS wants sha256:aaaaaaaaaaaa, the tag points to sha256:bbbbbbbbbbbb, which was pushed 2026-11-04 12:00 UTC",
				"it was there when it was deployed, 2026-11-10 12:00 UTC",
				"lifecycle rule 1 (untagged images pushed more than 1 day ago) takes such an image when its time comes; whether it did cannot be told",
			},
		},
		{
			"by hand: no policy",
			lostImage{repository: "web", tag: "v8", pushed: a, seen: day(1)}, shelf{images: images, whole: true, noPolicy: true},
			[]string{"web has no tag v8 now", "it was there when it was deployed, 2026-11-01 12:00 UTC", "the repository has no lifecycle policy: somebody deleted it by hand, or the policy is gone too"},
		},
		{
			"by hand: no rule takes it",
			lostImage{repository: "web", tag: "v8", pushed: a, seen: day(1)}, shelf{images: images, whole: true, policy: policy(t, otherTags)},
			[]string{"web has no tag v8 now", "it was there when it was deployed, 2026-11-01 12:00 UTC", "no rule of the present lifecycle policy takes such an image: somebody deleted it by hand, or the policy was another"},
		},
		{
			"pushed out by newer ones",
			lostImage{repository: "web", tag: "v8", pushed: a, seen: day(1)}, shelf{images: images[1:], whole: true, policy: policy(t, newestTwo)},
			[]string{"web has no tag v8 now", "it was there when it was deployed, 2026-11-01 12:00 UTC", "lifecycle rule 2 (images beyond the newest 2) takes such an image: it was that, or somebody by hand"},
		},
		{
			"when it was last pulled is not known any more",
			lostImage{repository: "web", tag: "v8", pushed: a, seen: day(1)}, shelf{images: images, whole: true, policy: policy(t, unpulled)},
			[]string{"web has no tag v8 now", "it was there when it was deployed, 2026-11-01 12:00 UTC", "lifecycle rule 3 (images not pulled for 1 day) takes such an image when its time comes; whether it did cannot be told"},
		},
		{
			"a policy that may not be read",
			lostImage{repository: "web", tag: "v8", pushed: a, seen: day(1)}, shelf{images: images, whole: true},
			[]string{"web has no tag v8 now", "it was there when it was deployed, 2026-11-01 12:00 UTC"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got answer
			c.lost.explain(&c.shelf, day(10), &got)
			if diff := cmp.Diff(c.want, got.facts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTrustedServices(t *testing.T) {
	for policy, want := range map[string]string{
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`: "ecs-tasks.amazonaws.com true",
		`{"Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}}}`:          "ec2.amazonaws.com and lambda.amazonaws.com true",
		`{"Statement":[{"Effect":"Deny","Principal":{"Service":"ecs-tasks.amazonaws.com"}}]}`:                            " true",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"}}]}`:                                   " true",
		`{"Statement":[{"Effect":"Allow","Principal":"*"}]}`:                                                             " false",
		`no policy`: " false",
	} {
		services, ok := trustedServices([]byte(policy))
		if got := fmt.Sprint(listOf(services), " ", ok); got != want {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
	}
}

func TestSecretID(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"
	for from, want := range map[string]string{
		secret:                            secret + " false",
		secret + ":password::":            secret + " false",
		secret + ":password:AWSPREVIOUS:": secret + " false",
		"/prod/token":                     "/prod/token true",
		"arn:aws:ssm:eu-west-1:123456789012:parameter/prod/token": "arn:aws:ssm:eu-west-1:123456789012:parameter/prod/token true",
	} {
		id, isParameter := secretID(from)
		if got := fmt.Sprint(id, " ", isParameter); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}

func TestLogPlace(t *testing.T) {
	for _, c := range []struct {
		driver  string
		options map[string]string
		want    string
	}{
		{"", nil, "nowhere: web has no logConfiguration"},
		{"awslogs", map[string]string{"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}, "log group /ecs/web, stream ecs/web/0123"},
		{"awslogs", map[string]string{"awslogs-group": "/ecs/web"}, "log group /ecs/web; without awslogs-stream-prefix the stream is named after the container's id"},
		{"awsfirelens", map[string]string{"Name": "datadog", "Host": "http-intake.logs.datadoghq.com", "apikey": "hunter2"}, "in datadog at http-intake.logs.datadoghq.com, sent by the log router of the task (awsfirelens)"},
		{"awsfirelens", nil, "where the log router of the task sends it (awsfirelens)"},
		{"splunk", map[string]string{"splunk-url": "https://splunk:8088", "splunk-token": "hunter2"}, "in Splunk at https://splunk:8088"},
		{"gelf", map[string]string{"gelf-address": "udp://graylog:12201"}, "in Graylog at udp://graylog:12201"},
		{"syslog", map[string]string{"syslog-address": "tcp://user:hunter2@logs:514"}, "in syslog at tcp://user:[hidden]@logs:514"},
		{"json-file", nil, "on the instance that the task ran on (json-file)"},
		{"logentries", map[string]string{"logentries-token": "hunter2"}, "where the log driver logentries sends it"},
	} {
		if got := logPlace(taskdef.Log{Driver: c.driver, Options: c.options}, "web", "0123"); got != c.want {
			t.Errorf("%s: %q, want %q", c.driver, got, c.want)
		}
	}
}

// shore answers every clue from memory; what is not set is not found.
type shore struct {
	images     []lifecycle.Image
	platforms  []string
	secrets    map[string]Secret
	parameters map[string]bool
	groups     []string
	trust      map[string]string
	group      *TargetGroup
	targets    []TargetState
	err        error // of every call
}

func (s shore) Shelved(context.Context, image.Reference) ([]lifecycle.Image, bool, error) {
	return s.images, true, s.err
}

func (s shore) LifecyclePolicy(context.Context, image.Reference) ([]byte, error) {
	return nil, fmt.Errorf("no policy: %w", NotFound)
}

func (s shore) Platforms(context.Context, image.Reference) ([]string, error) {
	return s.platforms, s.err
}

func (s shore) Secret(_ context.Context, id string) (Secret, error) {
	if secret, ok := s.secrets[id]; ok {
		return secret, s.err
	}
	return Secret{}, errors.Join(s.err, NotFound)
}

func (s shore) Parameter(_ context.Context, name string) (bool, error) {
	return s.parameters[name], s.err
}

func (s shore) LogGroups(context.Context, string, string) ([]string, error) { return s.groups, s.err }

func (s shore) TrustPolicy(_ context.Context, role string) ([]byte, error) {
	if document, ok := s.trust[role]; ok {
		return []byte(document), s.err
	}
	if s.err != nil {
		return nil, s.err
	}
	return nil, NotFound
}

func (s shore) TargetGroup(context.Context, string) (TargetGroup, error) {
	if s.group == nil {
		return TargetGroup{}, NotFound
	}
	return *s.group, s.err
}

func (s shore) Targets(context.Context, string) ([]TargetState, error) { return s.targets, s.err }

const inQuestion = `{"family":"web","revision":7,"taskDefinitionArn":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7","memory":"1024",
	"requiresCompatibilities":["FARGATE"],"executionRoleArn":"arn:aws:iam::123456789012:role/exec","taskRoleArn":"arn:aws:iam::123456789012:role/app",
	"containerDefinitions":[{"name":"web","image":"` + repo + `:v1.0.0","memory":512,"environment":[{"name":"PORT","value":"8080"}],
	"secrets":[{"name":"DB","valueFrom":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf:password::"},{"name":"TOKEN","valueFrom":"/prod/token"}],
	"healthCheck":{"command":["CMD-SHELL","curl -f 'http://localhost'"],"startPeriod":10},
	"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/ecs/web","awslogs-region":"eu-west-1","awslogs-stream-prefix":"ecs"}}}]}`

func TestJoin(t *testing.T) {
	const secret, role = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", "arn:aws:iam::123456789012:role/"
	const tg = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1"
	balanced := Service{ARN: "arn:aws:ecs:eu-west-1:123456789012:service/prod/web", LoadBalancers: []LoadBalancer{{TargetGroup: tg, Container: "web", ContainerPort: 8080}}}
	for _, c := range []struct {
		name  string
		cause string
		shore shore
		named map[string]string
		words string
		exec  bool
		want  []string
	}{
		{name: "a cause without facts", cause: "dns"},
		{name: "one platform", cause: "platform-mismatch", named: map[string]string{"platform": "linux/amd64"}, shore: shore{platforms: []string{"linux/arm64"}}, want: []string{"web:v1.0.0 is built for linux/arm64 only; the task wants linux/amd64"}},
		{name: "the platform is there: nothing is claimed", cause: "platform-mismatch", named: map[string]string{"platform": "linux/arm64"}, shore: shore{platforms: []string{"linux/amd64", "linux/arm64/v8"}}},
		{name: "exec format", cause: "exec-format", shore: shore{platforms: []string{"linux/arm64"}}, want: []string{"web:v1.0.0 is built for linux/arm64 only; web:7 has no runtimePlatform, and Fargate then takes linux/amd64"}},
		{name: "secrets gone", cause: "secret-missing", want: []string{"there is no secret prod/db-AbCdEf in eu-west-1, from which DB comes", "there is no parameter /prod/token in eu-west-1, from which TOKEN comes"}},
		{
			name: "secret marked", cause: "secret-deleted",
			shore: shore{secrets: map[string]Secret{secret: {Name: "prod/db", Deleted: day(9), HasCurrent: true}}, parameters: map[string]bool{"/prod/token": true}},
			want:  []string{"the secret prod/db, from which DB comes, is scheduled for deletion (2026-11-09 12:00 UTC); aws secretsmanager restore-secret --secret-id prod/db brings it back"},
		},
		{
			name: "no value", cause: "secret-missing",
			shore: shore{secrets: map[string]Secret{secret: {Name: "prod/db"}}, parameters: map[string]bool{"/prod/token": true}},
			want:  []string{"the secret prod/db, from which DB comes, has no value yet"},
		},
		{
			name: "no key", cause: "secret-key", named: map[string]string{"key": "password"},
			shore: shore{secrets: map[string]Secret{secret: {Name: "prod/db", HasCurrent: true, ChangedAt: day(8)}}, parameters: map[string]bool{"/prod/token": true}},
			want:  []string{"the secret prod/db is there, and its value was last changed 2026-11-08 12:00 UTC"},
		},
		{name: "log group", cause: "log-group", shore: shore{groups: []string{"/ecs/web-prod", "/ecs/else"}}, want: []string{"the log group /ecs/web does not exist in eu-west-1; the closest is /ecs/web-prod"}},
		{name: "log group is there", cause: "log-group", shore: shore{groups: []string{"/ecs/web"}}},
		{
			name: "roles", cause: "role-assume",
			shore: shore{trust: map[string]string{role + "exec": `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}]}`}},
			want:  []string{"the trust policy of the execution role exec does not name ecs-tasks.amazonaws.com; it names ec2.amazonaws.com", "the task role app does not exist"},
		},
		{name: "memory", cause: "oom", want: []string{"web may use 512 MiB: memory of its definition in web:7"}},
		{
			name: "killed", cause: "exit-137",
			want: []string{"web may use 512 MiB: memory of its definition in web:7", "ECS gives no OutOfMemoryError for it; it has 30 s to end after SIGTERM (stopTimeout)"},
		},
		{
			name: "health check, with a shell", cause: "container-health", exec: true,
			want: []string{
				"the check of web is: curl -f 'http://localhost' (every 30 s, 3 failures in a row count, the first 10 s do not)",
				`AWS does not keep what it prints; see it in a task that runs: aws ecs execute-command --cluster prod --task TASK --container web --interactive --command 'curl -f '\''http://localhost'\'''`,
			},
		},
		{
			name: "load balancer", cause: "elb-code", words: "unhealthy in (target-group " + tg + ")",
			shore: shore{
				group: &TargetGroup{Name: "web", Protocol: "HTTP", Port: "traffic-port", Path: "/health", Matcher: "200"},
				targets: []TargetState{
					{ID: "10.0.1.5", Port: 8080, State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: "Health checks failed with these codes: [500]"},
					{ID: "10.0.1.6", Port: 8080, State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: "Health checks failed with these codes: [500]"},
					{ID: "10.0.1.7", Port: 8080, State: "healthy"},
				},
			},
			want: []string{
				"target group web asks by HTTP for /health on port 8080 of web and takes 200 for healthy",
				"10.0.1.5:8080 and 1 more is unhealthy in web: Health checks failed with these codes: [500]",
			},
		},
		{name: "another target group", cause: "elb-code", words: "unhealthy in (target-group arn:x)", shore: shore{group: &TargetGroup{Name: "web"}}},
		{name: "no target group", cause: "elb-health", want: []string{"the target group " + tg + " does not exist"}},
		{
			name: "a key that nobody gives", cause: "env-missing", named: map[string]string{"key": "DATABASE_URL"},
			want: []string{"DATABASE_URL is neither in environment nor in secrets of web in web:7"},
		},
		{
			name: "a key that is given", cause: "env-missing", named: map[string]string{"key": "PORT"},
			want: []string{"web:7 gives PORT to web: its value may be empty, or the name differs in capitals"},
		},
		{name: "nothing may be read: nothing is claimed", cause: "log-group", shore: shore{err: refused("logs:DescribeLogGroups")}},
		{name: "nor a secret", cause: "secret-missing", shore: shore{err: refused("secretsmanager:DescribeSecret"), secrets: map[string]Secret{secret: {}}}},
		{name: "nor a role", cause: "role-assume", shore: shore{err: refused("iam:GetRole")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := taskdef.Parse([]byte(inQuestion))
			if err != nil {
				t.Fatal(err)
			}
			h := newHarbour()
			h.records = false
			p := ports(t, h)
			p.Clues = c.shore
			q := begin(p, Target{Cluster: "prod", Service: "web"}, 0, nil).newInquiry()
			s := balanced
			s.Exec = c.exec
			got := q.join(t.Context(), subject{service: s, doc: doc, container: "web", diagnosis: diagnose.Diagnosis{ID: c.cause, Named: c.named}, words: c.words})
			if diff := cmp.Diff(c.want, got.facts); diff != "" {
				t.Error(diff)
			}
			if denied, ok := c.shore.err.(refused); ok && (len(q.unread) != 1 || q.unread[0] != string(denied)) {
				t.Errorf("unread: %v", q.unread)
			}
		})
	}
}

// refused is a denied action, as the adapter says it.
type refused string

func (r refused) Error() string        { return "AccessDeniedException" }
func (r refused) Is(target error) bool { return target == Denied }
func (r refused) Hint() string         { return "allow " + string(r) + " to the role that runs this" }

// Only names of fields that a value may stand in are quoted; this is the whole
// of what a task leaves behind.
func TestFailureOf(t *testing.T) {
	code := func(n int) *int { return &n }
	got := failureOf(rollout.Task{
		ID: "0123", StopCode: "EssentialContainerExited", StoppedReason: "Essential container in task exited",
		PullStarted: day(1), PullStopped: day(1).Add(12 * time.Second), StartedAt: day(1).Add(time.Minute), StoppedAt: day(1).Add(2 * time.Minute),
		Containers: []rollout.Container{
			{Name: "proxy", ExitCode: code(143)},
			{Name: "side", ExitCode: code(137), Reason: "OutOfMemoryError: Container killed due to memory usage"},
			{Name: "web", ExitCode: code(1), Health: "UNKNOWN"},
		},
	})
	if got.Container != "side" || got.ExitMeaning != "out of memory" || got.PullTime != 12*time.Second || got.RunTime != time.Minute || got.Health != "" {
		t.Errorf("got %+v", got)
	}
	if len(got.Others) != 1 || got.Others[0].Name != "web" || got.Others[0].ExitMeaning != "the application's own error" {
		t.Errorf("others %+v", got.Others)
	}
}

func TestEventsAbout(t *testing.T) {
	s := Service{}
	s.Events = []rollout.Event{
		{Message: "(service web) (task 01) (port 80) is unhealthy in (target-group x) due to (reason Request timed out)."},
		{Message: "(service web) has started 1 tasks: (task 01)."},
		{Message: "(service web) (task 02) (port 80) is unhealthy in (target-group x) due to (reason Request timed out)."},
	}
	if got := eventsAbout(s, rollout.Task{ID: "01"}); len(got) != 1 || !strings.Contains(got[0], "timed out") {
		t.Errorf("got %v", got)
	}
}
