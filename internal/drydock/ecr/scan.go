package ecr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// findingsLabel of an image says what a scan finds: "critical:1,high:2".
// Without it a scan finds nothing; drydock looks for no vulnerabilities itself.
const findingsLabel = "plimsoll.drydock.findings"

const (
	// scanTime is how long a scan takes; AWS promises nothing.
	scanTime = 30 * time.Second
	// scanEvery: "a basic image scan can only be started once per 24 hours on an
	// individual image", scans on push included (StartImageScan in the API
	// reference).
	scanEvery = 24 * time.Hour
)

// scan is the newest scan of an image.
type scan struct {
	Status   types.ScanStatus
	Started  time.Time
	Ends     time.Time        // when it is or will be complete
	Findings map[string]int32 `json:",omitempty"` // by severity, of what the label says
	Why      string           `json:",omitempty"` // why it failed
}

// counts is the findings by severity, once the scan is complete.
func (s scan) counts() map[string]int32 {
	if s.Status != types.ScanStatusComplete || s.Findings == nil {
		return map[string]int32{}
	}
	return s.Findings
}

func (s scan) shown() *types.ImageScanStatus {
	out := &types.ImageScanStatus{Status: s.Status}
	switch s.Status {
	case types.ScanStatusComplete:
		out.Description = aws.String("The scan was completed successfully.")
	case types.ScanStatusFailed:
		out.Description = aws.String(s.Why)
	}
	return out
}

// scannable: basic scanning looks at images of containers, not at indexes and
// other artifacts.
func (i image) scannable() bool {
	return i.Content.Config != nil && i.Content.Subject == nil &&
		strings.Contains(i.Content.artifactMediaType(), "image") && !strings.Contains(i.Content.artifactMediaType(), "index")
}

// scanned is the image with a scan begun now.
func (r *Registry) scanned(i image) image {
	now := r.clock.Now()
	s := scan{Status: types.ScanStatusInProgress, Started: now, Ends: now.Add(r.clock.Scale(scanTime))}
	pulled := PulledImage{ConfigDigest: i.Content.Config.Digest}
	err := r.configure(&pulled)
	if err == nil {
		s.Findings, err = parseFindings(pulled.Labels[findingsLabel])
	}
	if err != nil { // told when the scan ends, as AWS would
		s.Why = err.Error()
	}
	i.Scan = &s
	return i
}

// parseFindings reads the label: severities with how many findings each.
func parseFindings(label string) (map[string]int32, error) {
	if label == "" {
		return nil, nil
	}
	counts := map[string]int32{}
	for entry := range strings.SplitSeq(label, ",") {
		name, number, _ := strings.Cut(entry, ":")
		severity := types.FindingSeverity(strings.ToUpper(strings.TrimSpace(name)))
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if err != nil || n < 0 || n > maxFindings || !slices.Contains(severity.Values(), severity) {
			return nil, fmt.Errorf("image label %s=%q: want severities with numbers up to %d, such as critical:1,high:2", findingsLabel, label, maxFindings)
		}
		if n > 0 {
			counts[string(severity)] = int32(n)
		}
	}
	return counts, nil
}

// maxFindings bounds the findings of one severity.
const maxFindings = 1000

func (r *Registry) startImageScan(in *ecr.StartImageScanInput) (*ecr.StartImageScanOutput, error) {
	repo, i, err := r.one(in.RepositoryName, in.RegistryId, in.ImageId)
	if err != nil {
		return nil, err
	}
	switch {
	case i.status() != types.ImageStatusActive:
		return nil, wire.Errorf("ImageArchivedException", "The specified image is archived and cannot be scanned.")
	case !i.scannable():
		return nil, wire.Errorf("UnsupportedImageTypeException", "The image is of a type that cannot be scanned.")
	case i.Scan != nil && r.clock.Now().Sub(i.Scan.Started) < scanEvery:
		return nil, wire.Errorf("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
	}
	i = r.scanned(i)
	if err := r.commit(changes{put: []record{i}}); err != nil {
		return nil, err
	}
	r.scheduleScan(i)
	return &ecr.StartImageScanOutput{
		ImageId:         &types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageId.ImageTag},
		ImageScanStatus: i.Scan.shown(),
		RegistryId:      &r.account,
		RepositoryName:  &repo.Name,
	}, nil
}

