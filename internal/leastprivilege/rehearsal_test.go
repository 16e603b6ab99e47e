package leastprivilege_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	balancing "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/plimsoll-ecs/plimsoll/internal/cli"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/seed"
	"github.com/plimsoll-ecs/plimsoll/internal/leastprivilege"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// yard is a drydock with a service that has everything a service can have, and a
// role for the pipeline whose policy the test chooses.
type yard struct {
	*testing.T
	drydock  *drydock.Server
	config   aws.Config
	scope    leastprivilege.Scope
	images   string // folder of tarballs
	keys     *sts.AssumeRoleOutput
	made     int    // fresh images and policies
	prepared string // rehearsal that was prepared last
	released string // tag of the last release that was new
	revision string // its revision
	last     int64  // number of the last request that was looked at
}

const pipeline = "pipeline"

func newYard(t *testing.T) *yard {
	t.Helper()
	d, err := drydock.Start(t.Context(), drydock.Options{Runtime: drydock.Simulated, TimeScale: 1000})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	for _, v := range d.Env() {
		t.Setenv(v.Name, v.Value)
	}
	t.Setenv("HOME", t.TempDir())
	for name, value := range map[string]string{"ECS_CLUSTER": "prod", "ECS_SERVICE": "api", "ECR_REPOSITORY": "web", "TASK_DEFINITION": "api", "CI": "true", "CI_COMMIT_SHA": "5eaf00d", "AWS_SESSION_TOKEN": ""} {
		t.Setenv(name, value)
	}
	y := &yard{T: t, drydock: d, images: t.TempDir(), config: aws.Config{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     drydock.DefaultRegion, BaseEndpoint: aws.String(d.Endpoint()), Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	}}
	_, err = seed.Plant(t.Context(), d.Endpoint(), drydock.DefaultRegion, seed.Names{Cluster: "prod", Service: "seed", Family: "api", Container: "api", Repository: "web"})
	must(t, err)
	y.fitOut()
	y.hire()
	for tag, labels := range map[string]map[string]string{
		"v1.0.0": {}, "v1.1.0": {}, "v1.5.0": {}, "v1.2.0": {"plimsoll.drydock.run.migrate.exit-code": "0", "plimsoll.drydock.run.migrate.log": "done", "plimsoll.drydock.run.slow.exit-after": "1000h"},
		"v5.5.5": {"plimsoll.drydock.start-delay": "1000h"},
		"v9.9.9": {}, "v6.6.6": {"plimsoll.drydock.exit-after": "1s", "plimsoll.drydock.exit-code": "1", "plimsoll.drydock.log": "panic: no port"},
	} {
		y.image(tag, labels)
	}
	y.release()
	y.neighbours()
	return y
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fitOut makes the service api: behind a load balancer, scaled, with a secret
// and a parameter.
func (y *yard) fitOut() {
	ctx := y.Context()
	balancers, tasks := elasticloadbalancingv2.NewFromConfig(y.config), ecs.NewFromConfig(y.config)
	group, err := balancers.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: balancing.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: balancing.TargetTypeEnumIp, VpcId: aws.String("vpc-1"),
	})
	must(y.T, err)
	arn := group.TargetGroups[0].TargetGroupArn
	balancer, err := balancers.CreateLoadBalancer(ctx, &elasticloadbalancingv2.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"}})
	must(y.T, err)
	_, err = balancers.CreateListener(ctx, &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Protocol: balancing.ProtocolEnumHttp, Port: aws.Int32(80),
		DefaultActions: []balancing.Action{{Type: balancing.ActionTypeEnumForward, TargetGroupArn: arn}},
	})
	must(y.T, err)
	secret, err := secretsmanager.NewFromConfig(y.config).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("prod/db"), SecretString: aws.String(`{"password":"hunter2"}`)})
	must(y.T, err)
	_, err = ssm.NewFromConfig(y.config).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/prod/token"), Value: aws.String("hunter1"), Type: ssmtypes.ParameterTypeSecureString})
	must(y.T, err)

	seeded, err := tasks.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("api")})
	must(y.T, err)
	def := seeded.TaskDefinition
	def.ContainerDefinitions[0].Secrets = []ecstypes.Secret{
		{Name: aws.String("PASSWORD"), ValueFrom: aws.String(*secret.ARN + ":password::")}, {Name: aws.String("TOKEN"), ValueFrom: aws.String("/prod/token")},
	}
	_, err = tasks.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: def.Family, NetworkMode: def.NetworkMode, Cpu: def.Cpu, Memory: def.Memory, RequiresCompatibilities: def.RequiresCompatibilities,
		ExecutionRoleArn: def.ExecutionRoleArn, TaskRoleArn: def.TaskRoleArn, ContainerDefinitions: def.ContainerDefinitions,
	})
	must(y.T, err)
	_, err = tasks.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: aws.String("api"), TaskDefinition: aws.String("api"), DesiredCount: aws.Int32(0), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
		LoadBalancers:        []ecstypes.LoadBalancer{{TargetGroupArn: arn, ContainerName: aws.String("api"), ContainerPort: aws.Int32(8080)}},
	})
	must(y.T, err)
	y.scope = leastprivilege.Scope{Account: drydock.DefaultAccount, Region: drydock.DefaultRegion}
	y.scope.Services = []leastprivilege.Service{{
		Cluster: "prod", Name: "api", Family: "api",
		Repositories: []string{y.scope.RepositoryARN("", "", "web")}, Pulls: []string{y.scope.RepositoryARN("", "", "web")}, LogGroups: []string{y.scope.LogGroupARN("", "/ecs/api")},
		Secrets: []string{*secret.ARN}, Parameters: []string{"arn:aws:ssm:" + drydock.DefaultRegion + ":" + drydock.DefaultAccount + ":parameter/prod/token"},
		ExecutionRole: y.scope.RoleARN("api-execution"), TaskRole: y.scope.RoleARN("api-task"), Balanced: true, Scaled: true,
	}}
}

