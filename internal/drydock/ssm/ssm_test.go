package ssm

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// fixture is a parameter store with the AWS SDK's client to it.
type fixture struct {
	*ssm.Client
	parameters *Store
	clock      *clock.Clock
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return fixtureOn(t, store.Memory())
}

func fixtureOn(t *testing.T, st *store.Store) *fixture {
	t.Helper()
	c := clock.Manual(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	s, err := New(Options{Account: "123456789012", Region: "eu-west-1", Clock: c, Store: st})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), s.Service()))
	t.Cleanup(server.Close)
	return &fixture{ssm.New(ssm.Options{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add}, BaseEndpoint: &server.URL, Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), RetryMaxAttempts: 1,
	}), s, c}
}

// refused checks the code of a refusal, and its message unless that is "".
func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f *fixture) put(t *testing.T, name, value string, kind types.ParameterType) int64 {
	t.Helper()
	return must[*ssm.PutParameterOutput](t)(f.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: &name, Value: &value, Type: kind, Overwrite: aws.Bool(true),
	})).Version
}

func (f *fixture) get(t *testing.T, name string, decrypt bool) types.Parameter {
	t.Helper()
	return *must[*ssm.GetParameterOutput](t)(f.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: &decrypt})).Parameter
}

func TestVersionsAndSelectors(t *testing.T) {
	f := newFixture(t)
	for n := range 3 {
		if got := f.put(t, "/app/url", fmt.Sprint("v", n+1), types.ParameterTypeString); got != int64(n+1) {
			t.Errorf("version %d", got)
		}
	}
	must[*ssm.LabelParameterVersionOutput](t)(f.LabelParameterVersion(t.Context(), &ssm.LabelParameterVersionInput{Name: aws.String("/app/url"), ParameterVersion: aws.Int64(1), Labels: []string{"live"}}))
	arn := "arn:aws:ssm:eu-west-1:123456789012:parameter/app/url"
	for id, want := range map[string]string{"/app/url": "v3", "/app/url:2": "v2", "/app/url:live": "v1", arn: "v3", arn + ":1": "v1"} {
		p := f.get(t, id, false)
		if *p.Value != want || *p.ARN != arn || *p.Name != "/app/url" {
			t.Errorf("%s: %s", id, *p.Value)
		}
		if _, selector, selects := strings.Cut(strings.TrimPrefix(id, arn), ":"); selects && *p.Selector != ":"+selector {
			t.Errorf("%s: the selector is %v", id, p.Selector)
		}
	}
	_, err := f.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/app/url:9")})
	refused(t, err, "ParameterVersionNotFound", "")
	for _, id := range []string{"/app/none", "app/url", strings.Replace(arn, "eu-west-1", "eu-west-2", 1), "/app/url:"} {
		_, err := f.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &id})
		refused(t, err, "ParameterNotFound", "")
	}
	history := must[*ssm.GetParameterHistoryOutput](t)(f.GetParameterHistory(t.Context(), &ssm.GetParameterHistoryInput{Name: aws.String("/app/url")})).Parameters
	if len(history) != 3 || *history[0].Value != "v1" || history[0].Labels[0] != "live" {
		t.Errorf("the history is %v", history)
	}
}

func TestASecureStringIsSealed(t *testing.T) {
	f := newFixture(t)
	f.put(t, "token", "hunter2", types.ParameterTypeSecureString)
	if got := *f.get(t, "token", true).Value; got != "hunter2" {
		t.Errorf("decrypted it is %q", got)
	}
	if got := *f.get(t, "token", false).Value; strings.Contains(got, "hunter2") || got == "" {
		t.Errorf("without decryption it is %q", got)
	}
	d := must[*ssm.DescribeParametersOutput](t)(f.DescribeParameters(t.Context(), &ssm.DescribeParametersInput{})).Parameters
	if len(d) != 1 || *d[0].KeyId != "alias/aws/ssm" {
		t.Errorf("described as %v", d)
	}
}

