package drydock

import (
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/secretsmanager"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ssm"
)

// secretReader is Secrets Manager and the Parameter Store as ECS's tasks see
// them. What the execution role may read is decided here: every role may read
// everything.
type secretReader struct {
	secrets    *secretsmanager.Manager
	parameters *ssm.Store
}

// Secret is GetSecretValue in the name of a role.
func (r secretReader) Secret(_, id, stage, versionID string) (string, error) {
	return r.secrets.Value(id, stage, versionID)
}

// Parameters is GetParameters with decryption in the name of a role.
func (r secretReader) Parameters(_ string, names []string) (map[string]string, []string, error) {
	values, missing := r.parameters.Values(names)
	return values, missing, nil
}
