package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type maintenanceLambda struct{}

// Help goes below the usage.
func (c *maintenanceLambda) Help() string {
	return `The handler of a function on the runtime provided.al2023: its input is an AWS
Health event of an EventBridge rule, or a batch of them from SQS. The environment
configures it:

  PLIMSOLL_WINDOWS   windows as of maintenance run, with ; between several
  PLIMSOLL_AHEAD     as --ahead, 24h
  PLIMSOLL_WAVES     patterns of cluster/service, a wave each, with , between
  PLIMSOLL_PIN       true: as --pin
  PLIMSOLL_DRY_RUN   true: change nothing
  PLIMSOLL_CONFIG    a plimsoll.yaml, where there is more to say

The file bootstrap of the function's archive runs it:

  #!/bin/sh
  exec "$LAMBDA_TASK_ROOT/plimsoll" maintenance lambda

Windows need a queue: what has to wait stays in it. docs/maintenance.md has the
whole of it for Terraform and CloudFormation.`
}

// Run serves invocations until the process is ended.
func (c *maintenanceLambda) Run(ctx context.Context, s *session) error {
	if s.sys.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return &usageError{errors.New("this is no AWS Lambda function: AWS_LAMBDA_RUNTIME_API is not set"), "elsewhere: plimsoll maintenance run"}
	}
	r, err := c.settings(s.sys.Getenv)
	if err != nil {
		return err
	}
	s.globals.Output = "json" // CloudWatch Logs shows and searches it by its members
	y, err := s.yard(ctx, r.windows)
	if err != nil {
		return err
	}
	if len(r.waves) > 0 {
		y.settings.Waves = r.waves
	}
	if r.pin != nil {
		y.pin(*r.pin)
	}
	if r.ahead == 0 {
		r.ahead = time.Duration(y.settings.Ahead)
	}
	lambda.StartWithOptions(func(ctx context.Context, input json.RawMessage) (maintenance.Answer, error) {
		return maintenance.Invoke(ctx, input, func(ctx context.Context, notices []maintenance.Notice) (maintenance.Outcome, error) {
			o := s.termOptions()
			t := term.New(o)
			defer t.Close()
			plan, err := maintenance.Foresee(ctx, y.ports, notices, y.wave())
			if err != nil {
				return maintenance.Outcome{}, err
			}
			outcome, err := maintenance.Run(ctx, y.ports, plan, maintenance.RunRequest{Windows: y.windows, Ahead: r.ahead, DryRun: r.dryRun}, t.Tell)
			results := outcome.Results
			if maintenance.Repeats(input) {
				results = slices.DeleteFunc(slices.Clone(results), func(r deploy.Result) bool { return r.Verdict.Outcome == deploy.Refused })
			}
			if m, news := maintained(results, deploy.Sum(results), time.Now()); news && err == nil && !r.dryRun {
				s.notify(ctx, y.client, m)
			}
			return outcome, err
		})
	}, lambda.WithContext(ctx))
	return nil
}

// lambdaSettings is what the environment of a function says.
type lambdaSettings struct {
	windows, waves []string
	ahead          time.Duration
	pin            *bool // nil: as the file says
	dryRun         bool
}

func (c *maintenanceLambda) settings(getenv func(string) string) (lambdaSettings, error) {
	r := lambdaSettings{windows: listOf(getenv("PLIMSOLL_WINDOWS"), ";"), waves: listOf(getenv("PLIMSOLL_WAVES"), ",")}
	var err error
	if text := getenv("PLIMSOLL_AHEAD"); text != "" {
		if r.ahead, err = time.ParseDuration(text); err != nil || r.ahead < 0 {
			return r, &usageError{fmt.Errorf("PLIMSOLL_AHEAD=%q is not a span of time", text), "write it as 24h or 90m"}
		}
	}
	dryRun, err := truth(getenv, "PLIMSOLL_DRY_RUN")
	if err != nil {
		return r, err
	}
	r.dryRun = dryRun != nil && *dryRun
	r.pin, err = truth(getenv, "PLIMSOLL_PIN")
	return r, err
}

// truth is a variable that says true or false, nil when it is not set.
func truth(getenv func(string) string, name string) (*bool, error) {
	text := getenv(name)
	if text == "" {
		return nil, nil
	}
	is, err := strconv.ParseBool(text)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s=%q is neither true nor false", name, text), ""}
	}
	return &is, nil
}

// listOf are the parts of a text, without those that are blank.
func listOf(text, separator string) []string {
	var list []string
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
