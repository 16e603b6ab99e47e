// Package build turns a Dockerfile into an image and puts images into a
// registry.
//
//	built, err := build.Image(ctx, build.Options{Context: ".", Image: ref}, tell)
//	pushed, err := build.Push(ctx, build.PushOptions{Image: ref, Login: login}, tell)
//
// Image needs the docker command and an engine; Push needs them for an image
// that the engine holds, and nothing for an OCI layout, a tarball or an image
// made by Go code.
//
// Three promises: a tag that names another image is never moved
// ([TagExistsError]); the user's own docker configuration is read and never
// written; the values of build arguments and passwords are neither told nor
// part of an error.
package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Options says what to build.
type Options struct {
	Context  string            // a folder, or whatever docker takes: a URL, "-" is not supported
	File     string            // the Dockerfile, relative to the working directory; "" is Dockerfile in Context
	Target   string            // the stage to build; "" is the last
	Platform string            // "linux/arm64"; "" is the engine's own
	Args     []string          // build arguments, KEY=value, or KEY to take it from Env
	Labels   map[string]string // put onto the image
	Image    image.Reference   // what to call it; needs a tag
	NoCache  bool
	Login    *Login           // for base images in a private registry; nil: the user's own logins
	Env      []string         // the environment of docker; nil: our own
	Now      func() time.Time // the time of what is told; nil: time.Now
}

// Built is what came of a build.
type Built struct {
	ID     string // the engine's name for the image, "sha256:…"
	Steps  int    // of the Dockerfile
	Cached int    // of these, taken from the cache
}

// Image builds an image with the docker command, by BuildKit or by the legacy
// builder, whichever it uses. The errors worth telling apart are
// [*CLIMissingError], [*EngineError], [*BuildxMissingError],
// [*DockerfileError] and [*Error].
func Image(ctx context.Context, opts Options, tell story.Teller) (Built, error) {
	n := newNews(tell, story.Build, opts.Now)
	ref, err := tagged(opts.Image)
	if err != nil {
		return Built{}, err
	}
	if err := findDockerfile(opts); err != nil {
		return Built{}, err
	}
	d, err := newDocker(opts.Env, opts.Login)
	if err != nil {
		return Built{}, err
	}
	defer d.close()

	n.tell(story.Event{Kind: story.Begin, Message: "building " + ref})
	idFile := filepath.Join(d.scratch, "image-id")
	out := newOutput(secretsOf(opts.Args, d.env))
	args := buildArgs(opts, ref, idFile)
	for _, arg := range opts.Args {
		arg, variable := buildArg(arg, d.env)
		args = append(args, "--build-arg", arg)
		if variable != "" {
			d.env = append(d.env, variable)
		}
	}
	args = append(args, "--", opts.Context)
	// Both builders know the variable; the flag of the same name is new.
	d.env = append(d.env, "BUILDKIT_PROGRESS=plain")
	exit, err := d.run(ctx, func(line string) { out.read(line, n) }, args...)
	if err != nil {
		return Built{}, fmt.Errorf("building %s: %w", ref, err)
	}
	if exit != 0 {
		return Built{}, fmt.Errorf("building %s: %w", ref, d.failure(out.lines, out.failure()))
	}

	id, err := os.ReadFile(idFile)
	if err != nil {
		return Built{}, fmt.Errorf("building %s: docker did not say which image it built: %w", ref, err)
	}
	built := Built{ID: strings.TrimSpace(string(id)), Steps: out.total, Cached: out.cached}
	summary := fmt.Sprintf("built %s, %s", noun.Count(built.Steps, "step"), image.ShortDigest(built.ID))
	if built.Cached > 0 {
		summary = fmt.Sprintf("built %s, %d from the cache, %s", noun.Count(built.Steps, "step"), built.Cached, image.ShortDigest(built.ID))
	}
	n.tell(story.Event{Kind: story.End, Message: summary})
	return built, nil
}

func buildArgs(opts Options, ref, idFile string) []string {
	// The legacy builder leaves the container of a failed step behind unless
	// told otherwise; BuildKit has none and does not mind.
	args := []string{"build", "--tag", ref, "--iidfile", idFile, "--force-rm"}
	if opts.File != "" {
		args = append(args, "--file", opts.File)
	}
	if opts.Target != "" {
		args = append(args, "--target", opts.Target)
	}
	if opts.Platform != "" {
		args = append(args, "--platform", opts.Platform)
	}
	if opts.NoCache {
		args = append(args, "--no-cache")
	}
	for _, key := range slices.Sorted(maps.Keys(opts.Labels)) {
		args = append(args, "--label", key+"="+opts.Labels[key])
	}
	return args
}

// buildArg keeps the value of a build argument out of docker's command line,
// which everyone on the machine can read: docker takes it from a variable of
// the same name. Where that name means something to docker, or to what docker
// starts, the value has to stay on the command line.
func buildArg(arg string, env []string) (flag, variable string) {
	key, _, ok := strings.Cut(arg, "=")
	upper := strings.ToUpper(key)
	taken := slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, key+"=") })
	if !ok || key == "" || taken || strings.HasPrefix(upper, "DOCKER_") || strings.HasPrefix(upper, "BUILD") || strings.HasSuffix(upper, "_PROXY") {
		return arg, ""
	}
	return key, arg
}

// findDockerfile fails early, and in the same words for both builders, when
// there is nothing to build. Contexts that are no folder are left to docker.
func findDockerfile(opts Options) error {
	if opts.Context == "" {
		return errors.New("no build context given")
	}
	if strings.Contains(opts.Context, "://") || strings.HasPrefix(opts.Context, "git@") {
		return nil
	}
	file := opts.File
	if file == "" {
		file = filepath.Join(opts.Context, "Dockerfile")
	}
	info, err := os.Stat(file)
	if err != nil {
		return &DockerfileError{Path: file, Err: err}
	}
	if info.IsDir() {
		return &DockerfileError{Path: file, Err: errors.New("it is a folder")}
	}
	return nil
}

// tagged is registry/repository:tag. The digest goes: docker names images by
// tag, and what it will be is not known yet.
func tagged(ref image.Reference) (string, error) {
	if ref.Tag == "" {
		return "", fmt.Errorf("image %s has no tag", ref)
	}
	return ref.WithTag(ref.Tag).String(), nil
}

// news tells the story of one step.
type news struct {
	teller story.Teller
	step   story.Step
	now    func() time.Time
}

func newNews(tell story.Teller, step story.Step, now func() time.Time) news {
	if tell == nil {
		tell = func(story.Event) {}
	}
	if now == nil {
		now = time.Now
	}
	return news{tell, step, now}
}

func (n news) tell(e story.Event) {
	e.Time, e.Step = n.now(), n.step
	n.teller(e)
}
