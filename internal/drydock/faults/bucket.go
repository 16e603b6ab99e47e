package faults

import "time"

// quota is a token bucket of AWS's: so many calls at once, and so many a
// second from then on.
type quota struct {
	name   string
	burst  float64
	refill float64 // tokens a second
	calls  []string
}

// quotas are those that "Request throttling for the Amazon ECS API" in the ECS
// developer guide documents, for each account and region. Operations that it
// does not name are in no bucket and never throttled.
func quotas() []quota {
	return []quota{
		{"cluster modify", 20, 1, []string{"CreateCluster", "DeleteCluster", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders"}},
		{"cluster read", 50, 20, []string{"DescribeClusters", "ListClusters"}},
		{"task definition modify", 20, 1, []string{"RegisterTaskDefinition", "DeregisterTaskDefinition"}},
		{"task definition read", 50, 20, []string{"DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"}},
		{"task definition deletion", 5, 1, []string{"DeleteTaskDefinitions"}},
		{"capacity provider modify", 10, 1, []string{"CreateCapacityProvider", "DeleteCapacityProvider", "UpdateCapacityProvider"}},
		{"capacity provider read", 50, 20, []string{"DescribeCapacityProviders"}},
		{"tag modify", 20, 10, []string{"TagResource", "UntagResource"}},
		{"tag read", 50, 20, []string{"ListTagsForResource"}},
		{"setting modify", 10, 1, []string{"PutAccountSetting", "PutAccountSettingDefault", "DeleteAccountSetting"}},
		{"setting read", 50, 20, []string{"ListAccountSettings"}},
		{"cluster resource modify", 100, 40, []string{"RunTask", "StartTask", "StopTask", "ExecuteCommand", "DeregisterContainerInstance", "UpdateContainerInstancesState", "PutAttributes", "DeleteAttributes"}},
		{"cluster resource read", 100, 20, []string{"DescribeTasks", "ListTasks", "DescribeContainerInstances", "ListContainerInstances", "ListAttributes"}},
		{"service modify", 50, 5, []string{"CreateService", "UpdateService", "DeleteService"}},
		{"service read", 100, 20, []string{"DescribeServices", "ListServices"}},
		{"service deployment", 50, 20, []string{"DescribeServiceDeployments", "ListServiceDeployments"}},
		{"service revision", 50, 20, []string{"DescribeServiceRevisions"}},
		{"task protection", 200, 80, []string{"GetTaskProtection", "UpdateTaskProtection"}},
	}
}

// quotaOf is the bucket that an operation draws from.
func quotaOf(c Call) (quota, bool) {
	if c.Service != "ecs" {
		return quota{}, false
	}
	for _, q := range quotas() {
		for _, name := range q.calls {
			if name == c.Operation {
				return q, true
			}
		}
	}
	return quota{}, false
}

// bucket is a quota in use. It begins full.
type bucket struct {
	tokens float64
	filled time.Time
}

// take draws a token for a call, and tells whether there was one.
func (r *rule) take(c Call, now time.Time) bool {
	q, ok := quotaOf(c)
	if !ok {
		return true
	}
	b := r.buckets[q.name]
	if b == nil {
		b = &bucket{tokens: q.burst, filled: now}
		r.buckets[q.name] = b
	}
	return b.take(q, now)
}

func (b *bucket) take(q quota, now time.Time) bool {
	// Two calls may have read the time in the other order.
	if since := now.Sub(b.filled); since > 0 {
		b.tokens = min(q.burst, b.tokens+since.Seconds()*q.refill)
		b.filled = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
