// Package taskdef reads and edits ECS task definitions without loss. A
// [Document] keeps the bytes it was made of; an edit splices those bytes, so
// fields this build has never heard of, the order of keys and the spelling of
// numbers pass through untouched.
//
// A deploy is [Parse], [Document.SetImage], [Document.SetTags] and
// [Document.ForRegistration]. [Fingerprint] says whether two definitions are
// the same to ECS, [Diff] where they are not. Documents never change; every
// edit makes a new one.
package taskdef
