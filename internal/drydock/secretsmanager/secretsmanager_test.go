package secretsmanager

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func (f *fixture) create(t *testing.T, name, value string) *secretsmanager.CreateSecretOutput {
	t.Helper()
	return must[*secretsmanager.CreateSecretOutput](t)(f.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value}))
}

func (f *fixture) value(t *testing.T, in *secretsmanager.GetSecretValueInput) string {
	t.Helper()
	return *must[*secretsmanager.GetSecretValueOutput](t)(f.GetSecretValue(t.Context(), in)).SecretString
}

const absent = "Secrets Manager can't find the specified secret."

func TestIdentifiersOfASecret(t *testing.T) {
	f := newFixture(t)
	arn := *f.create(t, "prod/db", "one").ARN
	partial := "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db"
	if !strings.HasPrefix(arn, partial+"-") || len(arn) != len(partial)+7 {
		t.Errorf("the ARN is %s", arn)
	}
	for _, id := range []string{"prod/db", arn, partial} {
		if got := f.value(t, &secretsmanager.GetSecretValueInput{SecretId: &id}); got != "one" {
			t.Errorf("%s: %q", id, got)
		}
	}
	for _, id := range []string{
		"db", "prod/db-AbCdEf", partial + "-AbCdEf", strings.Replace(arn, "eu-west-1", "eu-west-2", 1), strings.Replace(arn, "123456789012", "210987654321", 1),
	} {
		_, err := f.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		refused(t, err, "ResourceNotFoundException", absent)
	}
}

// A name that ends like an ARN's suffix is still found by its own ARN.
func TestNameLikeASuffix(t *testing.T) {
	f := newFixture(t)
	f.create(t, "db", "short")
	arn := *f.create(t, "db-abcdef", "long").ARN
	for id, want := range map[string]string{arn: "long", "db-abcdef": "long", "db": "short", strings.TrimSuffix(arn, arn[len(arn)-7:]): "long"} {
		if got := f.value(t, &secretsmanager.GetSecretValueInput{SecretId: &id}); got != want {
			t.Errorf("%s: %q", id, got)
		}
	}
}

func TestStagesFollowTheCurrentVersion(t *testing.T) {
	f := newFixture(t)
	first := *f.create(t, "db", "one").VersionId
	put := func(value string) string {
		return *must[*secretsmanager.PutSecretValueOutput](t)(f.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("db"), SecretString: &value})).VersionId
	}
	second := put("two")
	stages := func() map[string][]string {
		return must[*secretsmanager.DescribeSecretOutput](t)(f.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("db")})).VersionIdsToStages
	}
	if diff := cmp.Diff(map[string][]string{first: {"AWSPREVIOUS"}, second: {"AWSCURRENT"}}, stages()); diff != "" {
		t.Error(diff)
	}
	third := put("three")
	if diff := cmp.Diff(map[string][]string{second: {"AWSPREVIOUS"}, third: {"AWSCURRENT"}}, stages()); diff != "" {
		t.Error(diff)
	}
	if got := f.value(t, &secretsmanager.GetSecretValueInput{SecretId: aws.String("db"), VersionStage: aws.String("AWSPREVIOUS")}); got != "two" {
		t.Errorf("previous is %q", got)
	}
	if got := f.value(t, &secretsmanager.GetSecretValueInput{SecretId: aws.String("db"), VersionId: &first}); got != "one" {
		t.Errorf("the first version is %q", got)
	}
	// Rolling back by hand.
	move := func(stage string, from, to *string) error {
		_, err := f.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: aws.String("db"), VersionStage: &stage, RemoveFromVersionId: from, MoveToVersionId: to,
		})
		return err
	}
	refused(t, move("AWSCURRENT", nil, &second), "InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "+third+", so you must explicitly reference that version in RemoveFromVersionId.")
	refused(t, move("AWSCURRENT", &third, nil), "InvalidParameterException", "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	if err := move("AWSCURRENT", &third, &second); err != nil {
		t.Fatal(err)
	}
	got := stages()
	slices.Sort(got[second])
	if diff := cmp.Diff(map[string][]string{second: {"AWSCURRENT"}, third: {"AWSPREVIOUS"}}, got); diff != "" {
		t.Error(diff)
	}
	_, err := f.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db"), VersionStage: aws.String("MINE")})
	refused(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: MINE")

	listed := must[*secretsmanager.ListSecretVersionIdsOutput](t)(f.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("db"), IncludeDeprecated: aws.Bool(true)}))
	if len(listed.Versions) != 3 {
		t.Errorf("%d versions with the deprecated one", len(listed.Versions))
	}
}

