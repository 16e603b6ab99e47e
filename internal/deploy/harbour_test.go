package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// harbour is one service in memory, enough of it for the use cases' own
// decisions: it moves with the time of the test's synctest bubble. How ECS
// itself behaves is not its business; the tests on drydock see to that.
type harbour struct {
	mu          sync.Mutex
	images      map[string]string // registry/repository:tag -> digest; what is not here cannot be pulled
	fixed       map[string]string // image tag -> digest that ECS has fixed, where that is another one by now
	crash       map[string]bool   // image tags whose container exits with 1
	breaker     bool              // ECS rolls back by itself at the third failure
	records     bool              // ECS keeps service deployments
	inactive    map[string]bool   // task definition ARNs that were deregistered
	definitions map[string]string // ARN -> raw answer
	revision    int
	desired     int
	deployments []*berth // the newest first
	calls       []string // changes only
	registered  []string // request documents
	tags        map[string]map[string]string
	fail        map[string]error // by method
	onUpdate    func()
	scaling     *Scaling       // nil: nothing scales it
	oneOffs     []rollout.Task // that were run
	hangs       bool           // one-off tasks never end
	around      surroundings
	set         func(*Service) // what else DescribeServices says
}

// berth is one deployment.
type berth struct {
	id, td   string
	began    time.Time
	rollback bool // it is the way back
	failed   bool
}

const (
	account = "123456789012"
	host    = account + ".dkr.ecr.eu-west-1.amazonaws.com"
	repo    = host + "/web"

	startsIn   = 30 * time.Second // a good task runs after that
	drainsIn   = 20 * time.Second // and the old ones are gone after that
	failsEvery = 20 * time.Second
)

func newHarbour() *harbour {
	h := &harbour{
		images:      map[string]string{repo + ":v1.0.0": digestOf("a"), repo + ":v1.1.0": digestOf("b")},
		crash:       map[string]bool{},
		inactive:    map[string]bool{},
		definitions: map[string]string{},
		desired:     2,
		records:     true,
		tags:        map[string]map[string]string{},
		fail:        map[string]error{},
		around:      inOrder(),
	}
	arn := h.define(fmt.Sprintf(`{"family":"web","futureField":{"x":1.50},"containerDefinitions":[{"name":"web","image":"%s:v1.0.0","logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/web","awslogs-stream-prefix":"ecs"}}}],"tags":[{"key":"team","value":"harbour"},{"key":"plimsoll:verdict","value":"stable"},{"key":"plimsoll:actor","value":"ann"}]}`, repo))
	h.deployments = []*berth{{id: "ecs-svc/1", td: arn, began: time.Now().Add(-time.Hour)}}
	return h
}

func digestOf(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// define registers a document: the answer has the definition and its tags.
func (h *harbour) define(document string) string {
	var def map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document), &def); err != nil {
		panic(err)
	}
	h.revision++
	arn := fmt.Sprintf("arn:aws:ecs:eu-west-1:%s:task-definition/web:%d", account, h.revision)
	tags := string(def["tags"])
	delete(def, "tags")
	def["taskDefinitionArn"], _ = json.Marshal(arn)
	def["revision"], _ = json.Marshal(h.revision)
	def["status"] = json.RawMessage(`"ACTIVE"`)
	raw, _ := json.Marshal(def)
	if tags == "" {
		tags = "[]"
	}
	h.definitions[arn] = fmt.Sprintf(`{"taskDefinition":%s,"tags":%s}`, raw, tags)
	return arn
}

func (h *harbour) lock() func() { h.mu.Lock(); return h.mu.Unlock }

func (h *harbour) Caller(context.Context) (Caller, error) {
	return Caller{Account: account, ARN: "arn:aws:iam::" + account + ":role/ci", Region: "eu-west-1"}, h.fail["Caller"]
}

