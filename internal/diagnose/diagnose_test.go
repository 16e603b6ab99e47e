package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func ids(diagnoses []Diagnosis) []string {
	var ids []string
	for _, d := range diagnoses {
		ids = append(ids, d.ID)
	}
	return ids
}

func exit(code int) *int { return &code }

func TestDiagnose(t *testing.T) {
	const exited, failed, scheduler = "EssentialContainerExited", "TaskFailedToStart", "ServiceSchedulerInitiated"
	const essential = "Essential container in task exited"
	for _, c := range []struct {
		name       string
		evidence   Evidence
		want       []string
		conclusive int // of the best
		cause      string
	}{
		{"nothing", Evidence{}, nil, 0, ""},
		{"nothing telling", Evidence{Log: []string{"listening on :8080", "", "GET / 200"}}, nil, 0, ""},
		{
			"digest before tag",
			Evidence{StopCode: failed, StoppedReason: "CannotPullContainerError: failed to resolve ref a.b/c:v1@sha256:" + strings.Repeat("ab", 32) + ": not found"},
			[]string{"digest-gone"}, 1, "sha256:abab",
		},
		{
			"the image is named",
			Evidence{StopCode: failed, StoppedReason: "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref a.b:5000/c:v1: a.b:5000/c:v1: not found"},
			[]string{"image-not-found"}, 1, "no image a.b:5000/c:v1:",
		},
		{
			"task and container say the same",
			Evidence{
				StopCode: failed, StoppedReason: "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
				ContainerReason: "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
			},
			[]string{"platform-mismatch"}, 1, "linux/arm64",
		},
		{
			"pull failures in events",
			Evidence{Events: []string{"(service api) was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been retried 5 time(s): dial tcp 52.94.1.1:443: i/o timeout."}},
			[]string{"pull-timeout"}, 0, "",
		},
		{
			"the renamed key is named",
			Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(1), Log: []string{"Traceback (most recent call last):", "KeyError: 'DB_PASSWORD'"}},
			[]string{"env-missing"}, 2, "wants DB_PASSWORD from",
		},
		{
			"a key of a dict is no environment variable",
			Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(1), Log: []string{"KeyError: 'user_id'"}},
			[]string{"exit-error"}, 2, "exit code 1",
		},
		{
			"a security group",
			Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(1), Log: []string{"dial tcp 10.0.1.5:5432: i/o timeout"}},
			[]string{"connection-timeout"}, 2, "10.0.1.5:5432",
		},
		{
			"nobody listens",
			Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(1), Log: []string{"Error: connect ECONNREFUSED 10.0.1.5:5432"}},
			[]string{"connection-refused"}, 2, "10.0.1.5:5432",
		},
		{
			"the same in a task that did not end by itself proves nothing",
			Evidence{StopCode: scheduler, StoppedReason: "Task failed container health checks", Log: []string{"Error: connect ECONNREFUSED 10.0.1.5:5432"}},
			[]string{"container-health", "connection-refused"}, 2, "",
		},
		{
			"a log line alone is never conclusive",
			Evidence{Log: []string{"KeyError: 'DB_PASSWORD'"}},
			[]string{"env-missing"}, 0, "",
		},
		{
			"the last of several lines counts",
			Evidence{StopCode: exited, ExitCode: exit(1), Log: []string{"KeyError: 'OPTIONAL_ONE'", "retrying", "KeyError: 'THE_CAUSE'"}},
			[]string{"env-missing"}, 2, "THE_CAUSE",
		},
		{
			"killed for memory",
			Evidence{StopCode: exited, StoppedReason: essential, ContainerReason: "OutOfMemoryError: Container killed due to memory usage", ExitCode: exit(137)},
			[]string{"oom"}, 2, "",
		},
		{"killed for whatever", Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(137)}, []string{"exit-137"}, 2, "SIGKILL"},
		{"segmentation fault", Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(139)}, []string{"exit-139"}, 2, ""},
		{"not executable", Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(126)}, []string{"exit-126"}, 2, ""},
		{"not found", Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(127)}, []string{"exit-127"}, 2, ""},
		{"any other code", Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(42)}, []string{"exit-error"}, 2, "exit code 42"},
		{"ended without an error", Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(0)}, []string{"exit-0"}, 2, ""},
		{"exit code 0 of a task that was stopped", Evidence{StopCode: scheduler, ExitCode: exit(0)}, nil, 0, ""},
		{"no exit code", Evidence{StopCode: exited, StoppedReason: essential}, []string{"essential-exit"}, 2, ""},
		{
			"another CPU",
			Evidence{StopCode: exited, StoppedReason: essential, ExitCode: exit(255), Log: []string{"exec /app: exec format error"}},
			[]string{"exec-format"}, 1, "",
		},
		{
			"scaled in: whatever the log says",
			Evidence{StopCode: scheduler, StoppedReason: "Scaling activity initiated by (deployment ecs-svc/1)", ExitCode: exit(143), Log: []string{"connection refused"}},
			[]string{"scaling"}, 0, "",
		},
		{
			"retired, and the replacement has no image",
			Evidence{
				StopCode: "TerminationNotice", StoppedReason: "ECS is performing maintenance on the underlying infrastructure hosting the task",
				Events: []string{"(service api) was unable to place a task. Reason: CannotPullContainerError: failed to resolve ref a.b/c:v1: not found."},
			},
			[]string{"image-not-found", "maintenance"}, 1, "",
		},
		{
			"events say more than the health check",
			Evidence{
				StopCode: scheduler, StoppedReason: "Task failed ELB health checks in (target-group arn:aws:x)",
				Events: []string{
					"(service api) is unable to consistently start tasks successfully.",
					"(service api) (port 8080) is unhealthy in (target-group arn:aws:x) due to (reason Health checks failed with these codes: [404]).",
				},
			},
			[]string{"elb-code", "elb-health"}, 2, "404",
		},
		{
			"a secret's missing log group is no missing secret",
			Evidence{StopCode: failed, StoppedReason: "ResourceInitializationError: failed to validate logger args: ResourceNotFoundException: The specified log group does not exist."},
			[]string{"log-group"}, 1, "",
		},
		{"a refused call", Evidence{Refusal: "ThrottlingException: Rate exceeded"}, []string{"ecs-throttled"}, 0, ""},
		{
			"the application's own refusal is its task role's",
			Evidence{StopCode: exited, ExitCode: exit(1), Log: []string{"AccessDeniedException: User: x is not authorized to perform: s3:GetObject on resource: y"}},
			[]string{"task-role-denied"}, 2, "s3:GetObject",
		},
		{
			"tables are not files",
			Evidence{StopCode: exited, ExitCode: exit(1), Log: []string{"ERROR: permission denied for table users"}},
			[]string{"database-permission"}, 2, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := load(t).Diagnose(c.evidence)
			if diff := cmp.Diff(c.want, ids(got)); diff != "" {
				t.Fatal(diff)
			}
			if len(got) > 0 && (got[0].Conclusive != c.conclusive || !strings.Contains(got[0].Cause, c.cause)) {
				t.Errorf("got %+v, want conclusive %d, cause …%s…", got[0], c.conclusive, c.cause)
			}
		})
	}
}

