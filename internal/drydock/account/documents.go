package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The shapes of the API's answers, as far as they are imported. The aws CLI
// writes members with a small first letter and times as text; the API itself
// has seconds since 1970.

type clusterDoc struct {
	ClusterName, ClusterArn, Status string
	Settings                        []types.ClusterSetting
	Tags                            []tagDoc
}

type serviceDoc struct {
	ServiceName, ServiceArn, ClusterArn, Status string
	DesiredCount, RunningCount                  int
	LaunchType, PlatformVersion, TaskDefinition string
	CapacityProviderStrategy                    []types.CapacityProviderStrategyItem
	DeploymentConfiguration                     *configurationDoc
	NetworkConfiguration                        *types.NetworkConfiguration
	PlacementConstraints                        []types.PlacementConstraint
	PlacementStrategy                           []types.PlacementStrategy
	HealthCheckGracePeriodSeconds               *int32
	PropagateTags, AvailabilityZoneRebalancing  string
	EnableECSManagedTags, EnableExecuteCommand  bool
	SchedulingStrategy                          string
	DeploymentController                        struct{ Type string }
	LoadBalancers, ServiceRegistries            []any
	Tags                                        []tagDoc
}

type configurationDoc struct {
	Strategy                              string
	MaximumPercent, MinimumHealthyPercent *int32
	DeploymentCircuitBreaker              *types.DeploymentCircuitBreaker
}

type taskDoc struct {
	ClusterArn, Group, TaskDefinitionArn, LastStatus string
	Containers                                       []containerDoc
}

type containerDoc struct{ Name, Image, ImageDigest string }

type revisionDoc struct {
	ServiceArn, TaskDefinition string
	CreatedAt                  moment
	ContainerImages            []struct{ ContainerName, Image, ImageDigest string }
}

type definitionDoc struct {
	TaskDefinition json.RawMessage
	Tags           []tagDoc
}

type repositoryDoc struct {
	repositoryBody
	Repository          *repositoryBody // of the state dump
	LifecyclePolicyText string
	Images              []imageDoc
}

type repositoryBody struct {
	RepositoryName, RepositoryArn, RepositoryUri string
	CreatedAt                                    moment
	ImageTagMutability                           string
	ImageTagMutabilityExclusionFilters           []struct{ Filter string }
	ImageScanningConfiguration                   struct{ ScanOnPush bool }
}

type imageDoc struct {
	RepositoryName, ImageDigest               string
	ImageTags                                 []string
	ImageSizeInBytes                          int64
	ImagePushedAt, LastRecordedPullTime       moment
	ImageManifestMediaType, ArtifactMediaType string
	ImageStatus, SubjectManifestDigest        string
	LastArchivedAt, LastActivatedAt           moment
}

type policyDoc struct{ RepositoryName, LifecyclePolicyText string }

// tagDoc is a tag of ECS ("key") or of ECR ("Key"); encoding/json reads both.
type tagDoc struct{ Key, Value string }

// moment is a time as the API or the aws CLI writes it.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return nil
	}
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Errorf("%q is no time", text)
		}
		m.Time = t.UTC()
		return nil
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.Abs(seconds) > 1e11 {
		return fmt.Errorf("%s is no time", raw)
	}
	m.Time = time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC()
	return nil
}

func tagsOf(list []tagDoc) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[t.Key] = t.Value
	}
	return out
}