func TestRetriesAreTheSameVersion(t *testing.T) {
	f := newFixture(t)
	token := "11111111-1111-4111-8111-111111111111"
	in := &secretsmanager.CreateSecretInput{Name: aws.String("db"), SecretString: aws.String("one"), ClientRequestToken: &token}
	first := must[*secretsmanager.CreateSecretOutput](t)(f.CreateSecret(t.Context(), in))
	again := must[*secretsmanager.CreateSecretOutput](t)(f.CreateSecret(t.Context(), in))
	if *first.VersionId != token || *again.ARN != *first.ARN {
		t.Errorf("%s %s, then %s", *first.VersionId, *first.ARN, *again.ARN)
	}
	_, err := f.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("db"), SecretString: aws.String("other")})
	refused(t, err, "ResourceExistsException", "The operation failed because the secret db already exists.")
	_, err = f.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("db"), SecretString: aws.String("two"), ClientRequestToken: &token})
	refused(t, err, "ResourceExistsException", "")
}

func TestADeletedSecretCanBeRestoredForAWhile(t *testing.T) {
	st, c := store.Memory(), clock.Manual(start())
	f := fixtureOn(t, st, c)
	f.create(t, "db", "one")
	out := must[*secretsmanager.DeleteSecretOutput](t)(f.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("db"), RecoveryWindowInDays: aws.Int64(7)}))
	if want := start().Add(7 * 24 * time.Hour); !out.DeletionDate.Equal(want) {
		t.Errorf("it goes %v, want %v", out.DeletionDate, want)
	}
	_, err := f.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db")})
	refused(t, err, "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	_, err = f.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("db")})
	refused(t, err, "InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
	if got := must[*secretsmanager.ListSecretsOutput](t)(f.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})).SecretList; len(got) != 0 {
		t.Errorf("it is listed: %v", got)
	}
	must[*secretsmanager.RestoreSecretOutput](t)(f.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("db")}))
	c.Advance(8 * 24 * time.Hour)
	if got := f.value(t, &secretsmanager.GetSecretValueInput{SecretId: aws.String("db")}); got != "one" {
		t.Errorf("restored, it is %q", got)
	}
	// The window outlives the process.
	must[*secretsmanager.DeleteSecretOutput](t)(f.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("db")}))
	c.Cancel(deletionKey(f.manager.secrets["db"]))
	f = fixtureOn(t, st, c)
	if d := must[*secretsmanager.DescribeSecretOutput](t)(f.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("db")})); d.DeletedDate == nil {
		t.Error("it is not to be deleted any more")
	}
	c.Advance(31 * 24 * time.Hour)
	_, err = f.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("db")})
	refused(t, err, "ResourceNotFoundException", absent)
}

func TestDeletionWithoutRecovery(t *testing.T) {
	f := newFixture(t)
	f.create(t, "db", "one")
	force := &secretsmanager.DeleteSecretInput{SecretId: aws.String("db"), ForceDeleteWithoutRecovery: aws.Bool(true)}
	for range 2 { // the second time there is none, which is no error
		must[*secretsmanager.DeleteSecretOutput](t)(f.DeleteSecret(t.Context(), force))
	}
	f.create(t, "db", "anew")
	_, err := f.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("db"), RecoveryWindowInDays: aws.Int64(6)})
	refused(t, err, "InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
}

