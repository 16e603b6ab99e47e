package diagnose

import "fmt"

// ExitMeaning is what the exit code of a container says, in a few words; ""
// where it is the application's own affair. Codes above 128 are those of
// signals, by the habit of shells that container runtimes follow.
func (ev Evidence) ExitMeaning() string {
	if ev.ExitCode == nil {
		return ""
	}
	code := *ev.ExitCode
	switch code {
	case 0:
		if ev.StopCode == stopCodeExited {
			return "ended by itself, without an error"
		}
		return ""
	case 1:
		return "the application's own error"
	case 2:
		return "wrong use of a shell command, or a Go panic"
	case 125:
		return "the container runtime could not run it"
	case 126:
		return "the command cannot be executed"
	case 127:
		return "the command was not found"
	case 137:
		switch {
		case isOutOfMemory(ev.ContainerReason) || isOutOfMemory(ev.StoppedReason):
			return "out of memory"
		case ev.StopCode != "" && ev.StopCode != stopCodeExited:
			return "killed: it did not end within stopTimeout of SIGTERM"
		}
		return "SIGKILL: out of memory, or killed from inside"
	case 255:
		return "an error without a code, or an image for another CPU"
	}
	if name := signalName(code - 128); name != "" {
		return name
	}
	return ""
}

func signalName(signal int) string {
	switch signal {
	case 1:
		return "SIGHUP"
	case 2:
		return "SIGINT"
	case 3:
		return "SIGQUIT"
	case 4:
		return "SIGILL: an instruction that this CPU does not have"
	case 6:
		return "SIGABRT: the program aborted itself"
	case 7:
		return "SIGBUS: bad memory access"
	case 8:
		return "SIGFPE: bad arithmetic"
	case 11:
		return "SIGSEGV: segmentation fault"
	case 13:
		return "SIGPIPE: nobody read what it wrote"
	case 15:
		return "SIGTERM: it was asked to end"
	}
	if signal > 0 && signal < 65 {
		return fmt.Sprintf("signal %d", signal)
	}
	return ""
}
