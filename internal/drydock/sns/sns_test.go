package sns

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/sqs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// box is queues that let SNS send, but for one, and what came to them.
type box map[string][]string

func (b box) Deliver(arn, _, body string, _ map[string]sqs.Attribute) error {
	b[arn] = append(b[arn], body)
	return nil
}

func (b box) PolicyOf(arn string) string {
	if strings.HasSuffix(arn, ":closed") {
		return ""
	}
	return `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}]}`
}

const topicARN = "arn:aws:sns:ap-northeast-1:123456789012:notices"

// form asks as a client does, with a form.
func form(t *Topics, operation, members string) error {
	_, err := t.Service().Operations[operation](context.Background(), wire.Call{Operation: operation, Body: []byte(members)})
	return err
}

func newTopics(t *testing.T, queues box, report func(subscription, endpoint, reason string)) *Topics {
	topics, err := New(Options{
		Account: "123456789012", Region: "ap-northeast-1", Host: func() string { return "localhost" }, Clock: clock.Manual(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)),
		Store: store.Memory(), Queues: queues, Log: slog.New(slog.DiscardHandler), Seed: 1, Report: report,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := form(topics, "CreateTopic", "Name=notices"); err != nil {
		t.Fatal(err)
	}
	return topics
}

// A subscription gets what its filter policy takes, and a queue that does not let SNS in
// gets nothing, which is reported.
func TestFilters(t *testing.T) {
	for _, tt := range []struct {
		queue, filter, scope string
		gets                 bool
	}{
		{"all", "", "", true},
		{"team", `{"team": ["harbour"]}`, "", true},
		{"other", `{"team": ["pilots"]}`, "", false},
		{"without", `{"colour": [{"exists": false}]}`, "", true},
		{"number", `{"count": [{"numeric": [">", 2]}]}`, "", true},
		{"body", `{"kind": ["retirement"]}`, "MessageBody", true},
		{"otherbody", `{"kind": ["deploy"]}`, "MessageBody", false},
		{"closed", "", "", false},
	} {
		queues := box{}
		var reported []string
		topics := newTopics(t, queues, func(_, endpoint, _ string) { reported = append(reported, endpoint) })
		endpoint := "arn:aws:sqs:ap-northeast-1:123456789012:" + tt.queue
		subscribe := "TopicArn=" + topicARN + "&Protocol=sqs&Endpoint=" + endpoint + "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true"
		if tt.filter != "" {
			subscribe += "&Attributes.entry.2.key=FilterPolicy&Attributes.entry.2.value=" + tt.filter
		}
		if tt.scope != "" {
			subscribe += "&Attributes.entry.3.key=FilterPolicyScope&Attributes.entry.3.value=" + tt.scope
		}
		if err := form(topics, "Subscribe", subscribe); err != nil {
			t.Errorf("%s: %v", tt.queue, err)
			continue
		}
		publish := "TopicArn=" + topicARN + `&Message={"kind": "retirement"}` +
			"&MessageAttributes.entry.1.Name=team&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=harbour" +
			"&MessageAttributes.entry.2.Name=count&MessageAttributes.entry.2.Value.DataType=Number&MessageAttributes.entry.2.Value.StringValue=3"
		if err := form(topics, "Publish", publish); err != nil {
			t.Errorf("%s: %v", tt.queue, err)
		}
		if got := len(queues[endpoint]) == 1 && queues[endpoint][0] == `{"kind": "retirement"}`; got != tt.gets {
			t.Errorf("%s has %q", tt.queue, queues[endpoint])
		}
		if isReported := len(reported) > 0; isReported != (tt.queue == "closed") {
			t.Errorf("%s: reported %q", tt.queue, reported)
		}
	}
}

func TestRefusals(t *testing.T) {
	topics := newTopics(t, box{}, nil)
	for _, tt := range []struct{ operation, members, want string }{
		{"CreateTopic", "Name=a b", "InvalidParameter: Invalid parameter: Topic Name"},
		{"GetTopicAttributes", "TopicArn=" + topicARN + "x", "NotFound: Topic does not exist"},
		{"Subscribe", "TopicArn=" + topicARN + "&Protocol=pigeon&Endpoint=x", "InvalidParameter: Invalid parameter: Amazon SNS does not support this protocol string: pigeon"},
		{"Subscribe", "TopicArn=" + topicARN + "&Protocol=sqs&Endpoint=x", "InvalidParameter: Invalid parameter: SQS endpoint ARN"},
		{"Subscribe", "TopicArn=" + topicARN + "&Protocol=email&Endpoint=a@b&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value={", "InvalidParameter: Invalid parameter: FilterPolicy"},
		{"Publish", "TopicArn=" + topicARN, "InvalidParameter: Invalid parameter: Empty message"},
		{"Publish", "TopicArn=" + topicARN + `&Message={"sqs":"x"}&MessageStructure=json`, "InvalidParameter: Invalid parameter: Message Structure - No default entry in JSON message body"},
		{"GetSubscriptionAttributes", "SubscriptionArn=" + topicARN + ":x", "NotFound: Subscription does not exist"},
		{"ListTagsForResource", "ResourceArn=x", "ResourceNotFound: Resource does not exist"},
	} {
		err := form(topics, tt.operation, tt.members)
		refused, ok := errors.AsType[*wire.Error](err)
		if !ok || !strings.HasPrefix(refused.Error(), tt.want) {
			t.Errorf("%s %s: %v", tt.operation, tt.members, err)
		}
	}
}
