package iam

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// provider is an OpenID Connect provider that roles may trust.
type provider struct {
	ARN         string
	URL         string // without its scheme
	ClientIDs   []string
	Thumbprints []string
	Created     time.Time
	Tags        map[string]string
}

func (i *IAM) provider(arn *string) (provider, error) {
	p, found := i.providers.rows[aws.ToString(arn)]
	if !found {
		return p, notFound("OpenIDConnect Provider not found for arn %s", aws.ToString(arn))
	}
	return p, nil
}

// issuerName is an issuer as ARNs and condition keys have it.
func issuerName(url string) string {
	return strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/")
}

func (i *IAM) createOpenIDConnectProvider(in *iam.CreateOpenIDConnectProviderInput) (*iam.CreateOpenIDConnectProviderOutput, error) {
	url := aws.ToString(in.Url)
	if !strings.HasPrefix(url, "https://") || len(url) > 255 || issuerName(url) == "" || strings.ContainsAny(url, "?# ") {
		return nil, wire.Errorf("ValidationError", "Invalid Open ID Connect Provider URL")
	}
	if len(in.ClientIDList) > 100 {
		return nil, limit("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
	}
	if len(in.ThumbprintList) > 5 {
		return nil, wire.Errorf("InvalidInput", "Thumbprint list must contain fewer than 5 entries.")
	}
	arn := i.arn("oidc-provider/" + issuerName(url))
	if _, found := i.providers.rows[arn]; found {
		return nil, exists("Provider with url %s already exists.", url)
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := provider{ARN: arn, URL: issuerName(url), ClientIDs: in.ClientIDList, Thumbprints: in.ThumbprintList, Created: i.now(), Tags: tags}
	out := &iam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: &arn}
	if len(tags) > 0 {
		out.Tags = tagList(tags)
	}
	return out, i.providers.put(arn, p)
}

func (i *IAM) getOpenIDConnectProvider(in *iam.GetOpenIDConnectProviderInput) (*iam.GetOpenIDConnectProviderOutput, error) {
	p, err := i.provider(in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetOpenIDConnectProviderOutput{
		Url: &p.URL, ClientIDList: append([]string{}, p.ClientIDs...), ThumbprintList: append([]string{}, p.Thumbprints...),
		CreateDate: &p.Created, Tags: tagList(p.Tags),
	}, nil
}

func (i *IAM) listOpenIDConnectProviders(*iam.ListOpenIDConnectProvidersInput) (*iam.ListOpenIDConnectProvidersOutput, error) {
	out := &iam.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []types.OpenIDConnectProviderListEntry{}}
	for _, arn := range i.providers.keys() {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, types.OpenIDConnectProviderListEntry{Arn: aws.String(arn)})
	}
	return out, nil
}

// deleteOpenIDConnectProvider "does not fail … if you call the operation for a
// provider that was already deleted" (API reference).
func (i *IAM) deleteOpenIDConnectProvider(in *iam.DeleteOpenIDConnectProviderInput) (*iam.DeleteOpenIDConnectProviderOutput, error) {
	arn := aws.ToString(in.OpenIDConnectProviderArn)
	if !strings.HasPrefix(arn, i.arn("oidc-provider/")) {
		return nil, validation(arn, "openIDConnectProviderArn", "Member must be the ARN of an OpenID Connect provider")
	}
	return &iam.DeleteOpenIDConnectProviderOutput{}, i.providers.drop(arn)
}
