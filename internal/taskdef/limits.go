package taskdef

import "strconv"

// Limits is what a container may use and how it is judged, as far as its end
// can be explained by it. 0 and "" are what the definition does not say.
type Limits struct {
	Memory      int // MiB, at which it is killed
	TaskMemory  string
	TaskCPU     string
	StopTimeout int // seconds; ECS takes 30 where nothing is said
	Health      *HealthCheck
}

// HealthCheck is a container's own.
type HealthCheck struct {
	Command     []string // CMD or CMD-SHELL first
	Interval    int      // seconds, 30 where nothing is said
	Timeout     int      // likewise, 5
	Retries     int      // likewise, 3
	StartPeriod int
}

// Limits are those of a container, the zero Limits for one that is not there.
func (d *Document) Limits(container string) Limits {
	for _, c := range d.def.get("containerDefinitions").items {
		if d.text(c.get("name")) != container {
			continue
		}
		l := Limits{
			Memory:      d.number(c.get("memory"), 0),
			TaskMemory:  d.literal(d.def.get("memory")),
			TaskCPU:     d.literal(d.def.get("cpu")),
			StopTimeout: d.number(c.get("stopTimeout"), 0),
		}
		if h := c.get("healthCheck"); h.kind == '{' {
			// The defaults are those of HealthCheck in the ECS API reference.
			l.Health = &HealthCheck{
				Interval: d.number(h.get("interval"), 30), Timeout: d.number(h.get("timeout"), 5),
				Retries: d.number(h.get("retries"), 3), StartPeriod: d.number(h.get("startPeriod"), 0),
			}
			for _, word := range h.get("command").items {
				l.Health.Command = append(l.Health.Command, d.text(word))
			}
		}
		return l
	}
	return Limits{}
}

// number is the value of a whole JSON number.
func (d *Document) number(n node, otherwise int) int {
	if i, err := strconv.Atoi(d.literal(n)); err == nil {
		return i
	}
	return otherwise
}

// literal is a string or a number as it stands.
func (d *Document) literal(n node) string {
	switch {
	case n.kind == '"':
		return d.text(n)
	case n.kind == '-' || n.kind >= '0' && n.kind <= '9':
		return string(d.raw[n.start:n.end])
	}
	return ""
}

// NeedsFargate reports whether the definition is made to run on Fargate.
func (d *Document) NeedsFargate() bool {
	for _, n := range d.def.get("requiresCompatibilities").items {
		if d.text(n) == "FARGATE" {
			return true
		}
	}
	return false
}
