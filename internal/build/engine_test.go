package build

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// The recording is of engine 20.10: three layers of 40 MB, 9 MB and 62 bytes.
func TestMessages(t *testing.T) {
	sizes := map[string]int64{"c6efb49adc17": 40_000_000, "a019004972e3": 9_000_000, "9c418f93740f": 62}
	for _, tc := range []struct {
		name  string
		sizes map[string]int64
		want  told
	}{
		{"sizes known", sizes, told{
			"progress 98816/49000062 bytes 0/3 layers",
			"change layer 9c418f93740f pushed", "progress 197182/49000062 bytes 1/3 layers",
			"change layer a019004972e3 pushed, 9.0 MB", "progress 14112382/49000062 bytes 2/3 layers",
			"change layer c6efb49adc17 pushed, 40.0 MB", "progress 49000062/49000062 bytes 3/3 layers",
		}},
		{"sizes told on the way", nil, told{ // no total before the last layer has one
			"progress 98816/0 bytes 0/3 layers",
			"change layer 9c418f93740f pushed", "progress 197182/0 bytes 1/3 layers",
			"change layer a019004972e3 pushed, 9.0 MB", "progress 14112382/49000062 bytes 2/3 layers",
			"change layer c6efb49adc17 pushed, 40.0 MB", "progress 49000062/49000062 bytes 3/3 layers",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var said told
			u, n := newUpload(tc.sizes), newClock().news(&said) // which stands still: layers alone are told
			for _, line := range recording(t, "push-api.jsonl") {
				var m message
				if line == "" {
					continue
				}
				if err := json.Unmarshal([]byte(line), &m); err != nil {
					t.Fatal(err)
				}
				if err := u.message(m, n); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tc.want, said); diff != "" {
				t.Error(diff)
			}
			if !strings.HasPrefix(u.digest, "sha256:8d897d3fa325") {
				t.Errorf("digest %q", u.digest)
			}
		})
	}
}

// Bytes that docker counted before it compressed them are not missing.
func TestSummaryOfAPush(t *testing.T) {
	p := Pushed{Digest: "sha256:" + strings.Repeat("ab", 32), Size: 25_900_000, Layers: 4}
	for _, tc := range []struct {
		there   int
		counted int64
		already bool
		want    string
	}{
		{0, 0, false, "pushed 4 layers, 25.9 MB, "},
		{0, 25_900_000, false, "pushed 4 layers, 25.9 MB, "},
		{3, 58_400_000, false, "pushed 4 layers (3 there before), 25.9 MB compressed, "},
		{4, 0, false, "pushed 4 layers (there before), 25.9 MB, "},
		{0, 0, true, "already there: 4 layers, 25.9 MB, "},
	} {
		p.There, p.Counted, p.Already = tc.there, tc.counted, tc.already
		if got := p.summary(); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s, want %s…", got, tc.want)
		}
	}
}

// What the containerd image store says besides: blobs by their own digests,
// sizes as it begins with them, platforms that are not there.
func TestMessagesOfTheContainerdStore(t *testing.T) {
	var said told
	c := newClock()
	u := newUpload(map[string]int64{"000000000000": 5}) // layers have other names here
	for line := range strings.Lines(`{"status":"The push refers to repository [127.0.0.1:5999/web]"}
{"status":"Waiting","progressDetail":{},"id":"aaaaaaaaaaaa"}
{"status":"Waiting","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Waiting","progressDetail":{},"id":"cccccccccccc"}
{"status":"Pushing","progressDetail":{"current":1000000,"total":4000000},"id":"aaaaaaaaaaaa"}
{"status":"Unavailable","progressDetail":{},"id":"cccccccccccc"}
{"status":"Mounted from library/base","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Pushing","progressDetail":{"current":2000000,"total":4000000},"id":"aaaaaaaaaaaa"}
{"status":"Pushed","progressDetail":{},"id":"aaaaaaaaaaaa"}
{"progressDetail":{},"aux":{"manifestPushedInsteadOfIndex":true,"originalIndex":{"digest":"sha256:11"},"selectedManifest":{"digest":"sha256:22"}}}
{"progressDetail":{},"aux":"something new"}
{"status":"v1: digest: sha256:22 size: 528"}
`) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if err := u.message(m, c.news(&said)); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(time.Second)
	}
	want := told{
		"progress 1000000/0 bytes 0/3 layers",
		"change layer bbbbbbbbbbbb mounted from library/base", "progress 1000000/4000000 bytes 1/2 layers",
		"progress 2000000/4000000 bytes 1/2 layers",
		"change layer aaaaaaaaaaaa pushed, 4.0 MB", "progress 4000000/4000000 bytes 2/2 layers",
		"warning docker holds only one of the images of the index, and pushes that alone",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	if u.digest != "sha256:22" {
		t.Errorf("digest %q", u.digest)
	}
}

