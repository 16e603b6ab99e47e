package ecr

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
)

// vector is one of package lifecycle's; its conventions are in the file.
type vector struct {
	ID           string
	Images       []vectorImage
	Policy       json.RawMessage
	Alternatives []any
	Runs         []any
	Expect       struct {
		Expire, Transition map[string]int
		Cascade            []string
	}
}

type vectorImage struct {
	ID                                               string
	Tags, Children                                   []string
	Subject                                          string
	ImageStatus                                      types.ImageStatus
	AgeDays, PlusSeconds, Seq                        int
	PulledDaysAgo, ArchivedDaysAgo, ActivatedDaysAgo *int
}

// The vectors that package lifecycle is judged by, lived through: images are
// pushed, pulled, archived and restored over the API at their times, and a
// preview and the daily run decide at the vector's.
func TestVectorsLived(t *testing.T) {
	content, err := os.ReadFile("../../lifecycle/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Now      time.Time
		Evaluate []vector
	}
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	lived := 0
	for _, v := range doc.Evaluate {
		if !v.canBeLived() {
			continue
		}
		lived++
		t.Run(v.ID, func(t *testing.T) { newLife(t, v, doc.Now).live(t) })
	}
	if lived < 45 {
		t.Errorf("only %d vectors of %d can be lived", lived, len(doc.Evaluate))
	}
}

// canBeLived leaves out what has more than one answer, timelines that do not
// run daily, and tags that nobody can push.
func (v *vector) canBeLived() bool {
	return v.Alternatives == nil && v.Runs == nil && !slices.ContainsFunc(v.Images, func(i vectorImage) bool {
		return slices.ContainsFunc(i.Tags, func(tag string) bool { return !ociref.IsValidTag(tag) })
	})
}

// life is a vector on its way.
type life struct {
	vector
	*fixture
	now     time.Time
	byID    map[string]vectorImage
	bodies  map[string][]byte // manifests, by id
	moments []moment
}

// moment is something that happens at a time.
type moment struct {
	at   time.Time
	does func(*testing.T)
}

func newLife(t *testing.T, v vector, now time.Time) *life {
	l := &life{vector: v, now: now, byID: map[string]vectorImage{}, bodies: map[string][]byte{}}
	l.plan()
	birth := now.Add(-2 * day)
	for _, m := range l.moments {
		if m.at.Before(birth) {
			birth = m.at
		}
	}
	l.fixture = fixtureOn(t, store.Memory(), clock.Manual(birth))
	l.repository(t, "app")
	return l
}

// plan lists the moments in their order.
func (l *life) plan() {
	top := 0
	for _, i := range l.Images {
		l.byID[i.ID] = i
		top = max(top, i.Seq)
	}
	for _, i := range l.Images {
		back := 0
		if i.Seq > 0 {
			back = top - i.Seq
		}
		pushed := l.ago(i.AgeDays).Add(-time.Duration(i.PlusSeconds)*time.Second - time.Duration(back))
		l.on(pushed, func(t *testing.T) { l.push(t, i) })
		if i.PulledDaysAgo != nil {
			l.on(l.ago(*i.PulledDaysAgo), func(t *testing.T) { l.pull(t, i) })
		}
		if i.ArchivedDaysAgo != nil {
			l.on(l.ago(*i.ArchivedDaysAgo), func(t *testing.T) { l.store(t, i, types.TargetStorageClassArchive) })
		}
		back20 := func(at time.Time) {
			l.on(at, func(t *testing.T) { l.store(t, i, types.TargetStorageClassStandard) })
		}
		if i.ActivatedDaysAgo != nil {
			back20(l.ago(*i.ActivatedDaysAgo).Add(-restoreTime))
		}
		if i.ImageStatus == types.ImageStatusActivating {
			back20(l.now.Add(-time.Minute))
		}
	}
	l.on(l.now.Add(-runEvery), func(t *testing.T) { l.policy(t, "app", l.text()) })
	// Children come before their index, an index goes to the archive before
	// its children.
	slices.SortStableFunc(l.moments, func(a, b moment) int { return a.at.Compare(b.at) })
}

func (l *life) on(at time.Time, does func(*testing.T)) {
	l.moments = append(l.moments, moment{at, does})
}

