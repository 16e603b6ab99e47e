package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

// ecspresso is a deploy by the ecspresso on PATH. Its files are those that its
// own init writes from the service; the tag comes from the environment, as its
// documentation does it.
func (y *yard) ecspresso(ctx context.Context) (func(tag string) *exec.Cmd, error) {
	dir := filepath.Join(y.bench.work, "ecspresso")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	run := func(tag string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "ecspresso", args...)
		cmd.Env = y.environ("IMAGE_TAG=" + tag)
		cmd.Dir = dir
		return cmd
	}
	if _, err := clocked(run("", "init", "--force-overwrite", "--region", drydock.DefaultRegion, "--cluster", cluster, "--service", service)); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "ecs-task-def.json")
	written, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	tagged := regexp.MustCompile(`("image": "[^"]*/` + repository + `:)[^"]*"`)
	if !tagged.Match(written) {
		return nil, fmt.Errorf("%s names no image of %s", file, repository)
	}
	template := tagged.ReplaceAll(written, []byte("${1}{{ must_env `IMAGE_TAG` }}\""))
	if err := os.WriteFile(file, template, 0o644); err != nil {
		return nil, err
	}
	return func(tag string) *exec.Cmd { return run(tag, "deploy") }, nil
}