func (h *harbour) Cluster(_ context.Context, name string) (Cluster, error) {
	if name != "prod" {
		return Cluster{}, fmt.Errorf("read cluster %s: %w", name, NotFound)
	}
	return Cluster{Name: name, Status: "ACTIVE"}, h.fail["Cluster"]
}

func (h *harbour) ClusterNames(context.Context) ([]string, error) {
	return []string{"prod", "staging"}, nil
}

func (h *harbour) ServiceNames(context.Context, string) ([]string, error) {
	return []string{"web", "worker"}, nil
}

func (h *harbour) Families(context.Context, string) ([]string, error) { return []string{"web"}, nil }

func (h *harbour) Service(_ context.Context, cluster, name string) (Service, error) {
	defer h.lock()()
	if cluster != "prod" || name != "web" {
		return Service{}, fmt.Errorf("read service: %w", NotFound)
	}
	if err := h.fail["Service"]; err != nil {
		return Service{}, err
	}
	return h.state(), nil
}

// imageTag is the version of a task definition.
func (h *harbour) imageTag(td string) string {
	_, rest, _ := strings.Cut(h.definitions[td], repo+":")
	tag, _, _ := strings.Cut(rest, `"`)
	return tag
}

func (h *harbour) good(td string) bool {
	tag := h.imageTag(td)
	return h.images[repo+":"+tag] != "" && !h.crash[tag]
}

// failures is how many tasks of a deployment have failed by now.
func (h *harbour) failures(b *berth) int {
	if h.good(b.td) {
		return 0
	}
	return min(int(time.Since(b.began)/failsEvery), 3)
}

// settle lets happen what time has brought.
func (h *harbour) settle() {
	first := h.deployments[0]
	if h.failures(first) == 3 && h.breaker && !first.failed && len(h.deployments) > 1 {
		first.failed = true
		h.putBack()
		first = h.deployments[0]
	}
	if h.good(first.td) && time.Since(first.began) >= startsIn+drainsIn {
		h.deployments = h.deployments[:1]
	}
}

// putBack makes the last deployment that was good, under its old id, the first
// again.
func (h *harbour) putBack() {
	i := max(1, slices.IndexFunc(h.deployments, func(b *berth) bool { return h.good(b.td) }))
	old := h.deployments[i]
	old.began, old.rollback = time.Now(), true
	h.deployments = append([]*berth{old}, slices.Delete(h.deployments, i, i+1)...)
}

func (h *harbour) state() Service {
	h.settle()
	s := Service{ARN: "arn:web", Name: "web", Controller: "ECS", RollsBack: h.breaker, TaskDefinition: h.deployments[0].td, Tags: h.tags["arn:web"]}
	s.Status, s.Desired = "ACTIVE", h.desired
	s.Strategy, s.MaximumPercent, s.MinimumPercent, s.Breaker = "ROLLING", 200, 100, true
	for i, b := range h.deployments {
		d := rollout.Deployment{ID: b.id, TaskDefinition: b.td, Status: "ACTIVE", RolloutState: "COMPLETED", CreatedAt: b.began}
		up := h.good(b.td) && time.Since(b.began) >= startsIn
		switch {
		case i == 0:
			d.Status, d.Desired, d.FailedTasks = "PRIMARY", h.desired, h.failures(b)
			d.RolloutState = "IN_PROGRESS"
			if up || b.rollback {
				d.Running = h.desired
			} else {
				d.Pending = h.desired
			}
			if up && len(h.deployments) == 1 {
				d.RolloutState = "COMPLETED"
			}
		case b.failed:
			d.RolloutState, d.RolloutReason = "FAILED", "ECS deployment circuit breaker: tasks failed to start."
		case h.good(b.td):
			d.Running = h.desired
		}
		s.Deployments = append(s.Deployments, d)
		s.Running += d.Running
		s.Pending += d.Pending
	}
	if h.set != nil {
		h.set(&s)
	}
	if h.records {
		s.Record = "record/" + h.deployments[0].id
		if len(h.deployments) > 1 && h.deployments[0].rollback {
			s.Record = "record/" + h.deployments[1].id
		}
	}
	return s
}