// Lines that healthy services write all day, near to what the patterns look for.
func TestOrdinaryLogLinesNameNothing(t *testing.T) {
	k := load(t)
	for _, l := range []string{
		"GET /env-vars 200 12ms", "loaded 12 environment variables", "environment: production", "all required environment variables are present",
		"Environment variable LOG_LEVEL is set", "connected to database app", "connection established in 3 ms", "TLS certificate loaded", "user authentication succeeded",
		"listening on 0.0.0.0:8080", "config: timeout=30s retries=3", "no errors", "undefined behaviour sanitizer off", "request took 30s, timed out: false",
		"API_KEY is set", "file not found: /favicon.ico", "credential cache warmed", "SELECT * FROM required_keys", "module loaded: auth",
	} {
		if got := k.Diagnose(Evidence{StopCode: stopCodeExited, Log: []string{l}}); len(got) != 1 || got[0].ID != "essential-exit" {
			t.Errorf("%q is taken for %v: %+v", l, ids(got), got)
		}
	}
}

// What no retry can mend is certain on the first task, a crash or a failing
// check on the second; what passes by itself never is.
func TestConclusive(t *testing.T) {
	k := load(t)
	byID := map[string]int{}
	for _, e := range k.entries {
		byID[e.ID] = e.Conclusive
	}
	for want, ids := range map[int][]string{
		1: {"digest-gone", "image-not-found", "repository-missing", "platform-mismatch", "exec-format", "secret-missing", "secret-key", "secret-denied", "log-group", "role-assume", "pull-denied"},
		2: {"oom", "container-health", "elb-health", "elb-code", "elb-timeout", "exit-error", "exit-137", "exit-139", "exit-126", "exit-127", "env-missing", "connection-timeout", "connection-refused"},
		0: {"fargate-capacity", "placement", "quota", "subnet-addresses", "network-interface", "pull-timeout", "pull-ratelimit", "init-network", "runtime-timeout", "ecs-throttled", "spot", "maintenance", "scaling"},
	} {
		for _, id := range ids {
			if got, ok := byID[id]; !ok || got != want {
				t.Errorf("%s: conclusive on %d (there: %v), want %d", id, got, ok, want)
			}
		}
	}
}

