package lifecycle

import "time"

// Status is the state of an image, as DescribeImages gives it.
type Status string

// The states. The zero value counts as Active.
const (
	Active     Status = "ACTIVE"
	Archived   Status = "ARCHIVED"
	Activating Status = "ACTIVATING" // being restored from the archive
)

// StorageClass is where an image lies and what a rule selects from.
type StorageClass string

// The storage classes, as a policy writes them.
const (
	Standard StorageClass = "standard"
	Archive  StorageClass = "archive"
)

// Image is what is known of one image of a repository. Digests are unique
// within the repository. A time that is not known is zero: an age rule never
// takes an image whose time it needs and does not know.
type Image struct {
	Digest         string    `json:"digest"`
	Tags           []string  `json:"tags,omitempty"`
	Status         Status    `json:"status,omitempty"`
	PushedAt       time.Time `json:"pushedAt,omitzero"`
	LastPulledAt   time.Time `json:"lastPulledAt,omitzero"` // zero: no pull was ever recorded
	LastArchivedAt time.Time `json:"lastArchivedAt,omitzero"`
	// LastActivatedAt is when the image was last restored from the archive.
	LastActivatedAt time.Time `json:"lastActivatedAt,omitzero"`
	// MediaType of the manifest. What an index protects is told by Children
	// alone.
	MediaType string   `json:"mediaType,omitempty"`
	Children  []string `json:"children,omitempty"` // digests that an index lists
	Subject   string   `json:"subject,omitempty"`  // digest that a referrer is about
}

// storageClass is empty while the image is being restored: it is in neither
// class then, and AWS documents no rule for it. That takes minutes.
func (i *Image) storageClass() StorageClass {
	switch i.Status {
	case Archived:
		return Archive
	case Activating:
		return ""
	default:
		return Standard
	}
}

// holds reports whether the image keeps its children from going. ECR lets
// them go once "the manifest list [is] deleted or archived".
func (i *Image) holds() bool {
	return len(i.Children) > 0 && i.Status != Archived
}

func (i *Image) refersToSubject() bool { return i.Subject != "" && i.Subject != i.Digest }

// ordered is the time by which images are young or old. "If an image was
// archived and then restored at any point in the past, the image's
// last_activated_at is used instead of pushed_at_time."
func (i *Image) ordered() time.Time {
	if !i.LastActivatedAt.IsZero() {
		return i.LastActivatedAt
	}
	return i.PushedAt
}

// pulled is the reference time of sinceImagePulled: the push for an image
// never pulled, the restoration for one not pulled since.
func (i *Image) pulled() time.Time {
	at := i.LastPulledAt
	if at.IsZero() {
		at = i.PushedAt
	}
	if i.LastActivatedAt.After(at) {
		at = i.LastActivatedAt
	}
	return at
}
