package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

const (
	targetECS  = "AmazonEC2ContainerServiceV20141113"
	targetECR  = "AmazonEC2ContainerRegistry_V20150921"
	targetLogs = "Logs_20140328"
)

func serve(t *testing.T, services ...wire.Service) aws.Config {
	t.Helper()
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), services...))
	t.Cleanup(server.Close)
	return aws.Config{
		APIOptions:   []func(*middleware.Stack) error{plainbody.Add},
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// exchange is one operation called through the SDK's own client: what it
// sent must be what the operation saw, what it got what the operation gave.
type exchange[In, Out any] struct {
	in  *In
	out *Out
}

func (x *exchange[In, Out]) operation() wire.Operation {
	return wire.Typed(func(_ context.Context, in *In) (*Out, error) {
		x.in = in
		return x.out, nil
	})
}

func (x *exchange[In, Out]) check(t *testing.T, call func(*In) (*Out, error)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		sent, given := new(In), new(Out)
		fill(t, reflect.ValueOf(sent).Elem(), true)
		fill(t, reflect.ValueOf(given).Elem(), false)
		x.out = given
		got, err := call(sent)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sent, x.in, members()); diff != "" {
			t.Fatalf("request: %s", diff)
		}
		// The SDK cuts a timestamp's fraction off a millisecond short at times.
		if diff := cmp.Diff(given, got, members(), cmpopts.EquateApproxTime(time.Millisecond)); diff != "" {
			t.Fatalf("answer: %s", diff)
		}
	})
}

func TestSDKSpeaksJSON(t *testing.T) {
	var (
		register exchange[ecs.RegisterTaskDefinitionInput, ecs.RegisterTaskDefinitionOutput]
		describe exchange[ecs.DescribeServicesInput, ecs.DescribeServicesOutput]
		images   exchange[ecr.DescribeImagesInput, ecr.DescribeImagesOutput]
		upload   exchange[ecr.UploadLayerPartInput, ecr.UploadLayerPartOutput]
		filter   exchange[cloudwatchlogs.FilterLogEventsInput, cloudwatchlogs.FilterLogEventsOutput]
	)
	config := serve(t,
		wire.Service{Name: "ECS", Target: targetECS, Operations: map[string]wire.Operation{
			"RegisterTaskDefinition": register.operation(),
			"DescribeServices":       describe.operation(),
		}},
		wire.Service{Name: "ECR", Target: targetECR, Operations: map[string]wire.Operation{
			"DescribeImages":  images.operation(),
			"UploadLayerPart": upload.operation(),
		}},
		wire.Service{Name: "Logs", Target: targetLogs, Operations: map[string]wire.Operation{
			"FilterLogEvents": filter.operation(),
		}},
	)
	ctx := t.Context()
	ecsClient, ecrClient, logsClient := ecs.NewFromConfig(config), ecr.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	t.Run("RegisterTaskDefinition", func(t *testing.T) {
		register.check(t, func(in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
			return ecsClient.RegisterTaskDefinition(ctx, in)
		})
	})
	t.Run("DescribeServices", func(t *testing.T) {
		describe.check(t, func(in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
			return ecsClient.DescribeServices(ctx, in)
		})
	})
	t.Run("DescribeImages", func(t *testing.T) {
		images.check(t, func(in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
			return ecrClient.DescribeImages(ctx, in)
		})
	})
	t.Run("UploadLayerPart", func(t *testing.T) {
		upload.check(t, func(in *ecr.UploadLayerPartInput) (*ecr.UploadLayerPartOutput, error) {
			return ecrClient.UploadLayerPart(ctx, in)
		})
	})
	t.Run("FilterLogEvents", func(t *testing.T) {
		filter.check(t, func(in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
			return logsClient.FilterLogEvents(ctx, in)
		})
	})
}

func TestErrorsReachTheSDK(t *testing.T) {
	answers := map[string]error{
		"gone":   wire.Errorf("ClusterNotFoundException", "Cluster not found."),
		"broken": errors.New("disk full"),
		"busy":   &wire.Error{Code: "ThrottlingException", Message: "Rate exceeded"},
	}
	config := serve(t, wire.Service{Name: "ECS", Target: targetECS, Operations: map[string]wire.Operation{
		"DescribeServices": wire.Typed(func(_ context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
			return nil, answers[*in.Cluster]
		}),
	}})
	client := ecs.NewFromConfig(config)
	call := func(cluster string) error {
		_, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{"web"}})
		return err
	}
	if _, ok := errors.AsType[*ecstypes.ClusterNotFoundException](call("gone")); !ok {
		t.Errorf("got %v, want the SDK's ClusterNotFoundException", call("gone"))
	}
	for cluster, code := range map[string]string{"broken": "ServerException", "busy": "ThrottlingException"} {
		if e, ok := errors.AsType[smithy.APIError](call(cluster)); !ok || e.ErrorCode() != code {
			t.Errorf("%s: got %v, want %s", cluster, call(cluster), code)
		}
	}
	_, err := client.ListClusters(t.Context(), &ecs.ListClustersInput{})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "UnknownOperationException" || !strings.Contains(e.ErrorMessage(), "ListClusters") {
		t.Errorf("an operation without an entry: got %v", err)
	}
}

