// Package schedule decides who goes when: waves, change windows, retry rules,
// what a host needs next, the rules that hold a campaign, and a mandate's
// milestones. It is pure: the clock is passed in.
package schedule
