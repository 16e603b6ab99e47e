package maintenance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// abouts are what notices are about, in a word each.
func abouts(notices []Notice) []string {
	var list []string
	for _, n := range notices {
		about := n.Cluster + "/" + n.Service
		if n.Service == "" {
			about = strings.Join(n.Tasks, " ")
		}
		if n.Over {
			about += " over"
		}
		list = append(list, about)
	}
	slices.Sort(list)
	return list
}

const taskARN = "arn:aws:ecs:eu-west-1:123456789012:task/batch/00805ce1d81940b5a37398953a1b2c3d"

// Every form that an event may have, AWS's own that is no JSON among them,
// says the same.
func TestEventForms(t *testing.T) {
	event := read(t, "services.json")
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	sns := `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:eu-west-1:123456789012:t","Message":` + quote(event) + `}`
	for name, input := range map[string]string{
		"one":          event,
		"array":        "[" + event + "," + event + "]",
		"lines":        compact(t, event) + "\n" + compact(t, event) + "\n",
		"twice":        event + event,
		"SNS":          sns,
		"SNS batch":    `{"Records":[{"EventSource":"aws:sns","Sns":{"Message":` + quote(event) + `}}]}`,
		"SQS batch":    `{"Records":[{"messageId":"1","eventSource":"aws:sqs","body":` + quote(event) + `}]}`,
		"SNS in SQS":   `{"Records":[{"messageId":"1","body":` + quote(sns) + `}]}`,
		"stray brace":  strings.Replace(event, `"affectedEntities": [`, `"affectedEntities": [ },`, 1),
		"brace in SQS": `{"Records":[{"body":` + quote(strings.Replace(event, `"affectedEntities": [`, `"affectedEntities": [ },`, 1)) + `}]}`,
	} {
		notices, err := ParseEvents([]byte(input))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := fmt.Sprint(abouts(notices)); got != "[prod/api prod/web]" {
			t.Errorf("%s: %s", name, got)
			continue
		}
		n := notices[0]
		if n.Region != "eu-west-1" || n.Account != "123456789012" || !n.At.Equal(at(t, "2026-11-28T09:00:00Z")) ||
			!n.Announced.Equal(at(t, "2026-11-21T09:00:00Z")) || !strings.HasSuffix(n.Event, "_test1") {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

func compact(t *testing.T, event string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(event), &v); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func TestWhatEventsAreAbout(t *testing.T) {
	for _, tt := range []struct{ name, resources, entities, status, want string }{
		{"pipe", `["prod|api"]`, `[]`, "", "[prod/api]"},
		{"pipe with blanks", `["prod | api"]`, `[]`, "", "[prod/api]"},
		{"slash", `[]`, `[{"entityValue":"prod/api"}]`, "", "[prod/api]"},
		{"both, of the same", `["prod|api"]`, `[{"entityValue":"prod/api"}]`, "", "[prod/api]"},
		{"service ARN", `["arn:aws:ecs:eu-west-1:123456789012:service/prod/api"]`, `[]`, "", "[prod/api]"},
		{"task", `["` + taskARN + `"]`, `[]`, "", "[" + taskARN + "]"},
		{"service and its tasks", `["prod|api"]`, `[{"entityValue":"` + taskARN + `"}]`, "", "[" + taskARN + " prod/api]"},
		{"one resource, not in a list", `"prod|api"`, `null`, "", "[prod/api]"},
		{"odd entities", `[]`, `[7,{"entityValue":8},{"entityValue":"prod/api","status":"RESOLVED"},null]`, "", "[prod/api over]"},
		{"closed", `["prod|api"]`, `[]`, "closed", "[prod/api over]"},
		{"nothing that ECS could call so", `["prod|a;b","|","a/","../x","a/b/c","arn:aws:ec2:x:1:instance/i-1"]`, `[]`, "", "[]"},
	} {
		input := fmt.Sprintf(`{"detail-type":"AWS Health Event","resources":%s,"detail":{"eventArn":"e","eventTypeCode":"AWS_ECS_TASK_PATCHING_RETIREMENT","statusCode":%q,"affectedEntities":%s}}`,
			tt.resources, tt.status, tt.entities)
		notices, err := ParseEvents([]byte(input))
		if got := fmt.Sprint(abouts(notices)); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestEventsAboutSomethingElse(t *testing.T) {
	for _, input := range []string{
		`{"detail-type":"AWS Health Event","detail":{"eventTypeCode":"AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"},"resources":["i|1"]}`,
		`{"detail-type":"Scheduled Event","source":"aws.events","resources":["a|b"],"detail":{}}`,
	} {
		if notices, err := ParseEvents([]byte(input)); err != nil || len(notices) != 0 {
			t.Errorf("%s: %v, %v", input, notices, err)
		}
	}
}

func TestNoEvents(t *testing.T) {
	for input, why := range map[string]string{
		"":                    "there is none in it",
		"[]":                  "there is none in it",
		`"x"`:                 "there is none in it",
		`{"a":1}`:             "there is none in it",
		"\n\nhello":           "line 3: it is not JSON",
		`{"Records":[{}]}`:    "there is none in it",
		`{"detail-type":"x"`:  "line 1: it is not JSON",
		`{"detail-type": "x}`: "line 1: it is not JSON",
	} {
		if _, err := ParseEvents([]byte(input)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %s", input, err, why)
		}
	}
}

// A line that is broken does not take the others with it, nor their dates.
func TestBrokenEventAmongOthers(t *testing.T) {
	one := compact(t, read(t, "services.json"))
	broken := strings.Replace(strings.ReplaceAll(one, "prod", "stage"), `"affectedEntities":[`, `"affectedEntities":[ },`, 1)
	broken = strings.Replace(strings.Replace(broken, "_test1", "_test3", 1), "28 Nov", "30 Nov", 1)
	tasks := compact(t, read(t, "tasks.json"))
	notices, err := ParseEvents([]byte(one + "\n" + broken + "\n" + tasks))
	if got := fmt.Sprint(abouts(notices)); err != nil || got != "["+taskARN+" prod/api prod/web stage/api stage/web]" {
		t.Fatalf("%s, %v", got, err)
	}
	for _, n := range notices {
		if (n.At.Day() == 30) != (n.Cluster == "stage") || strings.HasSuffix(n.Event, "_test3") != (n.Cluster == "stage") {
			t.Errorf("%+v", n)
		}
	}
}

// The newest word counts for whether it is over and for the date, the oldest
// for when it was announced, in whatever order they come.
func TestMergeOfOneEvent(t *testing.T) {
	say := func(day int, over bool, start int) Notice {
		n := Notice{Updated: time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC), Over: over}
		n.Event, n.Cluster, n.Service, n.Announced = "e", "prod", "api", n.Updated
		n.At = time.Date(2026, 11, start, 0, 0, 0, 0, time.UTC)
		return n
	}
	told := []Notice{say(1, false, 8), say(8, false, 9), say(10, true, 9), say(1, false, 8)}
	for range 10 {
		told = append(told[1:], told[0])
		got := Merge(told)
		if len(got) != 1 || !got[0].Over || got[0].Announced.Day() != 1 || got[0].At.Day() != 9 {
			t.Fatalf("%+v", got)
		}
	}
}

func FuzzParseEvents(f *testing.F) {
	for _, name := range []string{"services.json", "tasks.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add([]byte(strings.Replace(string(data), "{", "", 2)))
	}
	f.Add([]byte(`{"Records":[{"body":"{\"Message\":\"[]\"}"}]}`))
	f.Add([]byte(`["[\"[]\"]"]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		notices, err := ParseEvents(data)
		if err != nil && notices != nil {
			t.Fatal("notices beside an error")
		}
		for _, n := range notices {
			if !isName(n.Cluster) || n.Service != "" && !isName(n.Service) || n.Service == "" && len(n.Tasks) == 0 {
				t.Fatalf("about nothing: %+v", n)
			}
		}
	})
}
