package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// releaseTag is the tag to release: the one given, that of the CI run, or the
// release tag on HEAD. It obeys the policy.
func (s *session) releaseTag(ctx context.Context, given string, policy image.Policy) (string, error) {
	tag := cmp.Or(given, ci.Detect(s.sys.Getenv).Tag)
	if tag == "" {
		return tagOnHead(ctx, policy)
	}
	if err := policy.Check(tag); err != nil {
		return "", &refusedError{err}
	}
	return tag, nil
}

// tagOnHead is the one tag on HEAD that the policy takes. It names what was
// committed, so with changes beyond that it names nothing that could be built.
func tagOnHead(ctx context.Context, policy image.Policy) (string, error) {
	const hint = "give --tag, set CI_COMMIT_TAG, or tag the commit: git tag v1.2.3"
	found, err := git(ctx, "tag", "--points-at", "HEAD")
	if err != nil {
		return "", &usageError{fmt.Errorf("which tag? none is given, the CI system names none, and git: %w", err), hint}
	}
	tags := slices.DeleteFunc(strings.Fields(found), func(tag string) bool { return policy.Check(tag) != nil })
	switch len(tags) {
	case 0:
		return "", &usageError{errors.New("which tag? no release tag points at HEAD"), hint}
	case 1:
	default:
		return "", &usageError{fmt.Errorf("which tag? HEAD has several: %s", strings.Join(tags, ", ")), "give one with --tag"}
	}
	changed, err := git(ctx, "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return "", &usageError{fmt.Errorf("is this %s? git: %w", tags[0], err), "give --tag"}
	}
	if changed != "" {
		return "", &usageError{
			fmt.Errorf("this is not %s: files have changed since that commit", tags[0]),
			"commit and tag them, or insist with --tag " + tags[0],
		}
	}
	return tags[0], nil
}

// git runs git; its error is git's own words.
func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		words, _, _ := strings.Cut(strings.TrimSpace(string(exited.Stderr)), "\n")
		return "", errors.New(cmp.Or(strings.TrimPrefix(words, "fatal: "), exited.Error()))
	}
	return strings.TrimSpace(string(out)), err
}