func TestListsAndBatches(t *testing.T) {
	f := newFixture(t)
	for n := range 5 {
		f.clock.Advance(time.Minute)
		name := fmt.Sprintf("app/%d", n)
		must[*secretsmanager.CreateSecretOutput](t)(f.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
			Name: &name, SecretString: aws.String(name), Tags: []types.Tag{{Key: aws.String("n"), Value: aws.String(fmt.Sprint(n % 2))}},
		}))
	}
	f.create(t, "other", "x")
	var names []string
	pages := secretsmanager.NewListSecretsPaginator(f, &secretsmanager.ListSecretsInput{
		MaxResults: aws.Int32(2), SortOrder: types.SortOrderTypeAsc, Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"app/"}}},
	})
	for pages.HasMorePages() {
		for _, s := range must[*secretsmanager.ListSecretsOutput](t)(pages.NextPage(t.Context())).SecretList {
			names = append(names, *s.Name)
		}
	}
	if diff := cmp.Diff([]string{"app/0", "app/1", "app/2", "app/3", "app/4"}, names); diff != "" {
		t.Error(diff)
	}
	odd := must[*secretsmanager.BatchGetSecretValueOutput](t)(f.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{
		Filters: []types.Filter{{Key: types.FilterNameStringTypeTagValue, Values: []string{"1"}}},
	}))
	if len(odd.SecretValues) != 2 {
		t.Errorf("%d values by tag", len(odd.SecretValues))
	}
	some := must[*secretsmanager.BatchGetSecretValueOutput](t)(f.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"other", "none"}}))
	if len(some.SecretValues) != 1 || *some.SecretValues[0].SecretString != "x" || len(some.Errors) != 1 || *some.Errors[0].Message != absent {
		t.Errorf("a batch: %v, %v", some.SecretValues, some.Errors)
	}
}

func TestUpdateAndTags(t *testing.T) {
	f := newFixture(t)
	must[*secretsmanager.CreateSecretOutput](t)(f.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("db")}))
	_, err := f.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db")})
	refused(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	must[*secretsmanager.UpdateSecretOutput](t)(f.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String("db"), Description: aws.String("d"), SecretBinary: []byte{0, 1}}))
	got := must[*secretsmanager.GetSecretValueOutput](t)(f.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db")}))
	if got.SecretString != nil || !slices.Equal(got.SecretBinary, []byte{0, 1}) {
		t.Error("the binary value did not come back")
	}
	must[*secretsmanager.TagResourceOutput](t)(f.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String("db"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("")}}}))
	must[*secretsmanager.UntagResourceOutput](t)(f.UntagResource(t.Context(), &secretsmanager.UntagResourceInput{SecretId: aws.String("db"), TagKeys: []string{"a"}}))
	d := must[*secretsmanager.DescribeSecretOutput](t)(f.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("db")}))
	if *d.Description != "d" || len(d.Tags) != 1 || *d.Tags[0].Key != "b" {
		t.Errorf("described: %s, %v", *d.Description, d.Tags)
	}
	if want := start().Truncate(24 * time.Hour); !d.LastAccessedDate.Equal(want) {
		t.Errorf("last accessed %v, want %v", d.LastAccessedDate, want)
	}
	if p := must[*secretsmanager.GetResourcePolicyOutput](t)(f.GetResourcePolicy(t.Context(), &secretsmanager.GetResourcePolicyInput{SecretId: aws.String("db")})); p.ResourcePolicy != nil {
		t.Error("it has a policy")
	}
}

// Secrets Manager keeps the newest hundred versions, but none that is younger
// than a day goes.
func TestOldVersionsGo(t *testing.T) {
	f := newFixture(t)
	f.create(t, "db", "0")
	put := func(n int) {
		must[*secretsmanager.PutSecretValueOutput](t)(f.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("db"), SecretString: aws.String(fmt.Sprint(n))}))
	}
	for n := range 110 {
		put(n)
	}
	if got := len(f.manager.secrets["db"].Versions); got != 111 {
		t.Errorf("%d versions on the first day", got)
	}
	f.clock.Advance(25 * time.Hour)
	put(111)
	if got := len(f.manager.secrets["db"].Versions); got != 100 {
		t.Errorf("%d versions a day later", got)
	}
}

func TestStateIsStored(t *testing.T) {
	st, c := store.Memory(), clock.Manual(start())
	f := fixtureOn(t, st, c)
	f.create(t, "db", "one")
	must[*secretsmanager.PutSecretValueOutput](t)(f.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("db"), SecretString: aws.String("two"), VersionStages: []string{"PENDING"}}))
	again := fixtureOn(t, st, c)
	if diff := cmp.Diff(f.manager.secrets, again.manager.secrets); diff != "" {
		t.Error(diff)
	}
}

// No refusal shows a value.
func TestRefusalsKeepValues(t *testing.T) {
	f := newFixture(t)
	value := strings.Repeat("hunter2", 10000)
	_, err := f.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("db"), SecretString: &value})
	refused(t, err, "ValidationException", "")
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("the value is in the message")
	}
}
