package retain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// tagged resolves tags; what it does not have is not there.
type tagged map[string]string

func (t tagged) Digest(_ context.Context, ref image.Reference) (string, error) {
	if digest, ok := t[ref.String()]; ok {
		return digest, nil
	}
	return "", fmt.Errorf("look up image %s: %w", ref, deploy.NotFound)
}

func release(containers ...string) audit.Release {
	r := audit.Release{TaskDefinition: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1"}
	for i := 0; i < len(containers); i += 3 {
		r.Containers = append(r.Containers, audit.Container{Name: containers[i], Image: containers[i+1], Digest: containers[i+2]})
	}
	return r
}

// What is wanted of a service, by repository, as a person would write it down.
func TestWhatIsWanted(t *testing.T) {
	const registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	digest := func(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }
	a, b, c := digest("a"), digest("b"), digest("c")
	for _, test := range []struct {
		name string
		runs []audit.Release
		past []audit.Release
		keep int
		want string
		sure bool
	}{
		{"one image", []audit.Release{release("app", registry+"web:v1", a)}, nil, 2, "web: runs app " + a, true},
		{"containers that share an image",
			[]audit.Release{release("app", registry+"web:v1", a, "cron", registry+"web:v1", a)}, nil, 2, "web: runs app,cron " + a, true},
		{"containers of one repository with two images, told apart by their digests",
			[]audit.Release{release("app", registry+"web:v1", a, "nginx", registry+"web:nginx-1", b)}, nil, 2, "web: runs app " + a + ", runs nginx " + b, true},
		{"a rollout under way: both revisions",
			[]audit.Release{release("app", registry+"web:v2", b), release("app", registry+"web:v1", a)}, nil, 2, "web: runs app " + b + ", runs app " + a, true},
		{"the digest that is written down, and a tag beside it",
			[]audit.Release{release("app", registry+"web:v1@"+a, "")}, nil, 2, "web: runs app " + a, true},
		{"nothing is fixed: what the tag stands for now", []audit.Release{release("app", registry+"web:now", "")}, nil, 2, "web: runs app " + c, true},
		{"nothing is fixed, and the tag is gone", []audit.Release{release("app", registry+"web:gone", "")}, nil, 2, "web: runs app ", false},
		{"releases that a rollback could go to, each content once, and so many",
			[]audit.Release{release("app", registry+"web:v3", c)},
			[]audit.Release{release("app", registry+"web:v3", c), release("app", registry+"web:v2", b), release("app", registry+"web:v2", b), release("app", registry+"web:v1", a)},
			1, "web: runs app " + c + ", rollback app " + b, true},
		{"an earlier repository is looked into for pins",
			[]audit.Release{release("app", registry+"new:v1", a)}, []audit.Release{release("app", registry+"old:v1", b)}, 0, "new: runs app " + a + "; old: ", true},
		{"a rollout that never had a task has no content", []audit.Release{release("app", registry+"web:v1", a)}, []audit.Release{release("app", registry+"web:v0", "")}, 2, "web: runs app " + a, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			berth := &berth{Service: audit.Service{Place: audit.Place{Account: "123456789012", Region: "eu-west-1"}, Cluster: "prod", Name: "web", Runs: test.runs, Before: test.past}}
			berth.collect(context.Background(), tagged{registry + "web:now": c}, test.keep)
			var all []string
			sure := true
			for _, r := range berth.repositories {
				var wants []string
				for _, w := range r.wants {
					wants = append(wants, fmt.Sprintf("%s %s %s", w.use, strings.Join(w.containers, ","), w.ref.Digest))
				}
				all = append(all, r.ref.Repository+": "+strings.Join(wants, ", "))
				sure = sure && r.sure
			}
			if got := strings.Join(all, "; "); got != test.want || sure != test.sure {
				t.Errorf("%s (sure %t), want %s (%t)", got, sure, test.want, test.sure)
			}
		})
	}
}

// Whose fault it is that an image cannot be kept decides whether it counts.
func TestWhatIsNotOursDoesNotCount(t *testing.T) {
	home, away := &repository{}, &repository{away: true, at: audit.Place{Account: "210987654321"}}
	for _, c := range []struct {
		err  error
		in   *repository
		want State
		safe bool
	}{
		{fmt.Errorf("docker.io: %w", deploy.Unsupported), home, Foreign, true},
		{fmt.Errorf("put: %w", deploy.Denied), away, Foreign, true},
		{fmt.Errorf("put: %w", deploy.Denied), home, Failed, false},
		{fmt.Errorf("list: %w", deploy.NotFound), home, Gone, false},
		{errors.New("the line is dead"), away, Failed, false},
	} {
		k := Kept{Use: Runs}
		k.failed(c.in, c.err)
		if r := (Result{Images: []Kept{k}}); k.State != c.want || r.Safe() != c.safe || r.Restartable() != c.safe {
			t.Errorf("%v (away %t): %s, safe %t", c.err, c.in.away, k.State, r.Safe())
		}
	}
}