func TestPutParameterRefuses(t *testing.T) {
	f := newFixture(t)
	f.put(t, "taken", "x", types.ParameterTypeString)
	s := aws.String
	for _, c := range []struct {
		in            ssm.PutParameterInput
		code, message string
	}{
		{ssm.PutParameterInput{Name: s("taken"), Value: s("y"), Type: types.ParameterTypeString}, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."},
		{ssm.PutParameterInput{Name: s("new"), Value: s("y")}, "ValidationException", "A parameter type is required when you create a parameter."},
		{ssm.PutParameterInput{Name: s("a/b"), Value: s("y"), Type: types.ParameterTypeString}, "ValidationException", "Parameter name must be a fully qualified name."},
		{ssm.PutParameterInput{Name: s("/aws/x"), Value: s("y"), Type: types.ParameterTypeString}, "AccessDeniedException", "No access to reserved parameter name: /aws/x."},
		{ssm.PutParameterInput{Name: s("/ssm"), Value: s("y"), Type: types.ParameterTypeString}, "ValidationException", ""},
		{ssm.PutParameterInput{Name: s("  "), Value: s("y"), Type: types.ParameterTypeString}, "ValidationException", "Parameter name must not be blank."},
		{ssm.PutParameterInput{Name: s("/a b"), Value: s("y"), Type: types.ParameterTypeString}, "ValidationException", ""},
		{ssm.PutParameterInput{Name: s(strings.Repeat("/a", 16)), Value: s("y"), Type: types.ParameterTypeString}, "HierarchyLevelLimitExceededException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("{{ssm:x}}"), Type: types.ParameterTypeString}, "ValidationException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("x"), Type: "Text"}, "ValidationException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("abc"), Type: types.ParameterTypeString, AllowedPattern: s(`^\d+$`)}, "ParameterPatternMismatchException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("abc"), Type: types.ParameterTypeString, AllowedPattern: s(`(`)}, "InvalidAllowedPatternException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s(strings.Repeat("x", 4097)), Type: types.ParameterTypeString}, "ValidationException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("x"), Type: types.ParameterTypeString, KeyId: s("alias/mine")}, "ValidationException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("x"), Type: types.ParameterTypeString, Policies: s(`[{"Type":"Expiration"}]`)}, "InvalidPolicyTypeException", ""},
		{ssm.PutParameterInput{Name: s("n"), Value: s("x"), Type: types.ParameterTypeString, DataType: s("aws:ec2:image")}, "ValidationException", ""},
	} {
		_, err := f.PutParameter(t.Context(), &c.in)
		refused(t, err, c.code, c.message)
		if err != nil && strings.Contains(err.Error(), strings.Repeat("x", 9)) {
			t.Errorf("the value is in the message: %v", err)
		}
	}
}

func TestTiers(t *testing.T) {
	f := newFixture(t)
	put := func(size int, tier types.ParameterTier) (types.ParameterTier, error) {
		out, err := f.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String("n"), Value: aws.String(strings.Repeat("x", size)), Type: types.ParameterTypeString, Tier: tier, Overwrite: aws.Bool(true),
		})
		if err != nil {
			return "", err
		}
		return out.Tier, nil
	}
	for _, c := range []struct {
		size        int
		asked, want types.ParameterTier
	}{{1, "", "Standard"}, {1, "Intelligent-Tiering", "Standard"}, {5000, "Intelligent-Tiering", "Advanced"}, {1, "", "Advanced"}} {
		if got, err := put(c.size, c.asked); err != nil || got != c.want {
			t.Errorf("%d bytes in %q: %q %v, want %s", c.size, c.asked, got, err, c.want)
		}
	}
	_, err := put(1, types.ParameterTierStandard)
	refused(t, err, "ValidationException", "")
}

// What an overwrite does not say stays as it was: Terraform relies on it.
func TestOverwriteKeepsTheRest(t *testing.T) {
	f := newFixture(t)
	must[*ssm.PutParameterOutput](t)(f.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("n"), Value: aws.String("1"), Type: types.ParameterTypeSecureString, Description: aws.String("d"), KeyId: aws.String("alias/mine"),
	}))
	must[*ssm.PutParameterOutput](t)(f.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("n"), Value: aws.String("2"), Overwrite: aws.Bool(true)}))
	d := must[*ssm.DescribeParametersOutput](t)(f.DescribeParameters(t.Context(), &ssm.DescribeParametersInput{})).Parameters[0]
	if *d.Description != "d" || *d.KeyId != "alias/mine" || d.Type != types.ParameterTypeSecureString || d.Version != 2 {
		t.Errorf("it is %v", d)
	}
}

func TestPaths(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"/app/a", "/app/b", "/app/deep/c", "/apple", "plain"} {
		f.put(t, name, name, types.ParameterTypeString)
	}
	for _, c := range []struct {
		path      string
		recursive bool
		want      []string
	}{
		{"/app", false, []string{"/app/a", "/app/b"}},
		{"/app/", true, []string{"/app/a", "/app/b", "/app/deep/c"}},
		{"/", false, []string{"/apple"}},
		{"/", true, []string{"/app/a", "/app/b", "/app/deep/c", "/apple", "plain"}},
		{"/none", true, nil},
	} {
		var names []string
		pages := ssm.NewGetParametersByPathPaginator(f, &ssm.GetParametersByPathInput{Path: &c.path, Recursive: &c.recursive, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			for _, p := range must[*ssm.GetParametersByPathOutput](t)(pages.NextPage(t.Context())).Parameters {
				names = append(names, *p.Name)
			}
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s, recursive %v: %s", c.path, c.recursive, diff)
		}
	}
	_, err := f.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("app")})
	refused(t, err, "ValidationException", "")
}

