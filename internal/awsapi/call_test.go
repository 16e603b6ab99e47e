package awsapi

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// What one of the SDK's own clients does, a call without one does too: it signs
// for the service and its region, tries again with the whole body, and states
// the refusal.
func TestCallIsSignedAndRetried(t *testing.T) {
	w := newWire(t, answer{503, ""}, answer{400, `{"__type":"com.amazonaws#ThrottlingException","message":"Rate exceeded"}`}, answer{200, `{"Name":"db","DeletedDate":1.7e9}`})
	secret, err := client(t, w).Secret(t.Context(), "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf")
	if err != nil || secret.Name != "db" || secret.Deleted.Unix() != 1_700_000_000 {
		t.Fatalf("%+v, %v", secret, err)
	}
	if len(w.got) != 3 {
		t.Fatalf("%d requests", len(w.got))
	}
	for _, got := range w.got {
		if got.operation != "DescribeSecret" || !strings.Contains(got.body, `"SecretId":"arn:`) {
			t.Errorf("got %+v", got)
		}
		checkSignature(t, got, "secretsmanager", "us-west-2")
	}
}

func TestCallStatesARefusal(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/exec"
	for _, c := range []struct {
		name, answer string
		kind         deploy.Kind
		says         string
	}{
		{"XML", `<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>The role with name exec cannot be found.</Message></Error></ErrorResponse>`,
			deploy.NotFound, "read role exec: NoSuchEntity: The role with name exec cannot be found."},
		{"not allowed", `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`,
			deploy.Denied, "allow iam:GetRole to the role that runs this"},
		{"no AWS", `<html>Bad gateway</html>`, "", "not AWS's"},
		{"JSON where XML is spoken", `{"__type":"ThrottlingException","message":"slow down"}`, deploy.Throttled, "slow down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			environment(t)
			w := newWire(t, answer{400, c.answer})
			aws, err := New(t.Context(), Options{Endpoint: w.URL, Attempts: 1})
			if err != nil {
				t.Fatal(err)
			}
			_, err = aws.TrustPolicy(t.Context(), role)
			if err == nil || c.kind != "" && !errors.Is(err, c.kind) {
				t.Fatalf("%v is not %s", err, c.kind)
			}
			var hinted interface{ Hint() string }
			said := err.Error()
			if errors.As(err, &hinted) {
				said += "\n" + hinted.Hint()
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("says %q, want %q", said, c.says)
			}
			if form, err := url.ParseQuery(w.got[0].body); err != nil || form.Get("Action") != "GetRole" || form.Get("RoleName") != "exec" {
				t.Errorf("sent %s", w.got[0].body)
			}
			checkSignature(t, w.got[0], "iam", "us-east-1")
		})
	}
}

func TestCallKnowsWhereAServiceAnswers(t *testing.T) {
	for _, c := range []struct {
		api       api
		region    string
		variables map[string]string
		want      string
	}{
		{systemsManager(), "eu-west-1", nil, "https://ssm.eu-west-1.amazonaws.com"},
		{systemsManager(), "cn-north-1", nil, "https://ssm.cn-north-1.amazonaws.com.cn"},
		{identity("eu-west-1"), "us-east-1", nil, "https://iam.amazonaws.com"},
		{identity("cn-northwest-1"), "cn-north-1", nil, "https://iam.cn-north-1.amazonaws.com.cn"},
		{autoscaling(), "eu-west-1", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1"},
		{autoscaling(), "eu-west-1", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": "http://127.0.0.1:2"}, "http://127.0.0.1:2"},
	} {
		environment(t)
		for name, value := range c.variables {
			t.Setenv(name, value)
		}
		aws, err := New(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := aws.endpoint(t.Context(), c.api, c.region); err != nil || got != c.want {
			t.Errorf("%s in %s: %s, %v; want %s", c.api.id, c.region, got, err, c.want)
		}
		for name := range c.variables {
			t.Setenv(name, "")
		}
	}
}

func TestCallWithoutCredentialsSaysWhatToSet(t *testing.T) {
	w := newWire(t, answer{200, `{}`})
	environment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	aws, err := New(t.Context(), Options{Endpoint: w.URL, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = aws.Secret(t.Context(), "db"); !errors.Is(err, deploy.Setup) || len(w.got) != 0 {
		t.Errorf("%v, %d requests", err, len(w.got))
	}
}