func TestCallKnowsItsScope(t *testing.T) {
	var call wire.Call
	config := serve(t, wire.Service{Name: "ECS", Target: targetECS, Operations: map[string]wire.Operation{
		"ListClusters": func(_ context.Context, c wire.Call) (any, error) {
			call = c
			return ecs.ListClustersOutput{}, nil
		},
	}})
	if _, err := ecs.NewFromConfig(config).ListClusters(t.Context(), &ecs.ListClustersInput{}); err != nil {
		t.Fatal(err)
	}
	if call.Operation != "ListClusters" || call.Region != "eu-west-1" || call.AccessKey != "AKID" {
		t.Errorf("got %+v", call)
	}
}

func stsService(out any, err error) wire.Service {
	op := func(context.Context, wire.Call) (any, error) { return out, err }
	return wire.Service{Name: "STS", Scope: "sts", Version: "2011-06-15", Operations: map[string]wire.Operation{
		"GetCallerIdentity": op, "AssumeRole": op,
	}}
}

func TestQueryAnswersReachTheSDK(t *testing.T) {
	identity := &sts.GetCallerIdentityOutput{
		Account: aws.String("123456789012"), Arn: aws.String("arn:aws:iam::123456789012:user/<a&b>"), UserId: aws.String("AIDA"),
	}
	got, err := sts.NewFromConfig(serve(t, stsService(identity, nil))).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(identity, got, members()); diff != "" {
		t.Error(diff)
	}
	role := &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String("arn"), AssumedRoleId: aws.String("AROA:me")},
		Credentials: &ststypes.Credentials{
			AccessKeyId: aws.String("ASIA"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"),
			Expiration: aws.Time(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)),
		},
	}
	assumed, err := sts.NewFromConfig(serve(t, stsService(role, nil))).AssumeRole(t.Context(),
		&sts.AssumeRoleInput{RoleArn: aws.String("arn"), RoleSessionName: aws.String("me")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(role, assumed, members()); diff != "" {
		t.Error(diff)
	}
}

func TestQueryErrorsReachTheSDK(t *testing.T) {
	for _, test := range []struct {
		err  error
		code string
	}{
		{&wire.Error{Code: "AccessDenied", Message: "no", Status: http.StatusForbidden}, "AccessDenied"},
		{errors.New("disk full"), "ServerException"},
	} {
		_, err := sts.NewFromConfig(serve(t, stsService(nil, test.err))).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != test.code {
			t.Errorf("got %v, want %s", err, test.code)
		}
	}
	_, err := sts.NewFromConfig(serve(t, stsService(nil, nil))).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "InvalidAction" ||
		e.ErrorMessage() != "Could not find operation GetSessionToken for version 2011-06-15" {
		t.Errorf("got %v", err)
	}
}

// The document, byte by byte: botocore reads results by element name.
func TestQueryXML(t *testing.T) {
	out := struct {
		Account string
		Names   []string
		Gone    *string
	}{"123456789012", []string{"a", "b"}, nil}
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), stsService(out, nil)))
	defer server.Close()
	status, body, header := post(t, server.URL, "Action=GetCallerIdentity&Version=2011-06-15", http.Header{
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=0"},
	})
	want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
		`<Account>123456789012</Account><Names><member>a</member><member>b</member></Names></GetCallerIdentityResult>` +
		`<ResponseMetadata><RequestId>` + header.Get("x-amzn-RequestId") + `</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	if status != http.StatusOK || body != want || header.Get("Content-Type") != "text/xml" {
		t.Errorf("%d %s\n%s", status, header.Get("Content-Type"), body)
	}
}

func TestRequestsThatAreNoCalls(t *testing.T) {
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), stsService(nil, nil)))
	defer server.Close()
	signed := "AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/ecs/aws4_request"
	for _, test := range []struct {
		name   string
		body   string
		header http.Header
		status int
		want   string
	}{
		{"unsigned JSON", "{}", http.Header{"X-Amz-Target": {targetECS + ".ListClusters"}}, 403, `"__type":"MissingAuthenticationTokenException"`},
		{"unsigned Query", "Action=GetCallerIdentity", nil, 403, "<Code>MissingAuthenticationTokenException</Code>"},
		{"half a scope", "{}", http.Header{"X-Amz-Target": {targetECS + ".ListClusters"}, "Authorization": {"Credential=AKID/eu-west-1"}}, 403, "MissingAuthenticationTokenException"},
		{"no such service", "{}", http.Header{"X-Amz-Target": {targetECS + ".ListClusters"}, "Authorization": {signed}}, 400, "drydock has no service for " + targetECS + ".ListClusters"},
		{"no such Query service", "Action=DescribeInstances", http.Header{"Authorization": {signed}}, 400, "<Code>InvalidAction</Code>"},
		{"neither", "hello", http.Header{"Authorization": {signed}}, 400, "UnknownOperationException"},
		{"not a form", "%zz", http.Header{"Authorization": {signed}}, 400, "UnknownOperationException"},
		{"too large", strings.Repeat("x", 16<<20+1), http.Header{"Authorization": {signed}}, 413, "RequestEntityTooLarge"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body, header := post(t, server.URL, test.body, test.header)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("got %d %s, want %d %s", status, body, test.status, test.want)
			}
			if header.Get("x-amzn-RequestId") == "" {
				t.Error("no request id")
			}
		})
	}
}

func post(t *testing.T, url, body string, header http.Header) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer), response.Header
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=0")
	f.Add("Credential=")
	f.Add("Credential=////,")
	mux := wire.NewMux(slog.New(slog.DiscardHandler), stsService(struct{}{}, nil))
	f.Fuzz(func(t *testing.T, authorization string) {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity"))
		request.Header.Set("Authorization", authorization)
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		if code := answer.Code; code != 200 && code != 400 && code != 403 {
			t.Errorf("status %d", code)
		}
	})
}
