package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// doom is what a lifecycle policy has in store for an image in use.
type doom struct {
	event lifecycle.Event
	then  lifecycle.Event
	rule  *lifecycle.Rule // nil when the image goes with its subject
	when  When            // without times where nobody dated it
}

// anyTime is further than any horizon: what comes after it is never said.
const anyTime = 200 * 365 * 24 * time.Hour

// doomed works out which images in use the policy takes some day, and when.
// The buffer is for the images as package lifecycle has them.
func (r *repository) doomed(o *Options, buffer []lifecycle.Image) []lifecycle.Image {
	rules := r.policy.Rules()
	if len(r.uses) == 0 || len(rules) == 0 {
		return buffer
	}
	buffer = buffer[:0]
	for i := range r.Images {
		buffer = append(buffer, r.Images[i].Image)
	}
	forecasts := lifecycle.Next(r.policy, buffer, o.Now, anyTime)
	r.dooms = map[int32]doom{}
	cadences := map[int]func(int) When{}
	for _, use := range r.uses {
		forecast := &forecasts[use.image]
		if _, known := r.dooms[use.image]; known || forecast.Next.Action == "" {
			continue
		}
		d := doom{event: forecast.Next, then: forecast.Then, rule: rulePriority(rules, forecast.Next.Rule)}
		d.date(o, cadences, buffer)
		r.dooms[use.image] = d
	}
	return buffer
}

func rulePriority(rules []lifecycle.Rule, priority int) *lifecycle.Rule {
	for i := range rules {
		if rules[i].Priority == priority {
			return &rules[i]
		}
	}
	return nil
}

// date says when, in both readings of what a count rule counts.
func (d *doom) date(o *Options, cadences map[int]func(int) When, images []lifecycle.Image) {
	d.when = When{Pushes: d.event.Pushes, Rule: d.event.Rule}
	if d.event.Pushes == 0 {
		d.when.Earliest, d.when.Likely, d.when.Latest = d.event.At, d.event.At, d.event.At
		return
	}
	if o.Cadence == nil || d.rule == nil {
		return
	}
	after := cadences[d.rule.Priority]
	if after == nil {
		after = o.Cadence(*d.rule, images, o.Now)
		cadences[d.rule.Priority] = after
	}
	fewest := after(d.event.Pushes)
	most := fewest
	if d.event.PushesMost > d.event.Pushes {
		most = after(d.event.PushesMost)
	}
	d.when.Earliest, d.when.Likely, d.when.Latest = d.notBefore(fewest.Earliest), d.notBefore(fewest.Likely), d.notBefore(most.Latest)
}

// notBefore holds a date to the time before which the rule does nothing.
func (d *doom) notBefore(t time.Time) time.Time {
	if !t.IsZero() && t.Before(d.event.At) {
		return d.event.At
	}
	return t
}

// nextRun says whether the next run of the policy takes the image.
func (d *doom) nextRun(now time.Time) bool { return d.event.Pushes == 0 && !d.event.At.After(now) }

// by says whether the image may be gone at a time.
func (d *doom) by(t time.Time) bool {
	return !d.when.Earliest.IsZero() && !d.when.Earliest.After(t)
}

// farOff says whether a loss is too far away to speak of: more than a year, or
// a thousand pushes where nobody has dated them. The rule that keeps the newest
// 9999 is how a policy writes "for ever".
func (d *doom) farOff(o *Options) bool {
	if d.event.Pushes > 0 && o.Cadence == nil {
		return d.event.Pushes >= 1000
	}
	return d.when.Earliest.IsZero() || d.when.Earliest.After(o.Now.AddDate(1, 0, 0))
}

// certain says whether nothing but a person can keep it from happening. A
// count rule waits for pushes, and a pull starts sinceImagePulled anew.
func (d *doom) certain(now time.Time) bool {
	return d.event.Doubt == 0 && d.event.Pushes == 0 && (!d.pulled() || d.nextRun(now))
}

func (d *doom) pulled() bool { return d.rule != nil && d.rule.CountType == lifecycle.SincePulled }

// verb is what becomes of the image.
func (d *doom) verb() string {
	if d.event.Action == lifecycle.Transition {
		return "archives"
	}
	return "deletes"
}

// taker is who does it.
func (d *doom) taker() string {
	if d.rule == nil {
		return "ECR"
	}
	return fmt.Sprintf("rule %d", d.rule.Priority)
}

// reason tells the rule and the doubts, in words that all images have in
// common.
func (d *doom) reason(repository string) string {
	text := "ECR " + d.verb() + " it together with the image that it is about (its subject)"
	if d.rule != nil {
		text = fmt.Sprintf("rule %d of repository %s %s", d.rule.Priority, repository, describe(d.rule))
	}
	if d.event.Doubt&lifecycle.DoubtChildren != 0 {
		text += "; whether the children of an index count is not documented"
	}
	if d.event.Doubt&lifecycle.DoubtTies != 0 {
		text += "; which of two images of the same age goes first is not documented"
	}
	if d.event.Doubt&lifecycle.DoubtReferrers != 0 {
		text += "; whether a rule takes a signature whose subject stays is not documented"
	}
	if d.pulled() {
		text += "; a task that goes on running does not pull"
	}
	return text
}

// describe says what a rule does: "deletes untagged images older than 14 days".
func describe(r *lifecycle.Rule) string {
	verb := "deletes"
	if r.Action == lifecycle.Transition {
		verb = "archives"
	}
	return verb + " " + selects(r) + " " + counts(r)
}

func selects(r *lifecycle.Rule) string {
	switch r.TagStatus {
	case lifecycle.Untagged:
		return "untagged images"
	case lifecycle.Tagged:
		names := append([]string(nil), r.TagPatterns...)
		for _, prefix := range r.TagPrefixes {
			names = append(names, prefix+"*")
		}
		return "images tagged " + strings.Join(names, " and ")
	}
	return "all images"
}

func counts(r *lifecycle.Rule) string {
	switch r.CountType {
	case lifecycle.CountMoreThan:
		return fmt.Sprintf("beyond the newest %d", r.CountNumber)
	case lifecycle.SincePulled:
		return fmt.Sprintf("that were not pulled for %s", days(r.CountNumber))
	case lifecycle.SinceTransitioned:
		return fmt.Sprintf("%s after they were archived", days(r.CountNumber))
	}
	return fmt.Sprintf("older than %s", days(r.CountNumber))
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// date is a day as findings write it.
func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