func (h *harbour) UpdateService(_ context.Context, u Update) (Service, error) {
	defer h.lock()()
	h.calls = append(h.calls, fmt.Sprintf("update %s force=%t", rollout.RevisionName(u.TaskDefinition), u.Force))
	if err := h.fail["UpdateService"]; err != nil {
		return Service{}, err
	}
	if h.inactive[u.TaskDefinition] {
		return Service{}, fmt.Errorf("TaskDefinition is inactive")
	}
	if u.Desired != nil {
		h.desired = *u.Desired
		h.deployments[0].began = time.Now()
	}
	if u.TaskDefinition != "" {
		b := &berth{id: fmt.Sprintf("ecs-svc/%d", 100+len(h.calls)), td: u.TaskDefinition, began: time.Now()}
		h.deployments = append([]*berth{b}, h.deployments...)
	}
	if h.onUpdate != nil {
		h.onUpdate()
	}
	return h.state(), nil
}

func (h *harbour) Tasks(_ context.Context, _, _ string, stopped bool) ([]rollout.Task, error) {
	defer h.lock()()
	if err := h.fail["Tasks"]; err != nil {
		return nil, err
	}
	tasks := []rollout.Task{}
	for _, b := range h.deployments {
		tag := h.imageTag(b.td)
		if !stopped && !b.failed {
			status, created := "RUNNING", b.began
			if !h.good(b.td) {
				status, created = "PENDING", time.Now()
			} else if time.Since(b.began) < startsIn {
				status = "PENDING"
			}
			for i := range h.desired {
				tasks = append(tasks, rollout.Task{
					ID: fmt.Sprint(b.id, "-", i), StartedBy: b.id, TaskDefinition: b.td, LastStatus: status, CreatedAt: created,
					Containers: []rollout.Container{{Name: "web", Digest: h.images[repo+":"+tag]}},
				})
			}
		}
		for i := range h.failures(b) {
			if !stopped {
				continue
			}
			t := rollout.Task{ID: fmt.Sprint(b.id, "-failed-", i), StartedBy: b.id, TaskDefinition: b.td, LastStatus: "STOPPED", CreatedAt: b.began.Add(time.Duration(i) * failsEvery)}
			c := rollout.Container{Name: "web"}
			if h.crash[tag] {
				code := 1
				t.StopCode, t.StoppedReason, c.ExitCode = "EssentialContainerExited", "Essential container in task exited", &code
			} else {
				t.StopCode, t.StoppedReason = "TaskFailedToStart", "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref "+repo+":"+tag+": not found"
			}
			t.Containers = []rollout.Container{c}
			tasks = append(tasks, t)
		}
	}
	return tasks, nil
}

func (h *harbour) Tag(_ context.Context, arn string, tags map[string]string) error {
	defer h.lock()()
	if err := h.fail["Tag"]; err != nil {
		return err
	}
	if h.tags[arn] == nil {
		h.tags[arn] = map[string]string{}
	}
	for k, v := range tags {
		h.tags[arn][k] = v
	}
	return nil
}

func (h *harbour) Untag(_ context.Context, arn string, keys ...string) error {
	defer h.lock()()
	if err := h.fail["Untag"]; err != nil {
		return err
	}
	for _, key := range keys {
		delete(h.tags[arn], key)
	}
	return nil
}

func (h *harbour) TaskDefinition(_ context.Context, name string) ([]byte, error) {
	defer h.lock()()
	if !strings.Contains(name, ":") {
		newest := ""
		for i := h.revision; i > 0 && newest == ""; i-- {
			arn := fmt.Sprintf("arn:aws:ecs:eu-west-1:%s:task-definition/%s:%d", account, name, i)
			if h.definitions[arn] != "" && !h.inactive[arn] {
				newest = arn
			}
		}
		name = newest
	}
	if !strings.HasPrefix(name, "arn:") {
		name = "arn:aws:ecs:eu-west-1:" + account + ":task-definition/" + name
	}
	raw := h.definitions[name]
	if raw == "" {
		return nil, fmt.Errorf("read task definition: %w", NotFound)
	}
	if h.inactive[name] {
		raw = strings.Replace(raw, `"status":"ACTIVE"`, `"status":"INACTIVE"`, 1)
	}
	return []byte(raw), nil
}

