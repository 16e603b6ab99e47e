package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockAdvance struct {
	By       string `arg:"" help:"How far: 90s, 45m, 12h or 14d."`
	Endpoint string `help:"Address of the drydock (AWS_ENDPOINT_URL)." placeholder:"URL"`
}

// Run asks a running drydock to move its calendar.
func (c *drydockAdvance) Run(ctx context.Context, s *session) error {
	by, err := parseSpan(c.By)
	if err != nil {
		return &usageError{err, "for example 90s, 45m, 12h or 14d"}
	}
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = s.sys.Getenv("AWS_ENDPOINT_URL")
	}
	if endpoint == "" {
		return &usageError{errors.New("drydock advance: which drydock?"), "give --endpoint or set AWS_ENDPOINT_URL, as drydock serve prints it"}
	}
	body, err := json.Marshal(map[string]float64{"seconds": by.Seconds()})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(endpoint, "/")+"/_drydock/advance", bytes.NewReader(body))
	if err != nil {
		return &usageError{fmt.Errorf("endpoint %q: %w", endpoint, err), ""}
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("advance drydock: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("advance drydock: %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	var status drydock.Status
	if err := json.NewDecoder(answer.Body).Decode(&status); err != nil {
		return fmt.Errorf("advance drydock: %w", err)
	}
	if s.json() {
		s.object(status)
		return nil
	}
	_, err = fmt.Fprintf(s.sys.Stdout, "%s\n", status.Now.Format(time.RFC3339))
	return err
}

// parseSpan reads a duration as people write it, with days.
func parseSpan(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 3650 {
			return 0, fmt.Errorf("%q is not a time to advance by", text)
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a time to advance by", text)
	}
	return d, nil
}
