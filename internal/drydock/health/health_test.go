package health

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

const (
	account = "123456789012"
	region  = "ap-northeast-1"
)

func announced() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// known is a source of so many retirements, a day apart, of which the first
// is over.
type known []ecs.Retirement

func (k known) Retirements() []ecs.Retirement { return k }

func retirements(n int) known {
	var out known
	for i := range n {
		at := announced().Add(time.Duration(i) * 24 * time.Hour)
		r := ecs.Retirement{
			ID: fmt.Sprintf("%032x", i), Cluster: "prod", Service: fmt.Sprintf("api%d", i), Tasks: []string{"arn:aws:ecs:…:task/prod/1", "arn:aws:ecs:…:task/prod/2"},
			Status: ecs.RetirementUpcoming, Announced: at, Updated: at, Start: at.Add(7 * 24 * time.Hour),
		}
		if i == 0 {
			r.Status = ecs.RetirementClosed
		}
		out = append(out, r)
	}
	return out
}

func TestNoticeShape(t *testing.T) {
	stream := events.New(events.Options{Account: account, Region: region, Seed: 1, Log: slog.New(slog.DiscardHandler)})
	n := Notifier{Account: account, Region: region, Events: stream.From("aws.health")}
	for i, r := range retirements(2) {
		n.Notify(r)
		answer := httptest.NewRecorder()
		stream.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		lines := bytes.Split(bytes.TrimSpace(answer.Body.Bytes()), []byte("\n"))
		golden.JSON(t, "testdata/"+[]string{"notice-closed", "notice-upcoming"}[i]+".golden.json", lines[i])
	}
}

// ask sends a call as a client does.
func ask(t *testing.T, source Source, operation, in string) (int, string) {
	t.Helper()
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), Service(account, region, source)))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSHealth_20160804."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=drydock/20261121/us-east-1/health/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestAnswerShapes(t *testing.T) {
	arn := eventARN(region, retirements(2)[1])
	for _, tt := range []struct{ operation, in string }{
		{"DescribeEvents", `{"filter":{"services":["ECS"],"eventStatusCodes":["open","upcoming"]}}`},
		{"DescribeAffectedEntities", `{"filter":{"eventArns":["` + arn + `"]}}`},
		{"DescribeEventDetails", `{"eventArns":["` + arn + `","arn:aws:health:us-east-1::event/ECS/NO/NO_1"]}`},
	} {
		status, body := ask(t, retirements(2), tt.operation, tt.in)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", tt.operation, status, body)
			continue
		}
		golden.JSON(t, "testdata/"+tt.operation+".golden.json", []byte(body))
	}
	if _, body := ask(t, known{}, "DescribeEvents", ""); body != `{"events":[]}` {
		t.Errorf("without any: %s", body)
	}
}

func TestEventFilters(t *testing.T) {
	second := announced().Add(24 * time.Hour).Unix()
	start := announced().Add(8 * 24 * time.Hour).Unix()
	for filter, want := range map[string]int{
		`{}`: 3,
		`{"eventArns":["` + eventARN(region, retirements(1)[0]) + `"]}`: 1,
		`{"services":["EC2"]}`: 0,
		`{"eventTypeCodes":["AWS_ECS_TASK_PATCHING_RETIREMENT"]}`:                   3,
		`{"eventTypeCategories":["issue"]}`:                                         0,
		`{"regions":["ap-northeast-1"]}`:                                            3,
		`{"regions":["us-east-1"]}`:                                                 0,
		`{"availabilityZones":["ap-northeast-1a"]}`:                                 0,
		`{"tags":[{"a":"b"}]}`:                                                      0,
		`{"eventStatusCodes":["closed"]}`:                                           1,
		`{"entityValues":["prod/api2","prod/none"]}`:                                1,
		fmt.Sprintf(`{"startTimes":[{"from":%d}]}`, start):                          2,
		fmt.Sprintf(`{"startTimes":[{"to":%d}]}`, start):                            2,
		fmt.Sprintf(`{"startTimes":[{"from":%d,"to":%d}]}`, start, start):           1,
		fmt.Sprintf(`{"endTimes":[{"to":%d}]}`, start):                              0,
		fmt.Sprintf(`{"lastUpdatedTimes":[{"from":%d},{"to":%d}]}`, second, second): 3,
	} {
		_, body := ask(t, retirements(3), "DescribeEvents", `{"filter":`+filter+`}`)
		if got := strings.Count(body, `"eventScopeCode"`); got != want {
			t.Errorf("%s: %d events, want %d: %s", filter, got, want, body)
		}
	}
}

