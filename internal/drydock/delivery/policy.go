package delivery

import "github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"

// ServiceMay tells whether the policy of a resource lets a service do something on
// behalf of one of this account's resources, source. A resource without a policy
// lets none.
func ServiceMay(document, service, action, resource, source, account string) bool {
	if document == "" {
		return false
	}
	d, err := policy.Parse(document, policy.Resource)
	if err != nil {
		return false // it was checked when it was set
	}
	c := policy.NewContext()
	c.Add("aws:SourceArn", source)
	c.Add("aws:SourceAccount", account)
	return d.Evaluate(policy.Request{Action: action, Resource: resource, Context: c, Principal: policy.Caller{Service: service}}) == policy.Allowed
}
