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
	// GoneFound is on how many of Gone something that counts was ever found.
	GoneFound int
	// GoneOpen are those of Gone that keep the mandate from being finished.
	GoneOpen []string
	// Playbooks are those in force.
	Playbooks []Playbook

	Milestones []MilestoneState
	Duties     []DutyState
	Waves      []Wave
	Timeline   []Stage // left out of a report that identifies
	// Moves are all changes of standings, oldest first.
	Moves []remediate.Move
	// Exemptions and Submissions are all of them, oldest first.
	Exemptions  []remediate.Exemption
	Submissions []remediate.Submission
	// Held is the hold in force, nil if there is none.
	Held *remediate.Hold
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
	// Since is from when on looks were compared with it as it is now; zero where
	// all were.
	Since time.Time
}