func TestFilters(t *testing.T) {
	f := newFixture(t)
	f.put(t, "/app/a", "1", types.ParameterTypeString)
	f.put(t, "/app/b", "2", types.ParameterTypeSecureString)
	must[*ssm.AddTagsToResourceOutput](t)(f.AddTagsToResource(t.Context(), &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String("/app/a"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("x")}},
	}))
	for _, c := range []struct {
		key, option, value string
		want               []string
	}{
		{"Name", "", "/app/a", []string{"/app/a"}},
		{"Name", "BeginsWith", "/app", []string{"/app/a", "/app/b"}},
		{"Name", "Contains", "pp/b", []string{"/app/b"}},
		{"Type", "Equals", "SecureString", []string{"/app/b"}},
		{"tag:team", "", "x", []string{"/app/a"}},
		{"Path", "OneLevel", "/app", []string{"/app/a", "/app/b"}},
		{"KeyId", "", "alias/aws/ssm", []string{"/app/b"}},
	} {
		filter := types.ParameterStringFilter{Key: &c.key, Values: []string{c.value}}
		if c.option != "" {
			filter.Option = &c.option
		}
		var names []string
		for _, p := range must[*ssm.DescribeParametersOutput](t)(f.DescribeParameters(t.Context(), &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{filter}})).Parameters {
			names = append(names, *p.Name)
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s %s %s: %s", c.key, c.option, c.value, diff)
		}
	}
	_, err := f.DescribeParameters(t.Context(), &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Size"), Values: []string{"1"}}}})
	refused(t, err, "InvalidFilterKey", "")
}

func TestManyAtOnce(t *testing.T) {
	f := newFixture(t)
	f.put(t, "a", "1", types.ParameterTypeString)
	f.put(t, "b", "2", types.ParameterTypeStringList)
	got := must[*ssm.GetParametersOutput](t)(f.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"a", "b:1", "b:7", "none"}}))
	if diff := cmp.Diff([]string{"b:7", "none"}, got.InvalidParameters); diff != "" || len(got.Parameters) != 2 {
		t.Errorf("%d parameters, invalid: %s", len(got.Parameters), diff)
	}
	gone := must[*ssm.DeleteParametersOutput](t)(f.DeleteParameters(t.Context(), &ssm.DeleteParametersInput{Names: []string{"a", "none"}}))
	if len(gone.DeletedParameters) != 1 || len(gone.InvalidParameters) != 1 {
		t.Errorf("deleted %v, not %v", gone.DeletedParameters, gone.InvalidParameters)
	}
	must[*ssm.DeleteParameterOutput](t)(f.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("b")}))
	_, err := f.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("b")})
	refused(t, err, "ParameterNotFound", "")
}

func TestTheOldestVersionGoes(t *testing.T) {
	st := store.Memory()
	f := fixtureOn(t, st)
	for n := range 101 {
		f.put(t, "n", fmt.Sprint(n), types.ParameterTypeString)
	}
	label := func(version int64) {
		must[*ssm.LabelParameterVersionOutput](t)(f.LabelParameterVersion(t.Context(), &ssm.LabelParameterVersionInput{Name: aws.String("n"), ParameterVersion: &version, Labels: []string{"keep", "1no"}}))
	}
	label(2)
	_, err := f.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("n"), Value: aws.String("x"), Overwrite: aws.Bool(true)})
	refused(t, err, "ParameterMaxVersionLimitExceeded", "")
	label(3) // it is on one version at a time
	f.put(t, "n", "x", types.ParameterTypeString)
	if diff := cmp.Diff(f.parameters.parameters, fixtureOn(t, st).parameters.parameters); diff != "" {
		t.Errorf("the store has something else: %s", diff)
	}
	must[*ssm.UnlabelParameterVersionOutput](t)(f.UnlabelParameterVersion(t.Context(), &ssm.UnlabelParameterVersionInput{Name: aws.String("n"), ParameterVersion: aws.Int64(3), Labels: []string{"keep"}}))
	if got := f.parameters.parameters["n"].labelled([]string{"keep"}); got.Number != 0 {
		t.Errorf("version %d still has the label", got.Number)
	}
}

func TestTags(t *testing.T) {
	f := newFixture(t)
	f.put(t, "n", "1", types.ParameterTypeString)
	id, kind := aws.String("n"), types.ResourceTypeForTaggingParameter
	must[*ssm.AddTagsToResourceOutput](t)(f.AddTagsToResource(t.Context(), &ssm.AddTagsToResourceInput{
		ResourceType: kind, ResourceId: id, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}},
	}))
	must[*ssm.RemoveTagsFromResourceOutput](t)(f.RemoveTagsFromResource(t.Context(), &ssm.RemoveTagsFromResourceInput{ResourceType: kind, ResourceId: id, TagKeys: []string{"a"}}))
	tags := must[*ssm.ListTagsForResourceOutput](t)(f.ListTagsForResource(t.Context(), &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: id})).TagList
	if len(tags) != 1 || *tags[0].Key != "b" || *tags[0].Value != "2" {
		t.Errorf("%v", tags)
	}
	_, err := f.ListTagsForResource(t.Context(), &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: aws.String("none")})
	refused(t, err, "InvalidResourceId", "")
	_, err = f.ListTagsForResource(t.Context(), &ssm.ListTagsForResourceInput{ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: id})
	refused(t, err, "InvalidResourceType", "")
}
