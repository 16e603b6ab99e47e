package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// SchemaURL is where editors find the JSON schema.
const SchemaURL = "https://raw.githubusercontent.com/plimsoll-ecs/plimsoll/main/docs/plimsoll.schema.json"

// Schema is the JSON schema of plimsoll.yaml, as docs/plimsoll.schema.json
// has it.
func Schema() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(strictyaml.Schema(new(File), SchemaURL, FileName))
	return out.Bytes(), err
}

// Reference is the tables of docs/config.md.
func Reference() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		of    any
	}{
		{"The file", new(File)},
		{"`services`: a service", new(Service)},
		{"`tags`", new(Tags)},
		{"`retention`", new(Retention)},
		{"`hooks`", new(Hooks)},
		{"A hook", new(Hook)},
		{"`maintenance`", new(Maintenance)},
		{"`notifications`: who is told", new(Notification)},
		{"`environments`: an environment", new(Environment)},
		{"`accounts`: an account", new(Account)},
		{"`audit`", new(Audit)},
		{"`audit.ignore`: a rule", new(Ignore)},
	} {
		fmt.Fprintf(&b, "\n### %s\n\n%s", part.title, strictyaml.Table(part.of))
	}
	return b.String() + "\n"
}
