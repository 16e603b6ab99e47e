package leastprivilege

import (
	"strconv"
	"strings"
)

// terraform is a stack as a module, in the form of terraform fmt.
func (s Stack) terraform() string {
	var b strings.Builder
	b.WriteString("# Written by plimsoll init iam: " + s.Says + ".\n")
	if s.Issuer != nil && s.New {
		block(&b, "aws_iam_openid_connect_provider", "pipeline", object{
			{"url", text(s.Issuer.URL)},
			{"client_id_list", texts([]string{s.Issuer.Audience})},
		})
	}
	for _, r := range s.Roles {
		id := identifier(r.Name)
		block(&b, "aws_iam_role", id, object{
			{"name", text(r.Name)},
			{"description", text(r.Says)},
			{"assume_role_policy", encoded{s.document(r.Trust)}},
		})
		if len(r.Policy.Statement) > 0 {
			block(&b, "aws_iam_role_policy", id, object{
				{"name", text("plimsoll")},
				{"role", raw("aws_iam_role." + id + ".id")},
				{"policy", encoded{s.document(r.Policy)}},
			})
		}
		b.WriteString("\noutput \"" + id + "_arn\" {\n")
		object{{"value", raw("aws_iam_role." + id + ".arn")}}.write(&b, "  ")
		b.WriteString("}\n")
	}
	return b.String()
}

// document is a policy as a value of Terraform's language. The provider that is
// made here is named by reference, so that it is made first.
func (s Stack) document(d Document) object {
	var statements list
	for _, one := range d.Statement {
		o := object{}
		if one.Sid != "" {
			o = append(o, member{"Sid", text(one.Sid)})
		}
		o = append(o, member{"Effect", text(one.Effect)})
		switch p := one.Principal; {
		case p == nil:
		case p.Service != "":
			o = append(o, member{"Principal", object{{"Service", text(p.Service)}}})
		case s.New:
			o = append(o, member{"Principal", object{{"Federated", raw("aws_iam_openid_connect_provider.pipeline.arn")}}})
		default:
			o = append(o, member{"Principal", object{{"Federated", text(p.Federated)}}})
		}
		o = append(o, member{"Action", texts(one.Action)})
		if len(one.Resource) > 0 {
			o = append(o, member{"Resource", texts(one.Resource)})
		}
		if len(one.Condition) > 0 {
			o = append(o, member{"Condition", conditions(one.Condition)})
		}
		statements = append(statements, o)
	}
	return object{{"Version", text(d.Version)}, {"Statement", statements}}
}

func conditions(all Conditions) object {
	var byOperator object
	for i, c := range all {
		one := member{quoted(c.Key), texts(c.Values)}
		if len(c.Values) == 1 {
			one.value = text(c.Values[0])
		}
		if i > 0 && all[i-1].Operator == c.Operator {
			last := &byOperator[len(byOperator)-1]
			last.value = append(last.value.(object), one)
			continue
		}
		byOperator = append(byOperator, member{c.Operator, object{one}})
	}
	return byOperator
}

func block(b *strings.Builder, kind, id string, body object) {
	b.WriteString("\nresource \"" + kind + "\" \"" + id + "\" {\n")
	body.write(b, "  ")
	b.WriteString("}\n")
}

// identifier is a name as Terraform has them.
func identifier(name string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if id == "" || id[0] >= '0' && id[0] <= '9' {
		return "_" + id
	}
	return id
}

// The values of Terraform's language that policies need.
type (
	value interface {
		// lines writes the value as far as it is one line, and the rest below.
		lines(indent string) string
	}
	raw     string // an expression
	list    []value
	object  []member
	encoded struct{ object } // jsonencode(…)
	member  struct {
		name  string
		value value
	}
)

func text(s string) value { return raw(quoted(s)) }

// quoted is a string of Terraform's language, in which ${ and %{ begin
// expressions.
func quoted(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(s))
}

func texts(all []string) value {
	var l list
	for _, s := range all {
		l = append(l, text(s))
	}
	return l
}

func (r raw) lines(string) string { return string(r) }

func (l list) lines(indent string) string {
	if len(l) == 1 {
		return "[" + l[0].lines(indent) + "]"
	}
	var b strings.Builder
	b.WriteString("[\n")
	for _, v := range l {
		b.WriteString(indent + "  " + v.lines(indent+"  ") + ",\n")
	}
	b.WriteString(indent + "]")
	return b.String()
}

func (o object) lines(indent string) string {
	var b strings.Builder
	b.WriteString("{\n")
	o.write(&b, indent+"  ")
	b.WriteString(indent + "}")
	return b.String()
}

func (e encoded) lines(indent string) string { return "jsonencode(" + e.object.lines(indent) + ")" }

// write writes the members: those of one line each that stand together have
// their signs below each other.
func (o object) write(b *strings.Builder, indent string) {
	for i := 0; i < len(o); {
		group, widest := i, 0
		for ; i < len(o) && !strings.Contains(o[i].value.lines(indent), "\n"); i++ {
			widest = max(widest, len(o[i].name))
		}
		for _, m := range o[group:i] {
			b.WriteString(indent + m.name + strings.Repeat(" ", widest-len(m.name)) + " = " + m.value.lines(indent) + "\n")
		}
		if i < len(o) {
			b.WriteString(indent + o[i].name + " = " + o[i].value.lines(indent) + "\n")
			i++
		}
	}
}
