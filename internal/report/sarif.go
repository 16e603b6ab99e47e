package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// The part of SARIF 2.1.0 that a report needs
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		AutomationDetails sarifID           `json:"automationDetails"`
		Invocations       []sarifInvocation `json:"invocations"`
		Results           []sarifResult     `json:"results"`
		ColumnKind        string            `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription sarifText      `json:"shortDescription"`
		FullDescription  sarifText      `json:"fullDescription"`
		Help             sarifText      `json:"help"`
		HelpURI          string         `json:"helpUri"`
		Configuration    sarifLevel     `json:"defaultConfiguration"`
		Properties       sarifRuleExtra `json:"properties"`
	}
	sarifRuleExtra struct {
		Tags      []string `json:"tags"`
		Precision string   `json:"precision"`
		Severity  string   `json:"problem.severity"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		EndTimeUTC          string              `json:"endTimeUtc"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Properties          sarifResultExtra   `json:"properties"`
	}
	sarifResultExtra struct {
		Account   string      `json:"account"`
		Region    string      `json:"region"`
		Container string      `json:"container,omitempty"`
		Image     string      `json:"image,omitempty"`
		Digest    string      `json:"digest,omitempty"`
		When      *audit.When `json:"when,omitempty"`
		Fix       []audit.Fix `json:"fix,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	homePage    = "https://github.com/plimsoll-ecs/plimsoll"
	findingsDoc = homePage + "/blob/main/docs/findings.md"
)

// SARIF writes a document as a SARIF 2.1.0 log, as GitHub code scanning takes it.
func SARIF(w io.Writer, d Document) error {
	rules := d.rules()
	run := sarifRun{
		Tool:              sarifTool{sarifDriver{Name: "plimsoll", Version: d.Version, InformationURI: homePage, Rules: make([]sarifRule, len(rules))}},
		AutomationDetails: sarifID{"plimsoll/audit/"},
		Invocations:       []sarifInvocation{d.invocation()},
		Results:           make([]sarifResult, len(d.Findings)), // never null: that would mean that nothing was looked for
		ColumnKind:        "unicodeCodePoints",
	}
	for i, r := range rules {
		run.Tool.Driver.Rules[i] = sarifRuleOf(r)
	}
	for i, f := range d.Findings {
		run.Results[i] = d.result(f)
		run.Results[i].RuleIndex = slices.IndexFunc(rules, func(r audit.Explanation) bool { return r.Code == f.Code })
	}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRuleOf(e audit.Explanation) sarifRule {
	level := e.Severity.String() // SARIF's levels have our names
	problem := level
	if e.Severity == audit.Note {
		problem = "recommendation" // GitHub's word for it
	}
	text, markdown := e.Title, e.Title
	if e.Means != "" {
		text = strings.Join([]string{e.Means, e.Matters, "To mend it: " + e.Mend, "To accept it: " + e.Accept}, "\n\n")
		markdown = strings.Join([]string{e.Means, "**Why it matters.** " + e.Matters, "**To mend it.** " + e.Mend, "**To accept it.** " + e.Accept}, "\n\n")
	}
	return sarifRule{
		ID:               string(e.Code),
		ShortDescription: sarifText{Text: e.Title},
		FullDescription:  sarifText{Text: short(cmp.Or(e.Means, e.Title))},
		Help:             sarifText{Text: text, Markdown: markdown},
		HelpURI:          findingsDoc + "#" + strings.ToLower(string(e.Code)),
		Configuration:    sarifLevel{level},
		Properties:       sarifRuleExtra{Tags: []string{"restart-safety", "ecs", "ecr"}, Precision: "high", Severity: problem},
	}
}

// short is what GitHub takes of a description: 1,024 characters.
func short(text string) string {
	if runes := []rune(text); len(runes) > 1000 {
		return string(runes[:1000]) + "…"
	}
	return text
}

func (d Document) invocation() sarifInvocation {
	out := sarifInvocation{ExecutionSuccessful: true, EndTimeUTC: d.At.UTC().Format(time.RFC3339)}
	for _, b := range d.Blind {
		out.Notifications = append(out.Notifications, sarifNotification{
			Level: "warning", Message: sarifText{Text: b.About + " could not be read (" + b.Action + "): " + b.Reason},
		})
	}
	return out
}

func (d Document) result(f audit.Finding) sarifResult {
	o := f.Object
	print := fingerprint(f)
	out := sarifResult{
		RuleID:  string(f.Code),
		Level:   f.Severity.String(),
		Message: sarifText{Text: strings.Join(append([]string{f.What}, d.detail(f)...), "\n")},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{
				Artifact: sarifArtifact{URI: cmp.Or(d.Anchor.File, "plimsoll.yaml"), URIBaseID: "%SRCROOT%"},
				Region:   sarifRegion{max(d.Anchor.Line, 1)},
			},
			Logical: []sarifLogical{{
				Name:               o.Name,
				FullyQualifiedName: cmp.Or(o.ARN, strings.Join([]string{o.Account, o.Region, string(o.Kind), o.Name}, "/")),
				Kind:               "resource",
			}},
		}},
		PartialFingerprints: map[string]string{
			"plimsollFinding/v1": print,
			// GitHub goes by this one, and would compute it of the line in the
			// file, which all findings share.
			"primaryLocationLineHash": print + ":1",
		},
		Properties: sarifResultExtra{
			Account: o.Account, Region: o.Region, Container: f.Container, Image: f.Image, Digest: f.Digest, When: f.When, Fix: f.Fix,
		},
	}
	if f.Accepted != "" {
		out.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: f.Accepted}}
	}
	return out
}
