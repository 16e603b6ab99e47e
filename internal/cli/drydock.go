package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockCommand struct {
	Serve   drydockServe   `cmd:"" help:"Serve until interrupted; prints the environment as export lines."`
	Exec    drydockExec    `cmd:"" help:"Run a command against a drydock of its own and pass its exit code on."`
	Seed    drydockSeed    `cmd:"" help:"Plant a cluster, repository, log group and service (no task yet) to deploy to."`
	Advance drydockAdvance `cmd:"" help:"Move the calendar of a running drydock forward; everything due on the way happens."`
}

// drydockFlags are what serve and exec share.
type drydockFlags struct {
	Data      string  `help:"Folder that keeps everything; in memory when not given." type:"path" placeholder:"DIR"`
	Runtime   string  `help:"What runs containers: auto, docker or simulated." enum:"auto,docker,simulated" default:"auto"`
	TimeScale float64 `help:"Divide the scheduler's own durations; 1 is AWS's own pace." default:"20" placeholder:"N"`
	Account   string  `help:"AWS account id." default:"123456789012" placeholder:"ID"`
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
		Account: f.Account, Region: f.Region, Log: s.log(),
	}, nil
}

type drydockServe struct {
	drydockFlags
	Listen    string `help:"Loopback address to listen on; port 0 is a free one." default:"127.0.0.1:4566" placeholder:"HOST:PORT"`
	ReadyFile string `help:"File to write the export lines to once drydock answers; removed at the end." type:"path" placeholder:"FILE"`
}

// Run serves until ctx ends.
func (c *drydockServe) Run(ctx context.Context, s *session) error {
	o, err := c.options(s, c.Listen)
	if err != nil {
		return err
	}
	d, err := drydock.Start(ctx, o)
	if err != nil {
		return fmt.Errorf("start drydock: %w", err)
	}
	exports := exportLines(d)
	fmt.Fprint(s.sys.Stdout, exports)
	fmt.Fprintf(s.sys.Stderr, "drydock answers on %s, containers: %s, time scale %v; end it with Ctrl-C\n", d.Addr, d.Runtime, c.TimeScale)
	if c.ReadyFile != "" {
		if err := writeWhole(c.ReadyFile, exports); err != nil {
			return errors.Join(err, d.Close())
		}
		defer os.Remove(c.ReadyFile)
	}
	<-ctx.Done()
	return d.Close()
}

func exportLines(d *drydock.Server) string {
	var b strings.Builder
	for _, v := range d.Env() {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, shellQuote(v.Value))
	}
	return b.String()
}

// shellQuote quotes a word for a POSIX shell where it needs to be.
func shellQuote(word string) string {
	if word != "" && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:/@%+=") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// writeWhole makes a file appear with all of its content or not at all:
// somebody waits for it to be there.
func writeWhole(name, content string) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	_, err = io.WriteString(temporary, content)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("ready file: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}

type drydockExec struct {
	drydockFlags
	Command []string `arg:"" passthrough:"" help:"Command and its arguments, after --." placeholder:"CMD"`
}

// Run starts a drydock on a free port, runs the command, and ends both.
func (c *drydockExec) Run(ctx context.Context, s *session) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return &usageError{errors.New("drydock exec: no command"), "for example: plimsoll drydock exec -- aws ecs list-clusters"}
	}
	o, err := c.options(s, "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		return &usageError{fmt.Errorf("drydock exec: %w", err), ""}
	}
	d, err := drydock.Start(ctx, o)
	if err != nil {
		return fmt.Errorf("start drydock: %w", err)
	}
	err = runChild(ctx, s, command, d.Environ(s.sys.Environ))
	return errors.Join(err, d.Close())
}

// runChild runs a command on this process's own streams. An interrupt reaches
// the child from the terminal too; it gets time to end by itself, and drydock
// stays up as long as it lives.
func runChild(ctx context.Context, s *session, command, environ []string) error {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = s.sys.Stdin, s.sys.Stdout, s.sys.Stderr
	child.Env = environ
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 30 * time.Second
	err := child.Run()
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited) && exited.ExitCode() >= 0:
		return &exitError{exited.ExitCode()}
	case ctx.Err() != nil:
		return &exitError{130}
	case errors.As(err, &exited):
		return fmt.Errorf("%s: %s", command[0], exited)
	case err != nil:
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	return nil
}

type drydockAdvance struct {
	By       string `arg:"" help:"How far: 90s, 45m, 12h or 14d."`
	Endpoint string `help:"Address of the drydock (AWS_ENDPOINT_URL)." placeholder:"URL"`
}

// Run asks a running drydock to move its calendar.
func (c *drydockAdvance) Run(ctx context.Context, s *session) error {
	by, err := parseSpan(c.By)
	if err != nil {
		return &usageError{err, "for example 90s, 45m, 12h or 14d"}
	}
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = s.sys.Getenv("AWS_ENDPOINT_URL")
	}
	if endpoint == "" {
		return &usageError{errors.New("drydock advance: which drydock?"), "give --endpoint or set AWS_ENDPOINT_URL, as drydock serve prints it"}
	}
	body, err := json.Marshal(map[string]float64{"seconds": by.Seconds()})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(endpoint, "/")+"/_drydock/advance", bytes.NewReader(body))
	if err != nil {
		return &usageError{fmt.Errorf("endpoint %q: %w", endpoint, err), ""}
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("advance drydock: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("advance drydock: %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	var status drydock.Status
	if err := json.NewDecoder(answer.Body).Decode(&status); err != nil {
		return fmt.Errorf("advance drydock: %w", err)
	}
	fmt.Fprintf(s.sys.Stdout, "%s\n", status.Now.Format(time.RFC3339))
	return nil
}

// parseSpan reads a duration as people write it, with days.
func parseSpan(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 3650 {
			return 0, fmt.Errorf("%q is not a time to advance by", text)
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a time to advance by", text)
	}
	return d, nil
}
