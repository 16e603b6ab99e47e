package lifecycle

// cascade settles the referrers: "Amazon ECR lifecycle policies
// automatically expire or archive those artifacts within 24 hours of the
// deletion or archival of the subject image."
func (j *judge) cascade(decisions []Decision) {
	fates := map[int]fate{}
	for i := range j.family.subject {
		j.fate(i, decisions, fates)
	}
	for i, f := range fates {
		decisions[i] = f.by(j.options.ReferrersExpire)
	}
}

// fate is what becomes of a referrer when its own rule may take it like any
// image, and when it is spared and only goes with its subject.
type fate struct{ ordinary, spared Decision }

func (f fate) by(a Answer) Decision {
	switch {
	case a == Yes:
		return f.ordinary
	case a == No:
		return f.spared
	}
	d := f.ordinary
	if d.Action == "" {
		d = f.spared
	}
	d.Doubt = f.ordinary.Doubt | f.spared.Doubt
	if f.ordinary.Action != f.spared.Action {
		d.Doubt |= DoubtReferrers
	}
	return d
}

// fate settles image i after its subject, along a chain such as the signature
// of an SBOM of an image.
func (j *judge) fate(i int, decisions []Decision, fates map[int]fate) fate {
	own := decisions[i]
	subject, ok := j.family.subjectOf(i)
	if !ok {
		return fate{own, own}
	}
	if f, ok := fates[i]; ok {
		return f
	}
	fates[i] = fate{own, own} // a ring of subjects, were there one, ends here
	s := j.fate(subject, decisions, fates)
	f := fate{
		ordinary: ordinary(own, j.following(i, &s.ordinary)),
		spared:   spared(own, j.following(i, &s.spared)),
	}
	fates[i] = f
	return f
}

// following is what becomes of a referrer for its subject's sake alone.
func (j *judge) following(i int, subject *Decision) Decision {
	switch {
	case subject.Action == "", subject.Action == Transition && j.images[i].Status == Archived, j.family.held(i):
		return Decision{}
	}
	return Decision{Digest: j.images[i].Digest, Action: subject.Action, Reason: WithSubject, Doubt: subject.Doubt}
}

func ordinary(own, following Decision) Decision {
	sure := following.Doubt == 0 && following.Action == own.Action
	if following.Action != "" && (own.Action == "" || own.Doubt != 0 && sure) {
		return following
	}
	return own
}

func spared(own, following Decision) Decision {
	if following.Action != "" {
		return following
	}
	if own.Action != "" {
		own.Action, own.Doubt, own.Reason = "", 0, Accompanies
	}
	return own
}
