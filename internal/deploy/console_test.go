package deploy

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

func TestConsoleLinks(t *testing.T) {
	web := image.Reference{Registry: "123456789012.dkr.ecr.us-east-2.amazonaws.com", Repository: "team/web", Tag: "v1"}
	for _, c := range []struct{ partition, region, host string }{
		{"aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com"},
		{"aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn"},
		{"aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com"},
		{"aws-eusc", "eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu"},
	} {
		at := consoleOf("arn:" + c.partition + ":ecs:" + c.region + ":123456789012:service/prod/web")
		if got, want := at.task("prod", "0123")[0].URL, c.host+"/ecs/v2/clusters/prod/tasks/0123/configuration?region="+c.region; got != want {
			t.Errorf("task\n got %s\nwant %s", got, want)
		}
		if got, want := at.log("/ecs/web", "ecs/web/0123")[0].URL, c.host+"/cloudwatch/home?region="+c.region+"#logsV2:log-groups/log-group/$252Fecs$252Fweb/log-events/ecs$252Fweb$252F0123"; got != want {
			t.Errorf("log\n got %s\nwant %s", got, want)
		}
	}
	at := consoleOf("arn:aws:ecs:eu-west-1:123456789012:service/prod/web")
	if got, want := at.repository(web, "")[0].URL, "https://us-east-2.console.aws.amazon.com/ecr/repositories/private/123456789012/team/web?region=us-east-2"; got != want {
		t.Errorf("repository\n got %s\nwant %s", got, want)
	}
	for _, none := range []string{"", "web", "arn:aws-iso:ecs:us-iso-east-1:123456789012:service/prod/web"} {
		if got := consoleOf(none).task("prod", "0123"); got != nil {
			t.Errorf("%q has the console %v", none, got)
		}
	}
}
