package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// CallError is AWS's refusal of a [Client.Call].
type CallError struct {
	Service, Operation string
	Code, Message      string
	Status             int
}

func (e *CallError) Error() string {
	return fmt.Sprintf("%s:%s: %s: %s", e.Service, e.Operation, e.Code, e.Message)
}

// ErrorCode is AWS's name of the error, as smithy's APIError has it.
func (e *CallError) ErrorCode() string { return e.Code }

// protocol is how a service is spoken to: the target of AWS JSON 1.1, or the
// version of AWS Query.
type protocol struct{ target, version string }

func protocols() map[string]protocol {
	return map[string]protocol{
		"ecs":                     {target: "AmazonEC2ContainerServiceV20141113"},
		"ecr":                     {target: "AmazonEC2ContainerRegistry_V20150921"},
		"logs":                    {target: "Logs_20140328"},
		"health":                  {target: "AWSHealth_20160804"},
		"ssm":                     {target: "AmazonSSM"},
		"secretsmanager":          {target: "secretsmanager"},
		"application-autoscaling": {target: "AnyScaleFrontendService"},
		"sts":                     {version: "2011-06-15"},
		"iam":                     {version: "2010-05-08"},
		"elasticloadbalancing":    {version: "2015-12-01"},
	}
}

// Services lists what [Client.Call] can speak to, by the names that IAM
// actions begin with.
func Services() []string { return slices.Sorted(maps.Keys(protocols())) }

// Call makes any operation with an input as it would stand in JSON, signed,
// and answers with the output: of AWS Query, the XML as text. AWS's refusal is
// a [*CallError].
func (c *Client) Call(ctx context.Context, service, operation string, input any) (any, error) {
	p, ok := protocols()[service]
	if !ok {
		return nil, fmt.Errorf("there is no service %q; services are %s", service, strings.Join(Services(), ", "))
	}
	var body []byte
	header := http.Header{}
	if p.target != "" {
		var err error
		if body, err = json.Marshal(input); err != nil {
			return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
		}
		if string(body) == "null" { // no input is an empty one
			body = []byte("{}")
		}
		header.Set("Content-Type", "application/x-amz-json-1.1")
		header.Set("X-Amz-Target", p.target+"."+operation)
	} else {
		form := url.Values{"Action": {operation}, "Version": {p.version}}
		flatten(form, "", input)
		body = []byte(form.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
	}
	request.Header = header
	keys, err := c.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
	}
	if err := v4.NewSigner().SignHTTP(ctx, keys, request, fmt.Sprintf("%x", sha256.Sum256(body)), service, c.Config.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(service, operation, answer.StatusCode, text)
	}
	if p.target == "" {
		return string(text), nil
	}
	var out any
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			return nil, fmt.Errorf("%s:%s: %w", service, operation, err)
		}
	}
	return out, nil
}

// flatten writes an input as AWS Query does: lists as NAME.member.1, members of
// structures behind a dot.
func flatten(form url.Values, at string, v any) {
	join := func(name string) string {
		if at == "" {
			return name
		}
		return at + "." + name
	}
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for name, member := range v {
			flatten(form, join(name), member)
		}
	case []any:
		for i, member := range v {
			flatten(form, join("member."+strconv.Itoa(i+1)), member)
		}
	default:
		form.Set(at, fmt.Sprint(v))
	}
}

// refusal reads an error of AWS JSON or AWS Query.
func refusal(service, operation string, status int, text []byte) error {
	e := &CallError{Service: service, Operation: operation, Status: status, Message: strings.TrimSpace(string(text))}
	var doc struct {
		Type         string `json:"__type"`
		Message      string `json:"message"`
		OtherMessage string `json:"Message"`
	}
	var query struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	switch {
	case json.Unmarshal(text, &doc) == nil && doc.Type != "":
		e.Code = doc.Type[strings.LastIndexByte(doc.Type, '#')+1:]
		if e.Message = doc.Message; e.Message == "" {
			e.Message = doc.OtherMessage
		}
	case xml.Unmarshal(text, &query) == nil && query.Code != "":
		e.Code, e.Message = query.Code, query.Message
	}
	return e
}
