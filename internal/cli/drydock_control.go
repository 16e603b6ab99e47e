package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// runningDrydock is the flag of the commands that speak to a drydock that
// runs, by its control API.
type runningDrydock struct {
	Endpoint string `help:"Address of the drydock (AWS_ENDPOINT_URL)." placeholder:"URL"`
}

// call sends a request to the control API. What the API refuses as one that
// cannot be meant is a usage error. A nil in sends no body.
func (c runningDrydock) call(ctx context.Context, s *session, method, path string, in, out any) error {
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = s.sys.Getenv("AWS_ENDPOINT_URL")
	}
	if endpoint == "" {
		return &usageError{errors.New("which drydock?"), "give --endpoint or set AWS_ENDPOINT_URL, as drydock serve prints it"}
	}
	var body io.Reader = http.NoBody
	if in != nil {
		doc, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(doc)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(endpoint, "/")+"/_drydock/"+path, body)
	if err != nil {
		return &usageError{fmt.Errorf("endpoint %q: %w", endpoint, err), ""}
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask drydock: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		err := fmt.Errorf("drydock: %s", strings.TrimSpace(string(text)))
		if answer.StatusCode == http.StatusBadRequest {
			return &usageError{err, ""}
		}
		return fmt.Errorf("%w (%s)", err, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return fmt.Errorf("%s is no drydock: %w", endpoint, err)
	}
	return nil
}
