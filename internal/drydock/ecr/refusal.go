package ecr

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// The wording is ECR's own wherever an answer of AWS could be found: in AWS's
// documentation, in error reports of users, in moto. Where none
// was found, it is the description of the exception in the API reference.

// Codes of the refusals that callers outside the package tell apart.
const (
	CodeRepositoryNotFound = "RepositoryNotFoundException"
	CodeImageNotFound      = "ImageNotFoundException"
	CodeTagAlreadyExists   = "ImageTagAlreadyExistsException"
	CodeLayersNotFound     = "LayersNotFoundException"
	CodeReferencedNotFound = "ReferencedImagesNotFoundException"
	CodeInvalidLayer       = "InvalidLayerException"
	CodeInvalidLayerPart   = "InvalidLayerPartException"
	CodeInvalidParameter   = "InvalidParameterException"
	CodeUploadNotFound     = "UploadNotFoundException"
	codeAlreadyExists      = "ImageAlreadyExistsException"
	codeStorageClass       = "ImageStorageClassUpdateNotSupportedException"
)

func invalid(parameter, constraint string, args ...any) *wire.Error {
	return wire.Errorf(CodeInvalidParameter, "Invalid parameter at '%s' failed to satisfy constraint: '%s'",
		parameter, fmt.Sprintf(constraint, args...))
}

func repositoryNotFound(name, account string) *wire.Error {
	return wire.Errorf(CodeRepositoryNotFound,
		"The repository with name '%s' does not exist in the registry with id '%s'", name, account)
}

// identity is an id as messages have it.
func identity(id types.ImageIdentifier) string {
	orNull := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	return fmt.Sprintf("{imageDigest:'%s', imageTag:'%s'}", orNull(id.ImageDigest), orNull(id.ImageTag))
}

func (r *Registry) imageNotFound(repository string, id types.ImageIdentifier) *wire.Error {
	return wire.Errorf(CodeImageNotFound,
		"The image with imageId %s does not exist within the repository with name '%s' in the registry with id '%s'", identity(id), repository, r.account)
}

func (r *Registry) imageAlreadyExists(repository, digest, tag string) *wire.Error {
	if tag == "" {
		tag = "null"
	}
	return wire.Errorf(codeAlreadyExists,
		"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'",
		digest, tag, repository, r.account)
}

// tagAlreadyExists: since exclusion filters exist, ECR names the tag and not
// the repository as what is immutable in a repository that has such filters.
func tagAlreadyExists(s settings, tag string) *wire.Error {
	immutable := "tag"
	if s.Mutability == types.ImageTagMutabilityImmutable {
		immutable = "repository"
	}
	return wire.Errorf(CodeTagAlreadyExists,
		"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the %s is immutable.",
		tag, s.Name, immutable)
}

// missingForPush: what is "Layers" or "Images".
func (r *Registry) missingForPush(code, what, repository string, digests []string) *wire.Error {
	return wire.Errorf(code,
		"%s with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		what, strings.Join(digests, ", "), repository, r.account)
}

func (r *Registry) layerNotFound(repository, digest string) *wire.Error {
	return wire.Errorf(CodeLayersNotFound,
		"The layer with digest '%s' does not exist in the repository with name '%s' in the registry with id '%s'",
		digest, repository, r.account)
}

func (r *Registry) lifecyclePolicyNotFound(repository string) *wire.Error {
	return wire.Errorf("LifecyclePolicyNotFoundException",
		"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", repository, r.account)
}

func uploadNotFound(id string) *wire.Error {
	return wire.Errorf(CodeUploadNotFound,
		"The upload with id '%s' could not be found, or the specified upload ID is not valid for this repository.", id)
}
