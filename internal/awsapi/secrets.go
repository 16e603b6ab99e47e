package awsapi

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// SecretKeys implements deploy.Secrets. What is read goes no further than this
// function: neither a value nor a parser's error, which may quote one.
func (c *Client) SecretKeys(ctx context.Context, id, stage, version string) ([]string, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &id}
	if stage != "" {
		in.VersionStage = &stage
	}
	if version != "" {
		in.VersionId = &version
	}
	out, err := c.clues.secrets().GetSecretValue(ctx, in, inRegionOf(id))
	if err != nil {
		return nil, wrap("read the keys of secret "+id, err)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &object) != nil {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(object)), nil
}

// inRegionOf asks where the secret is.
func inRegionOf(id string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if parsed, err := arn.Parse(id); err == nil && parsed.Region != "" {
			o.Region = parsed.Region
		}
	}
}
