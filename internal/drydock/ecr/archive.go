package ecr

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// restoreTime is how long an archived image takes to come back: "You can expect
// ECR to restore the image within 20 minutes" (ECR user guide, Archiving an
// image in Amazon ECR).
const restoreTime = 20 * time.Minute

// status is where the image is: at hand, in the archive, or on its way back.
func (i image) status() types.ImageStatus {
	if i.Status == "" {
		return types.ImageStatusActive
	}
	return i.Status
}

func (i image) archived(at time.Time) image {
	i.Status, i.ArchivedAt, i.RestoredAt = types.ImageStatusArchived, at, time.Time{}
	return i
}

func (i image) activated(at time.Time) image {
	i.Status, i.ActivatedAt, i.RestoredAt = types.ImageStatusActive, at, time.Time{}
	return i
}

func (r *Registry) updateImageStorageClass(in *ecr.UpdateImageStorageClassInput) (*ecr.UpdateImageStorageClassOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if in.ImageId == nil {
		return nil, invalid("imageId", "must not be null")
	}
	i, failure := repo.find(*in.ImageId)
	if failure != nil {
		return nil, r.unfound(repo.Name, failure)
	}
	switch in.TargetStorageClass {
	case types.TargetStorageClassArchive:
		i, err = r.archive(repo, i)
	case types.TargetStorageClassStandard:
		i, err = r.restore(i)
	default:
		err = invalid("targetStorageClass", "Member must satisfy enum value set: %s", in.TargetStorageClass.Values())
	}
	if err != nil {
		return nil, err
	}
	return &ecr.UpdateImageStorageClassOutput{
		ImageId:        &types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageId.ImageTag},
		ImageStatus:    i.status(),
		RegistryId:     &r.account,
		RepositoryName: &repo.Name,
	}, nil
}

// archive moves an image to the archive, unless an index that is not there
// refers to it: lifecycle policies are held to that by AWS's evaluation rules,
// and a call can hardly be free of it. An image in the archive stays as it is.
func (r *Registry) archive(repo *repository, i image) (image, error) {
	switch i.status() {
	case types.ImageStatusArchived:
		return i, nil
	case types.ImageStatusActivating:
		return image{}, wire.Errorf(codeStorageClass, "The image is being restored.")
	}
	holders := slices.DeleteFunc(repo.parents(i.Digest), func(parent string) bool {
		return repo.images[parent].status() == types.ImageStatusArchived
	})
	if len(holders) > 0 {
		return image{}, wire.Errorf(codeStorageClass, "Requested image referenced by manifest list: [%s]", strings.Join(holders, ", "))
	}
	i = i.archived(r.clock.Now())
	if err := r.commit(changes{put: []record{i}}); err != nil {
		return image{}, err
	}
	r.tellStorageClass(i)
	return i, nil
}

// restore begins to bring an image back from the archive.
func (r *Registry) restore(i image) (image, error) {
	if i.status() != types.ImageStatusArchived {
		return i, nil
	}
	i.Status, i.RestoredAt = types.ImageStatusActivating, r.clock.Now().Add(restoreTime)
	if err := r.commit(changes{put: []record{i}}); err != nil {
		return image{}, err
	}
	r.scheduleRestore(i)
	return i, nil
}

func (r *Registry) scheduleRestore(i image) {
	if i.status() != types.ImageStatusActivating {
		return
	}
	key := fmt.Sprintf("ecr restore %s@%s", i.Repository, i.Digest)
	r.clock.At(i.RestoredAt, key, func(now time.Time) {
		r.mu.Lock()
		defer r.mu.Unlock()
		repo, ok := r.state[i.Repository]
		if !ok {
			return
		}
		// Deleted, pushed again or archived again meanwhile, it has another
		// time or none.
		waiting, ok := repo.images[i.Digest]
		if !ok || !waiting.RestoredAt.Equal(i.RestoredAt) {
			return
		}
		waiting = waiting.activated(now)
		if err := r.commit(changes{put: []record{waiting}}); err != nil {
			r.log.Error("an image was not restored", "repository", i.Repository, "digest", i.Digest, "error", err)
			return
		}
		r.tellStorageClass(waiting)
	})
}

// unfound is the refusal of an operation on one image that is not there.
func (r *Registry) unfound(repository string, failure *types.ImageFailure) error {
	switch failure.FailureCode {
	case types.ImageFailureCodeImageNotFound, types.ImageFailureCodeImageTagDoesNotMatchDigest:
		return r.imageNotFound(repository, *failure.ImageId)
	}
	return invalid("imageId", "%s", *failure.FailureReason)
}
