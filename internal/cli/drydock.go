package cli

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockCommand struct {
	Serve     drydockServe     `cmd:"" help:"Serve until interrupted; prints the environment as export lines."`
	Exec      drydockExec      `cmd:"" help:"Run a command against a drydock of its own and pass its exit code on."`
	Seed      drydockSeed      `cmd:"" help:"Plant a cluster, repository, log group and service (no task yet) to deploy to."`
	Advance   drydockAdvance   `cmd:"" help:"Move the calendar of a running drydock forward; everything due on the way happens."`
	Clock     drydockClock     `cmd:"" help:"Show the time and pace of a running drydock, or change them."`
	Faults    drydockFaults    `cmd:"" help:"Make a running drydock throttle, fail, wait or hang up."`
	Retire    drydockRetire    `cmd:"" help:"Announce that a running drydock retires the tasks of a service for maintenance."`
	Events    drydockEvents    `cmd:"" help:"Show what a running drydock sent to EventBridge: tasks, deployments, services, AWS Health."`
	State     drydockState     `cmd:"" help:"Show what a running drydock holds, all of it as JSON in AWS's own shapes."`
	Requests  drydockRequests  `cmd:"" help:"Show what a running drydock was asked, with IAM actions and errors."`
	Behaviour drydockBehaviour `cmd:"" help:"Make the containers of an image crash, fail their health check or start slowly, from the next task on."`
	Run       drydockRun       `cmd:"" help:"Play scenarios: what happens to a fleet day by day, and what is expected of it."`
	Alarm     drydockAlarm     `cmd:"" help:"Set the state of a CloudWatch alarm that deployments of a running drydock watch, or show the states."`
	Hook      drydockHook      `cmd:"" help:"Say what the Lambda function of a lifecycle hook answers in a running drydock."`
	Instances drydockInstances `cmd:"" help:"Add simulated EC2 container instances to a cluster of a running drydock, terminate or list them."`
}

// drydockFlags are what serve and exec share.
type drydockFlags struct {
	Data      string  `help:"Folder that keeps everything; in memory when not given." type:"path" placeholder:"DIR"`
	Runtime   string  `help:"What runs containers: auto, docker or simulated." enum:"auto,docker,simulated" default:"auto"`
	TimeScale float64 `help:"Divide the scheduler's own durations; 1 is AWS's own pace." default:"20" placeholder:"N"`
	Account   string  `help:"AWS account id." default:"123456789012" placeholder:"ID"`
	Anonymous bool    `help:"Let docker push and pull without a login."`
	Region    string  `help:"AWS region." default:"ap-northeast-1" placeholder:"NAME"`
}

func (f drydockFlags) options(s *session, listen string) (drydock.Options, error) {
	if f.TimeScale <= 0 {
		return drydock.Options{}, &usageError{fmt.Errorf("--time-scale=%v: it must be above 0", f.TimeScale), "1 is AWS's own pace, 20 the default"}
	}
	if len(f.Account) != 12 || strings.Trim(f.Account, "0123456789") != "" {
		return drydock.Options{}, &usageError{fmt.Errorf("--account=%q: an account id has 12 digits", f.Account), "for example 123456789012"}
	}
	return drydock.Options{
		Listen: listen, Data: f.Data, Runtime: drydock.Runtime(f.Runtime), TimeScale: f.TimeScale,
		Anonymous: f.Anonymous, Account: f.Account, Region: f.Region, Log: s.log(),
	}, nil
}

// shellQuote quotes a word for a POSIX shell where it needs to be.
func shellQuote(word string) string {
	if word != "" && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:/@%+=") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
