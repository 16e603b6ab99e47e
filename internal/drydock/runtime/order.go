package runtime

import "fmt"

// Progress is how far a container has come.
type Progress struct {
	Started  bool
	Healthy  bool // as of its last check
	Ended    bool // it exited, failed, or will never start
	Failed   bool // it could not be started
	ExitCode int  // once Ended
}

// Ready says whether a container's dependencies let it start, given how far
// the others of its task are. The error says that they never will; it is
// worded as the ECS agent's (agent/engine/dependencygraph).
func Ready(c Container, progress func(container string) (Progress, bool)) (bool, error) {
	ready := true
	for _, d := range c.DependsOn {
		p, known := progress(d.Container)
		if !known {
			return false, fmt.Errorf("dependency graph: target [%s] depends on [%s], which is not in the task", c.Name, d.Container)
		}
		met, never := false, ""
		switch d.Condition {
		case "START":
			met, never = p.Started, "did not start"
		case "COMPLETE":
			met, never = p.Ended && !p.Failed, "did not start"
		case "SUCCESS":
			met, never = p.Ended && !p.Failed && p.ExitCode == 0, "did not exit successfully"
		case "HEALTHY":
			met, never = p.Healthy, "did not become healthy"
		default:
			return false, fmt.Errorf("dependency graph: target [%s] depends on [%s] with the unknown condition %q", c.Name, d.Container, d.Condition)
		}
		if !met && p.Ended {
			return false, fmt.Errorf("dependency graph: failed to resolve the container ordering dependency [%s] for target [%s] as dependency %s", d.Container, c.Name, never)
		}
		ready = ready && met
	}
	return ready, nil
}
