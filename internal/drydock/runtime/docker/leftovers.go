package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// ownerLabel is on every container that a drydock made, and names the drydock.
const ownerLabel = "plimsoll.drydock"

// owner is the drydock that made a container: a process of a machine. The
// engine may serve several of them at once, and other machines too.
type owner struct {
	machine string
	process int
	id      string // tells the runtimes of one process apart
}

func newOwner() (owner, error) {
	machine, err := os.Hostname()
	if err != nil {
		return owner{}, fmt.Errorf("asking for this machine's name: %w", err)
	}
	return owner{machine, os.Getpid(), rand.Text()}, nil
}

func (o owner) String() string { return fmt.Sprintf("%s/%d/%s", o.machine, o.process, o.id) }

func parseOwner(label string) (owner, bool) {
	part := strings.Split(label, "/")
	if len(part) != 3 {
		return owner{}, false
	}
	process, err := strconv.Atoi(part[1])
	return owner{part[0], process, part[2]}, err == nil && process > 0
}

// gone says whether the drydock has certainly ended: its process was on this
// machine and is no more.
func (o owner) gone(machine string) bool {
	if o.machine != machine {
		return false
	}
	process, err := os.FindProcess(o.process)
	if err != nil {
		return true
	}
	err = process.Signal(syscall.Signal(0))
	return err == os.ErrProcessDone || err == syscall.ESRCH
}

// removeLeftovers removes the containers of drydocks that ended without it.
func removeLeftovers(ctx context.Context, engine *client.Client, log *slog.Logger) error {
	machine, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("asking for this machine's name: %w", err)
	}
	found, err := engine.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", ownerLabel),
	})
	if err != nil {
		return fmt.Errorf("looking for containers that a drydock left behind: %w", err)
	}
	for _, c := range found.Items {
		o, ok := parseOwner(c.Labels[ownerLabel])
		if !ok || !o.gone(machine) {
			continue
		}
		log.Info("removing a container that a drydock left behind", "id", c.ID, "owner", o.String())
		if err := remove(ctx, engine, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a container and its volumes; one that is gone is no error.
func remove(ctx context.Context, engine *client.Client, id string) error {
	_, err := engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	// A conflict says that the engine is removing it already.
	if err != nil && !cerrdefs.IsNotFound(err) && !cerrdefs.IsConflict(err) {
		return fmt.Errorf("removing container %s: %w", id, err)
	}
	return nil
}
