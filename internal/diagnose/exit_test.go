package diagnose

import "testing"

func TestExitMeaning(t *testing.T) {
	const exited, scheduler = stopCodeExited, "ServiceSchedulerInitiated"
	for _, c := range []struct {
		evidence Evidence
		want     string
	}{
		{Evidence{}, ""},
		{Evidence{StopCode: exited, ExitCode: exit(0)}, "ended by itself, without an error"},
		{Evidence{StopCode: scheduler, ExitCode: exit(0)}, ""},
		{Evidence{StopCode: exited, ExitCode: exit(1)}, "the application's own error"},
		{Evidence{StopCode: exited, ExitCode: exit(42)}, ""},
		{Evidence{StopCode: exited, ExitCode: exit(126)}, "the command cannot be executed"},
		{Evidence{StopCode: exited, ExitCode: exit(127)}, "the command was not found"},
		{Evidence{StopCode: exited, ExitCode: exit(134)}, "SIGABRT: the program aborted itself"},
		{Evidence{StopCode: exited, ExitCode: exit(137)}, "SIGKILL: out of memory, or killed from inside"},
		{Evidence{StopCode: exited, ExitCode: exit(137), ContainerReason: "OutOfMemoryError: Container killed due to memory usage"}, "out of memory"},
		{Evidence{StopCode: scheduler, ExitCode: exit(137)}, "killed: it did not end within stopTimeout of SIGTERM"},
		{Evidence{StopCode: exited, ExitCode: exit(139)}, "SIGSEGV: segmentation fault"},
		{Evidence{StopCode: exited, ExitCode: exit(143)}, "SIGTERM: it was asked to end"},
		{Evidence{StopCode: exited, ExitCode: exit(162)}, "signal 34"},
		{Evidence{StopCode: exited, ExitCode: exit(200)}, ""},
		{Evidence{StopCode: exited, ExitCode: exit(255)}, "an error without a code, or an image for another CPU"},
		{Evidence{StopCode: exited, ExitCode: exit(-1)}, ""},
	} {
		if got := c.evidence.ExitMeaning(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.evidence, got, c.want)
		}
	}
}
