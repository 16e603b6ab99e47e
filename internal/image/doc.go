// Package image is about naming container images: [Parse] takes a reference
// apart, [Policy] says which tags a team deploys, [Change] says what a step
// from one tag to another amounts to. Nothing here talks to a registry.
package image
