// Package diagnose turns what a failed task leaves behind (ECS's reasons, the
// exit code, the last log lines, service events) into a named cause with
// what to check and what to do. What it knows is data, causes.json, one entry
// a cause; [Load] reads it, [Knowledge.Diagnose] applies it.
//
// Every piece of evidence is explained by the first entry that fits it, so in
// causes.json the particular stands before the general.
package diagnose