// release puts the first version onto the service, and has it scaled.
func (y *yard) release() {
	y.admin(y.push("v1.0.0")...)
	y.admin("wait")
	y.admin("deploy", "--image-tag", "v1.0.0", "--desired-count", "1")
	_, err := applicationautoscaling.NewFromConfig(y.config).RegisterScalableTarget(y.Context(), &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String("service/prod/api"), ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(4),
	})
	must(y.T, err)
}

// neighbours are what an audit finds besides: a rule, a schedule, an image of
// several platforms; and a topic that is told of deploys.
func (y *yard) neighbours() {
	target := `"Arn":"arn:aws:ecs:` + drydock.DefaultRegion + `:123456789012:cluster/prod","RoleArn":"` + y.scope.RoleARN("api-task") + `","`
	definition := "arn:aws:ecs:" + drydock.DefaultRegion + ":123456789012:task-definition/job"
	y.ask("events", "/", "AWSEvents.PutRule", `{"Name":"nightly","ScheduleExpression":"rate(1 day)"}`)
	y.ask("events", "/", "AWSEvents.PutTargets", `{"Rule":"nightly","Targets":[{"Id":"1",`+target+`EcsParameters":{"TaskDefinitionArn":"`+definition+`"}}]}`)
	y.ask("scheduler", "/schedules/hourly", "", `{"ScheduleExpression":"rate(1 hour)","FlexibleTimeWindow":{"Mode":"OFF"},"Target":{`+target+`EcsParameters":{"TaskDefinitionArn":"`+definition+`"}}}`)
	y.ask("sns", "/", "", "Action=CreateTopic&Version=2010-03-31&Name=deploys")
	topic := "arn:aws:sns:" + drydock.DefaultRegion + ":123456789012:deploys"
	y.scope.Topics = []string{topic}
	y.askJSON10("sqs", "AmazonSQS.CreateQueue", `{"QueueName":"retirements"}`)
	y.scope.Queues = []string{"arn:aws:sqs:" + drydock.DefaultRegion + ":123456789012:retirements"}
	_, err := ecr.NewFromConfig(y.config).CreateRepository(y.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("spare")})
	must(y.T, err)
	_, err = ecr.NewFromConfig(y.config).PutAccountSetting(y.Context(), &ecr.PutAccountSettingInput{Name: aws.String("BLOB_MOUNTING"), Value: aws.String("DISABLED")})
	must(y.T, err) // as on AWS until somebody changes it
	y.scope.Sources = []string{y.scope.RepositoryARN("", "", "spare")}
	must(y.T, os.WriteFile(y.file("plimsoll.yaml"), []byte("cluster: prod\nnotifications:\n  - {to: sns, topic: '"+topic+"', on: [success]}\n"), 0o644))

	y.index("v8.0.0", v1.Platform{OS: "linux", Architecture: "arm64"})
	y.admin("push", "--tag", "v8.0.0", "--oci-layout", y.file("v8.0.0"))
	_, err = ecs.NewFromConfig(y.config).RegisterTaskDefinition(y.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("job"), Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("job"), Image: aws.String(y.drydock.Addr + "/web:v8.0.0")}},
	})
	must(y.T, err)
	_, err = iam.NewFromConfig(y.config).AttachRolePolicy(y.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("api-task"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly")})
	must(y.T, err)
}

func (y *yard) file(name string) string { return filepath.Join(y.images, name) }

// ask is a call to a service of which no module of the SDK is here.
func (y *yard) ask(service, path, target, body string) {
	y.Helper()
	header := map[string]string{"Content-Type": "application/json"}
	switch {
	case target != "":
		header = map[string]string{"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
	case path == "/":
		header["Content-Type"] = "application/x-www-form-urlencoded"
	}
	y.send(service, path, header, body)
}

func (y *yard) send(service, path string, header map[string]string, body string) {
	y.Helper()
	request, err := http.NewRequestWithContext(y.Context(), http.MethodPost, y.drydock.Endpoint()+path, strings.NewReader(body))
	must(y.T, err)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=drydock/20261121/"+drydock.DefaultRegion+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	must(y.T, err)
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		y.Fatalf("%s %v%s: %s %s %v", service, header, path, answer.Status, text, err)
	}
}

// hire makes the role of the pipeline, and gives the execution role of the
// tasks what the generated skeleton has.
func (y *yard) hire() {
	roles := iam.NewFromConfig(y.config)
	_, err := roles.CreateRole(y.Context(), &iam.CreateRoleInput{RoleName: aws.String(pipeline), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + drydock.DefaultAccount + `"},"Action":"sts:AssumeRole"}]}`)})
	must(y.T, err)
	_, err = roles.DetachRolePolicy(y.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("api-execution"), PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")})
	must(y.T, err)
	_, err = roles.PutRolePolicy(y.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("api-execution"), PolicyName: aws.String("start"), PolicyDocument: aws.String(leastprivilege.ExecutionPolicy(y.scope, y.scope.Services[0]).JSON())})
	must(y.T, err)
	y.keys, err = sts.NewFromConfig(y.config).AssumeRole(y.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(y.scope.RoleARN(pipeline)), RoleSessionName: aws.String("job")})
	must(y.T, err)
}

