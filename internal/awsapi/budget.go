package awsapi

import (
	"context"
	"fmt"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// budget keeps the calls to ECS inside half of ECS's throttle buckets. AWS
// counts per account and region, so the other half is left to whoever else
// deploys there. Rates: Amazon ECS API reference, "Request throttling".
type budget struct {
	limits map[string]*rate.Limiter // by operation; operations of one bucket share one
}

func newBudget() *budget {
	b := &budget{limits: map[string]*rate.Limiter{}}
	for _, bucket := range []struct {
		burst      int
		perSecond  float64
		operations []string
	}{
		{50, 20, []string{"DescribeClusters", "ListClusters"}},
		{20, 1, []string{"RegisterTaskDefinition", "DeregisterTaskDefinition"}},
		{50, 20, []string{"DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"}},
		{20, 10, []string{"TagResource", "UntagResource"}},
		{100, 20, []string{"DescribeTasks", "ListTasks"}},
		{50, 5, []string{"CreateService", "UpdateService", "DeleteService"}},
		{100, 20, []string{"DescribeServices", "ListServices"}},
		{50, 20, []string{"DescribeServiceDeployments", "ListServiceDeployments"}},
		{50, 20, []string{"DescribeServiceRevisions"}},
		{100, 20, []string{"RunTask", "StopTask"}}, // that of tasks on Fargate, the narrower one
	} {
		limiter := rate.NewLimiter(rate.Limit(bucket.perSecond/2), bucket.burst/2)
		for _, operation := range bucket.operations {
			b.limits[operation] = limiter
		}
	}
	return b
}

// add has every attempt of every call wait for its turn.
func (b *budget) add(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("PlimsollBudget",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if limiter := b.limits[awsmiddleware.GetOperationName(ctx)]; limiter != nil {
				if err := limiter.Wait(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("wait for the call budget: %w", err)
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
}
