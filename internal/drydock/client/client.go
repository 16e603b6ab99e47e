// Package client is a drydock as its clients see it: the SDK's clients, pushes
// to the registry, any operation by name, and the control API. Everything goes
// over HTTP, as for real AWS.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// Client speaks to one drydock.
type Client struct {
	Endpoint string
	Config   aws.Config // of the SDK's clients, for those that are not here
	ECS      *ecs.Client
	ECR      *ecr.Client
}

// New makes a client of the drydock behind an endpoint, with the credentials
// that every drydock lets in. A nil retryer tries every call once.
func New(endpoint, region string, retryer func() aws.Retryer) *Client {
	if retryer == nil {
		retryer = func() aws.Retryer { return aws.NopRetryer{} }
	}
	endpoint = strings.TrimRight(endpoint, "/")
	config := aws.Config{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     region, BaseEndpoint: &endpoint, Retryer: retryer,
		Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	}
	return &Client{
		Endpoint: endpoint, Config: config,
		ECS: ecs.NewFromConfig(config), ECR: ecr.NewFromConfig(config),
	}
}

// ControlError is a refusal of the control API.
type ControlError struct {
	Path   string
	Status int
	Text   string
}

func (e *ControlError) Error() string { return fmt.Sprintf("drydock %s: %s", e.Path, e.Text) }

// Control sends a request to the control API and reads the answer into out. A
// nil in sends no body, a []byte in is sent as it is. A refusal is a
// [*ControlError].
func (c *Client) Control(ctx context.Context, method, path string, in, out any) error {
	body, ready := in.([]byte)
	if in != nil && !ready {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("drydock %s: %w", path, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Endpoint+"/_drydock/"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("drydock %s: %w", path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask drydock: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("drydock %s: %w", path, err)
	}
	if answer.StatusCode != http.StatusOK {
		return &ControlError{path, answer.StatusCode, strings.TrimSpace(string(text))}
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = text
		return nil
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("drydock %s answered what it should not: %w", path, err)
	}
	return nil
}
