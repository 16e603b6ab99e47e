package wire

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Some services' members begin with a capital, the keys of their maps do not
// change all the same.
func TestCapitalizedMembers(t *testing.T) {
	op := Capitalized(func(_ context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
		return &secretsmanager.DescribeSecretOutput{
			ARN: in.SecretId, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}}, VersionIdsToStages: map[string][]string{"v1": {"A"}},
		}, nil
	})
	answer, err := op(t.Context(), Call{Body: []byte(`{"SecretId":"db","secretId":"no"}`)})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Encode(answer)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"ARN":"db","Tags":[{"Key":"team","Value":""}],"VersionIdsToStages":{"v1":["A"]}}`; string(doc) != want {
		t.Errorf("%s, want %s", doc, want)
	}
	_, err = op(t.Context(), Call{Body: []byte(`{"SecretId":12345}`)})
	if want := "SerializationException: SecretId must be a string, not a number"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