func (h *harbour) Register(_ context.Context, document []byte) ([]byte, error) {
	defer h.lock()()
	if err := h.fail["Register"]; err != nil {
		return nil, err
	}
	h.registered = append(h.registered, string(document))
	h.calls = append(h.calls, "register")
	return []byte(h.definitions[h.define(string(document))]), nil
}

func (h *harbour) ServiceDeployment(_ context.Context, arn string) (rollout.ServiceDeployment, error) {
	defer h.lock()()
	for i, b := range h.deployments {
		if "record/"+b.id != arn {
			continue
		}
		r := rollout.ServiceDeployment{ARN: arn, TaskDefinition: b.td, Status: "IN_PROGRESS", CreatedAt: b.began}
		if i > 0 && h.deployments[0].rollback {
			r.Status = "ROLLBACK_IN_PROGRESS"
		}
		if digest := h.fixed[h.imageTag(b.td)]; digest != "" {
			r.Digests = map[string]string{"web": digest}
		}
		return r, nil
	}
	return rollout.ServiceDeployment{}, fmt.Errorf("read service deployment: %w", NotFound)
}

func (h *harbour) ServiceDeployments(context.Context, string, string, int) ([]rollout.ServiceDeployment, error) {
	defer h.lock()()
	if !h.records {
		return nil, fmt.Errorf("list service deployments: %w", Unsupported)
	}
	var list []rollout.ServiceDeployment
	for i := h.revision; i > 0; i-- {
		arn := fmt.Sprintf("arn:aws:ecs:eu-west-1:%s:task-definition/web:%d", account, i)
		status := "SUCCESSFUL"
		if !h.good(arn) {
			status = "ROLLBACK_SUCCESSFUL"
		}
		list = append(list, rollout.ServiceDeployment{ARN: fmt.Sprint("record/", i), Status: status, TaskDefinition: arn, Requested: 2})
	}
	return list, nil
}

func (h *harbour) DescribeServiceDeployments(_ context.Context, arns []string) ([]rollout.ServiceDeployment, error) {
	list, err := h.ServiceDeployments(context.Background(), "", "", 0)
	return slices.DeleteFunc(list, func(r rollout.ServiceDeployment) bool { return !slices.Contains(arns, r.ARN) }), err
}

func (h *harbour) RollBack(_ context.Context, arn string) error {
	defer h.lock()()
	h.calls = append(h.calls, "stop")
	if err := h.fail["RollBack"]; err != nil {
		return err
	}
	if arn != h.state().Record || h.deployments[0].rollback {
		return fmt.Errorf("roll back: it is over: %w", Conflict)
	}
	h.deployments[0].failed = true
	h.putBack()
	return nil
}

func (h *harbour) Digest(_ context.Context, ref image.Reference) (string, error) {
	defer h.lock()()
	digest := h.images[ref.String()]
	if ref.Digest != "" && slices.Contains(slices.Collect(maps.Values(h.images)), ref.Digest) {
		digest = ref.Digest
	}
	if digest == "" {
		return "", fmt.Errorf("look up image %s: %w", ref, NotFound)
	}
	return digest, nil
}

func (h *harbour) Tail(_ context.Context, from LogStream, _ int) ([]string, error) {
	return []string{"starting", "panic: no DATABASE_URL in " + from.Stream}, nil
}

func (h *harbour) changes() string {
	defer h.lock()()
	return strings.Join(slices.Clone(h.calls), ", ")
}
