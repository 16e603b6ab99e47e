package survey_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

const (
	arns     = "arn:aws:ecs:eu-west-1:123456789012:"
	registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
)

// starters is an account in AWS's words. drydock's services all have ECS's own
// controller: those with task sets are as the API reference of DescribeServices
// has them. CodeDeploy is shifting the service shop from its blue set to its
// green one; batch belongs to a controller of somebody else's.
func starters(gone string) func(operation, body string) string {
	image := func(tag string, age int) string {
		if tag == gone {
			return ""
		}
		return fmt.Sprintf(`{"imageDigest":"%s","imageTags":["%s"],"imagePushedAt":%d,"imageSizeInBytes":1},`, digestOf(tag), tag, 1_780_000_000-age*86400)
	}
	taskSet := func(service, status, definition string) string {
		return fmt.Sprintf(`{"id":"ecs-svc/%s%s","serviceArn":"%sservice/prod/%s","clusterArn":"%scluster/prod","startedBy":"CODE_DEPLOY","status":"%s",
			"taskDefinition":"%stask-definition/%s","computedDesiredCount":1,"runningCount":1,"createdAt":1780000000.5,"launchType":"FARGATE","stabilityStatus":"STEADY_STATE"}`,
			definition, status, arns, service, arns, status, arns, definition)
	}
	task := func(id, group, definition, image, digest string) string {
		return fmt.Sprintf(`{"taskArn":"%stask/prod/%s","clusterArn":"%scluster/prod","group":"%s","taskDefinitionArn":"%stask-definition/%s","startedAt":1780000100,"lastStatus":"RUNNING",
			"containers":[{"name":"app","image":"%s/app:%s","imageDigest":"%s"}]}`, arns, id, arns, group, arns, definition, registry, image, digest)
	}
	return func(operation, body string) string {
		switch operation {
		case "GetCallerIdentity":
			return `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/a</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
		case "ListClusters":
			return `{"clusterArns":["` + arns + `cluster/prod"]}`
		case "ListServices":
			return `{"serviceArns":["` + arns + `service/prod/shop","` + arns + `service/prod/batch"]}`
		case "DescribeServices":
			return `{"services":[
				{"serviceArn":"` + arns + `service/prod/shop","serviceName":"shop","status":"ACTIVE","desiredCount":1,"runningCount":2,"deploymentController":{"type":"CODE_DEPLOY"},
				 "taskDefinition":"` + arns + `task-definition/shop:2","deployments":[],"createdAt":1770000000,"taskSets":[` + taskSet("shop", "PRIMARY", "shop:1") + `,` + taskSet("shop", "ACTIVE", "shop:2") + `]},
				{"serviceArn":"` + arns + `service/prod/batch","serviceName":"batch","status":"ACTIVE","desiredCount":1,"runningCount":1,"deploymentController":{"type":"EXTERNAL"},
				 "deployments":[],"createdAt":1770000000,"taskSets":[` + taskSet("batch", "PRIMARY", "batch:1") + `]}],"failures":[]}`
		case "ListTasks":
			return `{"taskArns":["` + arns + `task/prod/1","` + arns + `task/prod/2"]}`
		case "DescribeTasks": // the tag blue was moved after the blue task had started
			return `{"tasks":[` + task("1", "service:shop", "shop:1", "blue", digestOf("moved")) + `,` + task("2", "family:once", "once:1", "once", digestOf("once")) + `],"failures":[]}`
		case "DescribeTaskDefinition":
			for name, tag := range map[string]string{"shop:1": "blue", "shop:2": "green", "batch:1": "batch", "once:1": "once", "nightly:1": "nightly", "hourly:1": "hourly"} {
				if family, revision, _ := strings.Cut(name, ":"); strings.Contains(body, "task-definition/"+name+`"`) {
					return fmt.Sprintf(`{"taskDefinition":{"taskDefinitionArn":"%stask-definition/%s","family":"%s","revision":%s,"status":"ACTIVE","containerDefinitions":[{"name":"app","image":"%s/app:%s"}]}}`,
						arns, name, family, revision, registry, tag)
				}
			}
		case "ListEventBuses":
			return `{"EventBuses":[{"Name":"default"}]}`
		case "ListRules":
			return `{"Rules":[{"Name":"nightly","Arn":"arn:aws:events:eu-west-1:123456789012:rule/nightly","State":"ENABLED","ScheduleExpression":"rate(1 day)"}]}`
		case "ListTargetsByRule":
			return `{"Targets":[{"Id":"1","Arn":"` + arns + `cluster/prod","EcsParameters":{"TaskDefinitionArn":"` + arns + `task-definition/nightly:1"}}]}`
		case "GET /schedules":
			return `{"Schedules":[{"Name":"hourly","GroupName":"default","Target":{"Arn":"` + arns + `cluster/prod"}}]}`
		case "GET /schedules/hourly":
			return `{"Arn":"arn:aws:scheduler:eu-west-1:123456789012:schedule/default/hourly","State":"ENABLED","ScheduleExpression":"rate(1 hour)",
				"Target":{"Arn":"` + arns + `cluster/prod","EcsParameters":{"TaskDefinitionArn":"` + arns + `task-definition/hourly:1"}}}`
		case "DescribeRepositories":
			return `{"repositories":[{"repositoryName":"app","repositoryArn":"arn:aws:ecr:eu-west-1:123456789012:repository/app","registryId":"123456789012","repositoryUri":"` + registry + `/app","imageTagMutability":"MUTABLE"}]}`
		case "DescribeImages":
			var list strings.Builder
			for i, tag := range []string{"blue", "green", "batch", "once", "nightly", "hourly", "moved", "nobody"} {
				list.WriteString(image(tag, 200+i))
			}
			return `{"imageDetails":[` + strings.TrimSuffix(list.String(), ",") + `]}`
		}
		return `{}`
	}
}

