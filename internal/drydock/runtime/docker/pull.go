package docker

import (
	"context"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// pull brings a container's image to the engine and returns the name to
// create the container by.
func (r *Runtime) pull(ctx context.Context, c runtime.Container) (string, error) {
	if c.Digest == "" {
		return r.pullForeign(ctx, c)
	}
	host := r.Host()
	user, secret := r.Auth()
	auth, err := authconfig.Encode(registry.AuthConfig{Username: user, Password: secret, ServerAddress: host})
	if err != nil {
		return "", fmt.Errorf("encoding the registry's credentials: %w", err)
	}
	image := host + "/" + c.Image.Repository + "@" + c.Digest
	if err := r.fetch(ctx, image, auth); err != nil {
		return "", r.pullError(ctx, err, c.Image.WithDigest(c.Digest).String())
	}
	return image, nil
}

// pullForeign takes an image that is not in drydock's ECR: the one the engine
// has, and only without one the registry's.
func (r *Runtime) pullForeign(ctx context.Context, c runtime.Container) (string, error) {
	image := c.Image.String()
	if c.Image.Digest != "" {
		image = c.Image.Name() + "@" + c.Image.Digest // the engine takes no tag beside a digest
	}
	if _, err := r.engine.ImageInspect(ctx, image); err == nil {
		return image, nil
	}
	auth := ""
	if c.Login != (runtime.Login{}) {
		var err error
		auth, err = authconfig.Encode(registry.AuthConfig{Username: c.Login.Username, Password: c.Login.Password, ServerAddress: c.Image.Registry})
		if err != nil {
			return "", fmt.Errorf("encoding the registry's credentials: %w", err)
		}
	}
	if err := r.fetch(ctx, image, auth); err != nil {
		return "", r.pullError(ctx, err, image)
	}
	return image, nil
}

func (r *Runtime) fetch(ctx context.Context, image, auth string) error {
	progress, err := r.engine.ImagePull(ctx, image, client.ImagePullOptions{RegistryAuth: auth})
	if err != nil {
		return err
	}
	return progress.Wait(ctx)
}

// pullError says in ECS's words what docker says in its own. What ECS passes
// on as it is stays as it is.
func (r *Runtime) pullError(ctx context.Context, err error, image string) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "no matching manifest"):
		return fmt.Errorf("pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform '%s'", r.platform(ctx))
	case strings.Contains(text, "manifest unknown"), strings.Contains(text, "name unknown"), cerrdefs.IsNotFound(err) && !strings.Contains(text, "denied"):
		return fmt.Errorf("pull image manifest has been retried 1 time(s): failed to resolve ref %[1]s: %[1]s: not found", image)
	}
	return err
}

// platform is the engine's, for messages.
func (r *Runtime) platform(ctx context.Context) string {
	v, err := r.engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "unknown"
	}
	return v.Os + "/" + v.Arch
}
