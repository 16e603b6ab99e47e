package ecs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/secretsmanager"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ssm"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// vault is the Secrets Manager and the Parameter Store of a test.
type vault struct {
	t          *testing.T
	secrets    *secretsmanager.Manager
	parameters *ssm.Store
	operations map[string]wire.Operation
	roles      map[string]bool // that read something
}

func newVault(t *testing.T, c *clock.Clock) *vault {
	t.Helper()
	v := &vault{t: t, roles: map[string]bool{}, operations: map[string]wire.Operation{}}
	var err error
	v.secrets, err = secretsmanager.New(secretsmanager.Options{
		Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: store.Memory(), Log: slog.New(slog.DiscardHandler), Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	v.parameters, err = ssm.New(ssm.Options{Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: store.Memory()})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []wire.Service{v.secrets.Service(), v.parameters.Service()} {
		for name, op := range s.Operations {
			v.operations[name] = op
		}
	}
	return v
}

func (v *vault) do(operation, body string) {
	v.t.Helper()
	if _, err := v.operations[operation](context.Background(), wire.Call{Body: []byte(body)}); err != nil {
		v.t.Fatalf("%s: %v", operation, err)
	}
}

func (v *vault) Secret(by Reader, id, stage, versionID string) (string, error) {
	v.roles[by.Role] = true
	return v.secrets.Value(id, stage, versionID)
}

func (v *vault) Parameters(by Reader, names []string) (map[string]string, []string, error) {
	v.roles[by.Role] = true
	values, missing := v.parameters.Values(names)
	return values, missing, nil
}

// recorder is a runtime that keeps what it was told to start.
type recorder struct {
	runtime.Runtime
	started []runtime.Task
}

func (r *recorder) Start(t runtime.Task, report func(runtime.Event)) {
	r.started = append(r.started, t)
	r.Runtime.Start(t, report)
}

const executionRole = "arn:aws:iam::123456789012:role/execution"

// withSecrets is a world whose family web refers to those by name.
func withSecrets(t *testing.T, secrets map[string]string) (*world, *vault, *recorder, string) {
	t.Helper()
	w := newWorld(t, store.Memory())
	v := newVault(t, w.clock)
	r := &recorder{Runtime: w.Runtime}
	w.Secrets, w.Runtime = v, r
	in := definitionOf("v1")
	in.ExecutionRoleArn = aws.String(executionRole)
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		if from, ok := secrets[name]; ok {
			in.ContainerDefinitions[0].Secrets = append(in.ContainerDefinitions[0].Secrets, types.Secret{Name: &name, ValueFrom: &from})
		}
	}
	return w, v, r, *do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn
}

const secretARN = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:prod/db"

func TestSecretsBecomeEnvironment(t *testing.T) {
	w, v, r, definition := withSecrets(t, map[string]string{
		"A": secretARN, "B": secretARN + ":password::", "C": secretARN + ":port:AWSPREVIOUS:", "D": "/app/token", "E": "arn:aws:ssm:ap-northeast-1:123456789012:parameter/app/url",
	})
	v.do("CreateSecret", `{"Name":"prod/db","SecretString":"{\"password\":\"hunter1\",\"port\":5432}"}`)
	v.do("PutSecretValue", `{"SecretId":"prod/db","SecretString":"{\"password\":\"hunter2\"}"}`)
	v.do("PutParameter", `{"Name":"/app/token","Value":"t0ken","Type":"SecureString"}`)
	v.do("PutParameter", `{"Name":"/app/url","Value":"http://x","Type":"String"}`)
	w.create(definition, 1, nil)
	w.until("steady", 10*time.Minute, steady)
	if len(r.started) != 1 {
		t.Fatalf("%d tasks were started", len(r.started))
	}
	got := strings.Join(r.started[0].Containers[0].Environment[1:], "\n")
	want := "A={\"password\":\"hunter2\"}\nB=hunter2\nC=5432\nD=t0ken\nE=http://x"
	if got != want {
		t.Errorf("the environment is\n%s\nwant\n%s", got, want)
	}
	if !v.roles[executionRole] || len(v.roles) != 1 {
		t.Errorf("read as %v", v.roles)
	}
}

// No value leaves the runtime: not through the API, not through the store.
func TestSecretValuesAreNotKept(t *testing.T) {
	w, v, _, definition := withSecrets(t, map[string]string{"A": secretARN})
	v.do("CreateSecret", `{"Name":"prod/db","SecretString":"hunter2"}`)
	w.create(definition, 1, nil)
	w.until("steady", 10*time.Minute, steady)
	for _, shown := range []any{w.tasksShown(types.DesiredStatusRunning), w.describe()} {
		if strings.Contains(pretty(shown), "hunter2") {
			t.Errorf("it is shown: %s", pretty(shown))
		}
	}
	for _, bucket := range []string{bucketTasks, bucketServices, bucketFamilies} {
		err := w.Store.Load(bucket, func(key string, doc []byte) error {
			if strings.Contains(string(doc), "hunter2") {
				return errors.New(key + " has it")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for _, task := range w.ECS.tasks {
		if task.resolved.environment != nil {
			t.Error("the task still has it in memory")
		}
	}
}

// What is missing stops the task in words that the tool knows the cause of.
func TestMissingSecretsStopTheTask(t *testing.T) {
	const prefix = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	const absent = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
	known, err := diagnose.Load()
	if err != nil {
		t.Fatal(err)
	}
	foreign := strings.Replace(secretARN, "ap-northeast-1", "us-east-1", 1)
	other := strings.Replace(secretARN, "123456789012", "210987654321", 1)
	for _, c := range []struct{ name, from, want, cause string }{
		{"a secret", secretARN + "-none:key::", "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + secretARN + "-none from secrets manager: " + absent, "secret-missing"},
		{"another region", foreign, "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + foreign + " from secrets manager: " + absent, "secret-missing"},
		{"another account", other, "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + other + " from secrets manager: " + absent, "secret-missing"},
		{"a stage", secretARN + "::OLD:", "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + secretARN + " from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: OLD", "secret-no-version"},
		{"a key", secretARN + ":user::", "unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key user", "secret-key"},
		{"a parameter", "/app/none", "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /app/none", "secret-missing"},
		{"a parameter elsewhere", "arn:aws:ssm:us-east-1:123456789012:parameter/app", "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: arn:aws:ssm:us-east-1:123456789012:parameter/app", "secret-missing"},
	} {
		w, v, r, definition := withSecrets(t, map[string]string{"A": c.from})
		v.do("CreateSecret", `{"Name":"prod/db","SecretString":"{\"password\":\"hunter2\"}"}`)
		w.create(definition, 1, nil)
		w.clock.Advance(2 * time.Minute)
		stopped := w.tasksShown(types.DesiredStatusStopped)
		if len(stopped) == 0 || len(r.started) > 0 {
			t.Fatalf("%s: %d tasks stopped, %d were started", c.name, len(stopped), len(r.started))
		}
		if got := stopped[0]; got.StopCode != types.TaskStopCodeTaskFailedToStart || *got.StoppedReason != prefix+c.want {
			t.Errorf("%s: %s: %s", c.name, got.StopCode, *got.StoppedReason)
		}
		found := known.Diagnose(diagnose.Evidence{StopCode: string(stopped[0].StopCode), StoppedReason: *stopped[0].StoppedReason})
		if len(found) == 0 || found[0].ID != c.cause {
			t.Errorf("%s is diagnosed as %v, not as %s", c.name, found, c.cause)
		}
	}
}

// Every task reads anew: what is deleted after a deploy breaks the next restart.
func TestADeletedSecretBreaksTheNextRestart(t *testing.T) {
	w, v, r, definition := withSecrets(t, map[string]string{"A": secretARN})
	v.do("CreateSecret", `{"Name":"prod/db","SecretString":"one"}`)
	w.create(definition, 1, nil)
	w.until("steady", 10*time.Minute, steady)
	restart := func() {
		w.t.Helper()
		do[ecs.StopTaskOutput](w, "StopTask", &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: w.tasksShown(types.DesiredStatusRunning)[0].TaskArn})
	}
	v.do("PutSecretValue", `{"SecretId":"prod/db","SecretString":"two"}`)
	restart()
	w.clock.Advance(time.Minute)
	w.until("steady again", 10*time.Minute, steady)
	if env := r.started[1].Containers[0].Environment; env[len(env)-1] != "A=two" {
		t.Errorf("the new task has %s", env[len(env)-1])
	}
	v.do("DeleteSecret", `{"SecretId":"prod/db"}`)
	restart()
	w.clock.Advance(5 * time.Minute)
	if s := w.glance(); s.RunningCount != 0 {
		t.Errorf("%d tasks run without their secret", s.RunningCount)
	}
	const want = "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."
	if got := pretty(w.tasksShown(types.DesiredStatusStopped)); !strings.Contains(got, want) {
		t.Errorf("no task stopped for that: %s", got)
	}
	v.do("RestoreSecret", `{"SecretId":"prod/db"}`)
	w.until("steady after the restore", 20*time.Minute, steady)
}

func TestLogsAndRegistriesHaveSecretsToo(t *testing.T) {
	w, v, r, _ := withSecrets(t, nil)
	in := definitionOf("v1")
	in.ExecutionRoleArn = aws.String(executionRole)
	c := &in.ContainerDefinitions[0]
	c.RepositoryCredentials = &types.RepositoryCredentials{CredentialsParameter: aws.String(secretARN)}
	c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverSplunk, SecretOptions: []types.Secret{{Name: aws.String("splunk-token"), ValueFrom: aws.String("/splunk")}}}
	w.create(*do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn, 1, nil)
	reason := func() string {
		w.clock.Advance(2 * time.Minute)
		newest := w.tasksShown(types.DesiredStatusStopped)
		return *newest[len(newest)-1].StoppedReason
	}
	if got := reason(); !strings.HasSuffix(got, "invalid ssm parameters: /splunk") {
		t.Errorf("without the option: %s", got)
	}
	v.do("PutParameter", `{"Name":"/splunk","Value":"x","Type":"String"}`)
	w.clock.Advance(5 * time.Minute)
	if !strings.Contains(pretty(w.tasksShown(types.DesiredStatusStopped)), "unable to get registry auth from asm: service call has been retried 1 time(s): asm fetching secret from the service for "+secretARN+": ResourceNotFoundException") {
		t.Error("without the login no task says so")
	}
	v.do("CreateSecret", `{"Name":"prod/db","SecretString":"{\"username\":\"me\",\"password\":\"hunter2\"}"}`)
	w.until("steady", 30*time.Minute, steady)
	if got := r.started[0].Containers[0]; got.Login != (runtime.Login{Username: "me", Password: "hunter2"}) || len(got.Environment) != 1 {
		t.Errorf("it was started with %v", got.Environment)
	}
}

func TestWhatASecretKeyGives(t *testing.T) {
	for _, c := range []struct{ value, key, want, failure string }{
		{`{"a":"x"}`, "a", "x", ""},
		{`{"a":1000000}`, "a", "1000000", ""},
		{`{"a":{"b":1}}`, "a", `{"b":1}`, ""},
		{`{"a":null}`, "a", "null", ""},
		{`{"a":"x"}`, "A", "", "retrieved secret from Secrets Manager did not contain json key A"},
		{`hunter2`, "a", "", "invalid character looking for beginning of value"},
		{`["hunter2"]`, "a", "", "the secret is not a JSON object"},
		{``, "a", "", "unexpected end of JSON input"},
	} {
		got, err := jsonMember(c.value, c.key)
		if got != c.want || (err == nil) != (c.failure == "") || err != nil && err.Error() != c.failure {
			t.Errorf("%s of %s: %q, %v", c.key, c.value, got, err)
		}
	}
}
