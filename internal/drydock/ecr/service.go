package ecr

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Service is the AWS API of the registry.
func (r *Registry) Service() wire.Service {
	return wire.Service{
		Name:   "ECR",
		Target: "AmazonEC2ContainerRegistry_V20150921",
		Operations: map[string]wire.Operation{
			"DescribeRegistry":      locked(r, r.describeRegistry),
			"GetRegistryPolicy":     locked(r, r.getRegistryPolicy),
			"PutRegistryPolicy":     locked(r, r.putRegistryPolicy),
			"DeleteRegistryPolicy":  locked(r, r.deleteRegistryPolicy),
			"GetAccountSetting":     locked(r, r.getAccountSetting),
			"PutAccountSetting":     locked(r, r.putAccountSetting),
			"GetAuthorizationToken": r.authorizationToken(),

			"CreateRepository":              withTags(r, r.createRepository),
			"DescribeRepositories":          locked(r, r.describeRepositories),
			"DeleteRepository":              locked(r, r.deleteRepository),
			"PutImageTagMutability":         locked(r, r.putImageTagMutability),
			"PutImageScanningConfiguration": locked(r, r.putImageScanningConfiguration),
			"SetRepositoryPolicy":           locked(r, r.setRepositoryPolicy),
			"GetRepositoryPolicy":           locked(r, r.getRepositoryPolicy),
			"DeleteRepositoryPolicy":        locked(r, r.deleteRepositoryPolicy),
			"ListTagsForResource":           locked(r, r.listTagsForResource),
			"TagResource":                   withTags(r, r.tagResource),
			"UntagResource":                 locked(r, r.untagResource),

			"DescribeImages":   locked(r, r.describeImages),
			"ListImages":       locked(r, r.listImages),
			"BatchGetImage":    locked(r, r.batchGetImage),
			"PutImage":         locked(r, r.putImage),
			"BatchDeleteImage": locked(r, r.batchDeleteImage),

			"StartImageScan":                          locked(r, r.startImageScan),
			"DescribeImageScanFindings":               locked(r, r.describeImageScanFindings),
			"GetRegistryScanningConfiguration":        locked(r, r.getRegistryScanningConfiguration),
			"PutRegistryScanningConfiguration":        locked(r, r.putRegistryScanningConfiguration),
			"BatchGetRepositoryScanningConfiguration": locked(r, r.batchGetRepositoryScanningConfiguration),

			"ListImageReferrers":                  locked(r, r.listImageReferrers),
			"PutReplicationConfiguration":         locked(r, r.putReplicationConfiguration),
			"DescribeImageReplicationStatus":      locked(r, r.describeImageReplicationStatus),
			"DescribePullThroughCacheRules":       locked(r, r.describePullThroughCacheRules),
			"DescribeRepositoryCreationTemplates": locked(r, r.describeRepositoryCreationTemplates),
			"GetSigningConfiguration":             locked(r, r.getSigningConfiguration),
			"ListPullTimeUpdateExclusions":        locked(r, r.listPullTimeUpdateExclusions),

			"UpdateImageStorageClass": locked(r, r.updateImageStorageClass),

			"PutLifecyclePolicy":          locked(r, r.putLifecyclePolicy),
			"GetLifecyclePolicy":          locked(r, r.getLifecyclePolicy),
			"DeleteLifecyclePolicy":       locked(r, r.deleteLifecyclePolicy),
			"StartLifecyclePolicyPreview": locked(r, r.startLifecyclePolicyPreview),
			"GetLifecyclePolicyPreview":   locked(r, r.getLifecyclePolicyPreview),

			"BatchCheckLayerAvailability": locked(r, r.batchCheckLayerAvailability),
			"GetDownloadUrlForLayer":      locked(r, r.getDownloadURLForLayer),
			// These write to disk, so they lock for themselves.
			"InitiateLayerUpload": wire.Typed(r.initiateLayerUpload),
			"UploadLayerPart":     wire.Typed(r.uploadLayerPart),
			"CompleteLayerUpload": wire.Typed(r.completeLayerUpload),
		},
	}
}

// locked runs an operation with the state to itself.
func locked[In, Out any](r *Registry, f func(*In) (*Out, error)) wire.Operation {
	return wire.Typed(func(_ context.Context, in *In) (*Out, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return f(in)
	})
}
