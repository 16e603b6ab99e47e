//go:build unix

package build

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup starts cmd in a process group of its own. Ctrl-C on the terminal
// then reaches us alone, and what docker starts (plugins, credential helpers)
// can be ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup asks the group to end.
func endGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGTERM) }

// killGroup ends whatever of the group is left.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
