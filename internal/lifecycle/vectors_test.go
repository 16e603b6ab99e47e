package lifecycle

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// vectors is testdata/vectors.json; its conventions are in the file.
type vectors struct {
	Now      time.Time
	Evaluate []evaluateVector
	Validate []validateVector
}

type evaluateVector struct {
	ID           string
	Images       []vectorImage
	Policy       json.RawMessage
	Expect       outcome
	Alternatives []struct {
		When                           string
		ChildrenCount, ReferrersExpire string
		Open                           bool
		Expect                         outcome
	}
	Runs []struct {
		AtDays int
		Push   []vectorImage
		Expect outcome
	}
}

type validateVector struct {
	ID     string
	Valid  bool
	Policy json.RawMessage
	Text   *string
	Error  struct{ Code, ReasonContains string }
}

type vectorImage struct {
	ID                                               string
	Tags, Children                                   []string
	Subject                                          string
	ImageStatus                                      Status
	AgeDays, PlusSeconds, Seq                        int
	PulledDaysAgo, ArchivedDaysAgo, ActivatedDaysAgo *int
}

// outcome is what a run did, by image.
type outcome struct {
	Expire, Transition map[string]int
	Failed             map[string]string
	Cascade            []string
}

func readVectors(t testing.TB) vectors {
	content, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	vectors := readVectors(t)
	for _, v := range vectors.Evaluate {
		t.Run(v.ID, func(t *testing.T) {
			policy := mustParse(t, padded(v.Policy))
			images := v.images(vectors.Now, true)
			if v.Runs != nil {
				v.play(t, policy, images, vectors.Now)
				return
			}
			result := Evaluate(policy, images, vectors.Now, OneReading())
			if diff := cmp.Diff(v.Expect.filled(), outcomeOf(result)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			v.alternatives(t, policy, vectors.Now)
		})
	}
}

// alternatives checks each reading by itself, and that all together are what
// is certain and what is possible.
func (v *evaluateVector) alternatives(t *testing.T, policy Policy, now time.Time) {
	outcomes, decided := []outcome{v.Expect}, true
	for _, a := range v.Alternatives {
		if a.Open {
			if decided {
				outcomes, decided = nil, false
			}
			outcomes = append(outcomes, a.Expect)
			continue
		}
		outcomes = append(outcomes, a.Expect)
		o := OneReading()
		if a.ChildrenCount == "no" {
			o.ChildrenCount = No
		}
		if a.ReferrersExpire == "no" {
			o.ReferrersExpire = No
		}
		result := Evaluate(policy, v.images(now, true), now, o)
		if diff := cmp.Diff(a.Expect.filled(), outcomeOf(result)); diff != "" {
			t.Errorf("when %s: -want +got:\n%s", a.When, diff)
		}
	}
	result := Evaluate(policy, v.images(now, decided), now, Options{})
	for _, d := range result.Decisions {
		takes := 0
		for _, o := range outcomes {
			if o.takes(d.Digest) {
				takes++
			}
		}
		if got, want := d.Certain(), takes == len(outcomes); got != want {
			t.Errorf("%s: certain is %v: %+v", d.Digest, got, d)
		}
		if got, want := d.Action != "", takes > 0; got != want {
			t.Errorf("%s: possible is %v: %+v", d.Digest, got, d)
		}
	}
}

func (v *evaluateVector) play(t *testing.T, policy Policy, images []Image, now time.Time) {
	for _, run := range v.Runs {
		at := now.AddDate(0, 0, run.AtDays)
		for _, pushed := range run.Push {
			for i := range images {
				images[i].Tags = slices.DeleteFunc(slices.Clone(images[i].Tags), func(tag string) bool { return slices.Contains(pushed.Tags, tag) })
			}
			images = append(images, pushed.image(at, 0))
		}
		result := Evaluate(policy, images, at, OneReading())
		if diff := cmp.Diff(run.Expect.filled(), outcomeOf(result)); diff != "" {
			t.Errorf("day %d: -want +got:\n%s", run.AtDays, diff)
		}
		images = result.Apply(images)
	}
}

func (v *evaluateVector) images(now time.Time, decided bool) []Image {
	top := 0
	for _, i := range v.Images {
		top = max(top, i.Seq)
	}
	var images []Image
	for _, i := range v.Images {
		back := 0
		if i.Seq > 0 && decided {
			back = top - i.Seq
		}
		images = append(images, i.image(now, time.Duration(back)))
	}
	return images
}

func (i vectorImage) image(now time.Time, back time.Duration) Image {
	ago := func(days *int) time.Time {
		if days == nil {
			return time.Time{}
		}
		return now.AddDate(0, 0, -*days)
	}
	return Image{
		Digest: i.ID, Tags: i.Tags, Status: i.ImageStatus, Children: i.Children, Subject: i.Subject,
		PushedAt:     ago(&i.AgeDays).Add(-time.Duration(i.PlusSeconds)*time.Second - back),
		LastPulledAt: ago(i.PulledDaysAgo), LastArchivedAt: ago(i.ArchivedDaysAgo), LastActivatedAt: ago(i.ActivatedDaysAgo),
	}
}

func outcomeOf(r Result) outcome {
	o := outcome{}.filled()
	for _, d := range r.Decisions {
		switch {
		case d.Reason == WithSubject:
			o.Cascade = append(o.Cascade, d.Digest)
		case d.Failed():
			o.Failed[d.Digest] = "ImageReferencedByManifestList"
		case d.Action == Expire:
			o.Expire[d.Digest] = d.Rule
		case d.Action == Transition:
			o.Transition[d.Digest] = d.Rule
		}
	}
	slices.Sort(o.Cascade)
	return o
}

// filled makes an outcome comparable.
func (o outcome) filled() outcome {
	if o.Expire == nil {
		o.Expire = map[string]int{}
	}
	if o.Transition == nil {
		o.Transition = map[string]int{}
	}
	if o.Failed == nil {
		o.Failed = map[string]string{}
	}
	slices.Sort(o.Cascade)
	return o
}

func (o outcome) takes(image string) bool {
	return o.Expire[image] != 0 || o.Transition[image] != 0 || slices.Contains(o.Cascade, image)
}

func TestPolicyVectors(t *testing.T) {
	for _, v := range readVectors(t).Validate {
		t.Run(v.ID, func(t *testing.T) {
			text := padded(v.Policy)
			if v.Text != nil {
				text = []byte(*v.Text)
			}
			_, err := ParsePolicy(text)
			switch {
			case v.Valid && err != nil:
				t.Errorf("refused: %v", err)
			case !v.Valid && err == nil:
				t.Error("accepted")
			case !v.Valid && !strings.Contains(err.(*PolicyError).Constraint, v.Error.ReasonContains):
				t.Errorf("refused with %q, want %q", err, v.Error.ReasonContains)
			}
		})
	}
}

// padded brings a short policy to the least length that ECR takes.
func padded(policy []byte) []byte {
	if short := minLength - len(policy); short > 0 {
		return append(slices.Clone(policy), strings.Repeat(" ", short)...)
	}
	return policy
}

func mustParse(t testing.TB, text []byte) Policy {
	t.Helper()
	p, err := ParsePolicy(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// byDigest makes decisions comparable whatever the order of the images.
func byDigest(r Result) map[string]Decision {
	return maps.Collect(func(yield func(string, Decision) bool) {
		for _, d := range r.Decisions {
			if !yield(d.Digest, d) {
				return
			}
		}
	})
}
