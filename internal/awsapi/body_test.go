package awsapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// A body that can write itself has net/http close the connection under an
// answer that comes early: see plainbody.Add.
func TestBodiesCanOnlyBeRead(t *testing.T) {
	environment(t)
	c, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	client := ecs.NewFromConfig(c.cfg, func(o *ecs.Options) {
		o.HTTPClient = doer(func(r *http.Request) *http.Response {
			seen++
			if _, writes := r.Body.(io.WriterTo); writes {
				t.Error("the request's body is an io.WriterTo")
			}
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != `{"maxResults":7}` {
				t.Errorf("body %s, %v", body, err)
			}
			w := httptest.NewRecorder()
			_, _ = w.WriteString(`{"clusterArns":[]}`)
			return w.Result()
		})
	})
	most := int32(7)
	if _, err := client.ListClusters(t.Context(), &ecs.ListClustersInput{MaxResults: &most}); err != nil {
		t.Fatal(err)
	}
	if seen != 1 {
		t.Errorf("%d requests", seen)
	}
}

// doer is an HTTP client that answers by itself.
type doer func(*http.Request) *http.Response

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r), nil }
