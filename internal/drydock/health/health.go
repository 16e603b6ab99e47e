// Package health is AWS Health as far as it tells of the retirement of Fargate
// tasks: the API that answers who is affected and when ([Service]), the events
// that reach EventBridge ([Notifier]), and the control call that announces a
// retirement ([Retire]), which AWS keeps for itself.
//
// What retires, and how, is package ecs's affair; nothing is kept here.
package health

import (
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

// What every retirement of the tasks of a service is to AWS Health.
const (
	retirementCode = "AWS_ECS_TASK_PATCHING_RETIREMENT"
	category       = "scheduledChange"
	scope          = "ACCOUNT_SPECIFIC"
	product        = "ECS"
)

// endsAfter is from an event's start to its end, as in both of AWS's samples.
// It is no deadline.
const endsAfter = 48 * time.Hour

// eventARN is the identity of an event; the region is the affected one.
func eventARN(region string, r ecs.Retirement) string {
	return fmt.Sprintf("arn:aws:health:%s::event/%s/%s/%s_%s", region, product, retirementCode, retirementCode, r.ID)
}

// entity is how a service is named among the affected: AWS's samples have
// "cluster/service" here and "cluster|service" in an event's resources.
func entity(r ecs.Retirement) string { return r.Cluster + "/" + r.Service }

// entityStatus follows AWS Health's words for scheduled changes.
func entityStatus(r ecs.Retirement) string {
	if r.Status == ecs.RetirementClosed {
		return "RESOLVED"
	}
	return "PENDING"
}

// description is the text for people. AWS's own runs to a page.
func description(r ecs.Retirement) string {
	return fmt.Sprintf("AWS Fargate tasks of your service %s in cluster %s are on a platform version revision that is being retired to patch the underlying infrastructure: %d. "+
		"From %s on, Amazon ECS replaces these tasks, starting new ones first where the maximumPercent of the service allows. "+
		"A task that cannot be replaced is stopped all the same. No action is needed if new tasks can start; to choose the time yourself, update the service with a forced new deployment before.",
		r.Service, r.Cluster, len(r.Tasks), r.Start.UTC().Format(time.RFC1123))
}
