package taskdef

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// task and web put members into an otherwise fixed definition.
func task(members ...string) string {
	return `{"family":"f","containerDefinitions":[{"name":"web","image":"a:v1"}]` + strings.Join(append([]string{""}, members...), ",") + `}`
}

func web(members ...string) string {
	return `{"family":"f","networkMode":"awsvpc","containerDefinitions":[{"name":"web","image":"a:v1"` + strings.Join(append([]string{""}, members...), ",") + `}]}`
}

func TestSameToECS(t *testing.T) {
	for name, c := range map[string][2]string{
		"key order":                  {`{"containerDefinitions":[{"image":"a:v1","name":"web"}],"family":"f"}`, task()},
		"spelling of strings":        {`{"family":"\u0066","containerDefinitions":[{"name":"web","image":"a:v\u0031"}]}`, task()},
		"read-only members":          {task(`"revision":7`, `"status":"ACTIVE"`, `"taskDefinitionArn":"x"`, `"registeredAt":1`, `"registeredBy":"x"`, `"deregisteredAt":1`, `"compatibilities":["EC2"]`, `"requiresAttributes":[{"name":"x"}]`, `"deleteRequestedAt":1`), task()},
		"tags":                       {task(`"tags":[{"key":"a","value":"b"}]`), task()},
		"wrapping":                   {`{"taskDefinition":` + task() + `,"tags":[]}`, task()},
		"what registration fills in": {web(`"cpu":0`, `"environment":[]`, `"mountPoints":[]`, `"volumesFrom":[]`, `"systemControls":[]`, `"essential":true`), web()},
		"lists of the task":          {task(`"volumes":[]`, `"placementConstraints":[]`), task()},
		"nulls":                      {web(`"command":null`, `"user":null`), web()},
		"empty objects":              {task(`"volumes":[{"name":"v","host":{}}]`), task(`"volumes":[{"name":"v"}]`)},
		"numbers":                    {web(`"memory":512.0`, `"cpu":1e2`), web(`"memory":512`, `"cpu":100`)},
		"task size":                  {task(`"cpu":"0.5 vCPU"`, `"memory":"1 GB"`), task(`"cpu":"512"`, `"memory":"1024"`)},
		"task size as a number":      {task(`"cpu":256`), task(`"cpu":"256"`)},
		"protocol":                   {web(`"portMappings":[{"containerPort":80,"protocol":"tcp"}]`), web(`"portMappings":[{"containerPort":80}]`)},
		"host port in awsvpc":        {web(`"portMappings":[{"containerPort":80,"hostPort":8e1}]`), web(`"portMappings":[{"containerPort":80}]`)},
		"host port 0":                {strings.ReplaceAll(web(`"portMappings":[{"containerPort":80,"hostPort":0}]`), "awsvpc", "bridge"), strings.ReplaceAll(web(`"portMappings":[{"containerPort":80}]`), "awsvpc", "bridge")},
		"health check":               {web(`"healthCheck":{"command":["CMD","true"],"interval":30,"timeout":5,"retries":3}`), web(`"healthCheck":{"command":["CMD","true"]}`)},
		"order of environment":       {web(`"environment":[{"name":"A","value":"1"},{"name":"B","value":"2"}]`), web(`"environment":[{"value":"2","name":"B"},{"name":"A","value":"1"}]`)},
		"order of secrets":           {web(`"secrets":[{"name":"A","valueFrom":"1"},{"name":"B","valueFrom":"2"}]`), web(`"secrets":[{"name":"B","valueFrom":"2"},{"name":"A","valueFrom":"1"}]`)},
		"order of capabilities":      {web(`"linuxParameters":{"capabilities":{"add":["A","B"]}}`), web(`"linuxParameters":{"capabilities":{"add":["B","A"]}}`)},
		"empty value":                {web(`"environment":[{"name":"A"}]`), web(`"environment":[{"name":"A","value":""}]`)},
	} {
		a, b := parse(t, c[0]), parse(t, c[1])
		if diff := Diff(a, b); len(diff) != 0 || Fingerprint(a) != Fingerprint(b) {
			t.Errorf("%s: %+v", name, diff)
		}
	}
}

