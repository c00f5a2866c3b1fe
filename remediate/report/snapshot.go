package report

import (
	"time"

	"oust/remediate"
)

// Format is the version of the snapshot's JSON.
const Format = 1

// Snapshot is a campaign at one moment, as one report tells it. Every number
// in it is counted from its Hosts, or from records of before At.
type Snapshot struct {
	Format int                  `json:"format"`
	Report remediate.ReportKind `json:"report"`
	Title  string               `json:"title"`
	// At is the moment; By who made the report, USER@HOST.
	At         time.Time         `json:"at"`
	By         string            `json:"by"`
	Campaign   string            `json:"campaign"`
	CampaignID string            `json:"campaign_id"`
	Issued     string            `json:"issued"` // a date
	Mandate    remediate.Mandate `json:"mandate"`
	Form       remediate.Form    `json:"form"`
	// Ledger is the head that the snapshot rests on.
	Ledger Head `json:"ledger"`

	// Items are what the mandate asks of this report, in its order.
	Items []Item `json:"items"`
	// Statement is the report in one or two sentences, such as that nothing was
	// found and how many hosts were never seen.
	Statement []string `json:"statement"`

	Totals     Totals           `json:"totals"`
	Products   []Product        `json:"products"`
	Methods    []Method         `json:"methods"`
	Unseen     []Unseen         `json:"unseen"`
	Milestones []MilestoneState `json:"milestones"`
	Duties     []DutyState      `json:"duties"`
	Waves      []Wave           `json:"waves"`
	Timeline   []Stage          `json:"timeline"`
	Burndown   []Day            `json:"burndown"`
	Failures   []Failure        `json:"failures"`
	Exemptions []Exemption      `json:"exemptions"`
	Reappeared []string         `json:"reappeared"` // hosts, by name
	Held       *remediate.Hold  `json:"held,omitempty"`

	Submissions []remediate.Submission `json:"submissions"`
	// Hosts are all hosts of the inventory, by name.
	Hosts []HostRow `json:"hosts"`
}

// Head is a signed head of the ledger.
type Head struct {
	Size int64  `json:"size"` // records
	Root string `json:"root"` // base64 of the 32 bytes
	Key  string `json:"key"`  // the verifier key, as sumdb/note writes it
	Note string `json:"note,omitempty"`
}

// Item is one thing that the mandate asks of a report, and what answers it.
type Item struct {
	remediate.ReportItem
	State ItemState `json:"state"`
	// Text answers it in words, one paragraph or list entry a line. Items that
	// a table answers name the table in Text too.
	Text []string `json:"text,omitempty"`
}

// ItemState says whether an item is answered.
type ItemState string

// The states of items.
const (
	ItemAnswered ItemState = "answered"
	ItemGap      ItemState = "gap" // nobody has said it yet; the text says where to
	ItemNone     ItemState = "not-applicable"
)

// Totals counts the hosts of the inventory. A host counts once, in Standing or
// in Exempt.
type Totals struct {
	Hosts    int                        `json:"hosts"`
	Standing map[remediate.Standing]int `json:"standing"`
	Exempt   int                        `json:"exempt"`
	// Seen hosts have had a successful look, Never have not; together they are
	// all. Exempt hosts count here too.
	Seen  int `json:"seen"`
	Never int `json:"never_seen"`
	// Found hosts have had something that counts at any time, exempt ones
	// included.
	Found int `json:"found"`
	// Open hosts keep the mandate from being finished: unseen, present or
	// reappeared, and not exempt.
	Open int `json:"open"`
	// Noted hosts have the vendor's code inside another company's product, which
	// the mandate does not count; whatever their standing, which it does not
	// change.
	Noted int `json:"noted"`
	// Failed hosts stand failed (HostRow.Class), whatever their standing;
	// exempt ones are not in it.
	Failed int `json:"failed"`
	// Gone hosts stand in the store and not in the inventory any more; they are
	// in no other number.
	Gone []string `json:"gone,omitempty"`
	// GoneFound is on how many of Gone something that counts was ever found.
	GoneFound int `json:"gone_found,omitempty"`
	// GoneOpen are those of Gone on which it was when they were last seen, and
	// that are neither exempt nor recorded as retired: they keep the mandate from
	// being finished.
	GoneOpen []string `json:"gone_open,omitempty"`
}

