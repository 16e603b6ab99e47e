package drydock

import (
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/secretsmanager"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ssm"
)

// secretReader is Secrets Manager and the Parameter Store as ECS's tasks see
// them: each reads what its execution role may.
type secretReader struct {
	secrets    *secretsmanager.Manager
	parameters *ssm.Store
	roles      roles
}

// Secret is GetSecretValue in the name of a role.
func (r secretReader) Secret(by ecs.Reader, id, stage, versionID string) (string, error) {
	if err := r.roles.Allowed(by.Role, by.Task, "secretsmanager:GetSecretValue", r.secrets.ARN(id)); err != nil {
		return "", err
	}
	return r.secrets.Value(id, stage, versionID)
}

// Parameters is GetParameters with decryption in the name of a role.
func (r secretReader) Parameters(by ecs.Reader, names []string) (map[string]string, []string, error) {
	for _, name := range names {
		if err := r.roles.Allowed(by.Role, by.Task, "ssm:GetParameters", r.parameters.ARN(name)); err != nil {
			return nil, nil, err
		}
	}
	values, missing := r.parameters.Values(names)
	return values, missing, nil
}