func TestPages(t *testing.T) {
	seen, token := []string{}, ""
	for {
		_, body := ask(t, retirements(25), "DescribeEvents", `{"maxResults":10,"nextToken":"`+token+`"}`)
		var out struct {
			Events    []struct{ Arn string }
			NextToken string
		}
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			seen = append(seen, e.Arn)
		}
		if token = out.NextToken; token == "" {
			break
		}
	}
	if len(seen) != 25 || seen[0] != eventARN(region, retirements(25)[24]) {
		t.Errorf("%d events, the first is %s", len(seen), seen[0])
	}
}

func TestRefusals(t *testing.T) {
	many := `["` + strings.Repeat(`a","`, maxARNs) + `a"]`
	for _, tt := range []struct{ operation, in, code string }{
		{"DescribeEvents", `{"maxResults":9}`, "ValidationException"},
		{"DescribeEvents", `{"maxResults":101}`, "ValidationException"},
		{"DescribeEvents", `{"nextToken":"!"}`, "InvalidPaginationToken"},
		{"DescribeEvents", `{"nextToken":"YQ"}`, "InvalidPaginationToken"},
		{"DescribeAffectedEntities", `{}`, "ValidationException"},
		{"DescribeAffectedEntities", `{"filter":{"eventArns":[]}}`, "ValidationException"},
		{"DescribeEventDetails", `{"eventArns":` + many + `}`, "ValidationException"},
		{"DescribeEventDetails", `{"eventArns":["a"],"locale":"xx"}`, "UnsupportedLocale"},
		{"DescribeEventAggregates", `{}`, "UnknownOperationException"},
	} {
		if status, body := ask(t, retirements(1), tt.operation, tt.in); status != http.StatusBadRequest || !strings.Contains(body, `"__type":"`+tt.code+`"`) {
			t.Errorf("%s %s: %d %s", tt.operation, tt.in, status, body)
		}
	}
}

// retirer answers as ECS would, and remembers what it was asked.
type retirer struct {
	err  error
	wait *time.Duration
}

func (r *retirer) Retire(cluster, service string, wait *time.Duration) (ecs.Retirement, error) {
	r.wait = wait
	return ecs.Retirement{ID: "1", Cluster: cluster, Service: service, Tasks: []string{"a"}, Start: announced()}, r.err
}

func TestRetireCall(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		kind, in string
		err      error
		status   int
		wait     *time.Duration
	}{
		{"application/json", `{"cluster":"prod","service":"api"}`, nil, 200, nil},
		{"application/json", `{"cluster":"prod","service":"api","seconds":86400}`, nil, 200, &day},
		{"application/json", `{"cluster":"prod","service":"api"}`, wire.Errorf("ServiceNotFoundException", "Service not found."), 400, nil},
		{"application/json", `{"cluster":"prod","service":"api"}`, errors.New("disk full"), 500, nil},
		{"application/json", `{"cluster":"prod"}`, nil, 400, nil},
		{"application/json", `{"service":"api","seconds":-1}`, nil, 400, nil},
		{"application/json", `{"service":"api","seconds":1e300}`, nil, 400, nil},
		{"application/json", `no`, nil, 400, nil},
		{"text/plain", `{"service":"api"}`, nil, 415, nil},
	} {
		tasks := &retirer{err: tt.err}
		r := httptest.NewRequest(http.MethodPost, "/_drydock/retire", strings.NewReader(tt.in))
		r.Header.Set("Content-Type", tt.kind)
		answer := httptest.NewRecorder()
		Retire(region, tasks).ServeHTTP(answer, r)
		if answer.Code != tt.status || !cmp.Equal(tasks.wait, tt.wait) {
			t.Errorf("%s: %d %s, waits %v", tt.in, answer.Code, answer.Body, tasks.wait)
		}
		if tt.status == 200 && !strings.HasPrefix(answer.Body.String(), `{"eventArn":"arn:aws:health:ap-northeast-1::event/ECS/AWS_ECS_TASK_PATCHING_RETIREMENT/AWS_ECS_TASK_PATCHING_RETIREMENT_1","cluster":"prod","service":"api","tasks":["a"],"start":"2026-11-21T09:00:00Z"}`) {
			t.Errorf("%s: %s", tt.in, answer.Body)
		}
	}
}