// Product is a product of the playbooks in force, found or not.
type Product struct {
	Playbook string `json:"playbook"`
	Digest   string `json:"digest"`
	Title    string `json:"title"`
	// Embedded: it is the vendor's code inside another company's product.
	// Counts says whether the mandate counts it.
	Embedded bool `json:"embedded,omitempty"`
	Counts   bool `json:"counts"`
	// Present is on how many hosts it is now, as the last look tells; Residue on
	// how many only its remains are; Found on how many it ever was.
	Present  int       `json:"present"`
	Residue  int       `json:"residue"`
	Found    int       `json:"found"`
	Versions []Version `json:"versions,omitempty"` // of Present, most hosts first
	// Unasked is on how many hosts the last look was before the playbook, as it is
	// now, was in force: Found and Present do not tell of these.
	Unasked int `json:"unasked,omitempty"`
}

// Version counts hosts with a version of a product.
type Version struct {
	Version string `json:"version"`
	Hosts   int    `json:"hosts"`
}

// Method is a way in which hosts were looked at.
type Method struct {
	Transport string             `json:"transport"`
	Platform  remediate.Platform `json:"platform"`
	Probe     string             `json:"probe"` // digest
	Hosts     int                `json:"hosts"` // by their last successful looks
	First     time.Time          `json:"first"` // of those looks
	Last      time.Time          `json:"last"`
}

// Unseen counts hosts that were never seen, exempt ones included, by why.
type Unseen struct {
	// Class is why the last look failed; empty: nobody has tried, or no look was
	// complete.
	Class remediate.Class `json:"class,omitempty"`
	Why   string          `json:"why"`
	Hosts int             `json:"hosts"`
	Doing string          `json:"doing"` // what is being done
}

// MilestoneState is a milestone on its day.
type MilestoneState struct {
	Name string `json:"name"`
	What string `json:"what"`
	Date string `json:"date"` // its last day
	// State is met, due or late; a milestone met after its day is met and Late.
	State    string    `json:"state"`
	Late     bool      `json:"late,omitempty"`
	MetAt    time.Time `json:"met_at,omitzero"`
	DaysLeft int       `json:"days_left"` // negative after its day
	Why      string    `json:"why"`       // what meets it, or what is missing
}

// DutyState is a repeating duty.
type DutyState struct {
	Name string `json:"name"`
	What string `json:"what"`
	// Next is the day on which it is due next, empty once it has ended; Missed
	// are days that passed without a report.
	Next     string   `json:"next,omitempty"`
	DaysLeft int      `json:"days_left"`
	Missed   []string `json:"missed,omitempty"`
	Done     int      `json:"done"`
	Ended    bool     `json:"ended,omitempty"`
}

// Wave is how far a wave of an approved plan has come, see
// engine.WaveOutlook.
type Wave struct {
	Plan        string    `json:"plan"`
	Wave        int       `json:"wave"`
	Approved    time.Time `json:"approved"`
	Hosts       int       `json:"hosts"`
	Done        int       `json:"done"`
	Failed      int       `json:"failed"`
	Unreachable int       `json:"unreachable"`
	Waiting     int       `json:"waiting"`
	Other       int       `json:"other"`
	Current     bool      `json:"current,omitempty"`
}

// InNoPlan is the Stage of hosts that have something on them and are in no
// plan.
const InNoPlan = "In no plan yet"

// Stage is a part of the removal's timeline, as waves and windows give it.
type Stage struct {
	What  string    `json:"what"`
	Hosts int       `json:"hosts"`
	From  time.Time `json:"from,omitzero"` // zero: nobody can say yet
	To    time.Time `json:"to,omitzero"`
	Note  string    `json:"note,omitempty"`
}

// Day is how hosts stood at the end of a day (UTC); the last one ends At.
// Hosts that were not looked at by then count as unseen. As in Totals, a host
// counts once, in Standing or in Exempt.
type Day struct {
	Date     string                     `json:"date"`
	Standing map[remediate.Standing]int `json:"standing"`
	Exempt   int                        `json:"exempt"`
}

