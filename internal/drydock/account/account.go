// Package account reads what the aws CLI's describe commands, and drydock's own
// state dump, tell of an account: clusters, services, task definitions with
// their revisions, repositories with policies and images. [Read] makes of it
// what packages ecs and ecr can import, under the account and region of this
// drydock.
//
// A description is not the thing: images have no content, tasks no past, load
// balancers and secrets are not in it. [Account.Notes] says what was left out.
package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

// Document is one file of an export.
type Document struct {
	Name    string          `json:"name"` // for people: the file's
	Content json.RawMessage `json:"content"`
}

// Here is the account that an export comes to.
type Here struct {
	Account, Region string
}

// Account is an export, ready to be imported.
type Account struct {
	ECS          ecs.Import
	Repositories []ecr.ImportRepository
	LogGroups    []string // that the containers of its services write to
	Notes        []string // what is not as it was there
}

// FaultsError is everything that is wrong with an export.
type FaultsError struct{ Faults []string }

func (e *FaultsError) Error() string { return strings.Join(e.Faults, "\n") }

// export is what the documents say, before anything is made of it.
type export struct {
	clusters     []clusterDoc
	services     []serviceDoc
	tasks        []taskDoc
	revisions    []revisionDoc
	definitions  []definitionDoc
	repositories []repositoryDoc
	images       []imageDoc
	policies     []policyDoc

	faults []string
	notes  []string
}

func (x *export) fault(format string, args ...any) {
	x.faults = append(x.faults, fmt.Sprintf(format, args...))
}

func (x *export) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(x.notes, n) {
		x.notes = append(x.notes, n)
	}
}

// Read reads the documents of an export. What is wrong with them is a
// [*FaultsError] that lists all of it.
func Read(documents []Document, here Here) (*Account, error) {
	x := &export{}
	for _, d := range documents {
		x.read(d)
	}
	from := x.origin()
	out := &Account{}
	if len(x.faults) == 0 {
		names := x.renaming(from, here)
		out.ECS = x.tasksSide(names)
		out.Repositories = x.imagesSide()
		out.LogGroups = logGroups(out.ECS)
		x.findings(out, from, here)
	}
	if len(x.faults) > 0 {
		return nil, &FaultsError{x.faults}
	}
	out.Notes = x.notes
	return out, nil
}

// members that say nothing of their own in an answer of AWS.
func silent() []string {
	return []string{"format", "failures", "nextToken", "NextToken", "registryId", "now", "account", "region", "lastEvaluatedAt", "repositoryName", "tags", "ResponseMetadata"}
}

// read takes one document apart by its top members.
func (x *export) read(d Document) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(d.Content, &top); err != nil {
		x.fault("%s: this is no JSON object: %v", d.Name, err)
		return
	}
	if raw, ok := top["format"]; ok && string(bytes.TrimSpace(raw)) != "1" {
		x.fault("%s: its format is %s; this build reads 1", d.Name, raw)
		return
	}
	known := 0
	for name, raw := range top {
		var err error
		switch name {
		case "clusters":
			err = appendTo(&x.clusters, raw)
		case "services":
			err = appendTo(&x.services, raw)
		case "tasks":
			err = appendTo(&x.tasks, raw)
		case "serviceRevisions":
			err = appendTo(&x.revisions, raw)
		case "taskDefinition":
			err = appendOne(&x.definitions, d.Content)
		case "taskDefinitions":
			err = x.definitionList(raw)
		case "repositories":
			err = appendTo(&x.repositories, raw)
		case "imageDetails":
			err = appendTo(&x.images, raw)
		case "lifecyclePolicyText":
			err = appendOne(&x.policies, d.Content)
		default:
			if !slices.Contains(silent(), name) {
				x.note("%s: %q is not imported", d.Name, name)
			}
			continue
		}
		known++
		if err != nil {
			x.fault("%s: %s: %v", d.Name, name, err)
		}
	}
	if known == 0 {
		x.fault("%s: this is none of the answers that can be imported: it has none of clusters, services, tasks, serviceRevisions, taskDefinition(s), repositories, imageDetails and lifecyclePolicyText", d.Name)
	}
}

func appendTo[T any](list *[]T, raw json.RawMessage) error {
	var more []T
	if err := json.Unmarshal(raw, &more); err != nil {
		return err
	}
	*list = append(*list, more...)
	return nil
}

func appendOne[T any](list *[]T, raw json.RawMessage) error {
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*list = append(*list, one)
	return nil
}

// definitionList takes DescribeTaskDefinition's answers, or the definitions
// alone.
func (x *export) definitionList(raw json.RawMessage) error {
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	for _, item := range items {
		if _, wrapped := item["taskDefinition"]; !wrapped {
			whole, err := json.Marshal(item)
			if err != nil {
				return err
			}
			item = map[string]json.RawMessage{"taskDefinition": whole, "tags": item["tags"]}
			if item["tags"] == nil {
				delete(item, "tags")
			}
		}
		whole, err := json.Marshal(item)
		if err != nil {
			return err
		}
		if err := appendOne(&x.definitions, whole); err != nil {
			return err
		}
	}
	return nil
}

// object reads a document and keeps its numbers as they are written.
func object(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	out := map[string]any{}
	if err := d.Decode(&out); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the object")
	}
	return out, nil
}
