package cli

import (
	"bytes"
	"cmp"
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

// call sends a request to the control API and reads its answer. A nil in sends
// no body.
func (c runningDrydock) call(ctx context.Context, s *session, method, path string, in, out any) error {
	answer, err := c.open(ctx, s, method, path, in)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(out); err != nil {
		return fmt.Errorf("what answered is no drydock: %w", err)
	}
	return nil
}

// open is call for an answer that goes on: the caller reads and closes it.
// What the API refuses as one that cannot be meant is a usage error.
func (c runningDrydock) open(ctx context.Context, s *session, method, path string, in any) (io.ReadCloser, error) {
	endpoint := cmp.Or(c.Endpoint, s.sys.Getenv("AWS_ENDPOINT_URL"))
	if endpoint == "" {
		return nil, &usageError{errors.New("which drydock?"), "give --endpoint or set AWS_ENDPOINT_URL, as drydock serve prints it"}
	}
	var body io.Reader = http.NoBody
	if in != nil {
		doc, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(doc)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(endpoint, "/")+"/_drydock/"+path, body)
	if err != nil {
		return nil, &usageError{fmt.Errorf("endpoint %q: %w", endpoint, err), ""}
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask drydock: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	err = fmt.Errorf("drydock: %s", strings.TrimSpace(string(text)))
	if answer.StatusCode == http.StatusBadRequest {
		return nil, &usageError{err, ""}
	}
	return nil, fmt.Errorf("%w (%s)", err, answer.Status)
}
