package leastprivilege

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Format is a form to write roles in.
type Format string

// The forms.
const (
	AsJSON           Format = "json"           // a document a file
	AsTerraform      Format = "terraform"      // a module a stack
	AsCloudFormation Format = "cloudformation" // a template a stack
)

// File is a file to write.
type File struct{ Name, Text string }

// NobodyTrustedError is roles that nobody could take.
type NobodyTrustedError struct{ Format Format }

func (e *NobodyTrustedError) Error() string {
	return fmt.Sprintf("%s makes roles, and nobody is named who may take them", e.Format)
}

// Hint says how to name somebody.
func (e *NobodyTrustedError) Hint() string {
	return "give --gitlab GROUP/PROJECT or --github OWNER/REPOSITORY; --format json writes the policies alone"
}

// Render writes stacks. The error is a *NobodyTrustedError.
func Render(format Format, stacks []Stack) ([]File, error) {
	var files []File
	for _, s := range stacks {
		if len(s.Roles) == 0 {
			continue
		}
		if format != AsJSON && slices.ContainsFunc(s.Roles, func(r Role) bool { return len(r.Trust.Statement) == 0 }) {
			return nil, &NobodyTrustedError{format}
		}
		switch format {
		case AsTerraform:
			files = append(files, File{s.Name + "/main.tf", s.terraform()})
		case AsCloudFormation:
			files = append(files, File{s.Name + ".template.json", s.cloudFormation()})
		default:
			files = append(files, s.documents()...)
		}
	}
	return files, nil
}

// documents are the policies of a stack as they are.
func (s Stack) documents() []File {
	var files []File
	if s.Issuer != nil && s.New {
		provider := struct {
			Url          string
			ClientIDList []string
		}{s.Issuer.URL, []string{s.Issuer.Audience}}
		files = append(files, File{s.Name + "-oidc-provider.json", indented(provider)})
	}
	for _, r := range s.Roles {
		if len(r.Trust.Statement) > 0 {
			files = append(files, File{r.Name + "-trust.json", r.Trust.JSON()})
		}
		if len(r.Policy.Statement) > 0 {
			files = append(files, File{r.Name + "-policy.json", r.Policy.JSON()})
		}
	}
	return files
}

func indented(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil { // texts and lists of them: cannot be
		return ""
	}
	return string(text) + "\n"
}
