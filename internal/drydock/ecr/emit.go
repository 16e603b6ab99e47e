package ecr

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Emitter takes the events that ECR sends to EventBridge. It renders detail
// before it returns, and must not call back.
type Emitter interface {
	Emit(at time.Time, detailType string, resources []string, detail any)
}

// imageAction is the detail of an "ECR Image Action" (user guide, Amazon ECR
// events and EventBridge). The media types of pushes and deletions are in
// EventBridge's schema of the event and not in the guide's samples.
type imageAction struct {
	Action       string `json:"action-type"`
	Repository   string `json:"repository-name"`
	Digest       string `json:"image-digest"`
	Tag          string `json:"image-tag,omitempty"`
	Result       string `json:"result"`
	Manifest     string `json:"manifest-media-type"`
	Artifact     string `json:"artifact-media-type,omitempty"`
	StorageClass string `json:"target-storage-class,omitempty"`
	ActivatedAt  string `json:"last-activated-at,omitempty"`
}

// What can happen to an image.
const (
	actionPush         = "PUSH"
	actionDelete       = "DELETE"
	actionStorageClass = "UPDATE_STORAGE_CLASS"
)

func (i image) action(kind string) imageAction {
	return imageAction{
		Action: kind, Repository: i.Repository, Digest: i.Digest, Result: "SUCCESS",
		Manifest: i.MediaType, Artifact: i.Content.artifactMediaType(),
	}
}

func (r *Registry) emit(detailType string, resources []string, detail any) {
	if r.events != nil {
		r.events.Emit(r.clock.Now(), detailType, resources, detail)
	}
}

// tellPush tells of a push that is complete; tag is "" for one by digest.
func (r *Registry) tellPush(i image, tag string) {
	action := i.action(actionPush)
	action.Tag = tag
	r.emit("ECR Image Action", nil, action)
}

// tellDelete tells of what is gone: as many events as BatchDeleteImage lists
// ids. That an expiry by a lifecycle policy tells the same is not documented;
// the guide has one event for "when an image is deleted" and makes no exception.
func (r *Registry) tellDelete(i image, ids []types.ImageIdentifier) {
	for _, id := range ids {
		action := i.action(actionDelete)
		if id.ImageTag != nil {
			action.Tag = *id.ImageTag
		}
		r.emit("ECR Image Action", nil, action)
	}
}

// tellStorageClass tells of an image that went to the archive or is back. A
// referrer's event has a type of its own.
func (r *Registry) tellStorageClass(i image) {
	action := i.action(actionStorageClass)
	action.StorageClass = string(types.TargetStorageClassArchive)
	if i.status() == types.ImageStatusActive {
		action.StorageClass = string(types.TargetStorageClassStandard)
		action.ActivatedAt = i.ActivatedAt.UTC().Format("2006-01-02T15:04:05.999Z")
	}
	detailType := "ECR Image Action"
	if i.Content.Subject != nil {
		detailType = "ECR Referrer Action"
	}
	r.emit(detailType, nil, action)
}

// imageScan is the detail of an "ECR Image Scan". Severities without a finding
// are left out.
type imageScan struct {
	Status     types.ScanStatus `json:"scan-status"`
	Repository string           `json:"repository-name"`
	Counts     map[string]int32 `json:"finding-severity-counts"`
	Digest     string           `json:"image-digest"`
	Tags       []string         `json:"image-tags"`
}

func (r *Registry) tellScan(i image) {
	r.emit("ECR Image Scan", []string{r.arn(i.Repository)}, imageScan{
		Status: i.Scan.Status, Repository: i.Repository, Counts: i.Scan.counts(), Digest: i.Digest, Tags: append([]string{}, i.Tags...),
	})
}
