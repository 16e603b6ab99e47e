package ecr

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
)

func TestCreateRepository(t *testing.T) {
	f := newFixture(t)
	got := f.repository(t, "team/api", func(in *ecr.CreateRepositoryInput) {
		in.Tags = []types.Tag{{Key: aws.String("owner"), Value: aws.String("team")}}
	})
	if at := aws.ToTime(got.CreatedAt); !at.Equal(start()) {
		t.Errorf("created at %s", at)
	}
	for what, pair := range map[string][2]string{
		"uri":        {aws.ToString(got.RepositoryUri), host + "/team/api"},
		"arn":        {aws.ToString(got.RepositoryArn), "arn:aws:ecr:eu-west-1:123456789012:repository/team/api"},
		"registry":   {aws.ToString(got.RegistryId), account},
		"mutability": {string(got.ImageTagMutability), "MUTABLE"},
		"encryption": {string(got.EncryptionConfiguration.EncryptionType), "AES256"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
	if got.ImageScanningConfiguration.ScanOnPush {
		t.Error("scans on push without being told to")
	}
	_, err := f.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("team/api")})
	if got := wantCode(t, err, "RepositoryAlreadyExistsException"); got != "The repository with name 'team/api' already exists in the registry with id '123456789012'" {
		t.Error(got)
	}
}

func TestCreateRepositoryRefuses(t *testing.T) {
	f := newFixture(t)
	many := make([]types.Tag, 51)
	for i := range many {
		many[i] = types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("v")}
	}
	named := func(name string) *ecr.CreateRepositoryInput {
		return &ecr.CreateRepositoryInput{RepositoryName: &name}
	}
	tagged := func(tags ...types.Tag) *ecr.CreateRepositoryInput {
		return &ecr.CreateRepositoryInput{RepositoryName: aws.String("ok"), Tags: tags}
	}
	mutable := func(m types.ImageTagMutability, filters ...string) *ecr.CreateRepositoryInput {
		return &ecr.CreateRepositoryInput{RepositoryName: aws.String("ok"), ImageTagMutability: m, ImageTagMutabilityExclusionFilters: exclusions(filters...)}
	}
	for name, test := range map[string]struct {
		in   *ecr.CreateRepositoryInput
		code string
	}{
		"upper case":         {named("Team"), CodeInvalidParameter},
		"one letter":         {named("a"), CodeInvalidParameter},
		"too long":           {named(strings.Repeat("a", 257)), CodeInvalidParameter},
		"empty part":         {named("a//b"), CodeInvalidParameter},
		"aws tag":            {tagged(types.Tag{Key: aws.String("aws:x"), Value: aws.String("v")}), "InvalidTagParameterException"},
		"51 tags":            {tagged(many...), "TooManyTagsException"},
		"unknown mutability": {mutable("SOMETIMES"), CodeInvalidParameter},
		"missing filters":    {mutable("IMMUTABLE_WITH_EXCLUSION"), CodeInvalidParameter},
		"useless filters":    {mutable("IMMUTABLE", "dev-*"), CodeInvalidParameter},
		"six filters":        {mutable("IMMUTABLE_WITH_EXCLUSION", "a", "b", "c", "d", "e", "f"), CodeInvalidParameter},
		"filter with slash":  {mutable("IMMUTABLE_WITH_EXCLUSION", "a/b"), CodeInvalidParameter},
		"other registry":     {&ecr.CreateRepositoryInput{RepositoryName: aws.String("ok"), RegistryId: aws.String("999999999999")}, CodeInvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.CreateRepository(t.Context(), test.in)
			wantCode(t, err, test.code)
		})
	}
	if got := f.registry.Repositories(); len(got) != 0 {
		t.Error("refused, but created:", got)
	}
}

