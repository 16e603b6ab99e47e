package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// rival is a server of somebody else in a process of its own.
type rival struct {
	addr   string
	served *exec.Cmd
	ended  chan error
}

// oppose starts a server, given the address that it is to listen on, and waits
// until ready answers.
func oppose(ctx context.Context, start func(addr string) *exec.Cmd, ready string) (*rival, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	r := &rival{addr: addr, served: start(addr), ended: make(chan error, 1)}
	var said bytes.Buffer
	r.served.Stderr = &said
	if err := r.served.Start(); err != nil {
		return nil, err
	}
	go func() { r.ended <- r.served.Wait() }()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		if answer, err := http.Get("http://" + addr + ready); err == nil {
			return r, answer.Body.Close()
		}
		select {
		case err := <-r.ended:
			return nil, fmt.Errorf("%s ended before it answered: %w\n%s", r.served.Path, err, said.String())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), r.close())
		case <-every.C:
		}
	}
}

func (r *rival) close() error {
	if err := r.served.Process.Kill(); err != nil {
		return err
	}
	<-r.ended
	return nil
}

// Reads per measurement, and how many clients make them at a time.
const (
	reads   = 2000
	readers = 4
)

// reads measures DescribeServices of one service, drydock beside moto. The
// client is bare HTTP, so that it is not what is measured.
func (b *bench) reads(ctx context.Context) (t table, err error) {
	y, err := b.open(ctx, 1000, "--runtime", "simulated")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	names, err := y.fleet(ctx, 1, 2, nil)
	if err != nil {
		return t, err
	}
	if err := y.steady(ctx, names...); err != nil {
		return t, err
	}
	host, port := "127.0.0.1", ""
	moto, err := oppose(ctx, func(addr string) *exec.Cmd {
		host, port, _ = strings.Cut(addr, ":")
		return exec.CommandContext(ctx, b.moto, "-H", host, "-p", port)
	}, "/moto-api/")
	if err != nil {
		return t, fmt.Errorf("moto (pip install 'moto[server]', -moto PATH): %w", err)
	}
	defer func() { err = errors.Join(err, moto.close()) }()
	if err := motoService(ctx, moto.addr, names[0]); err != nil {
		return t, fmt.Errorf("a service for moto: %w", err)
	}
	describe := fmt.Sprintf(`{"cluster":%q,"services":[%q]}`, cluster, names[0])
	rate := func(addr string) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) { return readRate(ctx, addr, describe) }
	}
	samples, err := interleave(ctx, min(b.runs, fleetRuns), contender{"drydock", rate(y.addr)}, contender{"moto", rate(moto.addr)})
	if err != nil {
		return t, err
	}
	return versus(fmt.Sprintf("DescribeServices a second, %d clients", readers), "requests a second", []string{"drydock", "moto's server"}, samples, whole), nil
}

// motoService gives moto what [yard.fleet] gives drydock.
func motoService(ctx context.Context, addr, name string) error {
	for _, call := range [][2]string{
		{"CreateCluster", fmt.Sprintf(`{"clusterName":%q}`, cluster)},
		{"RegisterTaskDefinition", `{"family":"fleet","containerDefinitions":[{"name":"app","image":"web:v1","memory":128}]}`},
		{"CreateService", fmt.Sprintf(`{"cluster":%q,"serviceName":%q,"taskDefinition":"fleet","desiredCount":2}`, cluster, name)},
	} {
		if err := post(ctx, http.DefaultClient, addr, call[0], call[1]); err != nil {
			return err
		}
	}
	return nil
}

// post makes one call of ECS and holds its answer to be a success that tells
// of a service, where it is asked for one.
func post(ctx context.Context, client *http.Client, addr, operation, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=drydock/20260101/"+drydock.DefaultRegion+"/ecs/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || operation == "DescribeServices" && !bytes.Contains(text, []byte(`"serviceArn"`)) {
		return fmt.Errorf("%s: %s: %s", operation, answer.Status, text)
	}
	return nil
}

