package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// invokeLambda is the runtime API of AWS Lambda for one invocation: lambda
// event.json answer.json. (Lambda developer guide, "Using the Lambda runtime API
// for custom runtimes".) What the function answers, a result or an error, is in
// the second file; the function is ended when it asks for another invocation.
func invokeLambda(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lambda event.json answer.json")
	}
	event := ts.ReadFile(args[0])
	var asked atomic.Bool
	var answer atomic.Pointer[[]byte]
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Swap(true) {
			w.WriteHeader(http.StatusGone)
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(15*time.Minute).UnixMilli(), 10))
		_, _ = io.WriteString(w, event)
	})
	take := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			answer.Store(&body)
		}
		w.WriteHeader(http.StatusAccepted)
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/response", take)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/error", take)
	server := httptest.NewServer(mux)
	defer server.Close()
	ts.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(server.URL, "http://"))
	err := ts.Exec("plimsoll", "maintenance", "lambda")
	body := answer.Load()
	if body == nil {
		ts.Fatalf("it answered nothing: %v", err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append(bytes.TrimSpace(*body), '\n'), 0o600))
}

// What docs/maintenance.md offers to Terraform is valid there.
func TestMaintenanceExample(t *testing.T) {
	mirror := terraformMirror()
	if _, err := exec.LookPath("terraform"); err != nil || mirror == "" {
		t.Skip("needs terraform, and its AWS provider")
	}
	page, err := os.ReadFile("docs/maintenance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```hcl\n")
	example, _, _ = strings.Cut(example, "```\n")
	dir := t.TempDir()
	settings := "provider_installation {\n  filesystem_mirror {\n    path = \"" + mirror + "\"\n  }\n}\n"
	for name, content := range map[string]string{"main.tf": example, "terraform.rc": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-no-color"}, {"validate", "-no-color"}, {"fmt", "-check", "-diff", "main.tf"}} {
		command := exec.CommandContext(t.Context(), "terraform", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "CHECKPOINT_DISABLE=1")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
	}
}
