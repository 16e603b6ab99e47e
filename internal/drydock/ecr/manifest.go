package ecr

import (
	"encoding/json"
	"fmt"
	"slices"

	"cuelabs.dev/go/oci/ociregistry/ociref"
)

// MaxManifest is the size of the largest manifest that ECR takes, in bytes
// (botocore: ImageManifest).
const MaxManifest = 4 << 20

// The manifests that ECR stores: of one image, and of several.
const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// manifest is what a manifest says, as far as a registry cares.
type manifest struct {
	Config       *descriptor       `json:"config,omitempty"`    // of an image
	Layers       []descriptor      `json:"layers,omitempty"`    // of an image
	Manifests    []descriptor      `json:"manifests,omitempty"` // of an index: its children
	Subject      *descriptor       `json:"subject,omitempty"`   // what this is a referrer of
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

type descriptor struct {
	MediaType string    `json:"mediaType"`
	Digest    string    `json:"digest"`
	URLs      []string  `json:"urls,omitempty"` // of a foreign layer, which is fetched from there
	Platform  *platform `json:"platform,omitempty"`
}

// platform is as in OCI's index and image configuration.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
}

// parseManifest reads a manifest. mediaType is what the request calls it, ""
// when it does not say; the media type in the manifest, where there is one,
// must agree.
func parseManifest(body []byte, mediaType string) (manifest, string, error) {
	var doc struct {
		manifest
		SchemaVersion int    `json:"schemaVersion"`
		MediaType     string `json:"mediaType"`
	}
	if len(body) > MaxManifest {
		return manifest{}, "", invalid("imageManifest", "must have length less than or equal to %d", MaxManifest)
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return manifest{}, "", invalid("ImageManifest", "Invalid JSON syntax")
	}
	switch {
	case mediaType == "" && doc.MediaType == "":
		return manifest{}, "", invalid("imageManifestMediaType", "image manifest mediatype not provided in manifest or parameter")
	case mediaType == "":
		mediaType = doc.MediaType
	case doc.MediaType != "" && doc.MediaType != mediaType:
		return manifest{}, "", invalid("imageManifestMediaType", "the manifest itself says %s", doc.MediaType)
	}
	if err := doc.check(mediaType); err != nil {
		return manifest{}, "", err
	}
	if doc.SchemaVersion != 2 {
		return manifest{}, "", invalid("ImageManifest", "schemaVersion must be 2, not %d", doc.SchemaVersion)
	}
	return doc.manifest, mediaType, nil
}

// check holds a manifest to the form of its media type. What does not belong
// there is dropped: an image has no children, an index no layers.
func (m *manifest) check(mediaType string) error {
	switch mediaType {
	case ociManifest, dockerManifest:
		if m.Config == nil {
			return invalid("ImageManifest", "config is missing")
		}
		m.Manifests = nil
	case ociIndex, dockerList:
		m.Config, m.Layers = nil, nil
	default:
		return invalid("ImageManifest", "Unsupported manifest type: %q", mediaType)
	}
	for _, d := range slices.Concat(m.blobs(), m.Manifests, optional(m.Subject)) {
		if !ociref.IsValidDigest(d.Digest) {
			return invalid("ImageManifest", "%q is not a digest", d.Digest)
		}
	}
	return nil
}

// blobs is what a repository must have for the image, foreign layers
// included.
func (m *manifest) blobs() []descriptor { return slices.Concat(optional(m.Config), m.Layers) }

func optional(d *descriptor) []descriptor {
	if d == nil {
		return nil
	}
	return []descriptor{*d}
}

// artifactMediaType is ImageDetail's: the artifact type, else what the
// configuration is, else nothing.
func (m *manifest) artifactMediaType() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

func (p platform) String() string {
	s := fmt.Sprintf("%s/%s", p.OS, p.Architecture)
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