// While bytes go it is told twice a second, however often docker does.
func TestProgressIsPaced(t *testing.T) {
	var said told
	c := newClock()
	u := newUpload(nil)
	for i := range int64(100) {
		u.take("aaaaaaaaaaaa", "Pushing", i*1000, 100_000, c.news(&said))
		c.now = c.now.Add(50 * time.Millisecond)
	}
	if len(said) != 10 {
		t.Errorf("told %d times in five seconds", len(said))
	}
}

// startAPI is an API that answers with what handlers say.
func startAPI(t *testing.T, handlers map[string]http.HandlerFunc) engineAPI {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, handle := range handlers {
		mux.HandleFunc(pattern, handle)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	to := mustURL(t, server.URL)
	return engineAPI{&http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return to, nil }}}}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestSizesOfLayers(t *testing.T) {
	ref := image.Reference{Registry: "127.0.0.1:5999", Repository: "shop/api", Tag: "v1"}
	config := answer(200, `{"RootFS":{"Type":"layers","Layers":["sha256:aaaaaaaaaaaa11","sha256:bbbbbbbbbbbb22"]}}`)
	for _, tc := range []struct {
		name            string
		config, history http.HandlerFunc
		want            map[string]int64
	}{
		{"the newest entry comes first", config, answer(200, `[{"Size":20},{"Size":0},{"Size":10}]`), map[string]int64{"aaaaaaaaaaaa": 10, "bbbbbbbbbbbb": 20}},
		{"one of the layers is empty", config, answer(200, `[{"Size":0},{"Size":0},{"Size":10}]`), nil},
		{"no history", config, answer(404, `{"message":"no such image"}`), nil},
		{"no image", answer(500, "oh"), answer(200, `[]`), nil},
		{"nothing that can be read", config, answer(200, `<html>`), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api := startAPI(t, map[string]http.HandlerFunc{
				"GET /images/127.0.0.1:5999/shop/api:v1/json": tc.config, "GET /images/127.0.0.1:5999/shop/api:v1/history": tc.history,
			})
			if diff := cmp.Diff(tc.want, api.sizes(t.Context(), ref)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPIRefuses(t *testing.T) {
	ref := image.Reference{Registry: "127.0.0.1:5999", Repository: "api", Tag: "v1"}
	login := Login{Registry: "127.0.0.1:5999", User: "AWS", Password: "s3cret/+"}
	for _, tc := range []struct {
		name string
		push http.HandlerFunc
		want func(error) bool
	}{
		{"before anything", answer(404, `{"message":"An image does not exist locally with the tag: api"}`), is[*refusedError]},
		{"not docker", answer(502, `<html>bad gateway</html>`), func(err error) bool {
			return is[*refusedError](err) && strings.Contains(err.Error(), "502") && !strings.Contains(err.Error(), "html")
		}},
		{"on the way", answer(200, `{"status":"Preparing","id":"aaaaaaaaaaaa"}{"errorDetail":{"message":"denied: no"},"error":"denied: no"}`), is[*refusedError]},
		{"cut off", answer(200, `{"status":"Preparing","id":"aaaaaaaaaaaa"}{"status":`), func(err error) bool { return err != nil && !is[*refusedError](err) }},
		{"well", answer(200, `{"status":"Preparing","id":"aaaaaaaaaaaa"}`), func(err error) bool { return err == nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api := startAPI(t, map[string]http.HandlerFunc{"POST /images/127.0.0.1:5999/api/push": func(w http.ResponseWriter, r *http.Request) {
				auth, err := base64.URLEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
				if want := `{"password":"s3cret/+","serveraddress":"127.0.0.1:5999","username":"AWS"}`; err != nil || string(auth) != want {
					t.Errorf("login %s, %v", auth, err)
				}
				if r.URL.RawQuery != "tag=v1" {
					t.Errorf("query %q", r.URL.RawQuery)
				}
				tc.push(w, r)
			}})
			up := newUpload(nil)
			err := api.push(t.Context(), ref, login, func(m message) error { return up.message(m, newNews(nil, story.Push, nil)) })
			if !tc.want(err) || err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(`{"status":"Pushing","progressDetail":{"current":5,"total":3},"id":"aaaaaaaaaaaa"}{"status":"Pushed","id":"aaaaaaaaaaaa"}`)
	f.Add(`{"status":"Pushing","progressDetail":{"current":-5,"total":-3},"id":"aaaaaaaaaaaa"}{"aux":{"Digest":"x"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		u := newUpload(map[string]int64{"aaaaaaaaaaaa": 7})
		n := newNews(func(e story.Event) {
			if e.Kind == story.Progress && (e.Done < 0 || e.Total > 0 && e.Done > e.Total || e.There > e.Done) {
				t.Errorf("progress %d (%d there) of %d %s", e.Done, e.There, e.Total, e.Unit)
			}
		}, story.Push, time.Now)
		for messages := json.NewDecoder(strings.NewReader(text)); ; {
			var m message
			if messages.Decode(&m) != nil || m.Progress.Total > 1<<50 {
				return
			}
			if u.message(m, n) != nil {
				return
			}
		}
	})
}

// bigImage builds an image of a megabyte under a name.
func bigImage(t *testing.T, ref image.Reference) {
	t.Helper()
	dir := t.TempDir()
	label := fmt.Sprintf("plimsoll.test=%s-%d", t.Name(), time.Now().UnixNano())
	for name, text := range map[string]string{"big": strings.Repeat("plimsoll\n", 1<<17), "Dockerfile": "FROM scratch\nCOPY big /big\nLABEL " + label + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Image(t.Context(), Options{Context: dir, Image: ref}, nil); err != nil {
		t.Fatal(err)
	}
	forget(t, ref.String())
}

// A docker without dial-stdio pushes by itself, and only who asks hears of it.
func TestPushWithoutDialStdio(t *testing.T) {
	needEngine(t)
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	r := startRegistry(t, "right")
	ref := r.ref("shop/api", "v1")
	bigImage(t, ref)
	bin := t.TempDir()
	script := "#!/bin/sh\n[ \"$1\" = system ] && { echo 'Error: unrecognized command `podman system dial-stdio`' >&2; exit 125; }\nexec " + docker + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	var said told
	var log strings.Builder
	pushed, err := Push(t.Context(), PushOptions{
		Image: ref, Login: &Login{Registry: r.host, User: "AWS", Password: "right"},
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, said.tell)
	if err != nil || pushed.Layers != 1 || pushed.Already {
		t.Errorf("%+v, %v", pushed, err)
	}
	if !strings.Contains(log.String(), "unrecognized command") || strings.Contains(log.String(), "right") {
		t.Errorf("log: %s", &log)
	}
	if slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "podman") }) {
		t.Errorf("story: %q", said)
	}
}

// Ctrl-C in the middle of a push: the engine stops, no process and no file is
// left.
func TestPushOfTheEngineStops(t *testing.T) {
	needEngine(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	stuck, released := make(chan struct{}, 16), make(chan struct{})
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Method == http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
		case req.Method == http.MethodPost:
			w.Header().Set("Location", req.URL.Path+"upload")
			w.WriteHeader(http.StatusAccepted)
		case req.Method == http.MethodPatch || req.Method == http.MethodPut:
			stuck <- struct{}{}
			select {
			case <-released:
			case <-req.Context().Done():
			}
		}
	}))
	t.Cleanup(registry.Close)
	t.Cleanup(func() { close(released) })
	host := strings.TrimPrefix(registry.URL, "http://")
	ref := image.Reference{Registry: host, Repository: "shop/api", Tag: "v1"}
	bigImage(t, ref)

	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-stuck
		cancel(why)
	}()
	if _, err := Push(ctx, PushOptions{Image: ref, Login: &Login{Registry: host, User: "AWS", Password: "right"}}, nil); !errors.Is(err, why) {
		t.Errorf("%T: %v", err, err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "plimsoll-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
