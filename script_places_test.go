package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

// startPlaces starts a drydock for each region of an account, and an endpoint
// before them that brings every call to the region that it is signed for, as the
// hosts of AWS do. Calls go there for the rest of the script; $PLACE1, $PLACE2, …
// are the drydocks themselves, to plant in.
func startPlaces(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: places ACCOUNT/REGION...")
	}
	byRegion, issued := map[string]*url.URL{}, sync.Map{} // access keys, and the place that gave them out
	for i, place := range args {
		account, region, _ := strings.Cut(place, "/")
		d, err := drydock.Start(context.Background(), drydock.Options{Runtime: drydock.Simulated, TimeScale: 1000, Account: account, Region: region})
		ts.Check(err)
		ts.Defer(func() { ts.Check(d.Close()) })
		if i == 0 {
			for _, v := range d.Env() {
				ts.Setenv(v.Name, v.Value)
			}
		}
		ts.Setenv(fmt.Sprintf("PLACE%d", i+1), d.Endpoint())
		byRegion[region], err = url.Parse(d.Endpoint())
		ts.Check(err)
	}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			key, region := signedBy(r.In)
			place := byRegion[region]
			if place == nil { // a service of the whole partition, such as Health
				if found, ok := issued.Load(key); ok {
					place, _ = found.(*url.URL)
				}
			}
			if place != nil {
				r.SetURL(place)
			}
			r.Out.Host = r.In.Host // which the signature covers
		},
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if _, rest, ok := strings.Cut(string(body), "<AccessKeyId>"); ok {
				key, _, _ := strings.Cut(rest, "<")
				issued.Store(key, &url.URL{Scheme: r.Request.URL.Scheme, Host: r.Request.URL.Host})
			}
			return err
		},
	})
	ts.Defer(front.Close)
	ts.Setenv("AWS_ENDPOINT_URL", front.URL)
	ts.Setenv("AWS_ENDPOINT_URL_STS", front.URL)
}

// signedBy is the key and the region of a signature:
// Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func signedBy(r *http.Request) (key, region string) {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 3 {
		return "", ""
	}
	return parts[0], parts[2]
}
