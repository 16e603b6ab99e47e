package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is an image to push. It has no layers: labels say what its container
// does (package simulated), and Content makes it another image than one with
// the same labels.
type Image struct {
	Labels    map[string]string // by the names behind "plimsoll.drydock."
	Platforms []string          // "linux/arm64"; more than one makes an index, none is linux/amd64
	Content   string
	Tarball   string // file of docker save, pushed instead
}

const labelPrefix = "plimsoll.drydock."

// Push pushes an image to the registry at host, as docker does, and answers
// with its digest. reference is repository:tag.
func (c *Client) Push(ctx context.Context, host, reference string, i Image) (string, error) {
	ref, err := name.ParseReference(host+"/"+reference, name.Insecure)
	if err != nil {
		return "", fmt.Errorf("push %s: %w", reference, err)
	}
	options, err := c.pushOptions(ctx)
	if err != nil {
		return "", err
	}
	var digest v1.Hash
	if len(i.Platforms) > 1 {
		index, err := i.index()
		if err != nil {
			return "", fmt.Errorf("make %s: %w", reference, err)
		}
		if err := remote.WriteIndex(ref, index, options...); err != nil {
			return "", fmt.Errorf("push %s: %w", reference, err)
		}
		digest, err = index.Digest()
		return digest.String(), err
	}
	one, err := i.single()
	if err != nil {
		return "", fmt.Errorf("make %s: %w", reference, err)
	}
	if err := remote.Write(ref, one, options...); err != nil {
		return "", fmt.Errorf("push %s: %w", reference, err)
	}
	digest, err = one.Digest()
	return digest.String(), err
}

func (c *Client) pushOptions(ctx context.Context) ([]remote.Option, error) {
	out, err := c.ECR.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, fmt.Errorf("log in to the registry: %w", err)
	}
	if len(out.AuthorizationData) == 0 || out.AuthorizationData[0].AuthorizationToken == nil {
		return nil, fmt.Errorf("log in to the registry: no token was given")
	}
	token, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		return nil, fmt.Errorf("log in to the registry: %w", err)
	}
	user, password, _ := strings.Cut(string(token), ":")
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(&authn.Basic{Username: user, Password: password}),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), // a fault that strikes is part of the story
	}, nil
}

func (i Image) single() (v1.Image, error) {
	if i.Tarball != "" {
		return tarball.ImageFromPath(i.Tarball, nil)
	}
	platform := "linux/amd64"
	if len(i.Platforms) == 1 {
		platform = i.Platforms[0]
	}
	return i.of(platform)
}

// of is the image for one platform.
func (i Image) of(platform string) (v1.Image, error) {
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{"content": i.Content + " " + platform}
	for key, value := range i.Labels {
		labels[labelPrefix+key] = value
	}
	return mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant,
		RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: labels},
	})
}

func (i Image) index() (v1.ImageIndex, error) {
	index := v1.ImageIndex(empty.Index)
	for _, platform := range i.Platforms {
		child, err := i.of(platform)
		if err != nil {
			return nil, err
		}
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: child, Descriptor: v1.Descriptor{Platform: p}})
	}
	return index, nil
}
