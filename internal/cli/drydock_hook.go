package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

type drydockHook struct {
	runningDrydock
	ARN           string        `arg:"" help:"ARN of the Lambda function."`
	Status        string        `arg:"" complete:"SUCCEEDED,FAILED,IN_PROGRESS" help:"SUCCEEDED, FAILED or IN_PROGRESS."`
	CallBackDelay time.Duration `help:"IN_PROGRESS: when ECS asks again; 30s when not given." placeholder:"TIME"`
}

// Help goes below the usage.
func (c *drydockHook) Help() string {
	return `There is no Lambda in drydock. A service whose deploymentConfiguration names a
function as a lifecycle hook is taken once its answer is known.

  plimsoll drydock hook \
      arn:aws:lambda:ap-northeast-1:123456789012:function:smoke-test SUCCEEDED

A PAUSE hook needs none of this: aws ecs continue-service-deployment answers it.`
}

// Run says what a function answers.
func (c *drydockHook) Run(ctx context.Context, s *session) error {
	in := ecs.HookAnswer{ARN: c.ARN, Status: strings.ToUpper(c.Status), CallBackDelay: int(c.CallBackDelay.Seconds())}
	var set ecs.HookAnswer
	if err := c.call(ctx, s, http.MethodPost, "hooks", in, &set); err != nil {
		return err
	}
	if s.json() {
		s.object(set)
		return nil
	}
	_, err := fmt.Fprintf(s.sys.Stdout, "%s answers %s\n", set.ARN, set.Status)
	return err
}