// allow gives the pipeline's role this policy and no other.
func (y *yard) allow(d leastprivilege.Document) {
	y.Helper()
	_, err := iam.NewFromConfig(y.config).PutRolePolicy(y.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(pipeline), PolicyName: aws.String("plimsoll"), PolicyDocument: aws.String(d.JSON())})
	must(y.T, err)
}

func (y *yard) image(tag string, labels map[string]string) {
	labels["version"] = tag
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: labels}})
	must(y.T, err)
	made, err := name.NewTag("image:made")
	must(y.T, err)
	must(y.T, tarball.WriteToFile(y.tarball(tag), made, image))
}

func (y *yard) tarball(tag string) string { return filepath.Join(y.images, tag+".tar") }

// as puts credentials into the environment.
func (y *yard) as(asPipeline bool) {
	key, secret, token := "drydock", "drydock", ""
	if asPipeline {
		key, secret, token = *y.keys.Credentials.AccessKeyId, *y.keys.Credentials.SecretAccessKey, *y.keys.Credentials.SessionToken
	}
	y.Setenv("AWS_ACCESS_KEY_ID", key)
	y.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	y.Setenv("AWS_SESSION_TOKEN", token)
}

// run is a command as the account's administrator (who == "") or as the
// pipeline: its exit code, and all that it said.
func (y *yard) run(asPipeline bool, words ...string) (int, string) {
	y.as(asPipeline)
	var said bytes.Buffer
	code := cli.Run(y.Context(), words, cli.System{Getenv: os.Getenv, Environ: os.Environ(), Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said})
	return code, said.String()
}

// admin is a command that has to do what it says.
func (y *yard) admin(words ...string) {
	y.Helper()
	if code, said := y.run(false, words...); code != 0 {
		y.Fatalf("%v: exit %d\n%s", words, code, said)
	}
}

