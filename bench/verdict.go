package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

// verdictScale makes a rollout of drydock's take about twenty seconds.
const verdictScale = 5

// watched is what one waiting deploy came to.
type watched struct{ late, took, calls, looks float64 }

// verdict compares how late waiting deploys tell what is true, and what they
// ask for it, on rollouts of about twenty seconds.
func (b *bench) verdict(ctx context.Context) (t table, err error) {
	y, err := b.open(ctx, verdictScale, "--runtime", "simulated")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if err := y.plant(ctx); err != nil {
		return t, err
	}
	type contender struct {
		name    string
		command func(tag string) *exec.Cmd
		seen    []watched
	}
	list := []contender{
		{name: "`plimsoll deploy`", command: func(tag string) *exec.Cmd { return y.plimsoll(ctx, "deploy", "--image-tag", tag) }},
		{name: "`plimsoll deploy --poll economical`", command: func(tag string) *exec.Cmd {
			return y.plimsoll(ctx, "deploy", "--image-tag", tag, "--poll", "economical")
		}},
		{name: "`aws + jq + wait services-stable`", command: func(tag string) *exec.Cmd { return y.article(ctx, tag, "wait") }},
	}
	if _, err := exec.LookPath("ecspresso"); err != nil {
		t.title = " (ecspresso is not on PATH)"
	} else {
		command, err := y.ecspresso(ctx)
		if err != nil {
			return t, err
		}
		list = append(list, contender{name: "`ecspresso deploy`", command: command})
	}
	for round := range b.runs {
		for i := range list {
			c := &list[(i+round)%len(list)]
			w, err := y.watch(ctx, c.command)
			if err != nil {
				return t, fmt.Errorf("%s: %w", c.name, err)
			}
			c.seen = append(c.seen, w)
		}
	}
	t.title = fmt.Sprintf("The verdict after a rollout of some 20 s, drydock at time scale %d, %d runs", verdictScale, b.runs) + t.title
	t.head = []string{"", "late by, median", "min", "max", "whole deploy", "calls in all", "of them while watching", "a second"}
	for _, c := range list {
		column := func(of func(watched) float64) sample {
			var s sample
			for _, w := range c.seen {
				s = append(s, of(w))
			}
			return s
		}
		rate := column(func(w watched) float64 { return w.looks / w.took })
		t.rows = append(t.rows, append(append([]string{c.name}, column(func(w watched) float64 { return w.late }).cells(seconds)...),
			seconds(column(func(w watched) float64 { return w.took }).median()),
			whole(column(func(w watched) float64 { return w.calls }).median()),
			whole(column(func(w watched) float64 { return w.looks }).median()),
			fmt.Sprintf("%.2f", rate.median())))
	}
	return t, nil
}

// watch runs one deploy and holds its end against ECS's own event.
func (y *yard) watch(ctx context.Context, command func(string) *exec.Cmd) (watched, error) {
	tag, err := y.push(ctx, nil)
	if err != nil {
		return watched{}, err
	}
	if err := y.steady(ctx, service); err != nil {
		return watched{}, err
	}
	before, err := y.requests(ctx, 0)
	if err != nil {
		return watched{}, err
	}
	last := int64(0)
	if n := len(before); n > 0 {
		last = before[n-1].Number
	}
	took, err := clocked(command(tag))
	if err != nil {
		return watched{}, err
	}
	end := time.Now()
	made, err := y.requests(ctx, last)
	if err != nil {
		return watched{}, err
	}
	out, err := y.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}})
	if err != nil {
		return watched{}, err
	}
	i := slices.IndexFunc(out.Services[0].Events, func(e types.ServiceEvent) bool {
		return strings.Contains(aws.ToString(e.Message), "deployment completed")
	})
	if i < 0 {
		return watched{}, errors.New("no deployment has completed")
	}
	w := watched{late: end.Sub(aws.ToTime(out.Services[0].Events[i].CreatedAt)).Seconds(), took: took, calls: float64(len(made))}
	if update := slices.IndexFunc(made, func(r drydock.Request) bool { return r.Operation == "UpdateService" }); update >= 0 {
		w.looks = float64(len(made) - 1 - update)
	}
	return w, y.runs(ctx, tag)
}

// requests is drydock's log after a number.
func (y *yard) requests(ctx context.Context, after int64) ([]drydock.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/_drydock/requests?after=%d", y.addr, after), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var out drydock.Requests
	err = json.NewDecoder(answer.Body).Decode(&out)
	return out.Requests, err
}

// failing measures the time from the end of the first task that proves a
// failure to the verdict. One crash is proof here (--fail-after 1), so that it
// is the tool that is measured and not the second start.
func (b *bench) failing(ctx context.Context) (t table, err error) {
	y, err := b.open(ctx, verdictScale, "--runtime", "simulated")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if err := y.plant(ctx); err != nil {
		return t, err
	}
	var late sample
	for range b.runs {
		figure, err := y.fail(ctx)
		if err != nil {
			return t, err
		}
		late = append(late, figure)
	}
	t = table{
		title: fmt.Sprintf("From the first conclusive failed task to the verdict, drydock at time scale %d, %d runs", verdictScale, b.runs),
		head:  []string{"", "median", "min", "max"},
		rows:  [][]string{append([]string{"`plimsoll deploy`"}, late.cells(seconds)...)},
	}
	return t, nil
}

func (y *yard) fail(ctx context.Context) (float64, error) {
	tag, err := y.push(ctx, map[string]string{"plimsoll.drydock.exit-after": "5s", "plimsoll.drydock.exit-code": "1"})
	if err != nil {
		return 0, err
	}
	if err := y.steady(ctx, service); err != nil {
		return 0, err
	}
	var said bytes.Buffer
	cmd := y.plimsoll(ctx, "deploy", "--image-tag", tag, "--fail-after", "1", "--output", "json")
	cmd.Stdout = &said
	var ended *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &ended) || ended.ExitCode() != 4 {
		return 0, fmt.Errorf("a deploy that must fail: %w\n%s", err, said.String())
	}
	var task string
	var told time.Time
	for line := range strings.Lines(said.String()) {
		var e struct {
			Time    time.Time
			Kind    string
			Step    string
			Failure *struct{ TaskID string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return 0, err
		}
		switch {
		case e.Kind == "failed" && e.Failure != nil && task == "":
			task = e.Failure.TaskID
		case e.Kind == "failed" && e.Failure == nil && told.IsZero():
			told = e.Time
		}
	}
	out, err := y.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: []string{task}})
	if err != nil || len(out.Tasks) == 0 {
		return 0, fmt.Errorf("task %q that failed: %w", task, err)
	}
	return told.Sub(aws.ToTime(out.Tasks[0].ExecutionStoppedAt)).Seconds(), nil
}
