package drydock

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
)

const (
	accountID    = "123456789012"
	trustAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
	trustTasks   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

func allow(actions, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[%s],"Resource":%q}]}`, actions, resource)
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

// code is the code of AWS's refusal, and its message.
func refusal(err error) (code, message string) {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode(), e.ErrorMessage()
	}
	return "", fmt.Sprint(err)
}

func wantRefused(t *testing.T, err error, code, message string) {
	t.Helper()
	if got, text := refusal(err); got != code || !strings.Contains(text, message) {
		t.Errorf("%s: %s\nwant %s: %s", got, text, code, message)
	}
}

// crew is a drydock with a role to assume and a service, on a clock of the
// test's.
type crew struct {
	*Server
	t     *testing.T
	admin aws.Config
}

func newCrew(t *testing.T, data string) crew {
	s, err := Start(t.Context(), Options{Runtime: Simulated, Clock: clock.Manual(time.Now().Truncate(time.Second)), Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return crew{s, t, configOf(s)}
}

func (c crew) close() {
	if err := c.Close(); err != nil {
		c.t.Error(err)
	}
}

func (c crew) role(name, trust string, policies ...string) {
	c.t.Helper()
	client := iam.NewFromConfig(c.admin)
	must[*iam.CreateRoleOutput](c.t)(client.CreateRole(c.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
	for n, document := range policies {
		must[*iam.PutRolePolicyOutput](c.t)(client.PutRolePolicy(c.t.Context(), &iam.PutRolePolicyInput{
			RoleName: &name, PolicyName: aws.String(fmt.Sprint("p", n)), PolicyDocument: &document,
		}))
	}
}

func (c crew) as(k *ststypes.Credentials) aws.Config {
	config := configOf(c.Server)
	config.Credentials = credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, *k.SessionToken)
	return config
}

func (c crew) assume(role string, change func(*sts.AssumeRoleInput)) aws.Config {
	c.t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + accountID + ":role/" + role), RoleSessionName: aws.String("job")}
	if change != nil {
		change(in)
	}
	out := must[*sts.AssumeRoleOutput](c.t)(sts.NewFromConfig(c.admin).AssumeRole(c.t.Context(), in))
	return c.as(out.Credentials)
}

func TestASessionIsHeldToItsPolicies(t *testing.T) {
	c := newCrew(t, "")
	defer c.close()
	c.role("ci", trustAccount, allow(`"ecs:ListClusters","ecs:CreateCluster"`, "*"))
	ci := c.assume("ci", nil)
	who := must[*sts.GetCallerIdentityOutput](t)(sts.NewFromConfig(ci).GetCallerIdentity(t.Context(), nil))
	if *who.Arn != "arn:aws:sts::123456789012:assumed-role/ci/job" {
		t.Error(*who.Arn)
	}
	must[*ecs.ListClustersOutput](t)(ecs.NewFromConfig(ci).ListClusters(t.Context(), nil))
	_, err := ecs.NewFromConfig(ci).ListServices(t.Context(), &ecs.ListServicesInput{})
	wantRefused(t, err, "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/ci/job is not authorized to perform: ecs:ListServices on resource: * because no identity-based policy allows the ecs:ListServices action")
	_, err = iam.NewFromConfig(ci).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("ci")})
	wantRefused(t, err, "AccessDenied", "iam:GetRole on resource: arn:aws:iam::123456789012:role/ci because")
	// Tags of a new resource are an action of their own.
	_, err = ecs.NewFromConfig(ci).CreateCluster(t.Context(), &ecs.CreateClusterInput{Tags: []ecstypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	wantRefused(t, err, "AccessDeniedException", "ecs:TagResource on resource: arn:aws:ecs:ap-northeast-1:123456789012:cluster/default")

	// The policy of a session narrows it, and says so.
	narrow := c.assume("ci", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(allow(`"ecs:CreateCluster"`, "*")) })
	_, err = ecs.NewFromConfig(narrow).ListClusters(t.Context(), nil)
	wantRefused(t, err, "AccessDeniedException", "because no session policy allows the ecs:ListClusters action")

	// It ends when it said it would, by drydock's calendar.
	c.options.Clock.Advance(time.Hour)
	_, err = ecs.NewFromConfig(ci).ListClusters(t.Context(), nil)
	wantRefused(t, err, "ExpiredTokenException", "The security token included in the request is expired")
	_, err = iam.NewFromConfig(ci).ListRoles(t.Context(), nil)
	wantRefused(t, err, "ExpiredToken", "The security token included in the request is expired")
}

func TestSignaturesOfKeysGivenOutHere(t *testing.T) {
	c := newCrew(t, "")
	defer c.close()
	client := iam.NewFromConfig(c.admin)
	name := aws.String("aki")
	must[*iam.CreateUserOutput](t)(client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name}))
	must[*iam.PutUserPolicyOutput](t)(client.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(allow(`"ecs:*"`, "*"))}))
	key := must[*iam.CreateAccessKeyOutput](t)(client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})).AccessKey
	with := func(secret string) aws.Config {
		return c.as(&ststypes.Credentials{AccessKeyId: key.AccessKeyId, SecretAccessKey: &secret, SessionToken: aws.String("")})
	}
	must[*ecs.ListClustersOutput](t)(ecs.NewFromConfig(with(*key.SecretAccessKey)).ListClusters(t.Context(), nil))
	_, err := ecs.NewFromConfig(with("guessed")).ListClusters(t.Context(), nil)
	wantRefused(t, err, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
	_, err = sts.NewFromConfig(with("guessed")).GetCallerIdentity(t.Context(), nil)
	wantRefused(t, err, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")

	// A signature covers the body, the target and the service.
	signed := func() *http.Request {
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, c.Endpoint()+"/", strings.NewReader(`{}`)))
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
		who := aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey}
		const empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
		if err := v4.NewSigner().SignHTTP(t.Context(), who, r, empty, "ecs", DefaultRegion, time.Now()); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for what, change := range map[string]func(*http.Request){
		"":       func(*http.Request) {},
		"body":   func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
		"target": func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListServices") },
		"service": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/ecs/", "/iam/", 1))
		},
	} {
		r := signed()
		change(r)
		answer := must[*http.Response](t)(http.DefaultClient.Do(r))
		answer.Body.Close()
		if (answer.StatusCode == http.StatusOK) != (what == "") {
			t.Errorf("with another %q: %s", what, answer.Status)
		}
	}

	// GetUser without a name is about who calls; a key that is gone is known to be.
	must[*iam.DeleteAccessKeyOutput](t)(client.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId}))
	_, err = ecs.NewFromConfig(with(*key.SecretAccessKey)).ListClusters(t.Context(), nil)
	wantRefused(t, err, "UnrecognizedClientException", "The security token included in the request is invalid.")
	_, err = sts.NewFromConfig(with(*key.SecretAccessKey)).GetCallerIdentity(t.Context(), nil)
	wantRefused(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func TestWhoMayAssumeARole(t *testing.T) {
	c := newCrew(t, "")
	defer c.close()
	external := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/ci"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}}]}`
	c.role("ci", trustAccount)
	c.role("named", external)                                             // by name: needs no policy of the caller
	c.role("delegated", trustAccount)                                     // by account: does
	c.role("tasks", trustTasks, allow(`"ecr:*"`, "arn:aws:ecr:::unused")) // of ECS alone
	ci := sts.NewFromConfig(c.assume("ci", nil))
	try := func(role, externalID string, seconds int32) error {
		in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:role/" + role), RoleSessionName: aws.String("deep"), DurationSeconds: &seconds}
		if externalID != "" {
			in.ExternalId = &externalID
		}
		_, err := ci.AssumeRole(context.Background(), in)
		return err
	}
	if err := try("named", "42", 900); err != nil {
		t.Error(err)
	}
	for _, role := range []string{"named", "delegated", "tasks", "nobody"} {
		wantRefused(t, try(role, "", 900), "AccessDenied", "User: arn:aws:sts::123456789012:assumed-role/ci/job is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/"+role)
	}
	wantRefused(t, try("named", "42", 899), "ValidationError", "'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900")
	wantRefused(t, try("named", "42", 3601), "ValidationError", "exceeds the MaxSessionDuration set for this role")
}

