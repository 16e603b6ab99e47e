package build

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// The errors of this package that someone may decide on. Error says what is
// wrong, Hint what to do about it.

// CLIMissingError says that there is no docker command.
type CLIMissingError struct{ Err error }

func (e *CLIMissingError) Error() string { return "no docker command found: " + e.Err.Error() }
func (e *CLIMissingError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *CLIMissingError) Hint() string {
	return "install the docker command line, or push an OCI layout or a tarball, which needs none"
}

// EngineError says that the docker command cannot talk to an engine.
type EngineError struct {
	Host    string // DOCKER_HOST, or "" where it is not set
	Message string // docker's own words
}

func (e *EngineError) Error() string {
	if e.Host == "" {
		return "no docker engine reachable: " + e.Message
	}
	return fmt.Sprintf("no docker engine reachable at DOCKER_HOST=%s: %s", e.Host, e.Message)
}

// Hint says what to do.
func (e *EngineError) Hint() string {
	return "start docker, or point DOCKER_HOST at an engine; in GitLab CI add the service docker:dind to the job, " +
		"which also needs DOCKER_HOST=tcp://docker:2376, DOCKER_TLS_CERTDIR=/certs and a privileged runner"
}

// BuildxMissingError says that BuildKit was asked for and docker cannot do it.
type BuildxMissingError struct{}

func (e *BuildxMissingError) Error() string {
	return "DOCKER_BUILDKIT asks for BuildKit, but docker has no buildx plugin"
}

// Hint says what to do.
func (e *BuildxMissingError) Hint() string {
	return "install docker-buildx, or unset DOCKER_BUILDKIT to build with the legacy builder"
}

// DockerfileError says that there is no Dockerfile where it should be.
type DockerfileError struct {
	Path string
	Err  error
}

func (e *DockerfileError) Error() string { return "no Dockerfile at " + e.Path + ": " + e.Err.Error() }
func (e *DockerfileError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *DockerfileError) Hint() string {
	return "name the Dockerfile, relative to the working directory, and the build context"
}

// Error says that docker failed for a reason in the build itself.
type Error struct {
	Step     string   // "3/5 RUN go build", or "" when it was no step of the Dockerfile
	ExitCode int      // of the step's command; 0 when no command failed
	Lines    []string // the last lines of the failing step, or of the build when no step failed
}

func (e *Error) Error() string {
	what := "the build failed"
	if e.Step != "" {
		what = fmt.Sprintf("step %q failed", e.Step)
	}
	if e.ExitCode != 0 {
		return fmt.Sprintf("%s with exit code %d", what, e.ExitCode)
	}
	if len(e.Lines) > 0 {
		return what + ": " + e.Lines[len(e.Lines)-1]
	}
	return what
}

// Hint says what to do, or "" when the lines have to speak for themselves.
func (e *Error) Hint() string {
	for _, line := range e.Lines {
		if strings.Contains(line, "requires BuildKit") {
			return "install docker-buildx: the legacy builder does not know all of this Dockerfile"
		}
	}
	return ""
}

// ImageMissingError says that the docker engine does not hold the image.
type ImageMissingError struct{ Ref string }

func (e *ImageMissingError) Error() string { return "docker has no image " + e.Ref }

// Hint says what to do.
func (e *ImageMissingError) Hint() string {
	return "build it first; a buildx builder that is a container keeps its images to itself, unless it was made with --driver-opt default-load=true"
}

// ContentMissingError says that the docker engine holds an index without all
// of the images that it names.
type ContentMissingError struct{ Ref string }

func (e *ContentMissingError) Error() string {
	return "docker holds only a part of the images of " + e.Ref
}

// Hint says what to do.
func (e *ContentMissingError) Hint() string {
	return "pull or build it for every platform, or make one image of it: docker pull or docker build with --platform"
}

// TagExistsError says that the tag names another image already. Nothing of
// ours has replaced it.
type TagExistsError struct {
	Ref  image.Reference
	Have string // the digest that the tag names in the registry; "" when only its refusal is known
	Want string // what should have been pushed: a digest, or the image ID where docker knows nothing else
}

func (e *TagExistsError) Error() string {
	if e.Have == "" {
		return fmt.Sprintf("tag %s exists and cannot be overwritten", e.Ref)
	}
	return fmt.Sprintf("tag %s names another image already: %s, not %s", e.Ref, image.ShortDigest(e.Have), image.ShortDigest(e.Want))
}

// Hint says what to do.
func (e *TagExistsError) Hint() string {
	return "release under a new tag; a tag that moves takes the image away from whatever runs under it"
}

// RepositoryMissingError says that the registry has no such repository. ECR
// makes none by itself.
type RepositoryMissingError struct {
	Repository string // registry/repository
	Message    string // the registry's own words
}

func (e *RepositoryMissingError) Error() string {
	return fmt.Sprintf("repository %s does not exist: %s", e.Repository, e.Message)
}

// Hint says what to do.
func (e *RepositoryMissingError) Hint() string {
	return "create it where your infrastructure is defined, or check account, region and name"
}

// AuthError says that the registry does not let us.
type AuthError struct {
	Registry string
	Message  string // the registry's own words
}

func (e *AuthError) Error() string {
	return fmt.Sprintf("not authorised by registry %s: %s", e.Registry, e.Message)
}

// Hint says what to do.
func (e *AuthError) Hint() string {
	return "pushing needs ecr:GetAuthorizationToken on *, and on the repository ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, " +
		"ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage and ecr:BatchGetImage; a token is good for 12 hours"
}