func (l *life) ago(days int) time.Time { return l.now.AddDate(0, 0, -days) }

// text is the policy, brought to the least length that ECR takes.
func (l *life) text() string {
	return string(l.Policy) + strings.Repeat(" ", max(0, 100-len(l.Policy)))
}

// body is the manifest of an image; what it refers to comes first.
func (l *life) body(t *testing.T, id string) []byte {
	if body, ok := l.bodies[id]; ok {
		return body
	}
	i := l.byID[id]
	var body []byte
	if len(i.Children) > 0 {
		list := []any{}
		for _, child := range i.Children {
			list = append(list, map[string]any{"mediaType": ociManifest, "digest": digestOf(l.body(t, child)), "size": 1})
		}
		body = marshal(t, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": list, "annotations": map[string]string{"id": id}})
	} else {
		body = imageOf(t, l.registry, "app", id, "linux/amd64")
	}
	if i.Subject != "" {
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		doc["subject"] = map[string]any{"mediaType": ociManifest, "digest": digestOf(l.body(t, i.Subject)), "size": 1}
		body = marshal(t, doc)
	}
	l.bodies[id] = body
	return body
}

func (l *life) digest(t *testing.T, id string) string { return digestOf(l.body(t, id)) }

func (l *life) push(t *testing.T, i vectorImage) {
	t.Helper()
	for _, child := range i.Children { // of the same moment, and listed later
		if _, there := l.all(t, "app")[l.digest(t, child)]; !there {
			l.push(t, l.byID[child])
		}
	}
	if _, there := l.all(t, "app")[l.digest(t, i.ID)]; there {
		return
	}
	tags := i.Tags
	if len(tags) == 0 {
		tags = []string{""}
	}
	for _, tag := range tags {
		if err := l.put(t.Context(), "app", tag, l.body(t, i.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *life) pull(t *testing.T, i vectorImage) {
	t.Helper()
	out, err := l.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{{ImageDigest: aws.String(l.digest(t, i.ID))}},
	})
	if err != nil || len(out.Images) != 1 {
		t.Fatal("pull of ", i.ID, out, err)
	}
}

func (l *life) store(t *testing.T, i vectorImage, class types.TargetStorageClass) {
	t.Helper()
	l.move(t, "app", l.digest(t, i.ID), class)
}

func (l *life) live(t *testing.T) {
	for _, m := range l.moments {
		l.clock.Advance(m.at.Sub(l.clock.Now()))
		m.does(t)
	}
	before := l.all(t, "app")
	// The run of this very moment has not been; the preview is of an instant
	// before it, when nothing can have come of age.
	l.clock.Advance(l.now.Sub(l.clock.Now()) - 1)
	l.preview(t)
	l.clock.Advance(1)
	after := l.all(t, "app")
	for id := range l.byID {
		digest := l.digest(t, id)
		i, there := after[digest]
		got := string(i.ImageStatus)
		if !there {
			got = "gone"
		}
		if want := l.fate(id, before[digest].ImageStatus); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}

// fate is what the vector says of an image after the run.
func (l *life) fate(id string, before types.ImageStatus) string {
	subject := id
	for slices.Contains(l.Expect.Cascade, subject) {
		subject = l.byID[subject].Subject
	}
	switch {
	case l.Expect.Expire[subject] != 0:
		return "gone"
	case l.Expect.Transition[subject] != 0:
		return string(types.ImageStatusArchived)
	}
	return string(before)
}

func (l *life) preview(t *testing.T) {
	if _, err := l.StartLifecyclePolicyPreview(t.Context(), &ecr.StartLifecyclePolicyPreviewInput{RepositoryName: aws.String("app")}); err != nil {
		t.Fatal(err)
	}
	previewed := l.registry.previews["app"].taken
	ids := map[string]string{}
	for id := range l.byID {
		ids[l.digest(t, id)] = id
	}
	got := map[string]int{}
	for _, p := range previewed {
		got[ids[p.Digest]] = p.rule
	}
	want := map[string]int{}
	for _, m := range []map[string]int{l.Expect.Expire, l.Expect.Transition} {
		for id, rule := range m {
			want[id] = rule
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the preview: -want +got:\n%s", diff)
	}
}
