package deploy

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// The tags that plimsoll leaves on what it touches. They are its only memory:
// history and rollback read them back from any machine.
const (
	tagPrefix   = "plimsoll:"
	tagImageTag = tagPrefix + "image-tag"
	tagDigest   = tagPrefix + "digest"
	tagGitSHA   = tagPrefix + "git-sha"
	tagActor    = tagPrefix + "actor"
	tagPipeline = tagPrefix + "pipeline"
	tagAt       = tagPrefix + "at"      // RFC 3339, UTC
	tagVerdict  = tagPrefix + "verdict" // pending, stable or failed
	tagTook     = tagPrefix + "took"    // how long the last rollouts took: see pastTimes
	tagCopyOf   = tagPrefix + "copy-of" // family:revision, of a revision that was deregistered
	// A person has rolled back from it: the id of ECS's record of the rollout that had
	// brought it, noRecord where there is none.
	tagWithdrawn   = tagPrefix + "withdrawn"
	tagWithdrawnBy = tagPrefix + "withdrawn-by"
	// Who brought a service back to it, without a revision of its own: see noteBack.
	tagBackAt       = tagPrefix + "back-at"
	tagBackBy       = tagPrefix + "back-by"
	tagBackPipeline = tagPrefix + "back-pipeline"
	// Who changed the count while it ran: see noteCount.
	tagCount         = tagPrefix + "count" // "stop 4 to 0"
	tagCountAt       = tagPrefix + "count-at"
	tagCountBy       = tagPrefix + "count-by"
	tagCountPipeline = tagPrefix + "count-pipeline"

	// Of a service:
	tagDesired   = tagPrefix + "desired-count"   // the count before stop
	tagSuspended = tagPrefix + "autoscaling-was" // which autoscaling was suspended before stop: see Suspended.String
	tagProtected = tagPrefix + "protected"       // "true": stop asks for more than a name
)

// RememberedCount is the count that [Stop] has noted in the tags of a service, 0
// when it has not.
func RememberedCount(tags map[string]string) int {
	count, err := strconv.Atoi(tags[tagDesired])
	if err != nil || count < 0 {
		return 0
	}
	return count
}

// Provenance is where a deploy comes from; what is not known stays empty.
type Provenance struct {
	GitSHA   string
	Actor    string // who started it
	Pipeline string // URL or id of the run
}

// revisionTags are the tags for a new revision made from base. A tag of ours
// that base has, and that is not known now, is emptied: it was about base.
func revisionTags(base *taskdef.Document, ref image.Reference, digest string, from Provenance, at time.Time) map[string]string {
	tags := map[string]string{}
	for key := range base.Tags() {
		if strings.HasPrefix(key, tagPrefix) {
			tags[key] = ""
		}
	}
	for key, value := range map[string]string{
		tagImageTag: ref.Tag,
		tagDigest:   digest,
		tagGitSHA:   from.GitSHA,
		tagActor:    from.Actor,
		tagPipeline: from.Pipeline,
		tagAt:       at.UTC().Format(time.RFC3339),
		tagVerdict:  "pending",
	} {
		if value != "" {
			tags[key] = tagValue(value)
		}
	}
	return tags
}

// tagValue makes a value that ECS takes: at most 256 letters, digits, spaces
// and + - = . _ : / @. (Tag in the ECS API reference.)
func tagValue(s string) string {
	var b strings.Builder
	n := 0
	for _, c := range s {
		if n++; n > 256 {
			break
		}
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != ' ' && !strings.ContainsRune("+-=._:/@", c) {
			c = '_'
		}
		b.WriteRune(c)
	}
	return strings.TrimSpace(b.String())
}

// imageTagOf is the version that a revision runs: the tag of the container's
// image, or what the revision's own tags say where the image is a bare digest.
func imageTagOf(doc *taskdef.Document, container string) string {
	if c, err := doc.TargetContainer(container); err == nil {
		if ref, err := image.Parse(c.Image); err == nil && ref.Tag != "" {
			return ref.Tag
		}
	}
	return doc.Tags()[tagImageTag]
}

// revisionName is family:revision.
func revisionName(doc *taskdef.Document) string {
	return doc.Family() + ":" + strconv.Itoa(doc.Revision())
}
