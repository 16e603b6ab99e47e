package diagnose

import (
	"regexp"
	"strings"
	"sync"
)

// Hidden stands where [Mask] took something out.
const Hidden = "[hidden]"

// Mask takes out of a line what looks like a secret: keys of AWS and of the
// services most used beside it, passwords in URLs and in assignments, tokens,
// private keys. An application that fails while it starts likes to print its
// configuration, and what it printed is shown in the logs of a pipeline.
//
// The line stays recognisable: the name before a value is kept, and only the
// value goes. It is a net, no proof: a secret that looks like a word passes.
func Mask(line string) string { return newMask().line(line) }

// mask is the shapes, compiled when the first line needs them.
type mask struct{ shapes func() []secretShape }

func newMask() mask { return mask{sync.OnceValue(secretShapes)} }

func (m mask) line(line string) string {
	if !mayHide(line) {
		return line
	}
	line, arns := setAside(line)
	for _, s := range m.shapes() {
		if !s.assigned {
			line = s.shape.ReplaceAllString(line, s.keep)
			continue
		}
		line = s.shape.ReplaceAllStringFunc(line, func(found string) string {
			parts := s.shape.FindStringSubmatch(found)
			if isProse(parts[2]) {
				return found
			}
			return parts[1] + Hidden
		})
	}
	return arns.Replace(line)
}

// setAside takes the words out of ARNs of secrets that look like assignments,
// and says how to put them back.
func setAside(line string) (out string, back *strings.Replacer) {
	const service, kind = "\ue000", "\ue001" // of no alphabet
	if strings.Contains(line, service) || strings.Contains(line, kind) || !strings.Contains(line, ":secretsmanager:") {
		return line, strings.NewReplacer()
	}
	return strings.NewReplacer(":secretsmanager:", service, ":secret:", kind).Replace(line), strings.NewReplacer(service, ":secretsmanager:", kind, ":secret:")
}

// isProse tells the words that follow a name and a colon in messages about a
// value which is not there.
func isProse(value string) bool {
	switch strings.ToLower(strings.Trim(value, ".")) {
	case "unbound", "parameter", "not", "is", "was", "no", "none", "null", "nil", "undefined", "missing", "required", "must", "invalid",
		"empty", "expected", "unexpected", "cannot", "failed", "the", "a", "an", Hidden:
		return true
	}
	return false
}

// MaskLines is [Mask] of every line, and of PEM blocks that go over several.
func MaskLines(lines []string) []string {
	m := newMask()
	masked := make([]string, len(lines))
	pem := false
	for i, line := range lines {
		begins, ends := strings.Contains(line, "-----BEGIN ") && strings.Contains(line, "PRIVATE KEY"), strings.Contains(line, "-----END ")
		switch {
		case begins && !ends:
			before, _, _ := strings.Cut(line, "-----BEGIN ")
			masked[i], pem = m.line(before)+Hidden, true
		case pem:
			masked[i], pem = Hidden, !ends
		case ends && strings.Contains(line, "PRIVATE KEY") && !begins: // the tail began inside the block
			for j := range i {
				if isBase64Line(masked[j]) {
					masked[j] = Hidden
				}
			}
			masked[i] = Hidden
		default:
			masked[i] = m.line(line)
		}
	}
	return masked
}

// isBase64Line tells a line in the middle of a PEM block.
func isBase64Line(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) >= 16 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == ""
}

// mayHide is a quick no for most lines: every shape below has one of these.
func mayHide(line string) bool {
	lower := strings.ToLower(line)
	for _, word := range []string{
		"akia", "asia", "://", "bearer", "basic ", "eyj", "-----begin", "pass", "pwd", "secret", "token", "key", "credential", "auth", "signature",
		"gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xox", "sk_live", "sk_test", "rk_live", "sk-", "aiza", "sig=", "@tcp(", "@unix(",
	} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

type secretShape struct {
	shape    *regexp.Regexp
	keep     string // what is put in its place
	assigned bool   // a name and a value, in two groups; the name is kept
}

// secretShapes are what Mask knows. RE2 has no catastrophic patterns.
func secretShapes() []secretShape {
	const value = `("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"'}\])]+)`
	return []secretShape{
		// scheme://user:password@host
		{shape: regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):[^\s@/]+@`), keep: "$1:" + Hidden + "@"},
		{shape: regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):[^\s@]+@`), keep: "$1:" + Hidden + "@"},
		// user:password@tcp(host), as Go's MySQL driver writes it
		{shape: regexp.MustCompile(`(\b[\w.-]+):[^\s:@]+@(tcp|unix)\(`), keep: "$1:" + Hidden + "@$2("},
		{shape: regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), keep: Hidden},
		{shape: regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{12,}\b`), keep: "$1" + Hidden},
		{shape: regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)*`), keep: Hidden}, // a JWT
		{shape: regexp.MustCompile(`\b(gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(?:live|test)_|sk-|AIza)[A-Za-z0-9_-]{8,}`), keep: "$1" + Hidden},
		{shape: regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}`), keep: "$1$2" + Hidden},
		{shape: regexp.MustCompile(`(?i)\b(authorization"?\s*[:=]\s*)("?)(?:(bearer|basic|digest|token|apikey|aws4-hmac-sha256)\s+)?[^"\s,}]+`), keep: "$1$2" + Hidden},
		// NAME=value and "name": "value", where the name says that it is one.
		// The name may go on after the word, as in PASSWORD_PROD.
		{
			assigned: true,
			shape:    regexp.MustCompile(`(?i)([\w.-]*(?:password|passwd|passphrase|\bpwd|_pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|credential|auth[_-]?key|signature|\bsig)[\w.-]*["']?\s*(?:=>|[:=])\s*)` + value),
		},
		{assigned: true, shape: regexp.MustCompile(`(?i)(--?(?:password|passwd|token|secret|api-?key)\s+)` + value)},
	}
}
