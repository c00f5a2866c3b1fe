package report

import (
	"time"

	"oust/remediate"
)

// Input is all that a Snapshot is made of. What it holds may be of after Now by
// no more than the clocks of other machines are off.
type Input struct {
	Report remediate.ReportKind
	Now    time.Time
	By     string // USER@HOST
	// Campaign gives its Name, Issued, Terms and Form.
	Campaign   remediate.Campaign
	CampaignID string
	Ledger     Head

	// Hosts are all hosts of the inventory, in any order, each once.
	Hosts []HostInput
	// Gone are hosts that the store knows and the inventory does not.
	Gone []string
	// Playbooks are those in force.
	Playbooks []Playbook

	// Days says how milestones and duties stand at a tally of the hosts; nil for
	// none.
	Days  func(Tally) ([]MilestoneState, []DutyState, error)
	Waves []Wave
	// Timeline is left out of a report that identifies.
	Timeline []Stage
	// Moves are all changes of standings, oldest first.
	Moves []remediate.Move
	// Exemptions and Submissions are all of them, oldest first.
	Exemptions  []remediate.Exemption
	Submissions []remediate.Submission
	// Held is the hold in force, nil if there is none.
	Held *remediate.Hold
}

// Tally is what milestones are judged by.
type Tally struct {
	Hosts, Open int // as in Totals
	// Found is when something that counts was first found, zero if never.
	Found time.Time
	// Finished is since when no host is open; zero if one is, or that is not
	// known.
	Finished time.Time
}

// HostInput is one host of the inventory.
type HostInput struct {
	Host  remediate.Host
	State remediate.HostState
	// Ever is what any look has ever found on it, in any order; nil where that
	// is no more than State.Findings.
	Ever []FoundThing
	Next Next
}

// Next is what a host needs next, see engine.HostOutlook.
type Next struct {
	Work   string
	At     time.Time // zero for what waits for a person, a wave or a hold
	Person bool
	Why    string
}

// Playbook is a product that hosts were searched for.
type Playbook struct {
	Name, Digest, Title string
	// Embedded: the vendor's code inside another company's product.
	Embedded bool
}
