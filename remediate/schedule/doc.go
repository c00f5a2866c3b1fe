// Package schedule decides who goes when: waves, the rules that stop a run,
// and a mandate's milestones. It is pure: the clock is passed in.
package schedule