// requests are those since the last look.
func (y *yard) requests() []drydock.Request {
	answer, err := http.Get(fmt.Sprintf("%s/_drydock/requests?after=%d&limit=10000", y.drydock.Endpoint(), y.last))
	must(y.T, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(y.T, err)
	var log drydock.Requests
	must(y.T, json.Unmarshal(text, &log))
	for _, r := range log.Requests {
		y.last = max(y.last, r.Number)
	}
	return slices.DeleteFunc(log.Requests, func(r drydock.Request) bool { return !strings.Contains(r.Principal, "/"+pipeline+"/") })
}

// rehearsal is a feature at work: what comes before it, its commands and what
// they promise. It can be given again and again.
type rehearsal struct {
	feature string
	before  []step // by the administrator
	steps   []step // by the pipeline
}

type step struct {
	words []string
	exit  int
	says  []string // patterns of what stdout and stderr say
	// act is something else than a command of the pipeline, in its place: what
	// happens meanwhile, or a program that is started in another way.
	act func() (code int, said string)
}

// happens is what somebody else does.
func happens(act func()) step {
	return step{act: func() (int, string) { act(); return 0, "" }}
}

// do is a step that succeeds, and says something maybe.
func do(command string, says ...string) step { return step{words: strings.Fields(command), says: says} }

// ends is a step that ends with another exit code.
func ends(exit int, command string, says ...string) step {
	return step{words: strings.Fields(command), exit: exit, says: says}
}

func (y *yard) push(tag string) []string {
	return []string{"push", "--tag", tag, "--tarball", y.tarball(tag)}
}

func (y *yard) pushes(tags ...string) []step {
	var steps []step
	for _, tag := range tags {
		steps = append(steps, step{words: y.push(tag)})
	}
	return steps
}

func (y *yard) rehearsals() []rehearsal {
	home := slices.Clip([]step{do("deploy --image-tag v1.0.0 --desired-count 1 --supersede"), do("start")})
	retiring := append(home, do("deploy --image-tag v1.0.0 --force --supersede"), do("drydock retire --in 7d"))
	return slices.Concat(y.maintenance(retiring), y.rescue(home), []rehearsal{
		{"push", nil, []step{do("push " + fresh)}},
		{"deploy", slices.Concat(y.pushes("v1.0.0", "v1.1.0", "v5.5.5", "v6.6.6"), home), []step{
			do("check --image-tag v1.1.0"),
			do("deploy --image-tag v1.1.0 --desired-count 1"),
			ends(4, "deploy --image-tag v6.6.6", "panic: no port"),
		}},
		{"rollback", append(home, do("deploy --image-tag v1.1.0"), do("deploy --image-tag v5.5.5 --no-wait")), []step{
			do("rollback --supersede", "asked ECS to roll back"), do("rollback"),
		}},
		{"rollback", append(home, happens(y.newRelease), do("deploy --image-tag v1.1.0"), happens(y.deregister)), []step{
			do("rollback", "registered a copy"),
			happens(func() { y.admin("deploy", "--image-tag", "v1.1.0") }),
			{words: []string{"rollback", "--to"}, says: []string{"is the same as"}, act: y.backTo},
		}},
		{"look", home, []step{do("status"), do("history"), do("diff"), do("wait")}},
		{"diagnose", append(home, ends(5, "deploy --image-tag v6.6.6 --on-failure leave")), []step{do("diagnose", "panic: no port")}},
		{"scale", home, []step{do("scale 2"), do("stop", "autoscaling suspended"), do("start", "autoscaling resumed")}},
		{"run", append(y.pushes("v1.2.0"), append(home, do("deploy --image-tag v1.2.0"))...), []step{
			do("run -- migrate", "done"), ends(124, "run --timeout 100ms -- slow"),
		}},
		{"secret-keys", home, []step{do("check --check-secret-keys")}},
		{"notify", home, []step{do("deploy --image-tag v1.0.0 --force --config " + y.file("plimsoll.yaml"))}},
		{"audit", retiring, []step{do("audit --fail-on never", "2 services")}},
		{"lifecycle", retiring, []step{do("lifecycle apply --yes --keep-old "+y.images+" --policy "+freshPolicy, "the policy is in force")}},
		{"roles", retiring, []step{do("audit roles --fail-on never", `roles? to look at|apart and no wider`)}},
		{"pin", home, []step{do("pin", `keep-prod-api-\w+  (the repository has no lifecycle policy|no rule takes it)`), do("unpin", "released")}},
		{"init", home, []step{do("init config --yes --config "+y.file("drafted.yaml"), "wrote|unchanged"), do("init iam --cluster prod --service api", "PassedRoles")}},
	})
}

// play carries a rehearsal out as the pipeline, and says what of its promises
// is broken.
func (y *yard) play(r rehearsal) (broken []breach) {
	refused := regexp.MustCompile(`(?i)not authorized|no permission|could not look|could not be seen|not allowed|AccessDenied`)
	for _, s := range r.steps {
		code, said := y.take(true, s)
		for _, pattern := range s.says {
			if !regexp.MustCompile(pattern).MatchString(said) {
				broken = append(broken, breach{text: fmt.Sprintf("%v does not say %q\n%s", s.words, pattern, said)})
			}
		}
		if refusal := refused.FindString(said); refusal != "" {
			broken = append(broken, breach{text: fmt.Sprintf("%v: %s\n%s", s.words, refusal, said)})
		}
		if code != s.exit {
			return append(broken, breach{true, fmt.Sprintf("%v: exit %d, want %d\n%s", s.words, code, s.exit, said)})
		}
	}
	return broken
}

// take takes a step.
func (y *yard) take(asPipeline bool, s step) (code int, said string) {
	if s.act != nil {
		return s.act()
	}
	return y.run(asPipeline, y.freshen(s.words)...)
}

// breach is a promise that is broken.
type breach struct {
	ended bool // by the exit code
	text  string
}

// fresh stands for the tag and the file of an image that was never pushed.
const fresh = "FRESH"

// freshPolicy stands for the file of a lifecycle policy that was never put.
const freshPolicy = "POLICY"

func (y *yard) freshen(words []string) []string {
	y.made++
	if slices.Contains(words, fresh) {
		tag := fmt.Sprintf("v9.0.%d", y.made)
		y.image(tag, map[string]string{})
		return y.push(tag)
	}
	words = slices.Clone(words)
	for i, word := range words {
		if word == freshPolicy {
			words[i] = y.file("policy.json")
			text := fmt.Sprintf(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":%d},"action":{"type":"expire"}}]}`, 100+y.made)
			must(y.T, os.WriteFile(words[i], []byte(text), 0o644))
		}
	}
	return words
}

// looks reports whether it changes nothing, and can be given again as it is.
func (r rehearsal) looks() bool {
	looking := []string{"status", "history", "diff", "wait", "check", "diagnose", "audit", "init", "maintenance plan"}
	return !slices.ContainsFunc(r.steps, func(s step) bool {
		return !slices.ContainsFunc(looking, func(words string) bool { return strings.HasPrefix(strings.Join(s.words, " ")+" ", words+" ") })
	})
}

// name tells the rehearsals of a feature apart.
func (r rehearsal) name() string { return fmt.Sprint(r.feature, r.steps[0].words, len(r.before)) }

// prepare is what the administrator does before a rehearsal.
func (y *yard) prepare(r rehearsal) {
	y.Helper()
	y.Setenv("ECS_CLUSTER", "prod")
	if r.looks() && y.prepared == r.name() && r.feature != "init" {
		return
	}
	y.prepared = r.name()
	y.admin("drydock", "behaviour", "clear")
	for _, s := range r.before {
		if code, said := y.take(false, s); code != s.exit {
			y.Fatalf("before %s: %v: exit %d, want %d\n%s", r.feature, s.words, code, s.exit, said)
		}
	}
	if r.feature == "init" { // it finds the cluster by itself
		y.Setenv("ECS_CLUSTER", "")
	}
}

// The list is what the code calls: no less, or it is refused; no more, or the
// log lacks it.
func TestFeaturesNeedWhatTheyCall(t *testing.T) {
	y := newYard(t)
	beside := map[string]string{"notify": "deploy", "queue": "maintenance"} // what they are a part of
	for _, f := range leastprivilege.Features() {
		features := []leastprivilege.Feature{f}
		if whole, is := beside[f.Name]; is {
			more, err := leastprivilege.Find(whole)
			must(t, err)
			features = append(features, more...)
		}
		y.allow(leastprivilege.Policy(y.scope, features...))
		called := map[string]bool{}
		for _, r := range y.of(f) {
			y.prepare(r)
			for _, b := range y.play(r) {
				t.Errorf("%s: %s", r.feature, b.text)
			}
			for _, q := range y.requests() {
				if q.Action != "" && !strings.HasPrefix(q.Action, "sts:") {
					called[q.Action] = true
				}
				for _, action := range q.Needs {
					called[action] = true
				}
				if strings.Contains(q.Error, "AccessDenied") {
					t.Errorf("%s: %s is refused: the list lacks it, or its resource", r.feature, q.Action)
				}
			}
		}
		for _, n := range f.Needs {
			if !called[n.Action] {
				t.Errorf("%s: nothing calls %s", f.Name, n.Action)
			}
		}
	}
}

// of are the rehearsals of a feature.
func (y *yard) of(f leastprivilege.Feature) []rehearsal {
	y.Helper()
	all := slices.DeleteFunc(y.rehearsals(), func(r rehearsal) bool { return r.feature != f.Name })
	if len(all) == 0 {
		y.Fatalf("nobody rehearses %s", f.Name)
	}
	return all
}

// Every action on every resource of the policy is needed: without any one of
// them a rehearsal of a feature breaks a promise. What the list calls required
// ends a command.
func TestPolicyIsMinimal(t *testing.T) {
	// Apart, for what one may do on everything the others need on something.
	groups := map[string][]leastprivilege.Feature{}
	for _, f := range leastprivilege.Features() {
		group := "services"
		switch {
		case slices.Contains([]string{"maintenance", "queue", "lambda"}, f.Name):
			group = "maintenance"
		case f.Name == "init":
			group = "init"
		case f.Account:
			group = "account"
		}
		groups[group] = append(groups[group], f)
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		t.Run(group, func(t *testing.T) { newYard(t).isMinimal(groups[group]) })
	}
}

// silent are grants whose lack shows nowhere, though they are asked for.
func silent(features []leastprivilege.Feature, g grant) bool {
	return features[0].Name == "maintenance" && slices.Contains([]string{
		"ecs:DescribeClusters",     // a check of every rollout, which deploy shows and this does not
		"ecr:DescribeRepositories", // an audit wants all that they say, a plan no more than their images
	}, g.action)
}

// isMinimal takes the grants of a policy away, one at a time.
func (y *yard) isMinimal(features []leastprivilege.Feature) {
	whole := leastprivilege.Policy(y.scope, features...)
	for _, g := range grants(whole) {
		if silent(features, g) {
			continue
		}
		y.allow(without(whole, g))
		if !slices.ContainsFunc(features, func(f leastprivilege.Feature) bool { return y.breaks(f, g) }) {
			y.Errorf("everything works without %s on %s", g.action, g.resource)
		}
	}
}

// breaks reports whether a rehearsal, of a feature that needs what is lacking,
// breaks a promise, and as gravely as the list says.
func (y *yard) breaks(f leastprivilege.Feature, lacking grant) bool {
	i := slices.IndexFunc(f.Needs, func(n leastprivilege.Need) bool { return n.Action == lacking.action && string(n.On) == lacking.sid })
	if i < 0 {
		return false
	}
	for _, r := range y.of(f) {
		y.prepare(r)
		broken := y.play(r)
		if len(broken) == 0 {
			continue
		}
		ended := slices.ContainsFunc(broken, func(b breach) bool { return b.ended })
		if ended != f.Needs[i].Required() {
			y.Errorf("%s without %s on %s: a command fails: %v, required: %v; %s", r.feature, lacking.action, lacking.resource, ended, !ended, broken[len(broken)-1].text)
		}
		return true
	}
	return false
}

// grant is one action on one resource, in the statement of one shape.
type grant struct{ sid, action, resource string }

func grants(d leastprivilege.Document) []grant {
	var all []grant
	for _, s := range d.Statement {
		for _, action := range s.Action {
			for _, resource := range s.Resource {
				all = append(all, grant{s.Sid, action, resource})
			}
		}
	}
	return all
}

// without is a policy that lacks one grant: a statement of its own has the other
// resources of the action.
func without(d leastprivilege.Document, g grant) leastprivilege.Document {
	var statements []leastprivilege.Statement
	for _, s := range d.Statement {
		if s.Sid != g.sid {
			statements = append(statements, s)
			continue
		}
		rest, others := s, s
		rest.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == g.action })
		others.Sid, others.Action = s.Sid+"Rest", []string{g.action}
		others.Resource = slices.DeleteFunc(slices.Clone(s.Resource), func(r string) bool { return r == g.resource })
		if len(rest.Action) > 0 {
			statements = append(statements, rest)
		}
		if len(others.Resource) > 0 {
			statements = append(statements, others)
		}
	}
	d.Statement = statements
	return d
}
