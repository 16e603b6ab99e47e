package leastprivilege

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Document is an IAM policy.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one Allow of a policy. Principal is for trust policies, which
// have no resource.
type Statement struct {
	Sid       string     `json:",omitempty"`
	Effect    string     // Allow
	Principal *Principal `json:",omitempty"`
	Action    []string
	Resource  []string   `json:",omitempty"`
	Condition Conditions `json:",omitempty"`
}

// Principal is who may take a role.
type Principal struct {
	Federated string `json:",omitempty"` // ARN of an OIDC provider
	Service   string `json:",omitempty"`
}

// Condition is what a key of the request has to be.
type Condition struct {
	Operator string // StringEquals
	Key      string // iam:PassedToService
	Values   []string
}

// Conditions all have to hold. Their operators stand together.
type Conditions []Condition

// MarshalJSON writes {"StringEquals": {"key": "value"}}.
func (c Conditions) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range c {
		if i > 0 && c[i-1].Operator == one.Operator {
			b.WriteByte(',')
		} else {
			if i > 0 {
				b.WriteString("},")
			}
			fmt.Fprintf(&b, "%q:{", one.Operator)
		}
		value, err := json.Marshal(oneOrAll(one.Values))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", one.Key, value)
	}
	if len(c) > 0 {
		b.WriteByte('}')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func oneOrAll(values []string) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

// JSON is the document as people read it.
func (d Document) JSON() string {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil { // texts and lists of them: cannot be
		return "{}"
	}
	return string(text) + "\n"
}

// MaxInline is how many characters, without white space, the inline policies of
// a role may have. (IAM user guide, "IAM and AWS STS quotas".)
const MaxInline = 10_240

// Size is how many characters of [MaxInline] the document takes.
func (d Document) Size() int {
	text, err := json.Marshal(d)
	if err != nil {
		return 0
	}
	return len(text)
}
