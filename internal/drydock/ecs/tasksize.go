package ecs

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// taskSize is the CPU units and MiB of a whole task as ECS keeps them: as
// numbers, whatever unit they were given in; "" for what was not given.
type taskSize struct{ cpu, memory string }

// taskSizeOf reads the size of a definition and normalizes it there: "0.5
// vCPU" and "1 GB" become 512 and 1024 (API reference, RegisterTaskDefinition).
func taskSizeOf(in *ecs.RegisterTaskDefinitionInput) (taskSize, error) {
	var size taskSize
	if in.Cpu != nil {
		units, ok := quantity(*in.Cpu, "vcpu")
		if !ok {
			return taskSize{}, wire.Errorf("ClientException", "Invalid 'cpu' setting for task.")
		}
		size.cpu = strconv.Itoa(units)
		in.Cpu = &size.cpu
	}
	if in.Memory != nil {
		mib, ok := quantity(*in.Memory, "gb")
		if !ok {
			return taskSize{}, wire.Errorf("ClientException", "Invalid 'memory' setting for task.")
		}
		size.memory = strconv.Itoa(mib)
		in.Memory = &size.memory
	}
	return size, nil
}

// put writes the size into the document that is kept.
func (s taskSize) put(doc map[string]any) {
	if s.cpu != "" {
		doc["cpu"] = s.cpu
	}
	if s.memory != "" {
		doc["memory"] = s.memory
	}
}

// quantity reads a positive number of CPU units or MiB, or of 1024 of them
// with the unit behind it.
func quantity(s, unit string) (int, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if number, large := strings.CutSuffix(s, unit); large {
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		n := f * 1024
		ok := err == nil && n >= 1 && n < 1<<31 && n == float64(int(n))
		if !ok {
			return 0, false
		}
		return int(n), true
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err == nil && n > 0
}

// normalize is a size of an override as ECS keeps it; one that cannot be read
// stays, for fargateSize to refuse.
func normalize(size *string, unit string) *string {
	if size == nil {
		return nil
	}
	if n, ok := quantity(*size, unit); ok {
		return aws.String(strconv.Itoa(n))
	}
	return size
}

// fargateSize says whether Fargate offers that pair of CPU units and MiB
// (developer guide, task size).
func fargateSize(cpu, memory string) bool {
	units, ok := quantity(cpu, "vcpu")
	mib, ok2 := quantity(memory, "gb")
	if !ok || !ok2 {
		return false
	}
	inSteps := func(from, to, step int) bool {
		return mib >= from*1024 && mib <= to*1024 && (mib-from*1024)%(step*1024) == 0
	}
	switch units {
	case 256:
		return mib == 512 || inSteps(1, 2, 1)
	case 512:
		return inSteps(1, 4, 1)
	case 1024:
		return inSteps(2, 8, 1)
	case 2048:
		return inSteps(4, 16, 1)
	case 4096:
		return inSteps(8, 30, 1)
	case 8192:
		return inSteps(16, 60, 4)
	case 16384:
		return inSteps(32, 120, 8)
	}
	return false
}