func readRate(ctx context.Context, addr, body string) (float64, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: readers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for range readers {
		group.Go(func() error {
			for range reads / readers {
				if err := post(ctx, client, addr, "DescribeServices", body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return reads / time.Since(start).Seconds(), err
}

// What a measured push carries: random bytes, which nothing can compress.
const (
	pushLayers = 4
	layerBytes = 64 << 20
)

// pushes measures pushes of new images: drydock in memory and on disk, and
// distribution's registry on disk.
func (b *bench) pushes(ctx context.Context) (t table, err error) {
	memory, err := b.open(ctx, 1000, "--runtime", "simulated")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, memory.close()) }()
	disk, err := b.open(ctx, 1000, "--runtime", "simulated", "--data", filepath.Join(b.work, "push"))
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, disk.close()) }()
	for _, y := range []*yard{memory, disk} {
		if _, err := clocked(y.plimsoll(ctx, "drydock", "seed")); err != nil {
			return t, err
		}
	}
	config := filepath.Join(b.work, "registry.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\n", filepath.Join(b.work, "registry"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return t, err
	}
	other, err := oppose(ctx, func(addr string) *exec.Cmd {
		serve := exec.CommandContext(ctx, b.registry, "serve", config)
		serve.Env = append(os.Environ(), "REGISTRY_HTTP_ADDR="+addr)
		return serve
	}, "/v2/")
	if err != nil {
		return t, fmt.Errorf("docker-registry (Debian's package of that name, -registry PATH): %w", err)
	}
	defer func() { err = errors.Join(err, other.close()) }()
	to := func(addr string, auth authn.Authenticator) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) { return pushRate(ctx, addr, auth) }
	}
	var logins [2]authn.Authenticator
	for i, y := range []*yard{memory, disk} {
		if logins[i], err = y.login(ctx); err != nil {
			return t, err
		}
	}
	samples, err := interleave(ctx, min(b.runs, fleetRuns),
		contender{"memory", to(memory.addr, logins[0])}, contender{"disk", to(disk.addr, logins[1])}, contender{"other", to(other.addr, authn.Anonymous)})
	if err != nil {
		return t, err
	}
	return versus(fmt.Sprintf("Push of %d layers of %d MiB", pushLayers, layerBytes>>20), "MB a second",
		[]string{"drydock in memory", "drydock with `--data`", "docker-registry 2.8 on disk"}, samples, whole), nil
}

// login is what GetAuthorizationToken gives to docker login.
func (y *yard) login(ctx context.Context) (authn.Authenticator, error) {
	client := ecr.New(ecr.Options{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     drydock.DefaultRegion, BaseEndpoint: aws.String("http://" + y.addr),
		Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	})
	out, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, err
	}
	return authn.FromConfig(authn.AuthConfig{Auth: aws.ToString(out.AuthorizationData[0].AuthorizationToken)}), nil
}

// pushRate pushes an image that nobody has, all layers at once, and says how
// many megabytes a second that came to.
func pushRate(ctx context.Context, addr string, auth authn.Authenticator) (float64, error) {
	image := v1.Image(empty.Image)
	for range pushLayers {
		content := make([]byte, layerBytes)
		_, _ = rand.Read(content) // never fails (crypto/rand)
		var err error
		if image, err = mutate.AppendLayers(image, static.NewLayer(content, types.DockerLayer)); err != nil {
			return 0, err
		}
	}
	digest, err := image.Digest() // hashes every layer, which is the client's work
	if err != nil {
		return 0, err
	}
	ref, err := name.NewTag(addr+"/"+repository+":v1.0."+fmt.Sprint(time.Now().UnixNano()), name.Insecure)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := remote.Write(ref, image, remote.WithContext(ctx), remote.WithAuth(auth), remote.WithJobs(pushLayers)); err != nil {
		return 0, err
	}
	took := time.Since(start).Seconds()
	head, err := remote.Head(ref, remote.WithContext(ctx), remote.WithAuth(auth))
	if err == nil && head.Digest != digest {
		err = fmt.Errorf("the registry has %s, pushed was %s", head.Digest, digest)
	}
	return pushLayers * layerBytes / 1e6 / took, err
}

// versus is the table of one figure, the more the better, of several servers;
// the last column sets the first against each of the others.
func versus(title, unit string, names []string, samples []sample, format func(float64) string) table {
	t := table{title: title + ", " + unit, head: []string{"", "median", "min", "max", "the first is"}}
	for i, name := range names {
		factor := ""
		if i > 0 {
			factor = times(samples[0].over(samples[i]).median())
		}
		t.rows = append(t.rows, append(append([]string{name}, samples[i].cells(format)...), factor))
	}
	return t
}

func whole(n float64) string { return fmt.Sprintf("%.0f", n) }
