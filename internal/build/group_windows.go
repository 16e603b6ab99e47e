package build

import (
	"os"
	"os/exec"
)

// Windows has no process groups to signal; docker itself is ended.

func ownGroup(*exec.Cmd) {}

func endGroup(p *os.Process) error { return p.Kill() }

func killGroup(*os.Process) {}