// idToken is one that nobody signed.
func idToken(subject, audience string, expires time.Time) *string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return aws.String(part(`{"alg":"RS256","kid":"k"}`) + "." +
		part(fmt.Sprintf(`{"iss":"https://gitlab.com","sub":%q,"aud":%q,"exp":%d}`, subject, audience, expires.Unix())) + "." + part("none"))
}

func TestWebIdentity(t *testing.T) {
	c := newCrew(t, "")
	defer c.close()
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/gitlab.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"gitlab.com:sub":"project_path:a/*"}}}]}`
	c.role("ci", trust)
	config := configOf(c.Server)
	config.Credentials = nil
	try := func(token *string) error {
		_, err := sts.NewFromConfig(config).AssumeRoleWithWebIdentity(context.Background(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/ci"), RoleSessionName: aws.String("job"), WebIdentityToken: token,
		})
		return err
	}
	later := time.Now().Add(time.Hour)
	wantRefused(t, try(idToken("project_path:a/b", "aud", later)), "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://gitlab.com")
	must[*iam.CreateOpenIDConnectProviderOutput](t)(iam.NewFromConfig(c.admin).CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://gitlab.com"), ClientIDList: []string{"aud"},
	}))
	if err := try(idToken("project_path:a/b", "aud", later)); err != nil {
		t.Error(err)
	}
	wantRefused(t, try(idToken("project_path:c/b", "aud", later)), "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	wantRefused(t, try(idToken("project_path:a/b", "other", later)), "InvalidIdentityToken", "Incorrect token audience")
	wantRefused(t, try(idToken("project_path:a/b", "aud", time.Now().Add(-time.Hour))), "ExpiredTokenException", "must be before the expiration date/time")
	wantRefused(t, try(idToken("", "aud", later)), "InvalidIdentityToken", "Missing a required claim: sub")
	wantRefused(t, try(aws.String("no.token")), "InvalidIdentityToken", "is not a valid JWT")
	// With the issuer's keys, a token that they did not sign is none.
	const keys = `{"issuer":"https://gitlab.com","jwks":{"keys":[{"kty":"EC","kid":"k","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}}`
	if status, _ := control[Issuer](t, c.Server, http.MethodPost, "oidc", keys); status != http.StatusOK {
		t.Fatal(status)
	}
	wantRefused(t, try(idToken("project_path:a/b", "aud", later)), "InvalidIdentityToken", "Couldn't verify the signature")
	for _, body := range []string{`{"issuer":"https://gitlab.com"}`, `{"issuer":"x","jwks":{}}`, `{"issuer":"https://gitlab.com","jwks":{"keys":[]}}`} {
		if status, _ := control[Issuer](t, c.Server, http.MethodPost, "oidc", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, status)
		}
	}
}

// docker's side is authorized as whoever got its token; the repository's own
// policy counts too.
func TestTheRegistryIsAuthorized(t *testing.T) {
	c := newCrew(t, "")
	defer c.close()
	c.role("ci", trustAccount, allow(`"ecr:GetAuthorizationToken"`, "*"), allow(`"ecr:InitiateLayerUpload"`, "arn:aws:ecr:*:*:repository/web"))
	images := ecr.NewFromConfig(c.admin)
	for _, name := range []string{"web", "other"} {
		must[*ecr.CreateRepositoryOutput](t)(images.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: &name}))
	}
	token := must[*ecr.GetAuthorizationTokenOutput](t)(ecr.NewFromConfig(c.assume("ci", nil)).GetAuthorizationToken(t.Context(), nil))
	login := map[string]string{"Authorization": "Basic " + *token.AuthorizationData[0].AuthorizationToken}
	for request, want := range map[string]int{
		"GET /v2/": http.StatusOK, "POST /v2/web/blobs/uploads/": http.StatusAccepted, "POST /v2/other/blobs/uploads/": http.StatusForbidden,
		"GET /v2/web/manifests/v1": http.StatusForbidden, "DELETE /v2/web/manifests/v1": http.StatusForbidden, "GET /v2/_catalog": http.StatusForbidden,
	} {
		method, path, _ := strings.Cut(request, " ")
		if status, text := exchange(t, method, c.Endpoint()+path, "", login); status != want {
			t.Errorf("%s: %d %s, want %d", request, status, text, want)
		}
	}
	_, text := exchange(t, http.MethodGet, c.Endpoint()+"/v2/web/manifests/v1", "", login)
	if !strings.Contains(text, `"DENIED"`) || !strings.Contains(text, "User: arn:aws:sts::123456789012:assumed-role/ci/job is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:ap-northeast-1:123456789012:repository/web because") {
		t.Error(text)
	}
	for principal, want := range map[string]int{`{"AWS":"arn:aws:iam::123456789012:role/ci"}`: http.StatusNotFound, `{"AWS":"123456789012"}`: http.StatusForbidden} {
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"ecr:BatchGetImage"}]}`
		must[*ecr.SetRepositoryPolicyOutput](t)(images.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String("web"), PolicyText: &policy}))
		if status, text := exchange(t, http.MethodGet, c.Endpoint()+"/v2/web/manifests/v1", "", login); status != want {
			t.Errorf("the repository names %s: %d %s", principal, status, text)
		}
	}
}

func TestAnonymousRegistry(t *testing.T) {
	s, err := Start(t.Context(), Options{Runtime: Simulated, Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if status, _ := exchange(t, http.MethodGet, s.Endpoint()+"/v2/", "", nil); status != http.StatusOK {
		t.Errorf("without a login: %d", status)
	}
	if status, _ := exchange(t, http.MethodGet, s.Endpoint()+"/v2/", "", map[string]string{"Authorization": "Basic QVdTOng="}); status != http.StatusUnauthorized {
		t.Errorf("with a wrong one: %d", status)
	}
}

func TestPassRole(t *testing.T) {
	c := newCrew(t, "")
	defer c.close()
	c.role("execution", trustTasks)
	c.role("ci", trustAccount, allow(`"ecs:*"`, "*"))
	register := func(config aws.Config) error {
		_, err := ecs.NewFromConfig(config).RegisterTaskDefinition(context.Background(), &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("web"), ExecutionRoleArn: aws.String("arn:aws:iam::123456789012:role/execution"), TaskRoleArn: aws.String("app"),
			ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("web"), Image: aws.String("web:1"), Memory: aws.Int32(64)}},
		})
		return err
	}
	if err := register(c.admin); err != nil {
		t.Fatal(err)
	}
	const refused = "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/"
	ci := c.assume("ci", nil)
	wantRefused(t, register(ci), "AccessDeniedException", refused+"app because no identity-based policy allows the iam:PassRole action")
	_, err := ecs.NewFromConfig(ci).RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web")})
	wantRefused(t, err, "AccessDeniedException", refused)
	_, err = ecs.NewFromConfig(ci).UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("x"), TaskDefinition: aws.String("web:1")})
	wantRefused(t, err, "AccessDeniedException", refused)
	_, err = ecs.NewFromConfig(ci).UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("x"), DesiredCount: aws.Int32(1)})
	wantRefused(t, err, "ClusterNotFoundException", "") // a count alone passes no role
	put := func(service string) {
		document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"` + service + `"}}}}`
		must[*iam.PutRolePolicyOutput](t)(iam.NewFromConfig(c.admin).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("ci"), PolicyName: aws.String("pass"), PolicyDocument: &document}))
	}
	put("ec2.amazonaws.com")
	wantRefused(t, register(ci), "AccessDeniedException", refused)
	put("ecs-tasks.amazonaws.com")
	if err := register(ci); err != nil {
		t.Error(err)
	}
}

// Roles, keys and sessions are there after a restart; the managed policies of
// AWS need no store.
func TestIdentitiesPersist(t *testing.T) {
	data := t.TempDir()
	c := newCrew(t, data)
	c.role("ci", trustAccount, allow(`"ecs:ListClusters"`, "*"))
	ci := c.assume("ci", nil)
	c.close()
	c = newCrew(t, data)
	defer c.close()
	ci.BaseEndpoint = aws.String(c.Endpoint())
	must[*ecs.ListClustersOutput](t)(ecs.NewFromConfig(ci).ListClusters(t.Context(), nil))
	_, err := ecs.NewFromConfig(ci).DescribeClusters(t.Context(), nil)
	wantRefused(t, err, "AccessDeniedException", "ecs:DescribeClusters on resource: arn:aws:ecs:ap-northeast-1:123456789012:cluster/default")
	must[*iam.AttachRolePolicyOutput](t)(iam.NewFromConfig(c.admin).AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{
		RoleName: aws.String("ci"), PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"),
	}))
	must[*ecs.DescribeClustersOutput](t)(ecs.NewFromConfig(ci).DescribeClusters(t.Context(), nil))
}
