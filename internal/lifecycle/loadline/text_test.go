package loadline

import (
	"testing"
)

func TestShow(t *testing.T) {
	l := Of(shop(t), noon(), 14*day)
	t.Log("\n" + Text(l, Look{Width: 120, Color: true}))
	t.Log("\n" + Text(l, Look{Width: 44}))
	t.Log("\n" + Plain(l))
}
