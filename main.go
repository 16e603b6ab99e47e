// Plimsoll deploys container images to Amazon ECS and proves that what runs
// can restart.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/plimsoll-ecs/plimsoll/internal/cli"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second interrupt ends the process at once
	// A pipe that nobody reads any more (plimsoll deploy | head) is an error of
	// that write, and no reason to die between two steps.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return cli.Run(ctx, args, cli.OS())
}