func digestOf(tag string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(tag))) }

// read is the survey of an account.
func read(t *testing.T, answer func(operation, body string) string) audit.Fleet {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		operation := r.Method + " " + r.URL.Path
		if _, target, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
			operation = target
		} else if _, action, ok := strings.Cut(string(body), "Action="); ok {
			operation, _, _ = strings.Cut(action, "&")
		}
		_, _ = io.WriteString(w, answer(operation, string(body)))
	}))
	t.Cleanup(server.Close)
	reader, err := awsapi.New(t.Context(), awsapi.Options{
		Region: "eu-west-1", Endpoint: server.URL, Attempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIDSURVEY", "x", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := survey.Survey(t.Context(), []survey.Spot{{AWS: reader}}, survey.Options{RollbackTargets: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Blind) > 0 {
		t.Fatalf("blind: %+v", f.Blind)
	}
	return f
}

// Whatever starts tasks, its images are in use: both task sets of a blue/green
// deployment, those of a controller of somebody else's, a task of its own, a
// rule, a schedule; and what runs of a tag that was moved.
func TestWhateverStartsTasksUsesItsImages(t *testing.T) {
	f := read(t, starters(""))
	want := map[string]string{
		"prod/shop": "CODE_DEPLOY, blue green", "prod/batch": "EXTERNAL, batch",
	}
	got := map[string]string{}
	for _, s := range f.Services {
		tags := []string{}
		for _, r := range s.Runs {
			tags = append(tags, strings.TrimPrefix(r.Containers[0].Image, registry+"/app:"))
		}
		got[s.Cluster+"/"+s.Name] = s.Controller + ", " + strings.Join(tags, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services (-want +got)\n%s", diff)
	}
	users := map[string]string{}
	for _, use := range audit.UsesOf(f)[0] {
		users[use.Digest] = use.By
	}
	for tag, by := range map[string]string{
		"blue": "prod/shop", "green": "prod/shop", "batch": "prod/batch", "once": "prod/once:1", "nightly": "default/nightly", "hourly": "default/hourly",
	} {
		if users[digestOf(tag)] != by {
			t.Errorf("image %s is used by %q, want %q", tag, users[digestOf(tag)], by)
		}
	}
	unused := slices.DeleteFunc(audit.Judge(f, audit.Options{Now: time.Unix(1_780_100_000, 0), Unused: 90}).Findings, func(f audit.Finding) bool { return f.Code != audit.UnusedImages })
	if len(unused) != 1 || !strings.HasPrefix(unused[0].What, "1 image of app ") {
		t.Errorf("want the image that nobody uses, and no other: %+v", unused)
	}
}

// The loss of any of them is foretold for who needs it.
func TestALossIsThatOfWhoeverStartsIt(t *testing.T) {
	for tag, by := range map[string]string{
		"blue": "prod/shop", "green": "prod/shop", "batch": "prod/batch", "once": "prod/once:1", "nightly": "default/nightly", "hourly": "default/hourly",
	} {
		report := audit.Judge(read(t, starters(tag)), audit.Options{Now: time.Unix(1_780_100_000, 0)})
		var gone []string
		for _, f := range report.Findings {
			if f.Code == audit.ImageGone {
				gone = append(gone, f.Object.Name)
			}
		}
		if diff := cmp.Diff([]string{by}, gone); diff != "" {
			t.Errorf("without %s (-want +got)\n%s", tag, diff)
		}
	}
}
