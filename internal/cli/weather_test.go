package cli

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/seed"
)

// In weather in which every fifth call is throttled, one in twenty fails and
// some connections break, before AWS has heard or before its answer has come
// back, every deploy comes to the right verdict: good images are stable, bad
// ones are put back. PLIMSOLL_DEPLOYS is how many there are, 3 unless it is set:
// 500 take ten minutes.
func TestEveryVerdictIsRightInBadWeather(t *testing.T) {
	deploys := 3
	if text := os.Getenv("PLIMSOLL_DEPLOYS"); text != "" {
		var err error
		if deploys, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	w := newWeather(t)
	direct := w.drydock.Endpoint()
	t.Setenv("AWS_ENDPOINT_URL", direct)
	t.Setenv("ECR_REGISTRY", strings.TrimPrefix(direct, "http://"))
	mustRun(t, "push", "--tag", "v1.2.0", "--tarball", crashing(t))
	lanes := min(deploys, 100) // the SDK slows a client that is throttled to a call in two seconds
	services := make([]string, lanes)
	for i := range services {
		services[i] = fmt.Sprint("lane", i)
		names := seed.Names{Cluster: "prod", Service: services[i], Family: services[i], Container: services[i], Repository: services[i]}
		if _, err := seed.Plant(t.Context(), direct, drydock.DefaultRegion, names); err != nil {
			t.Fatal(err)
		}
		mustRun(t, "deploy", "--service", services[i], "--task-definition", services[i], "--image-tag", "v1.0.0", "--desired-count", "2")
	}
	t.Setenv("AWS_ENDPOINT_URL", w.URL)
	t.Setenv("ECR_REGISTRY", registry)
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(1, 2))
	struck := 0
	w.strike = func(rw http.ResponseWriter, r *http.Request, _ string, _ int) bool {
		mu.Lock()
		roll := dice.Float64()
		if roll < 0.28 {
			struck++
		}
		mu.Unlock()
		switch {
		case roll < 0.20:
			return refuse(rw, 400, "ThrottlingException", "Rate exceeded")
		case roll < 0.25:
			return refuse(rw, 500, "ServerException", "Service Unavailable")
		case roll < 0.27:
			return drop()
		case roll < 0.28:
			w.ahead.ServeHTTP(httptest.NewRecorder(), r)
			return drop()
		}
		return false
	}
	var wg sync.WaitGroup
	for lane, service := range services {
		wg.Go(func() {
			runs := "v1.0.0"
			for i := lane; i < deploys; i += lanes {
				tag, want := map[string]string{"v1.0.0": "v1.1.0", "v1.1.0": "v1.0.0"}[runs], 0
				if i%5 == 0 {
					tag, want = "v1.2.0", 4
				} else {
					runs = tag
				}
				code, out, story := run(t, "deploy", "--service", service, "--task-definition", service, "--image-tag", tag)
				if code != want || want == 0 && !strings.Contains(out, service+" runs "+tag) {
					t.Errorf("deploy %d of %s: exit %d, want %d\n%s%s", i, tag, code, want, out, story)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d deploys, %d calls struck", deploys, struck)
}

// crashing is an image whose container ends with an error.
func crashing(t *testing.T) string {
	t.Helper()
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Labels: map[string]string{"plimsoll.drydock.exit-after": "1s", "plimsoll.drydock.exit-code": "1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag("image:crash")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "crash.tar")
	if err := tarball.WriteToFile(file, ref, image); err != nil {
		t.Fatal(err)
	}
	return file
}
