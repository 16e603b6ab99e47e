package leastprivilege_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/plimsoll-ecs/plimsoll/internal/cli"
)

// TestMain is the Lambda function where a rehearsal starts it as one: the loop
// of a function ends with its process.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	os.Exit(cli.Run(context.Background(), []string{"maintenance", "lambda"}, cli.System{
		Getenv: os.Getenv, Environ: os.Environ(), Stdin: strings.NewReader(""), Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}

// maintenance are the rehearsals of what is done ahead of a retirement: by
// itself, from a queue, and as a function. New tasks start; they fail; and the
// tag of what runs stands for something else.
func (y *yard) maintenance(retiring []step) []rehearsal {
	retiring = slices.Clip(retiring)
	failing := append(retiring, do("drydock behaviour set web:v1.0.0 exit-after=1s exit-code=1 log=panic"))
	noticed := append(retiring, happens(y.queueNotice))
	fresh := slices.Clip([]step{happens(y.newRelease), do("drydock retire --in 7d")})
	moved := append(fresh, happens(y.moveTag))
	lambda := func(exit int, says string) []step {
		return []step{{words: []string{"maintenance", "lambda"}, exit: exit, says: []string{says}, act: y.invoke}}
	}
	return []rehearsal{
		{"maintenance", append(fresh, do("lifecycle apply --yes --keep-old "+y.images+" --policy "+freshPolicy)), []step{do("maintenance plan", `prod/api .* works\n`)}},
		{"maintenance", retiring, []step{do("maintenance run", "stable")}},
		{"maintenance", failing, []step{ends(4, "maintenance run", "panic")}},
		{"maintenance", moved, []step{do("maintenance run", "registered a copy")}},
		{"maintenance", []step{happens(y.copyThere), do("drydock retire --in 7d"), happens(y.moveTag)}, []step{do("maintenance run", "is the same as")}},
		{"queue", noticed, []step{do("maintenance run --queue "+y.queue(), "stable")}},
		{"lambda", retiring, lambda(0, `"outcome":"stable"`)},
		{"lambda", failing, lambda(1, "panic")},
		{"lambda", moved, lambda(0, `"outcome":"stable"`)},
	}
}

// rescue is the rehearsal of bringing an image back: from the archive, and from
// another repository once it is gone.
func (y *yard) rescue(home []step) []rehearsal {
	before := append(y.pushes("v1.5.0"), append(home, do("deploy --image-tag v1.5.0"),
		step{words: append(y.push("v1.5.0"), "--repository", "spare")}, happens(y.archive))...)
	return []rehearsal{{"rescue", before, []step{
		ends(8, "rescue --timeout 1ms", "back from the archive, which takes"),
		happens(y.deleteImage),
		ends(8, "rescue", "git checkout 5eaf00d"),
		do("rescue --from spare", "1 copied", `keep-prod-api-\w+ +(the repository has no lifecycle policy|no rule takes it)`),
	}}}
}

func (y *yard) queue() string { return y.drydock.Endpoint() + "/123456789012/retirements" }

// newRelease deploys a release of its own, of which nothing is known yet.
func (y *yard) newRelease() {
	y.Helper()
	y.made++
	y.released = fmt.Sprintf("v5.0.%d", y.made)
	y.index(y.released, v1.Platform{OS: "linux", Architecture: "amd64"})
	y.admin("push", "--tag", y.released, "--oci-layout", y.file(y.released))
	y.admin("deploy", "--image-tag", y.released, "--desired-count", "1", "--supersede")
	y.admin("start")
	y.revision = y.runs()
}

// index writes an image for a platform, as one of several, into a folder that is
// called as its tag is.
func (y *yard) index(tag string, platform v1.Platform) {
	y.Helper()
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: map[string]string{"version": tag}},
	})
	must(y.T, err)
	place, err := layout.Write(y.file(tag), empty.Index)
	must(y.T, err)
	must(y.T, place.AppendIndex(mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})))
}

// moveTag has the tag of what runs stand for another image.
func (y *yard) moveTag() {
	y.Helper()
	registry := ecr.NewFromConfig(y.config)
	other, err := registry.BatchGetImage(y.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1.0.0")}}})
	must(y.T, err)
	_, err = registry.PutImage(y.Context(), &ecr.PutImageInput{RepositoryName: aws.String("web"), ImageTag: aws.String(y.released), ImageManifest: other.Images[0].ImageManifest})
	must(y.T, err)
}

// deregister has the revision of the new release be INACTIVE, as Terraform does
// when it registers the next one.
func (y *yard) deregister() {
	y.Helper()
	_, err := ecs.NewFromConfig(y.config).DeregisterTaskDefinition(y.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &y.revision})
	must(y.T, err)
}

