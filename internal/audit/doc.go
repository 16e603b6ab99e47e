// Package audit judges whether what runs on ECS could start again: now, after the
// next run of ECR's lifecycle policies, and within a horizon. It takes a [Fleet],
// which is what somebody saw of ECS and ECR, and says what it found. It is pure:
// no clock, no calls, and the same fleet gives the same report.
//
//	report := audit.Judge(fleet, audit.Options{Now: fleet.TakenAt, Horizon: 14 * 24 * time.Hour})
//	for _, f := range report.Findings {
//		fmt.Println(f.Severity, f.Code, f.What)
//	}
//
// # How it judges
//
// For everybody who may have to start a task (services, those at 0 too,
// schedules, tasks of their own) it asks what each container would pull. That is
// the digest that ECS has pinned for the deployment, whatever the tag says now;
// where nothing is pinned it is what the tag names. The image is looked for in the
// fleet's repositories, with the children that an index lists, and package
// lifecycle says what the repository's policy has in store for it.
//
// A loss is told once for each service and container, by what comes first. What
// is said of tags, of rollbacks and of repositories stands beside it. A loss is
// an error when it is sure: the image is not there, or an age rule takes it on a
// known day. It is a warning when it hangs on pushes, on a pull, or on a sentence
// of AWS that can be read in two ways.
//
// What is not known is never taken for a loss. An image of another registry and a
// read that was refused are notes, which say what would have to be seen.
//
// # Codes
//
// Each kind of finding has a code for ever: see [Catalogue] and [Explain]. What a
// team knows about and accepts is a [Baseline] or an [Accept] rule; both leave the
// finding in the report.
package audit