func TestDescribeRepositories(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		f.repository(t, fmt.Sprint("repo-", i))
	}
	var pages [][]string
	p := ecr.NewDescribeRepositoriesPaginator(f, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(2), RegistryId: aws.String(account)})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range out.Repositories {
			names = append(names, *r.RepositoryName)
		}
		pages = append(pages, names)
	}
	if diff := cmp.Diff([][]string{{"repo-0", "repo-1"}, {"repo-2", "repo-3"}, {"repo-4"}}, pages); diff != "" {
		t.Error(diff)
	}

	for name, test := range map[string]struct {
		in   ecr.DescribeRepositoriesInput
		code string
	}{
		"by name":           {ecr.DescribeRepositoriesInput{RepositoryNames: []string{"repo-1"}}, ""},
		"unknown name":      {ecr.DescribeRepositoriesInput{RepositoryNames: []string{"repo-1", "other"}}, CodeRepositoryNotFound},
		"name elsewhere":    {ecr.DescribeRepositoriesInput{RepositoryNames: []string{"repo-1"}, RegistryId: aws.String("999999999999")}, CodeRepositoryNotFound},
		"no results":        {ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(0)}, CodeInvalidParameter},
		"too many results":  {ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1001)}, CodeInvalidParameter},
		"made-up token":     {ecr.DescribeRepositoriesInput{NextToken: aws.String("!")}, CodeInvalidParameter},
		"names and a limit": {ecr.DescribeRepositoriesInput{RepositoryNames: []string{"repo-1"}, MaxResults: aws.Int32(1)}, CodeInvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.DescribeRepositories(t.Context(), &test.in)
			wantCode(t, err, test.code)
		})
	}
}

func TestDeleteRepository(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	f.push(t, "app", "v1", "one")
	_, err := f.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app")})
	if got := wantCode(t, err, "RepositoryNotEmptyException"); got != "The repository with name 'app' in registry with id '123456789012' cannot be deleted because it still contains images" {
		t.Error(got)
	}
	if _, err := f.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app"), Force: true}); err != nil {
		t.Fatal(err)
	}
	if blobs, err := f.store.Blobs(); err != nil || len(blobs) != 0 {
		t.Errorf("blobs are left: %v, %v", blobs, err)
	}
	_, err = f.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app")})
	if got := wantCode(t, err, CodeRepositoryNotFound); got != "The repository with name 'app' does not exist in the registry with id '123456789012'" {
		t.Error(got)
	}
}

func TestResourceTags(t *testing.T) {
	f := newFixture(t)
	arn := f.repository(t, "app", func(in *ecr.CreateRepositoryInput) {
		in.Tags = []types.Tag{{Key: aws.String("owner"), Value: aws.String("a")}, {Key: aws.String("env"), Value: aws.String("test")}}
	}).RepositoryArn
	_, err := f.TagResource(t.Context(), &ecr.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("owner"), Value: aws.String("b")}}})
	wantCode(t, err, "")
	_, err = f.UntagResource(t.Context(), &ecr.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"env", "none"}})
	wantCode(t, err, "")
	out, err := f.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tags) != 1 || aws.ToString(out.Tags[0].Key) != "owner" || aws.ToString(out.Tags[0].Value) != "b" {
		t.Errorf("got %v", out.Tags)
	}
	_, err = f.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:s3:::bucket")})
	wantCode(t, err, CodeInvalidParameter)
}

func TestRepositoryPolicy(t *testing.T) {
	f := newFixture(t)
	name := f.repository(t, "app").RepositoryName
	get := func() error {
		_, err := f.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: name})
		return err
	}
	wantCode(t, get(), "RepositoryPolicyNotFoundException")
	for text, code := range map[string]string{
		`{"Version":"2012-10-17"}`: CodeInvalidParameter,
		`not JSON`:                 CodeInvalidParameter,
		`{"Statement":[]}`:         "",
	} {
		_, err := f.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: &text})
		wantCode(t, err, code)
	}
	wantCode(t, get(), "")
	_, err := f.DeleteRepositoryPolicy(t.Context(), &ecr.DeleteRepositoryPolicyInput{RepositoryName: name})
	wantCode(t, err, "")
	wantCode(t, get(), "RepositoryPolicyNotFoundException")
}

