package awsapi

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
)

func TestHealthIsReadPageByPage(t *testing.T) {
	w := newWire(t,
		answer{200, `{"events":[{"arn":"e1","region":"eu-west-1","startTime":1.7956e9,"lastUpdatedTime":1.795e9,"statusCode":"upcoming"}],"nextToken":"2"}`},
		answer{200, `{"events":[{"arn":"e2","region":"eu-west-1","startTime":1.7956e9,"lastUpdatedTime":1.7957e9,"statusCode":"open"}]}`},
		answer{200, `{"entities":[{"eventArn":"e1","entityValue":"prod/api","awsAccountId":"123456789012","statusCode":"PENDING"}],"nextToken":"2"}`},
		answer{200, `{"entities":[{"eventArn":"e2","entityValue":"prod/web","awsAccountId":"123456789012","statusCode":"RESOLVED"}]}`})
	notices, err := maintenance.FromHealth(t.Context(), client(t, w))
	if err != nil || len(notices) != 2 {
		t.Fatalf("%+v, %v", notices, err)
	}
	api, web := notices[0], notices[1]
	if api.Service != "api" || api.Over || api.At.Unix() != 1_795_600_000 || api.Announced.Unix() != 1_795_000_000 {
		t.Errorf("%+v", api)
	}
	// What is open was announced before it began, whenever its last word came.
	if web.Service != "web" || !web.Over || !web.Announced.Equal(web.At) {
		t.Errorf("%+v", web)
	}
	if len(w.got) != 4 || !strings.Contains(w.got[0].body, `"regions":["eu-west-1"]`) || !strings.Contains(w.got[1].body, `"nextToken":"2"`) ||
		!strings.Contains(w.got[2].body, `"eventArns":["e1","e2"]`) {
		t.Errorf("%+v", w.got)
	}
	checkSignature(t, w.got[0], "health", "us-east-1")
}

func TestHealthNeedsASupportPlan(t *testing.T) {
	w := newWire(t, answer{400, `{"__type":"SubscriptionRequiredException","message":"The AWS Access Key Id needs a subscription for the service"}`})
	_, err := maintenance.FromHealth(t.Context(), client(t, w))
	var hinted interface{ Hint() string }
	if !errors.Is(err, deploy.Unsupported) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "--event FILE") {
		t.Errorf("%v", err)
	}
}

// A message is read, however it is wrapped; it is deleted with nothing left to
// do, and not when it is no event.
func TestQueueIsReadAndFinished(t *testing.T) {
	const other = `{\"detail-type\":\"AWS Health Event\",\"detail\":{\"eventTypeCode\":\"AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED\"}}`
	w := newWire(t,
		answer{200, `{"Messages":[{"MessageId":"1","ReceiptHandle":"r1","Body":"` + other + `"},{"MessageId":"2","ReceiptHandle":"r2","Body":"hello"}]}`},
		answer{200, `{"Messages":[{"MessageId":"1","ReceiptHandle":"r3","Body":"` + other + `"}]}`}, // again, with a new receipt
		answer{200, `{}`})
	c, queue := client(t, w), "https://sqs.us-west-2.amazonaws.com/123456789012/retirements"
	deliveries, err := maintenance.FromQueue(t.Context(), c, queue)
	if err != nil || len(deliveries) != 2 || deliveries[0].Err != nil || deliveries[1].Err == nil {
		t.Fatalf("%+v, %v", deliveries, err)
	}
	if err := maintenance.Finish(t.Context(), c, queue, deliveries, maintenance.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if len(w.got) != 4 || w.got[3].operation != "DeleteMessage" || !strings.Contains(w.got[3].body, `"ReceiptHandle":"r3"`) {
		t.Errorf("%+v", w.got)
	}
	if kind := w.got[0].header.Get("Content-Type"); kind != "application/x-amz-json-1.0" {
		t.Errorf("content type %s", kind)
	}
	checkSignature(t, w.got[0], "sqs", "us-west-2")
}

func TestPublish(t *testing.T) {
	w := newWire(t, answer{200, `<PublishResponse/>`})
	if err := client(t, w).Publish(t.Context(), "arn:aws:sns:us-west-2:123456789012:ops", "s", "m&n"); err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(w.got[0].body)
	if err != nil || form.Get("Action") != "Publish" || form.Get("Message") != "m&n" || form.Get("Version") != "2010-03-31" {
		t.Errorf("%s", w.got[0].body)
	}
	checkSignature(t, w.got[0], "sns", "us-west-2")
}
