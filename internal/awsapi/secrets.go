package awsapi

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

func secretsManager() api {
	return api{id: "Secrets Manager", signing: "secretsmanager", version: "secretsmanager"}
}

// Secret implements deploy.SecretMetadata. DescribeSecret knows no value.
func (c *Client) Secret(ctx context.Context, id string) (deploy.Secret, error) {
	var out struct {
		Name               string
		DeletedDate        epoch
		LastChangedDate    epoch
		VersionIdsToStages map[string][]string
	}
	err := c.askJSON(ctx, secretsManager(), regionOf(id), "DescribeSecret", struct{ SecretId string }{id}, &out)
	if err != nil {
		return deploy.Secret{}, wrap("look up secret "+id, err)
	}
	secret := deploy.Secret{Name: out.Name, Deleted: out.DeletedDate.time(), ChangedAt: out.LastChangedDate.time(), Versions: out.VersionIdsToStages}
	for _, stages := range out.VersionIdsToStages {
		secret.HasCurrent = secret.HasCurrent || slices.Contains(stages, "AWSCURRENT")
	}
	return secret, nil
}

// SecretKeys implements deploy.Secrets. What is read goes no further than this
// function: neither a value nor a parser's error, which may quote one.
func (c *Client) SecretKeys(ctx context.Context, id, stage, version string) ([]string, error) {
	type question struct {
		SecretId     string
		VersionStage string `json:",omitempty"`
		VersionId    string `json:",omitempty"`
	}
	var out struct{ SecretString string }
	if err := c.askJSON(ctx, secretsManager(), regionOf(id), "GetSecretValue", question{id, stage, version}, &out); err != nil {
		return nil, wrap("read the keys of secret "+id, err)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(out.SecretString), &object) != nil {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(object)), nil
}