func TestSettings(t *testing.T) {
	f := newFixture(t)
	name := f.repository(t, "app").RepositoryName
	_, err := f.PutImageScanningConfiguration(t.Context(), &ecr.PutImageScanningConfigurationInput{
		RepositoryName: name, ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true},
	})
	wantCode(t, err, "")
	_, err = f.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{
		RepositoryName: name, ImageTagMutability: types.ImageTagMutabilityImmutableWithExclusion, ImageTagMutabilityExclusionFilters: exclusions("dev-*"),
	})
	wantCode(t, err, "")
	out, err := f.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{*name}})
	if err != nil {
		t.Fatal(err)
	}
	got := out.Repositories[0]
	if !got.ImageScanningConfiguration.ScanOnPush || got.ImageTagMutability != "IMMUTABLE_WITH_EXCLUSION" ||
		*got.ImageTagMutabilityExclusionFilters[0].Filter != "dev-*" {
		t.Errorf("got %+v", got)
	}
	registry, err := f.DescribeRegistry(t.Context(), &ecr.DescribeRegistryInput{})
	if err != nil || aws.ToString(registry.RegistryId) != account || registry.ReplicationConfiguration == nil {
		t.Errorf("got %v, %v", registry, err)
	}
}

func TestPullThroughIsUnknown(t *testing.T) {
	f := newFixture(t)
	_, err := f.CreatePullThroughCacheRule(t.Context(), &ecr.CreatePullThroughCacheRuleInput{EcrRepositoryPrefix: aws.String("hub"), UpstreamRegistryUrl: aws.String("public.ecr.aws")})
	wantCode(t, err, "UnknownOperationException")
}

func TestAuthorizationToken(t *testing.T) {
	f := newFixture(t)
	out, err := f.GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	got := out.AuthorizationData[0]
	if aws.ToString(got.ProxyEndpoint) != "http://"+host || !aws.ToTime(got.ExpiresAt).Equal(start().Add(12*time.Hour)) {
		t.Errorf("got %s, %s", *got.ProxyEndpoint, *got.ExpiresAt)
	}
	login, err := base64.StdEncoding.DecodeString(*got.AuthorizationToken)
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := strings.CutPrefix(string(login), "AWS:")
	if !ok {
		t.Fatal("the token is not for the user AWS")
	}
	again := newRegistry(t, f.store, f.clock)
	for what, r := range map[string]*Registry{"the registry": f.registry, "after a restart": again} {
		if err := r.CheckLogin("AWS", secret); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, forged := range []string{"", "x", secret + "A", base64.RawURLEncoding.EncodeToString(make([]byte, 40))} {
			if err := r.CheckLogin("AWS", forged); err != ErrForged {
				t.Errorf("%s: %q: %v", what, forged, err)
			}
		}
		if err := r.CheckDownload("/v2/app/blobs/x", secret); err != ErrForged {
			t.Errorf("%s: a token opens downloads: %v", what, err)
		}
	}
	username, own := f.registry.Credentials()
	if err := f.registry.CheckLogin(username, own); err != nil {
		t.Error(err)
	}
	if err := f.registry.CheckLogin("root", secret); err != ErrForged {
		t.Errorf("another user: %v", err)
	}
	f.clock.Advance(12 * time.Hour)
	if err := f.registry.CheckLogin("AWS", secret); err != ErrExpired {
		t.Errorf("after 12 hours: %v", err)
	}
	other := newFixture(t)
	if err := other.registry.CheckLogin("AWS", secret); err != ErrForged {
		t.Errorf("another registry: %v", err)
	}
}

func TestTagsOfTheWrongKind(t *testing.T) {
	f := newFixture(t)
	op := f.registry.Service().Operations["CreateRepository"]
	_, err := op(t.Context(), wire.Call{Body: []byte(`{"repositoryName":"app","tags":[{"Key":1,"Value":"v"}]}`)})
	if e, ok := err.(*wire.Error); !ok || e.Code != "SerializationException" {
		t.Errorf("got %v", err)
	}
}