// backTo has the pipeline roll back to the revision of the new release.
func (y *yard) backTo() (int, string) {
	y.Helper()
	return y.run(true, "rollback", "--to", y.revision)
}

// runs is the revision that the service is set to.
func (y *yard) runs() string {
	y.Helper()
	found, err := ecs.NewFromConfig(y.config).DescribeServices(y.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{"api"}})
	must(y.T, err)
	return *found.Services[0].TaskDefinition
}

// copyThere is a new release, of whose revision there is a copy already that
// names the digest: its tag had moved, and is back.
func (y *yard) copyThere() {
	y.Helper()
	y.newRelease()
	registry, tasks := ecr.NewFromConfig(y.config), ecs.NewFromConfig(y.config)
	own, err := registry.BatchGetImage(y.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{{ImageTag: &y.released}}})
	must(y.T, err)
	y.moveTag()
	y.admin("drydock", "retire", "--in", "7d")
	y.admin("maintenance", "run")
	_, err = registry.PutImage(y.Context(), &ecr.PutImageInput{RepositoryName: aws.String("web"), ImageTag: &y.released, ImageManifest: own.Images[0].ImageManifest})
	must(y.T, err)
	_, err = tasks.UpdateService(y.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), TaskDefinition: &y.revision, ForceNewDeployment: true})
	must(y.T, err)
	y.admin("wait")
}

// digestOf is the digest of a tag in the repository of the service's images.
func (y *yard) digestOf(repository, tag string) *string {
	y.Helper()
	found, err := ecr.NewFromConfig(y.config).DescribeImages(y.Context(), &ecr.DescribeImagesInput{RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageTag: &tag}}})
	must(y.T, err)
	return found.ImageDetails[0].ImageDigest
}

// archive brings the image of v1.5.0 into the archive.
func (y *yard) archive() {
	y.Helper()
	_, err := ecr.NewFromConfig(y.config).UpdateImageStorageClass(y.Context(), &ecr.UpdateImageStorageClassInput{
		RepositoryName: aws.String("web"), ImageId: &types.ImageIdentifier{ImageDigest: y.digestOf("spare", "v1.5.0")}, TargetStorageClass: types.TargetStorageClassArchive,
	})
	must(y.T, err)
}

func (y *yard) deleteImage() {
	y.Helper()
	_, err := ecr.NewFromConfig(y.config).BatchDeleteImage(y.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{{ImageDigest: y.digestOf("spare", "v1.5.0")}},
	})
	must(y.T, err)
}

// notice is the last notice of a retirement, as EventBridge has it.
func (y *yard) notice() string {
	y.Helper()
	_, said := y.run(false, "drydock", "events", "--output", "json")
	var last string
	for line := range strings.Lines(said) {
		if strings.Contains(line, "AWS_ECS_TASK_PATCHING_RETIREMENT") && strings.Contains(line, `"upcoming"`) {
			last = strings.TrimSpace(line)
		}
	}
	if last == "" {
		y.Fatalf("no task retires:\n%s", said)
	}
	return last
}

// queueNotice puts the last notice into the queue, where a rule would.
func (y *yard) queueNotice() {
	y.Helper()
	y.askJSON10("sqs", "AmazonSQS.SendMessage", fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":%q}`, y.queue(), y.notice()))
}

// askJSON10 is ask, for a service that speaks AWS JSON 1.0.
func (y *yard) askJSON10(service, target, body string) {
	y.Helper()
	y.send(service, "/", map[string]string{"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}, body)
}

// invoke has the pipeline's role be that of a Lambda function that is handed the
// last notice. The code is 1 where the function says that not all is done.
func (y *yard) invoke() (int, string) {
	y.Helper()
	notice := y.notice()
	var asked atomic.Bool
	var answer atomic.Value
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Swap(true) {
			w.WriteHeader(http.StatusGone)
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(15*time.Minute).UnixMilli()))
		_, _ = io.WriteString(w, notice)
	})
	for _, kind := range []string{"response", "error"} {
		mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/"+kind, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			answer.Store(kind + ": " + string(body))
			w.WriteHeader(http.StatusAccepted)
		})
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	y.as(true)
	function := exec.CommandContext(y.Context(), os.Args[0])
	function.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	log, _ := function.CombinedOutput() // it fails when there is no other invocation
	said, _ := answer.Load().(string)
	code := 0
	if !strings.HasPrefix(said, "response: ") {
		code = 1
	}
	return code, said + "\n" + string(log)
}
