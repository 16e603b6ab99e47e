package ecs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Secrets are Secrets Manager and the Parameter Store as a task reads them.
type Secrets interface {
	// Secret is the value of a secret, by its ARN or name, of the version with
	// that staging label or id; both "" are the current one. The error is worded
	// as the service words it, with the name of its exception first.
	Secret(by Reader, id, stage, versionID string) (string, error)
	// Parameters are the values of parameters, by the names or ARNs that were
	// asked for, at most ten, and those of the names that nothing has.
	Parameters(by Reader, names []string) (values map[string]string, missing []string, err error)
}

// Reader is in whose name a task reads.
type Reader struct {
	Role string // ARN of its execution role; "" for a task without one
	Task string // its id, which names the role's session
}

// noSecrets are the secrets of an ECS that stands alone.
type noSecrets struct{}

func (noSecrets) Secret(Reader, string, string, string) (string, error) {
	return "", wire.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func (noSecrets) Parameters(_ Reader, names []string) (map[string]string, []string, error) {
	return nil, names, nil
}

// resolved is what a task's references stand for. It lives in memory, from the
// task's first pull to its launch, and nowhere else: not with the stored task,
// in an answer, in an event or in a log.
type resolved struct {
	environment map[string][]string      // KEY=value, by container
	logins      map[string]runtime.Login // to the registries of containers with repositoryCredentials
}

// resolve reads what the containers of a task refer to: parameters, secrets,
// options of the log driver and credentials of registries. Every task reads
// anew. failure is why the task cannot start, in the words of Fargate; it has no
// value in it.
func (e *ECS) resolve(t *task, spec *ecs.RegisterTaskDefinitionInput) (r resolved, failure string) {
	by := Reader{cmp.Or(aws.ToString(t.Overrides.ExecutionRoleArn), aws.ToString(spec.ExecutionRoleArn)), t.ID}
	values, err := e.references(by, spec)
	if err != nil {
		return resolved{}, "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: " + err.Error()
	}
	r = resolved{environment: map[string][]string{}, logins: map[string]runtime.Login{}}
	for _, c := range spec.ContainerDefinitions {
		for _, s := range c.Secrets {
			r.environment[*c.Name] = append(r.environment[*c.Name], aws.ToString(s.Name)+"="+values[aws.ToString(s.ValueFrom)])
		}
		if c.RepositoryCredentials == nil {
			continue
		}
		if r.logins[*c.Name], err = e.login(by, aws.ToString(c.RepositoryCredentials.CredentialsParameter)); err != nil {
			return resolved{}, "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: " + err.Error()
		}
	}
	return r, ""
}

// references reads every valueFrom of a task definition once.
func (e *ECS) references(by Reader, spec *ecs.RegisterTaskDefinitionInput) (map[string]string, error) {
	var parameters, secrets []string
	for _, s := range secretsOf(spec) {
		from := aws.ToString(s.ValueFrom)
		if isSecretARN(from) {
			secrets = append(secrets, from)
		} else {
			parameters = append(parameters, from)
		}
	}
	values := map[string]string{}
	slices.Sort(parameters)
	for names := range slices.Chunk(slices.Compact(parameters), maxParameters) {
		got, missing, err := e.Secrets.Parameters(by, names)
		if err == nil && len(missing) > 0 {
			err = errors.New("invalid ssm parameters: " + strings.Join(missing, ","))
		}
		if err != nil {
			return nil, fmt.Errorf("unable to retrieve secrets from ssm: service call has been retried 1 time(s): %w", err)
		}
		for name, value := range got {
			values[name] = value
		}
	}
	slices.Sort(secrets)
	for _, from := range slices.Compact(secrets) {
		value, err := e.secret(by, from)
		if err != nil {
			return nil, fmt.Errorf("unable to retrieve secret from asm: service call has been retried 1 time(s): %w", err)
		}
		values[from] = value
	}
	return values, nil
}

// maxParameters is how many names GetParameters takes.
const maxParameters = 10

// secretsOf is all that a task definition refers to by valueFrom.
func secretsOf(spec *ecs.RegisterTaskDefinitionInput) []types.Secret {
	var out []types.Secret
	for _, c := range spec.ContainerDefinitions {
		out = append(out, c.Secrets...)
		if c.LogConfiguration != nil {
			out = append(out, c.LogConfiguration.SecretOptions...)
		}
	}
	return out
}

// isSecretARN tells a secret of Secrets Manager from a parameter, which has a
// name or an ARN of ssm.
func isSecretARN(from string) bool {
	part := strings.SplitN(from, ":", 4)
	return len(part) == 4 && part[0] == "arn" && part[2] == "secretsmanager"
}

// secret reads ARN, or ARN:JSON-KEY:VERSION-STAGE:VERSION-ID, of whose last
// three parts each may be empty (developer guide, Pass Secrets Manager secrets
// through Amazon ECS environment variables).
func (e *ECS) secret(by Reader, from string) (string, error) {
	const inARN = 7 // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
	part := strings.Split(from, ":")
	arn, key, stage, versionID := from, "", "", ""
	if len(part) > inARN {
		rest := append(part[inARN:], "", "")
		arn = strings.Join(part[:inARN], ":")
		key, stage, versionID = rest[0], rest[1], rest[2]
	}
	value, err := e.Secrets.Secret(by, arn, stage, versionID)
	if err != nil {
		return "", fmt.Errorf("failed to fetch secret %s from secrets manager: %w", arn, err)
	}
	if key == "" {
		return value, nil
	}
	return jsonMember(value, key)
}

// jsonMember is one member of a secret that is a JSON object. A value that is no
// string is taken as it is written.
func jsonMember(value, key string) (string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(value), &members); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return "", firstByte(value, syntax)
		}
		return "", errors.New("the secret is not a JSON object") // its own words would have the value in them
	}
	doc, ok := members[key]
	if !ok {
		return "", fmt.Errorf("retrieved secret from Secrets Manager did not contain json key %s", key)
	}
	var text string
	if json.Unmarshal(doc, &text) == nil && !bytes.Equal(doc, []byte("null")) {
		return text, nil
	}
	return string(doc), nil
}

// firstByte words what is wrong with a secret that is not JSON as Go, and
// Fargate's agent, do ("invalid character 'x' looking for beginning of value")
// without the character, which is the secret's.
func firstByte(value string, err *json.SyntaxError) error {
	if value == "" {
		return err // unexpected end of JSON input
	}
	return errors.New("invalid character looking for beginning of value")
}

// login reads the credentials of a private registry: a secret with the members
// username and password (developer guide, Using non-AWS container images in
// Amazon ECS).
func (e *ECS) login(by Reader, id string) (runtime.Login, error) {
	const failed = "unable to get registry auth from asm: service call has been retried 1 time(s): "
	value, err := e.Secrets.Secret(by, id, "", "")
	if err != nil {
		return runtime.Login{}, fmt.Errorf("%sasm fetching secret from the service for %s: %w", failed, id, err)
	}
	var login runtime.Login
	if json.Unmarshal([]byte(value), &login) != nil || login.Username == "" || login.Password == "" {
		return runtime.Login{}, errors.New(failed + "asm fetching authorization data: the secret is no JSON object with username and password")
	}
	return login, nil
}