func TestDifferentToECS(t *testing.T) {
	path := func(p string) []string { return []string{p} }
	for name, c := range map[string]struct {
		a, b  string
		paths []string
	}{
		"family":                 {task(), strings.Replace(task(), `"f"`, `"g"`, 1), path("family")},
		"image":                  {task(), strings.Replace(task(), "v1", "v2", 1), path("containerDefinitions[web].image")},
		"unknown field":          {task(), task(`"future":{"a":[{"b":1}]}`), []string{"future.a[0]", "future.a[0].b"}},
		"number and string":      {web(`"user":"1"`), web(`"user":1`), path("containerDefinitions[web].user")},
		"big numbers":            {task(`"n":12345678901234567890`), task(`"n":12345678901234567891`), path("n")},
		"essential":              {web(), web(`"essential":false`), path("containerDefinitions[web].essential")},
		"order of a command":     {web(`"command":["a","b"]`), web(`"command":["b","a"]`), path("containerDefinitions[web].command")},
		"split of a command":     {web(`"command":["a, b"]`), web(`"command":["a","b"]`), path("containerDefinitions[web].command")},
		"order of files":         {web(`"environmentFiles":[{"value":"a"},{"value":"b"}]`), web(`"environmentFiles":[{"value":"b"},{"value":"a"}]`), []string{"containerDefinitions[web].environmentFiles[0].value", "containerDefinitions[web].environmentFiles[1].value"}},
		"host port in bridge":    {strings.ReplaceAll(web(`"portMappings":[{"containerPort":80,"hostPort":80}]`), "awsvpc", "bridge"), strings.ReplaceAll(web(`"portMappings":[{"containerPort":80}]`), "awsvpc", "bridge"), path("containerDefinitions[web].portMappings[0].hostPort")},
		"environment added":      {web(), web(`"environment":[{"name":"A","value":""}]`), path("containerDefinitions[web].environment[A]")},
		"environment twice":      {web(`"environment":[{"name":"A","value":"1"},{"name":"A","value":"2"}]`), web(`"environment":[{"name":"A","value":"2"},{"name":"A","value":"1"}]`), []string{"containerDefinitions[web].environment[A#2]", "containerDefinitions[web].environment[A]"}},
		"ulimit":                 {web(`"ulimits":[{"name":"nofile","softLimit":1,"hardLimit":2}]`), web(`"ulimits":[{"name":"nofile","softLimit":2,"hardLimit":2}]`), path("containerDefinitions[web].ulimits[nofile].softLimit")},
		"label with dots":        {web(`"dockerLabels":{"a.b":"1"}`), web(`"dockerLabels":{"a.b":"2"}`), path(`containerDefinitions[web].dockerLabels["a.b"]`)},
		"environment with space": {web(), web(`"environment":[{"name":"a]b","value":"1"}]`), path(`containerDefinitions[web].environment["a]b"]`)},
		"volume with defaults":   {task(), task(`"volumes":[{"name":"v"}]`), path("volumes[v]")},
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		var paths []string
		for _, change := range Diff(a, b) {
			paths = append(paths, change.Path)
		}
		if diff := cmp.Diff(c.paths, paths); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if Fingerprint(a) == Fingerprint(b) {
			t.Errorf("%s: the same fingerprint", name)
		}
	}
}

