// Package lifecycle judges images by an ECR lifecycle policy: [ParsePolicy]
// reads a policy as strictly as PutLifecyclePolicy does, [Evaluate] says what
// one run of it does to a repository, [Next] says when each image's turn
// comes. Nothing here has a clock or talks to AWS; drydock runs policies with
// it and an audit foresees them with it, so both agree by construction.
//
// # How ECR judges
//
// The rules are those of "Lifecycle policy evaluation rules" in the ECR user
// guide. They come down to this:
//
//   - A rule identifies the images of its storage class that carry its tags,
//     whatever the other rules do with them.
//   - An image belongs to the first rule, by priority, that identifies it. No
//     other rule of the storage class can take it, even when its own never
//     does. That is how a rule that never fires protects images.
//   - The rule takes the image by age, or because the rule identifies enough
//     newer images. All identified images count, also those that belong to
//     another rule or that go in the same run.
//   - An image that a live manifest list refers to stays, and the attempt is
//     recorded as a failure.
//   - Signatures and other referrers go with their subject.
//
// # What if
//
// A policy and images are plain values, so a question is asked of changed ones:
// [Push] and [Tag] are a repository after a push and a new tag, and another
// policy is another argument. Example_whatIf does all three.
//
// # What is certain
//
// AWS's text leaves a few questions open. [Evaluate] answers them all ways
// unless [Options] settle them: a [Decision] without [Doubt] holds in every
// reading, one with doubt holds in some reading, and says which question it
// hangs on. An image without an action is safe in every reading.
package lifecycle