func TestMatchedIsShort(t *testing.T) {
	got := load(t).Diagnose(Evidence{StoppedReason: "OutOfMemoryError: " + strings.Repeat("ä", 5000)})
	if len(got) != 1 || len([]rune(got[0].Matched)) > 401 || !strings.HasPrefix(got[0].Matched, "OutOfMemoryError: ä") {
		t.Errorf("got %+v", got)
	}
}

func TestDiagnosesAreOrderedAndDistinct(t *testing.T) {
	k := load(t)
	var aws, log []string
	for _, e := range k.entries {
		if slices.Contains(e.In, fromAWS) {
			aws = append(aws, e.Examples...)
		}
		if slices.Contains(e.In, fromLog) {
			log = append(log, e.Examples...)
		}
	}
	noise := rapid.OneOf(rapid.String(), rapid.SampledFrom(log))
	rapid.Check(t, func(t *rapid.T) {
		ev := Evidence{
			StopCode:        rapid.SampledFrom([]string{"", "TaskFailedToStart", stopCodeExited, "ServiceSchedulerInitiated", "UserInitiated"}).Draw(t, "stop code"),
			StoppedReason:   rapid.SampledFrom(aws).Draw(t, "reason"),
			ContainerReason: rapid.SampledFrom(append(aws, "")).Draw(t, "container reason"),
			Log:             rapid.SliceOfN(noise, 0, 5).Draw(t, "log"),
			Events:          rapid.SliceOfN(rapid.SampledFrom(aws), 0, 5).Draw(t, "events"),
		}
		if rapid.Bool().Draw(t, "exited") {
			ev.ExitCode = exit(rapid.IntRange(0, 255).Draw(t, "exit code"))
		}
		got := k.Diagnose(ev)
		if len(got) == 0 {
			t.Fatal("a reason that is an example is not named")
		}
		if diff := cmp.Diff(got, k.Diagnose(ev)); diff != "" {
			t.Fatal("two runs differ: ", diff)
		}
		names := ids(got)
		if slices.Sort(names); len(slices.Compact(names)) != len(got) {
			t.Fatalf("a cause is there twice: %v", ids(got))
		}
		for _, d := range got {
			if d.Matched == "" || d.Cause == "" {
				t.Fatalf("incomplete: %+v", d)
			}
		}
		// More log never takes away what ECS itself said.
		without := ev
		without.Log = nil
		for _, d := range k.Diagnose(without)[:1] {
			if !isFallback(k, d.ID) && !slices.Contains(ids(got), d.ID) {
				t.Fatalf("the log hides %s: %v", d.ID, ids(got))
			}
		}
	})
}

func isFallback(k *Knowledge, id string) bool {
	return slices.ContainsFunc(k.entries, func(e entry) bool { return e.ID == id && e.Fallback })
}

func FuzzDiagnose(f *testing.F) {
	k := load(f)
	for _, e := range k.entries {
		f.Add(e.Examples[0], e.Examples[0], 1)
	}
	f.Fuzz(func(t *testing.T, reason, log string, code int) {
		for _, d := range k.Diagnose(Evidence{StopCode: stopCodeExited, StoppedReason: reason, Log: strings.Split(log, "\n"), ExitCode: &code}) {
			if d.ID == "" || d.Cause == "" || len([]rune(d.Matched)) > 401 {
				t.Fatalf("bad diagnosis %+v", d)
			}
		}
	})
}

func BenchmarkDiagnose1000LogLines(b *testing.B) {
	k := load(b)
	var log []string
	for i := range 1000 {
		log = append(log, fmt.Sprintf(`2026-11-21T10:00:%02d.%03dZ INFO request id=%08x method=GET path=/api/v1/orders/%d status=200 duration=%dms`, i%60, i, i*7919, i, i%50))
	}
	log = append(log, "KeyError: 'DATABASE_URL'")
	ev := Evidence{StopCode: stopCodeExited, StoppedReason: "Essential container in task exited", ExitCode: exit(1), Log: log}
	b.ReportAllocs()
	for b.Loop() {
		if got := k.Diagnose(ev); len(got) != 1 || got[0].ID != "env-missing" {
			b.Fatalf("got %+v", got)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
