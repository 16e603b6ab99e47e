package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

type releaseCommand struct {
	Tag          string `help:"Tag to release; the CI system's git tag, or the one on HEAD, when not given." placeholder:"TAG"`
	DesiredCount *int   `help:"How many tasks, set in the same update." placeholder:"N"`
	TakeOver     bool   `help:"Begin though another rollout is under way."`
	buildFlags
	rolloutFlags
	tagFlags
}

// Run builds, pushes and deploys. The deploy's checks that need no image run
// before anything is built: a wrong name should not cost a build.
func (c *releaseCommand) Run(ctx context.Context, s *session) error {
	client, p, set, err := s.service(ctx)
	if err != nil {
		return err
	}
	tag, err := s.releaseTag(ctx, c.Tag)
	if err != nil {
		return err
	}
	if err := c.policy().Check(tag); err != nil {
		return &refusedError{err}
	}
	ref, err := imageOf(ctx, client, set, tag)
	if err != nil {
		return err
	}
	tell := s.terminal().Tell
	if v, err := deploy.Check(ctx, p, targetOf(set), c.TakeOver, tell); err != nil {
		return s.verdict(v, err)
	}
	login, err := loginTo(ctx, client, ref.Registry)
	if err != nil {
		return err
	}
	if _, err := build.Image(ctx, c.options(s, ref, login), tell); err != nil {
		return err
	}
	if _, err := build.Push(ctx, build.PushOptions{Image: ref, Login: login, Env: s.sys.Environ}, tell); err != nil {
		return err
	}
	return s.verdict(deploy.Deploy(ctx, p, deploy.Request{
		Target: targetOf(set), Family: set.TaskDefinition.Value, Container: set.Container.Value, Image: ref,
		Policy: c.policy(), Desired: c.DesiredCount, TakeOver: c.TakeOver,
		NoWait: c.NoWait, Timeout: c.Timeout, Provenance: s.provenance(),
	}, tell))
}

// refusedError is a refusal before anything was changed: exit 3.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() + "; nothing was changed" }
func (e *refusedError) Unwrap() error { return e.err }

func loginTo(ctx context.Context, client *awsapi.Client, registry string) (*build.Login, error) {
	l, err := client.Login(ctx, registry)
	if err != nil {
		return nil, err
	}
	return &build.Login{Registry: l.Host, User: l.User, Password: l.Password}, nil
}

// releaseTag is the tag to release: the one given, that of the CI run, or the
// release tag on HEAD.
func (s *session) releaseTag(ctx context.Context, given string) (string, error) {
	if tag := cmp.Or(given, ci.Detect(s.sys.Getenv).Tag); tag != "" {
		return tag, nil
	}
	const hint = "give --tag, set CI_COMMIT_TAG, or tag the commit: git tag v1.2.3"
	out, err := exec.CommandContext(ctx, "git", "tag", "--points-at", "HEAD").Output()
	if err != nil {
		return "", &usageError{errors.New("which tag? none is given, the CI system names none, and git knows none here"), hint}
	}
	tags := slices.DeleteFunc(strings.Fields(string(out)), func(tag string) bool { return image.Policy{}.Check(tag) != nil })
	switch len(tags) {
	case 0:
		return "", &usageError{errors.New("which tag? no release tag points at HEAD"), hint}
	case 1:
		return tags[0], nil
	}
	return "", &usageError{fmt.Errorf("which tag? HEAD has several: %s", strings.Join(tags, ", ")), "give one with --tag"}
}
