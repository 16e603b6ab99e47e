package taskdef

import "strings"

// isReadOnly tells the members that ECS answers with and RegisterTaskDefinition
// does not take: they are in the API model's TaskDefinition and missing from
// its RegisterTaskDefinitionRequest. Clients that check parameters, the AWS
// CLI among them, refuse a request that has one.
func isReadOnly(name string) bool {
	switch name {
	case
		"taskDefinitionArn",            // made of family and revision
		"revision",                     // counted by ECS
		"status",                       // ACTIVE from the registration on
		"requiresAttributes",           // derived from the containers: what an EC2 instance must offer
		"compatibilities",              // derived too; what was asked for is requiresCompatibilities
		"registeredAt", "registeredBy", // when and by whom
		"deregisteredAt",    // of an INACTIVE revision only
		"deleteRequestedAt": // of one in DELETE_IN_PROGRESS only
		return true
	}
	return false
}

// ForRegistration makes the document that RegisterTaskDefinition takes: the
// bare definition without the members that only ECS writes. Tags move inside;
// an empty list of them goes, as ECS refuses one ("Tags can not be empty"),
// and so do AWS's own tags (aws:cloudformation:… on a revision made by
// CloudFormation), which nobody may register. Everything else stays byte for
// byte.
func (d *Document) ForRegistration() (*Document, error) {
	list := d.tagList()
	var kept []string
	for _, t := range list.items {
		if !isSystemTag(d.text(t.get("key"))) {
			kept = append(kept, string(d.raw[t.start:t.end]))
		}
	}
	text := "[" + strings.Join(kept, ",") + "]"
	if len(kept) == len(list.items) {
		text = string(d.raw[list.start:list.end])
	}

	inside := d.def.get("tags")
	stays := len(kept) > 0 && inside.kind != 0
	changes, end, comma := remove(d.def, func(name string) bool {
		return isReadOnly(name) || name == "tags" && !stays
	})
	switch {
	case stays:
		changes = append(changes, edit{inside.start, inside.end, text})
	case len(kept) > 0:
		changes = append(changes, edit{end, end, comma + `"tags":` + text})
	}
	if d.def.start != d.root.start {
		changes = append(changes, edit{0, d.def.start, ""}, edit{d.def.end, len(d.raw), ""})
	}
	return d.apply(changes...)
}

// remove cuts members out of an object, each with one comma. A further member
// goes in at end, after comma.
func remove(object node, drop func(name string) bool) (cuts []edit, end int, comma string) {
	last := -1 // the last one that stays
	for i, m := range object.members {
		if drop == nil || !drop(m.name) {
			last = i
		}
	}
	for i, m := range object.members[:last+1] {
		if drop != nil && drop(m.name) {
			cuts = append(cuts, edit{m.start, object.members[i+1].start, ""})
		}
	}
	end = object.start + 1
	if last >= 0 {
		end, comma = object.members[last].value.end, ","
	}
	if n := len(object.members); last < n-1 {
		cuts = append(cuts, edit{end, object.members[n-1].value.end, ""})
	}
	return cuts, end, comma
}
