package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"
)

// fleetRuns bounds the runs of the parts that build a fleet each time.
const fleetRuns = 5

// memory measures the peak resident memory of drydock, idle and with a fleet.
func (b *bench) memory(ctx context.Context) (table, error) {
	runs := min(b.runs, fleetRuns)
	idle := func(ctx context.Context) (float64, error) { return b.peak(ctx, 0) }
	fleet := func(ctx context.Context) (float64, error) { return b.peak(ctx, b.services) }
	samples, err := interleave(ctx, runs, contender{"idle", idle}, contender{"fleet", fleet})
	if err != nil {
		return table{}, err
	}
	return table{
		title: fmt.Sprintf("Peak resident memory of drydock, %d runs", runs),
		head:  []string{"", "median", "min", "max"},
		rows: [][]string{
			append([]string{"idle, after its first answer"}, samples[0].cells(megabytes)...),
			append([]string{fmt.Sprintf("%d services of 2 simulated tasks, all steady", b.services)}, samples[1].cells(megabytes)...),
		},
	}, nil
}

func (b *bench) peak(ctx context.Context, services int) (_ float64, err error) {
	y, err := b.open(ctx, 1000, "--runtime", "simulated")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if services > 0 {
		names, err := y.fleet(ctx, services, 2, nil)
		if err != nil {
			return 0, err
		}
		if err := y.steady(ctx, names...); err != nil {
			return 0, err
		}
	}
	return peakOf(y.served.Process.Pid)
}

// peakOf reads VmHWM, which Linux alone has.
func peakOf(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("peak memory is read from Linux's /proc: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("no VmHWM in /proc")
}

// scheduler measures how many days drydock's scheduler gets through in a
// second at AWS's own pace: with a fleet at rest, and with one whose tasks end
// every hour.
func (b *bench) scheduler(ctx context.Context) (t table, err error) {
	runs := min(b.runs, fleetRuns)
	t = table{
		title: fmt.Sprintf("Scheduler, virtual days per second, %d runs", runs),
		head:  []string{"", "median", "min", "max"},
	}
	for _, l := range []load{
		{name: "at rest", services: b.services, before: 30, days: 5},
		{name: "whose tasks end every hour", services: max(1, b.services/10), before: 2, days: 1,
			labels: map[string]string{"plimsoll.drydock.exit-after": "1h"}},
	} {
		rate, err := b.rate(ctx, runs, l)
		if err != nil {
			return t, err
		}
		name := fmt.Sprintf("%d services of 2 tasks, %s", l.services, l.name)
		t.rows = append(t.rows, append([]string{name}, rate.cells(number)...))
	}
	return t, nil
}

// load is a fleet for the scheduler to look after.
type load struct {
	name     string
	services int
	labels   map[string]string // of their image
	before   int               // days that pass first: a service costs more until it has its hundred events
	days     int               // a measurement takes
}

func (b *bench) rate(ctx context.Context, runs int, l load) (_ sample, err error) {
	y, err := b.open(ctx, 1, "--runtime", "simulated")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if _, err := y.fleet(ctx, l.services, 2, l.labels); err != nil {
		return nil, err
	}
	if _, err := y.advance(ctx, l.before); err != nil {
		return nil, err
	}
	samples, err := interleave(ctx, runs, contender{"advance", func(ctx context.Context) (float64, error) {
		took, err := y.advance(ctx, l.days)
		return float64(l.days) / took, err
	}})
	if err != nil {
		return nil, err
	}
	return samples[0], nil
}

// What part month takes through its days.
const (
	monthServices = 10_000
	monthTasks    = 4
	monthDays     = 30
)

// month measures how long thirty days of a large fleet take, and the most
// memory meanwhile: first its deployments, then what keeps it as it is.
func (b *bench) month(ctx context.Context) (table, error) {
	var peaks sample
	samples, err := interleave(ctx, min(b.runs, 3), contender{"month", func(ctx context.Context) (_ float64, err error) {
		y, err := b.open(ctx, 1, "--runtime", "simulated")
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, y.close()) }()
		names, err := y.fleet(ctx, monthServices, monthTasks, nil)
		if err != nil {
			return 0, err
		}
		took, err := y.advance(ctx, monthDays)
		if err != nil {
			return 0, err
		}
		peak, err := peakOf(y.served.Process.Pid)
		if err != nil {
			return 0, err
		}
		peaks = append(peaks, peak)
		return took, y.steady(ctx, names...)
	}})
	if err != nil {
		return table{}, err
	}
	return table{
		title: fmt.Sprintf("%d days of %d services of %d tasks, deployed on the first, %d runs", monthDays, monthServices, monthTasks, len(samples[0])),
		head:  []string{"", "median", "min", "max"},
		rows: [][]string{
			append([]string{"time"}, samples[0].cells(seconds)...),
			append([]string{"peak resident memory"}, peaks[1:].cells(megabytes)...), // the first round is not counted
		},
	}, nil
}

// fleet creates services.
func (y *yard) fleet(ctx context.Context, services, tasks int, labels map[string]string) ([]string, error) {
	if _, err := clocked(y.plimsoll(ctx, "drydock", "seed")); err != nil {
		return nil, err
	}
	tag, err := y.push(ctx, labels)
	if err != nil {
		return nil, err
	}
	if _, err := y.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("fleet"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::123456789012:role/fleet-execution"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(y.addr + "/" + repository + ":" + tag),
		}},
	}); err != nil {
		return nil, err
	}
	names := make([]string, services)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range names {
		names[i] = fmt.Sprintf("service-%05d", i)
		group.Go(func() error {
			_, err := y.ecs.CreateService(ctx, &ecs.CreateServiceInput{
				Cluster: aws.String(cluster), ServiceName: &names[i], TaskDefinition: aws.String("fleet"),
				DesiredCount: aws.Int32(int32(tasks)), LaunchType: types.LaunchTypeFargate,
				NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
			})
			return err
		})
	}
	return names, group.Wait()
}
