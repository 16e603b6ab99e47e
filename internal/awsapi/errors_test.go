package awsapi

import (
	"errors"
	"strings"
	"testing"

	smithy "github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// Credentials that AWS refuses are no missing permission and no outage: the error
// says which of the things that can be wrong with them it is.
func TestRefusedCredentialsSayWhatToDo(t *testing.T) {
	for _, tc := range []struct{ code, message, hint string }{
		{"ExpiredTokenException", "The security token included in the request is expired", "expired: take new ones"},
		{"UnrecognizedClientException", "The security token included in the request is invalid.", "does not know these credentials"},
		{"InvalidSignatureException", "Signature expired: 20261121T200000Z is now earlier than 20261121T205500Z", "clock"},
		{"InvalidSignatureException", "Signature not yet current: 20261121T220000Z is still later than 20261121T210500Z", "clock"},
		{"InvalidSignatureException", "The request signature we calculated does not match the signature you provided.", "AWS_SECRET_ACCESS_KEY"},
	} {
		err := wrap("read service web", &smithy.GenericAPIError{Code: tc.code, Message: tc.message})
		var hinted interface{ Hint() string }
		if !errors.Is(err, deploy.Setup) || errors.Is(err, deploy.Denied) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), tc.hint) {
			t.Errorf("%s (%s): %v", tc.code, tc.message, err)
		}
	}
	err := wrap("read service web", &smithy.GenericAPIError{Code: "ServerException", Message: "expired"})
	if errors.Is(err, deploy.Setup) {
		t.Errorf("%v is no matter of credentials", err)
	}
}
