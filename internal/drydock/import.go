package drydock

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/account"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// ImportRequest is what POST import takes: the files of an export, which
// belong together.
type ImportRequest struct {
	Documents []account.Document `json:"documents"`
}

// Imported is what POST import answers: what is there now, and what is not as
// it was in the account.
type Imported struct {
	Clusters        []string `json:"clusters"`
	Services        []string `json:"services"` // cluster/name
	TaskDefinitions int      `json:"taskDefinitions"`
	Repositories    []string `json:"repositories"`
	Images          int      `json:"images"`
	Notes           []string `json:"notes"`
}

// ImportFaults is the answer to an import that is refused, with status 400:
// everything that is wrong with it. Nothing was changed.
type ImportFaults struct {
	Faults []string `json:"faults"`
}

// maxImport bounds an export, in bytes: a hundred services with their
// revisions are about 10 MB.
const maxImport = 64 << 20

// postImport serves POST /_drydock/import.
func (s *Server) postImport(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "the content type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in ImportRequest
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxImport)).Decode(&in)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		http.Error(w, fmt.Sprintf("the export is larger than %d bytes", maxImport), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil || len(in.Documents) == 0 {
		http.Error(w, `want {"documents": [{"name": "services.json", "content": {…}}]}`, http.StatusBadRequest)
		return
	}
	done, err := s.Import(in.Documents)
	if refused, ok := errors.AsType[*account.FaultsError](err); ok {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(ImportFaults{refused.Faults}) // the client hung up: nobody is left to tell
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, done)
}

// Import adds what the documents of an export tell of an account, all of it or
// nothing. Faults of the export are an [*account.FaultsError].
func (s *Server) Import(documents []account.Document) (Imported, error) {
	a, err := account.Read(documents, account.Here{Account: s.options.Account, Region: s.options.Region})
	if err != nil {
		return Imported{}, err
	}
	if faults := append(s.tasks.CheckImport(a.ECS), s.images.CheckImport(a.Repositories)...); len(faults) > 0 {
		return Imported{}, &account.FaultsError{Faults: faults}
	}
	for _, group := range a.LogGroups { // one more than needed does no harm
		if err := s.logs.EnsureGroup(group); err != nil {
			return Imported{}, err
		}
	}
	// ECS asks ECR under its own lock, so that its lock is taken first here too.
	err = s.tasks.Import(a.ECS, func(put func(*store.Tx) error) error {
		return s.images.Import(a.Repositories, put)
	})
	if faults, ok := errors.AsType[*ecs.ImportError](err); ok {
		return Imported{}, &account.FaultsError{Faults: faults.Faults}
	}
	if faults, ok := errors.AsType[*ecr.ImportError](err); ok {
		return Imported{}, &account.FaultsError{Faults: faults.Faults}
	}
	if err != nil {
		return Imported{}, fmt.Errorf("import: %w", err)
	}
	return summary(a), nil
}

func summary(a *account.Account) Imported {
	out := Imported{
		TaskDefinitions: len(a.ECS.Definitions), Notes: append([]string{}, a.Notes...),
		Clusters: []string{}, Services: []string{}, Repositories: []string{},
	}
	for _, c := range a.ECS.Clusters {
		out.Clusters = append(out.Clusters, c.Name)
	}
	for _, s := range a.ECS.Services {
		out.Services = append(out.Services, s.Cluster+"/"+s.Name)
	}
	for _, r := range a.Repositories {
		out.Repositories = append(out.Repositories, r.Name)
		out.Images += len(r.Images)
	}
	return out
}
