package awsapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Digest implements deploy.Images.
func (c *Client) Digest(ctx context.Context, ref image.Reference) (string, error) {
	doing := "look up image " + ref.String()
	registry, isECR := image.ParseECRHost(ref.Registry)
	if !isECR && !c.isEndpoint(ref.Registry) {
		return "", fmt.Errorf("%s: %s is not an ECR registry: %w", doing, ref.Registry, deploy.Unsupported)
	}
	in := &ecr.DescribeImagesInput{RepositoryName: &ref.Repository, ImageIds: []types.ImageIdentifier{{}}}
	if ref.Digest != "" {
		in.ImageIds[0].ImageDigest = &ref.Digest
	} else {
		in.ImageIds[0].ImageTag = &ref.Tag
	}
	var elsewhere []func(*ecr.Options)
	if isECR {
		in.RegistryId = &registry.Account
		elsewhere = append(elsewhere, func(o *ecr.Options) { o.Region = registry.Region })
	}
	out, err := c.ecr().DescribeImages(ctx, in, elsewhere...)
	if err != nil {
		return "", wrap(doing, err)
	}
	if len(out.ImageDetails) == 0 {
		return "", notThere(doing, "image "+ref.String())
	}
	return aws.ToString(out.ImageDetails[0].ImageDigest), nil
}

// Login is a short-lived login to an ECR registry. It prints without the
// password.
type Login struct {
	Endpoint string // "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"; http for a local one
	Host     string
	User     string
	Password string
	Expires  time.Time
}

// String leaves the password out.
func (l Login) String() string { return l.User + "@" + l.Host }

// GoString leaves the password out too, for %#v.
func (l Login) GoString() string { return l.String() }

// Login asks for a login to the registry with that host, which must be an
// ECR: deploy.Unsupported otherwise.
func (c *Client) Login(ctx context.Context, host string) (Login, error) {
	doing := "log in to " + host
	registry, isECR := image.ParseECRHost(host)
	if !isECR && !c.isEndpoint(host) {
		return Login{}, fmt.Errorf("%s: it is not an ECR registry: %w", doing, deploy.Unsupported)
	}
	out, err := c.ecr().GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}, func(o *ecr.Options) {
		if isECR {
			o.Region = registry.Region
		}
	})
	if err != nil {
		return Login{}, wrap(doing, err)
	}
	if len(out.AuthorizationData) == 0 {
		return Login{}, fmt.Errorf("%s: ECR gave no token", doing)
	}
	return parseLogin(out.AuthorizationData[0], host)
}

// parseLogin reads base64("user:password"). The token itself must never get
// into an error.
func parseLogin(data types.AuthorizationData, host string) (Login, error) {
	decoded, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	user, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok || user == "" || password == "" {
		return Login{}, fmt.Errorf("log in to %s: ECR's token is not base64 of user:password", host)
	}
	endpoint := aws.ToString(data.ProxyEndpoint)
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" {
		endpoint = "https://" + host
	}
	return Login{Endpoint: endpoint, Host: host, User: user, Password: password, Expires: aws.ToTime(data.ExpiresAt)}, nil
}
