// Package audit judges whether what runs on ECS could start again: now, after the
// next run of ECR's lifecycle policies, and within a horizon. It takes a [Fleet],
// which is what somebody saw of ECS and ECR, and says what it found. It is pure:
// no clock, no calls, and the same fleet gives the same report.
package audit