func TestDiff(t *testing.T) {
	a := parse(t, web(`"cpu":0`, `"environment":[{"name":"GONE","value":"x"},{"name":"MODE","value":"a"},{"name":"DB_PASSWORD","value":"hunter2"},{"name":"DB","value":"postgres://app:hunter2@db/app"}]`,
		`"secrets":[{"name":"API_KEY","valueFrom":"arn:1"}]`))
	b := parse(t, web(`"cpu":256`, `"environment":[{"name":"EMPTY","value":""},{"name":"MODE","value":"b"},{"name":"DB_PASSWORD","value":"hunter3"},{"name":"DB","value":"none"},{"name":"STRIPE_TOKEN","value":"hunter4"}]`,
		`"secrets":[{"name":"API_KEY","valueFrom":"arn:2"}]`))
	got := Diff(a, b)
	if diff := cmp.Diff([]Change{
		{"containerDefinitions[web].cpu", "", "256"},
		{"containerDefinitions[web].environment[DB]", "(hidden)", "(hidden, another value)"},
		{"containerDefinitions[web].environment[DB_PASSWORD]", "(hidden)", "(hidden, another value)"},
		{"containerDefinitions[web].environment[EMPTY]", "", `""`},
		{"containerDefinitions[web].environment[GONE]", "x", ""},
		{"containerDefinitions[web].environment[MODE]", "a", "b"},
		{"containerDefinitions[web].environment[STRIPE_TOKEN]", "", "(hidden)"},
		{"containerDefinitions[web].secrets[API_KEY]", "arn:1", "arn:2"},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	for _, name := range []string{
		"PASSWORD", "DB_PASSWORD", "dbPassword", "PGPASSWORD", "MYSQL_PWD", "GITHUB_TOKEN", "CLIENT_SECRET", "API_KEY", "APIKEY",
		"PRIVATE_KEY", "AWS_SECRET_ACCESS_KEY", "REDIS_AUTH", "SENTRY_DSN", "PASS", "SLACK_WEBHOOK_URL", "GOOGLE_CREDENTIALS",
	} {
		if !namesSecret(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"LOG_LEVEL", "DATABASE_HOST", "BYPASS_CACHE", "AUTHOR", "PORT", "FEATURE_X", "COMPASS"} {
		if namesSecret(name) {
			t.Errorf("%s is hidden", name)
		}
	}
	for _, value := range []string{
		"postgres://app:pw@db/app", "https://ghp_x@github.com/a", "http://a/ redis://:pw@b", "jdbc:postgresql://db/app?user=a&password=b",
		"Server=db;User Id=a;Pwd=b;", `["server", "--password", "x"]`, "-----BEGIN RSA PRIVATE KEY-----", "Authorization: Bearer x",
	} {
		if !holdsSecret(value) {
			t.Errorf("%s is shown", value)
		}
	}
	for _, value := range []string{"", "https://example.com/@team", "mail@example.com", "http://a/b http://c", "info"} {
		if holdsSecret(value) {
			t.Errorf("%s is hidden", value)
		}
	}
}

func TestDiffNeverShowsASecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Z_]{0,3}(PASSWORD|TOKEN|SECRET|KEY)[A-Z_.]{0,3}`).Draw(t, "name")
		member := rapid.SampledFrom([]string{`"environment":[{"name":%q,"value":%q}]`, `"dockerLabels":{%q:%q}`, `"logConfiguration":{"options":{%q:%q}}`}).Draw(t, "member")
		none, one, two := parse(t, web()), parse(t, web(fmt.Sprintf(member, name, "hunter1"))), parse(t, web(fmt.Sprintf(member, name, "hunter2")))
		for _, pair := range [][2]*Document{{none, one}, {one, none}, {one, two}} {
			changes := Diff(pair[0], pair[1])
			if len(changes) != 1 || strings.Contains(fmt.Sprint(changes), "hunter") {
				t.Fatalf("changes: %+v", changes)
			}
		}
	})
}

func TestDiffAgreesWithFingerprint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		member := rapid.SampledFrom([]string{
			`"cpu":0`, `"cpu":1`, `"cpu":1.0`, `"essential":true`, `"essential":false`, `"command":[]`, `"command":["a"]`, `"memory":null`,
			`"environment":[{"name":"A","value":"1"},{"name":"B"}]`, `"environment":[{"name":"B","value":""},{"name":"A","value":"1"}]`,
			`"portMappings":[{"containerPort":80,"hostPort":80}]`, `"portMappings":[{"containerPort":80}]`,
		})
		a := parse(t, web(rapid.SliceOfNDistinct(member, 0, 4, key).Draw(t, "a")...))
		b := parse(t, web(rapid.SliceOfNDistinct(member, 0, 4, key).Draw(t, "b")...))
		changes := Diff(a, b)
		if (len(changes) == 0) != (Fingerprint(a) == Fingerprint(b)) {
			t.Fatalf("%s\n%s\n%+v", a.Bytes(), b.Bytes(), changes)
		}
		back := Diff(b, a)
		if len(back) != len(changes) {
			t.Fatalf("%d changes there, %d back", len(changes), len(back))
		}
		for i := range changes {
			if back[i] != (Change{changes[i].Path, changes[i].After, changes[i].Before}) {
				t.Fatalf("there %+v, back %+v", changes[i], back[i])
			}
		}
	})
}

func key(member string) string {
	name, _, _ := strings.Cut(member, ":")
	return name
}

func TestCanonicalNumber(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "0e7": "0", "7": "7", "-7.50": "-7.5", "1e3": "1000", "1E+3": "1000", "1000.0": "1000",
		"0.001": "0.001", "1e-3": "0.001", "12.5e1": "125", "12.5e-1": "1.25",
		"12345678901234567890.50": "12345678901234567890.5",
		"1e20":                    "100000000000000000000",
		"1e21":                    "1e21", "10e20": "1e21", "1e99999999999999999999999": "1e99999999999999999999999",
		"": "", "x": "x", "1ex": "1ex",
	} {
		if got := canonicalNumber(in); got != want {
			t.Errorf("canonicalNumber(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`)
		a := number.Draw(t, "a")
		b := rapid.OneOf(number, rapid.Just(canonicalNumber(a))).Draw(t, "b")
		ra, _ := new(big.Rat).SetString(a)
		rb, _ := new(big.Rat).SetString(b)
		if (ra.Cmp(rb) == 0) != (canonicalNumber(a) == canonicalNumber(b)) {
			t.Fatalf("%s is %s, %s is %s", a, canonicalNumber(a), b, canonicalNumber(b))
		}
	})
}

func BenchmarkFingerprint(b *testing.B) {
	d := described(b)
	for b.Loop() {
		Fingerprint(d)
	}
}