// Failure counts hosts that stand failed, by class.
type Failure struct {
	Class remediate.Class `json:"class"`
	What  string          `json:"what"`
	Hosts int             `json:"hosts"`
	// Retried are tried again by themselves, the first at Next; Person wait for
	// a person, who has to do Advice.
	Retried int       `json:"retried"`
	Next    time.Time `json:"next,omitzero"`
	Person  int       `json:"person"`
	Advice  string    `json:"advice"`
}

// Exemption is one that was recorded.
type Exemption struct {
	remediate.Exemption
	State string `json:"state"` // holds, over, taken-back, retired
	// Earlier counts the exemptions that the host had before; Days is for how
	// many days it is exempt with those. Both are left out of the first one.
	Earlier int `json:"earlier,omitempty"`
	Days    int `json:"days,omitempty"`
	// Against says how it goes against the mandate, empty if it does not.
	Against string `json:"against,omitempty"`
}

// HostRow is one host.
type HostRow struct {
	Name     string             `json:"name"`
	Address  string             `json:"address,omitempty"`
	Site     string             `json:"site,omitempty"`
	Owner    string             `json:"owner,omitempty"`
	Zone     string             `json:"zone,omitempty"`
	Tags     []string           `json:"tags,omitempty"`
	Platform remediate.Platform `json:"platform,omitempty"`
	OS       string             `json:"os,omitempty"`
	Standing remediate.Standing `json:"standing"`
	Exempt   bool               `json:"exempt,omitempty"`
	Until    time.Time          `json:"exempt_until,omitzero"`
	Class    remediate.Class    `json:"class,omitempty"`
	Detail   string             `json:"detail,omitempty"`
	// Findings are there now, as far as is known; Before is what earlier looks
	// found and the last one did not.
	Findings  []FoundThing `json:"findings,omitempty"`
	Before    []FoundThing `json:"before,omitempty"`
	SeenAt    time.Time    `json:"seen_at,omitzero"`
	Transport string       `json:"transport,omitempty"`
	Probe     string       `json:"probe,omitempty"`
	FoundAt   time.Time    `json:"found_at,omitzero"`
	RemovedAt time.Time    `json:"removed_at,omitzero"`
	// Outcome is that of the last attempt.
	Outcome   remediate.OutcomeKind `json:"outcome,omitempty"`
	OutcomeAt time.Time             `json:"outcome_at,omitzero"`
	Reboots   int                   `json:"reboots,omitempty"`
	Bare      string                `json:"bare,omitempty"` // what should protect it and does not
	// Next is what it needs next, NextAt when, Person that a person must see to
	// it, and Why.
	Next   string    `json:"next,omitempty"`
	NextAt time.Time `json:"next_at,omitzero"`
	Person bool      `json:"person,omitempty"`
	Why    string    `json:"why,omitempty"`
}

// FoundThing is a product or its residue on a host.
type FoundThing struct {
	Playbook string                `json:"playbook"`
	Title    string                `json:"title"`
	Version  string                `json:"version,omitempty"`
	Kind     remediate.FindingKind `json:"kind"`
}

// Words is where the milestone stands, such as "due in 3 days".
func (m MilestoneState) Words() string {
	switch {
	case m.State == "met" && m.Late:
		return "met late"
	case m.State == "due":
		return "due " + daysLeft(m.DaysLeft)
	case m.State == "late" && m.DaysLeft < 0:
		return "late by " + count(-m.DaysLeft, "day", "days")
	}
	return m.State
}

// MetOn is the day on which the milestone was met, in the mandate's zone (see
// Mandate.Zone); empty where it is not met, and where nobody can say when.
func (m MilestoneState) MetOn(name string) string {
	if m.State != "met" || m.MetAt.IsZero() {
		return ""
	}
	z := zone(name)
	if z == nil {
		z = time.UTC
	}
	return m.MetAt.In(z).Format(time.DateOnly)
}

// Title is its name with its day, if that is known.
func (m MilestoneState) Title() string {
	if m.Date == "" {
		return m.Name
	}
	return m.Name + ", " + m.Date
}

// Words is where the duty stands, such as "due in 3 days".
func (d DutyState) Words() string {
	switch {
	case d.Ended:
		return "ended"
	case d.Next == "":
		return "waiting"
	}
	return "due " + daysLeft(d.DaysLeft)
}

// Title is its name with the day on which it is due next, if that is known.
func (d DutyState) Title() string {
	if d.Next == "" {
		return d.Name
	}
	return d.Name + ", " + d.Next
}
