package build

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// openLayout is the image or index in an OCI layout. Where there are several,
// the one whose name is the tag or the whole reference is meant
// (org.opencontainers.image.ref.name, which either is written to).
func openLayout(dir string, tag name.Tag) (remote.Taggable, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("reading OCI layout %s: %w", dir, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading OCI layout %s: %w", dir, err)
	}
	chosen := manifest.Manifests
	if len(chosen) > 1 {
		chosen = nil
		for _, desc := range manifest.Manifests {
			if called := desc.Annotations["org.opencontainers.image.ref.name"]; called == tag.TagStr() || called == tag.Name() {
				chosen = append(chosen, desc)
			}
		}
	}
	if len(chosen) != 1 {
		return nil, fmt.Errorf("OCI layout %s holds %d images, and not one that is named %s", dir, len(manifest.Manifests), tag.TagStr())
	}
	if chosen[0].MediaType.IsIndex() {
		return index.ImageIndex(chosen[0].Digest)
	}
	return index.Image(chosen[0].Digest)
}

// openTarball is the image in a tarball, as docker save writes it or as an
// OCI archive, which is an OCI layout in a tarball. docker writes both into
// one file; its own form is taken then, because the layers of the other are
// not compressed. Scratch is a folder for what has to be unpacked.
func openTarball(file, scratch string, tag name.Tag) (remote.Taggable, error) {
	open := func() (io.ReadCloser, error) { return os.Open(file) }
	manifest, err := tarball.LoadManifest(open)
	if errors.Is(err, os.ErrNotExist) { // the file itself
		return nil, fmt.Errorf("reading tarball: %w", err)
	}
	if err != nil {
		if err := unpack(file, scratch); err != nil {
			return nil, fmt.Errorf("reading tarball %s: %w", file, err)
		}
		if _, err := os.Stat(filepath.Join(scratch, "index.json")); err != nil {
			return nil, fmt.Errorf("tarball %s is neither of docker save nor an OCI archive", file)
		}
		return openLayout(scratch, tag)
	}
	var which *name.Tag
	if len(manifest) > 1 {
		which = &tag
	}
	img, err := tarball.Image(open, which)
	if err != nil {
		return nil, fmt.Errorf("reading tarball %s: %w", file, err)
	}
	return img, nil
}

// unpack writes the files of a tarball into dir. Nothing gets out of it,
// whatever the names in the tarball.
func unpack(file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		to := path.Clean(header.Name)
		if err := root.MkdirAll(path.Dir(to), 0o700); err != nil {
			return err
		}
		if err := writeFile(root, to, r); err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, to string, r io.Reader) error {
	f, err := root.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// identity is what two names for the same image have in common.
type identity struct {
	digest string // of the manifest or index; "" when not known
	config string // digest of the configuration, docker's image ID; "" for an index
}

// identityOf an image or index that is at hand.
func identityOf(t remote.Taggable) (identity, error) {
	switch t := t.(type) {
	case v1.Image:
		digest, err := t.Digest()
		if err != nil {
			return identity{}, fmt.Errorf("reading the image: %w", err)
		}
		config, err := t.ConfigName()
		if err != nil {
			return identity{}, fmt.Errorf("reading the image: %w", err)
		}
		return identity{digest.String(), config.String()}, nil
	case v1.ImageIndex:
		digest, err := t.Digest()
		if err != nil {
			return identity{}, fmt.Errorf("reading the index: %w", err)
		}
		return identity{digest: digest.String()}, nil
	}
	return identity{}, fmt.Errorf("%T is neither an image nor an index", t)
}

// contents are the layers of an image, or of all images of an index, with
// their sizes, and how many bytes it has with their configurations. What is
// shared counts once.
func contents(t remote.Taggable) (layers map[string]int64, size int64, err error) {
	layers, seen := map[string]int64{}, map[v1.Hash]bool{}
	var add func(remote.Taggable) error
	add = func(t remote.Taggable) error {
		if index, ok := t.(v1.ImageIndex); ok {
			manifest, err := index.IndexManifest()
			if err != nil {
				return err
			}
			for _, desc := range manifest.Manifests {
				var child remote.Taggable
				switch {
				case desc.MediaType.IsIndex():
					child, err = index.ImageIndex(desc.Digest)
				case desc.MediaType.IsImage():
					child, err = index.Image(desc.Digest)
				default:
					continue
				}
				if err == nil {
					err = add(child)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}
		img, ok := t.(v1.Image)
		if !ok {
			return fmt.Errorf("%T is neither an image nor an index", t)
		}
		manifest, err := img.Manifest()
		if err != nil {
			return err
		}
		for i, desc := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
			if seen[desc.Digest] {
				continue
			}
			seen[desc.Digest] = true
			size += desc.Size
			if i > 0 {
				layers[desc.Digest.String()] = desc.Size
			}
		}
		return nil
	}
	if err := add(t); err != nil {
		return nil, 0, fmt.Errorf("counting layers: %w", err)
	}
	return layers, size, nil
}