// one finds the image that a request about one image names.
func (r *Registry) one(name, registryID *string, id *types.ImageIdentifier) (*repository, image, error) {
	repo, err := r.repository(name, registryID)
	if err != nil {
		return nil, image{}, err
	}
	if id == nil {
		return nil, image{}, invalid("imageId", "must not be null")
	}
	i, failure := repo.find(*id)
	if failure != nil {
		return nil, image{}, r.unfound(repo.Name, failure)
	}
	return repo, i, nil
}

func (r *Registry) scheduleScan(i image) {
	if i.Scan == nil || i.Scan.Status != types.ScanStatusInProgress {
		return
	}
	key := fmt.Sprintf("ecr scan %s@%s", i.Repository, i.Digest)
	r.clock.At(i.Scan.Ends, key, func(now time.Time) {
		r.mu.Lock()
		defer r.mu.Unlock()
		repo, ok := r.state[i.Repository]
		if !ok {
			return
		}
		// Deleted meanwhile, or deleted and pushed anew, it has another scan or none.
		done, ok := repo.images[i.Digest]
		if !ok || done.Scan == nil || !done.Scan.Ends.Equal(i.Scan.Ends) || done.Scan.Status != types.ScanStatusInProgress {
			return
		}
		result := *done.Scan
		result.Status, result.Ends = types.ScanStatusComplete, now
		if result.Why != "" {
			result.Status = types.ScanStatusFailed
		}
		done.Scan = &result
		if err := r.commit(changes{put: []record{done}}); err != nil {
			r.log.Error("a scan was not completed", "repository", i.Repository, "digest", i.Digest, "error", err)
			return
		}
		r.tellScan(done)
	})
}

func (r *Registry) describeImageScanFindings(in *ecr.DescribeImageScanFindingsInput) (*ecr.DescribeImageScanFindingsOutput, error) {
	repo, i, err := r.one(in.RepositoryName, in.RegistryId, in.ImageId)
	if err != nil {
		return nil, err
	}
	if i.Scan == nil {
		return nil, wire.Errorf("ScanNotFoundException",
			"Image scan does not exist for the image with '%s' in the repository with name '%s' in the registry with id '%s'", identity(*in.ImageId), repo.Name, r.account)
	}
	out := &ecr.DescribeImageScanFindingsOutput{
		ImageId:         &types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageId.ImageTag},
		ImageScanStatus: i.Scan.shown(),
		RegistryId:      &r.account,
		RepositoryName:  &repo.Name,
	}
	if i.Scan.Status != types.ScanStatusComplete {
		return out, nil
	}
	findings, next, err := page(i.Scan.list(), func(f types.ImageScanFinding) string { return *f.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	out.ImageScanFindings = &types.ImageScanFindings{
		FindingSeverityCounts: i.Scan.counts(), Findings: findings,
		ImageScanCompletedAt: &i.Scan.Ends, VulnerabilitySourceUpdatedAt: &i.Scan.Started,
	}
	return out, nil
}

// list is the findings one by one. They have made-up names: only their number is
// known.
func (s scan) list() []types.ImageScanFinding {
	out := []types.ImageScanFinding{}
	counts := s.counts()
	for _, severity := range slices.Sorted(maps.Keys(counts)) {
		for n := range counts[severity] {
			out = append(out, types.ImageScanFinding{
				Name:        aws.String(fmt.Sprintf("DRYDOCK-%s-%04d", severity, n+1)),
				Description: aws.String("said by the image label " + findingsLabel),
				Severity:    types.FindingSeverity(severity),
				Attributes:  []types.Attribute{},
			})
		}
	}
	return out
}

// summary is what DescribeImages has of a complete scan.
func (s scan) summary() *types.ImageScanFindingsSummary {
	if s.Status != types.ScanStatusComplete {
		return nil
	}
	return &types.ImageScanFindingsSummary{FindingSeverityCounts: s.counts(), ImageScanCompletedAt: &s.Ends, VulnerabilitySourceUpdatedAt: &s.Started}
}
