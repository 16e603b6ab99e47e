package ecr

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func byTag(tag string) *types.ImageIdentifier { return &types.ImageIdentifier{ImageTag: &tag} }

func (f *fixture) scan(t *testing.T, tag string) error {
	t.Helper()
	_, err := f.StartImageScan(t.Context(), &ecr.StartImageScanInput{RepositoryName: aws.String("app"), ImageId: byTag(tag)})
	return err
}

func (f *fixture) findings(t *testing.T, tag string) *ecr.DescribeImageScanFindingsOutput {
	t.Helper()
	out, err := f.DescribeImageScanFindings(t.Context(), &ecr.DescribeImageScanFindingsInput{RepositoryName: aws.String("app"), ImageId: byTag(tag)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScanByHand(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	_, err := f.DescribeImageScanFindings(t.Context(), &ecr.DescribeImageScanFindingsInput{RepositoryName: aws.String("app"), ImageId: byTag("v1")})
	want := "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in the repository with name 'app' in the registry with id '123456789012'"
	if got := wantCode(t, err, "ScanNotFoundException"); got != want {
		t.Error(got)
	}
	if err := f.scan(t, "v1"); err != nil {
		t.Fatal(err)
	}
	if got := f.findings(t, "v1"); got.ImageScanStatus.Status != types.ScanStatusInProgress || got.ImageScanFindings != nil {
		t.Errorf("at once it is %s", got.ImageScanStatus.Status)
	}
	f.events()
	f.clock.Advance(scanTime)
	got := f.findings(t, "v1")
	if got.ImageScanStatus.Status != types.ScanStatusComplete || len(got.ImageScanFindings.Findings) != 0 || !got.ImageScanFindings.ImageScanCompletedAt.Equal(start().Add(scanTime)) {
		t.Errorf("later it is %s", got.ImageScanStatus.Status)
	}
	event := `ECR Image Scan arn:aws:ecr:eu-west-1:123456789012:repository/app {"scan-status":"COMPLETE","repository-name":"app","finding-severity-counts":{},"image-digest":"` + digest + `","image-tags":["v1"]}`
	if diff := cmp.Diff([]string{event}, f.events()); diff != "" {
		t.Error(diff)
	}
	wantCode(t, f.scan(t, "v1"), "LimitExceededException")
	f.clock.Advance(scanEvery)
	if err := f.scan(t, "v1"); err != nil {
		t.Errorf("a day later: %v", err)
	}
	wantCode(t, f.scan(t, "v9"), "ImageNotFoundException")
}

func TestScanFindsWhatTheLabelSays(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app", func(in *ecr.CreateRepositoryInput) {
		in.ImageScanningConfiguration = &types.ImageScanningConfiguration{ScanOnPush: true}
	})
	digest := f.push(t, "app", "v1", "one finds critical:1, high:2")
	f.push(t, "app", "v2", "two finds grave:1")
	f.clock.Advance(scanTime)
	want := map[string]int32{"CRITICAL": 1, "HIGH": 2}
	got := f.findings(t, "v1").ImageScanFindings
	if diff := cmp.Diff(want, got.FindingSeverityCounts); diff != "" || len(got.Findings) != 3 {
		t.Errorf("%d findings; %s", len(got.Findings), diff)
	}
	if diff := cmp.Diff(want, f.image(t, "app", digest).ImageScanFindingsSummary.FindingSeverityCounts); diff != "" {
		t.Error(diff)
	}
	if s := f.findings(t, "v2").ImageScanStatus; s.Status != types.ScanStatusFailed || !strings.Contains(*s.Description, `"grave:1"`) {
		t.Errorf("a label with a mistake: %s %s", s.Status, aws.ToString(s.Description))
	}
}

func TestScanEndsAfterARestart(t *testing.T) {
	st := store.Memory()
	f := fixtureOn(t, st, clock.Manual(start()))
	f.repository(t, "app")
	f.push(t, "app", "v1", "one")
	if err := f.scan(t, "v1"); err != nil {
		t.Fatal(err)
	}
	f = fixtureOn(t, st, clock.Manual(start().Add(time.Second)))
	f.clock.Advance(time.Hour)
	if got := f.findings(t, "v1").ImageScanStatus.Status; got != types.ScanStatusComplete {
		t.Errorf("it is %s", got)
	}
}

func TestWhatCannotBeScanned(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	child := imageOf(t, f.registry, "app", "one", "linux/amd64")
	if err := f.put(t.Context(), "app", "", child); err != nil {
		t.Fatal(err)
	}
	if err := f.put(t.Context(), "app", "index", indexOf(t, map[string][]byte{"linux/amd64": child})); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.scan(t, "index"), "UnsupportedImageTypeException")
	digest := f.push(t, "app", "v1", "two")
	_, err := f.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
		RepositoryName: aws.String("app"), ImageId: &types.ImageIdentifier{ImageDigest: &digest}, TargetStorageClass: types.TargetStorageClassArchive,
	})
	wantCode(t, err, "")
	wantCode(t, f.scan(t, "v1"), "ImageArchivedException")
}

func TestScanningOfTheRegistry(t *testing.T) {
	st := store.Memory()
	f := fixtureOn(t, st, clock.Manual(start()))
	f.repository(t, "team/app")
	f.repository(t, "other")
	put := func(kind types.ScanType, frequency types.ScanFrequency, filter string) error {
		_, err := f.PutRegistryScanningConfiguration(t.Context(), &ecr.PutRegistryScanningConfigurationInput{ScanType: kind, Rules: []types.RegistryScanningRule{{
			ScanFrequency: frequency, RepositoryFilters: []types.ScanningRepositoryFilter{{Filter: &filter, FilterType: types.ScanningRepositoryFilterTypeWildcard}},
		}}})
		return err
	}
	wantCode(t, put(types.ScanTypeEnhanced, types.ScanFrequencyContinuousScan, "*"), CodeInvalidParameter)
	wantCode(t, put(types.ScanTypeBasic, types.ScanFrequencyContinuousScan, "*"), CodeInvalidParameter)
	wantCode(t, put(types.ScanTypeBasic, types.ScanFrequencyScanOnPush, "A?"), CodeInvalidParameter)
	wantCode(t, put(types.ScanTypeBasic, types.ScanFrequencyScanOnPush, "team/*"), "")
	f = fixtureOn(t, st, f.clock)
	got, err := f.BatchGetRepositoryScanningConfiguration(t.Context(), &ecr.BatchGetRepositoryScanningConfigurationInput{RepositoryNames: []string{"team/app", "other", "none"}})
	wantCode(t, err, "")
	if c := got.ScanningConfigurations; len(c) != 2 || !c[0].ScanOnPush || *c[0].AppliedScanFilters[0].Filter != "team/*" || c[1].ScanOnPush || c[1].ScanFrequency != types.ScanFrequencyManual || len(got.Failures) != 1 {
		t.Errorf("%+v %+v", c, got.Failures)
	}
	digest := f.push(t, "team/app", "v1", "one")
	if s := f.image(t, "team/app", digest).ImageScanStatus; s == nil || s.Status != types.ScanStatusInProgress {
		t.Errorf("the push began no scan: %v", s)
	}
}

func TestWildcardsOfRepositories(t *testing.T) {
	for filter, want := range map[string]string{
		"*": "app team/app", "app": "app team/app", "team": "team/app", "team/*": "team/app", "a*": "app", "*p": "app team/app", "t*a*p": "team/app", "x*": "",
	} {
		var got []string
		for _, name := range []string{"app", "team/app"} {
			if wildcard(filter, name) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s matches %v, want %s", filter, got, want)
		}
	}
}
