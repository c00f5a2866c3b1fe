package remediate

import (
	"context"
	"iter"
	"time"
)

// RecordKind says what a record of the ledger tells.
type RecordKind string

// The kinds of records. The type beside each is what Record.Body holds.
const (
	RecordBegun          RecordKind = "begun"           // LedgerBegun: the first record
	RecordKey            RecordKind = "key"             // KeyChanged: heads are signed by another key from here on
	RecordRules          RecordKind = "rules"           // RulesChanged: the records from here on were written by other rules
	RecordSettings       RecordKind = "settings"        // Settings
	RecordRun            RecordKind = "run"             // RunBegun
	RecordRunLowered     RecordKind = "run-lowered"     // RunLowered
	RecordRunEnded       RecordKind = "run-ended"       // RunEnded
	RecordLook           RecordKind = "look"            // LookTaken: a scan, with its findings
	RecordPlan           RecordKind = "plan"            // PlanSaved
	RecordApproval       RecordKind = "approval"        // ApprovalGiven
	RecordApprovedHosts  RecordKind = "approved-hosts"  // ApprovedHosts: they follow their approval
	RecordApprovedCode   RecordKind = "approved-code"   // ApprovedCode: they follow their approval
	RecordAttempt        RecordKind = "attempt"         // AttemptBegun: the intent
	RecordOutcome        RecordKind = "outcome"         // AttemptEnded
	RecordExemption      RecordKind = "exemption"       // Exemption
	RecordExemptionEnded RecordKind = "exemption-ended" // ExemptionEnded
	RecordHold           RecordKind = "hold"            // Hold
	RecordRelease        RecordKind = "release"         // HoldReleased
	RecordReboot         RecordKind = "reboot"          // Reboot
	RecordRebootBack     RecordKind = "reboot-back"     // RebootBack
	RecordTrust          RecordKind = "trust"           // KeyTrusted
	RecordSubmission     RecordKind = "submission"      // Submission
	RecordState          RecordKind = "state"           // StateCarried: only among the earlier ones
)

// Record is one line of the ledger. Times in records are UTC and have whole
// microseconds.
type Record struct {
	Kind RecordKind
	// At is when it happened, by the clock of the controller.
	At time.Time
	// By is who had the store open for writing, see Actor. Empty only in
	// records of what was written before there was a ledger.
	By string
	// Host is the host that it is about, empty if it is about none or many.
	Host string
	// Body has the type that Kind says.
	Body any
}

// LedgerEntry is a record as it stands in the ledger. Its leaf hash is that of
// Text, see RFC 6962.
type LedgerEntry struct {
	Number int64 // from 0
	Text   []byte
}

// MaxRecord bounds the text of one record, in bytes: the result lines of an
// attempt (MaxResult) need at most six times their length as JSON.
const MaxRecord = 8 << 20

// LedgerRules numbers the rules by which a store makes rows and standings of
// what is recorded, and by which 'oust audit' repeats them. Whoever changes
// what follows from a record gives them the next number, keeps the ones before
// for the records that were written by them, and goes by RulesChanged: a
// ledger that is repeated by other rules than its own looks altered.
const LedgerRules = 1

// LedgerBegun opens a ledger.
type LedgerBegun struct {
	Campaign   string `json:"campaign"`    // its name
	CampaignID string `json:"campaign_id"` // of its store
	// Key is the public key of the heads, as golang.org/x/mod/sumdb/note
	// writes verifier keys.
	Key string `json:"key"`
	// Earlier counts records that follow of what was written before there was
	// a ledger; they prove nothing about the time before this one.
	Earlier int64 `json:"earlier,omitempty"`
	// Rules are those of the records up to the next RulesChanged, see
	// LedgerRules; 0 in ledgers of before they had a number, which are of rules 1.
	Rules int `json:"rules,omitempty"`
}

// RulesChanged says by which rules the records from here on were written. Its
// form is for ever, so that programs that do not know the rules know that.
type RulesChanged struct {
	Rules int `json:"rules"`
}

// KeyChanged says that heads are signed by another key from here on.
type KeyChanged struct {
	Key    string `json:"key"`
	Before string `json:"before"`
	// Consent is the key before saying so itself, a signed note; empty if it
	// was lost. See ledger.Consent.
	Consent string `json:"consent,omitempty"`
}

// Settings is what a run works with, recorded when it differs from what the
// last such record says.
type Settings struct {
	// Campaign and Inventory are digests of the files, by name.
	Campaign  string       `json:"campaign"`
	Inventory []FileDigest `json:"inventory"`
	// Mandate is the mandate by its own name, see Mandate.Digest.
	Mandate FileDigest `json:"mandate,omitzero"`
	// Playbooks are those in force.
	Playbooks []PlaybookRef `json:"playbooks"`
	// Probes are digests of the scripts that look at hosts, by their names.
	Probes []FileDigest `json:"probes,omitempty"`
	// Lowered names settings that lower a guard, such as
	// "ssh.host_keys: accept-new"; sorted.
	Lowered []string `json:"lowered,omitempty"`
	Version string   `json:"version,omitempty"` // of this program
}

// FileDigest is a file as it was.
type FileDigest struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // "sha256:HEX"
}

// RunBegun, RunLowered and RunEnded tell a run.
type (
	RunBegun struct {
		Run     string `json:"run"`
		Kind    string `json:"kind"`
		Plan    string `json:"plan,omitempty"`
		By      string `json:"by,omitempty"`
		Lowered string `json:"lowered,omitempty"`
	}
	RunLowered struct {
		Run     string `json:"run"`
		Lowered string `json:"lowered"`
	}
	RunEnded struct {
		Run  string `json:"run"`
		Exit int    `json:"exit"`
		Note string `json:"note,omitempty"`
	}
)

// LookTaken is a look without the text that the host printed, which it names
// by its digest.
type LookTaken struct {
	Kind      LookKind  `json:"kind"`
	Run       string    `json:"run,omitempty"`
	Raw       string    `json:"raw,omitempty"` // digest
	Transport string    `json:"transport,omitempty"`
	Address   string    `json:"address,omitempty"`
	Probe     string    `json:"probe,omitempty"`
	Platform  Platform  `json:"platform,omitempty"`
	OS        string    `json:"os,omitempty"`
	BootID    string    `json:"boot_id,omitempty"`
	Complete  bool      `json:"complete"`
	Class     Class     `json:"class,omitempty"`
	Detail    string    `json:"detail,omitempty"`
	Bare      string    `json:"bare,omitempty"`
	Findings  []Finding `json:"findings,omitempty"`
}

// PlanSaved is a plan that was written to a file.
type PlanSaved struct {
	Plan   string `json:"plan"`
	Digest string `json:"digest"`
}

// ApprovalGiven is a person's yes to a plan.
type ApprovalGiven struct {
	Plan    string `json:"plan"`
	By      string `json:"by,omitempty"`
	Scripts int    `json:"scripts"` // as many are named in the ApprovedCode that follow
	Hosts   int    `json:"hosts"`   // as many are named in the ApprovedHosts that follow
}

// ApprovedCode are some scripts of an approval, by digest, sorted.
type ApprovedCode struct {
	Plan    string   `json:"plan"`
	Scripts []string `json:"scripts"`
}

// ApprovedHosts are some hosts of an approval, all of one wave, by name.
type ApprovedHosts struct {
	Plan  string   `json:"plan"`
	Wave  int      `json:"wave"`
	Hosts []string `json:"hosts"`
}

// MaxApproved bounds the hosts of one ApprovedHosts and the scripts of one
// ApprovedCode.
const MaxApproved = 1000

// AttemptBegun is the intent to run a script on a host.
type AttemptBegun struct {
	Attempt   string   `json:"attempt"`
	Run       string   `json:"run"`
	Plan      string   `json:"plan,omitempty"`
	Script    string   `json:"script,omitempty"` // digest
	Playbooks []string `json:"playbooks,omitempty"`
	Address   string   `json:"address,omitempty"`
}

// AttemptEnded is how an attempt ended. An outcome of a host on which none was
// begun has no AttemptBegun before it.
type AttemptEnded struct {
	Attempt   string         `json:"attempt"`
	Run       string         `json:"run"`
	Plan      string         `json:"plan,omitempty"`
	Script    string         `json:"script,omitempty"`
	Playbooks []string       `json:"playbooks,omitempty"`
	Address   string         `json:"address,omitempty"`
	BootID    string         `json:"boot_id,omitempty"`
	Started   time.Time      `json:"started"`
	Exit      int            `json:"exit"`
	Result    string         `json:"result,omitempty"`
	Log       string         `json:"log,omitempty"` // digest of what the uninstallers printed
	Outcome   OutcomeKind    `json:"outcome"`
	Class     Class          `json:"class,omitempty"`
	Detail    string         `json:"detail,omitempty"`
	Journal   []JournalEntry `json:"journal,omitempty"`
	// Looked: the record before this one is the look that the outcome rests on.
	Looked bool `json:"looked,omitempty"`
}

// ExemptionEnded, HoldReleased, RebootBack and KeyTrusted tell what their
// names say. For ExemptionEnded the record names the host.
type (
	ExemptionEnded struct {
		By string `json:"by,omitempty"`
	}
	HoldReleased struct {
		By string `json:"by,omitempty"`
	}
	RebootBack struct {
		// BootID is that of the boot which the restart ended.
		BootID string `json:"boot_id"`
	}
	KeyTrusted struct {
		Address     string `json:"address"`
		Fingerprint string `json:"fingerprint"`
	}
)

// StateCarried is the state of a host as it was when the ledger began, see
// HostState: the records from before then do not tell in which order all of
// it happened.
type StateCarried struct {
	Standing  Standing  `json:"standing"`
	Platform  Platform  `json:"platform,omitempty"`
	OS        string    `json:"os,omitempty"`
	Findings  []Finding `json:"findings,omitempty"`
	Raw       string    `json:"raw,omitempty"` // digest
	SeenAt    time.Time `json:"seen_at,omitzero"`
	BootID    string    `json:"boot_id,omitempty"`
	Run       string    `json:"run,omitempty"`
	FoundAt   time.Time `json:"found_at,omitzero"`
	RemovedAt time.Time `json:"removed_at,omitzero"`
	Bare      string    `json:"bare,omitempty"`
	BareSince time.Time `json:"bare_since,omitzero"`
	Reboots   int       `json:"reboots,omitempty"`
	// Failure is the last one that nothing better has followed, Owed that of
	// the attempt that nothing has answered.
	Failure FailureCarried `json:"failure,omitzero"`
	Owed    FailureCarried `json:"owed,omitzero"`
	Last    Outcome        `json:"last,omitzero"`
	LastAt  time.Time      `json:"last_at,omitzero"`
}

// FailureCarried is the failure of a look or an attempt, and how many of its
// class came in a row.
type FailureCarried struct {
	Class  Class     `json:"class"`
	Detail string    `json:"detail,omitempty"`
	Tries  int       `json:"tries"`
	At     time.Time `json:"at,omitzero"`
}

// MaxSubmitted bounds the files of one Submission.
const MaxSubmitted = 100

// Submission says that a report was handed in.
type Submission struct {
	Report ReportKind `json:"report"`
	At     time.Time  `json:"at"`
	By     string     `json:"by,omitempty"`
	// To is who was given it, in a person's words.
	To string `json:"to"`
	// Files are what was handed in.
	Files []FileDigest `json:"files"`
}

// ReportKind names a report.
type ReportKind string

// The reports.
const (
	ReportIdentify ReportKind = "identify"
	ReportPlan     ReportKind = "plan"
	ReportStatus   ReportKind = "status"
)

// ReportKinds lists the reports in their order.
func ReportKinds() []ReportKind { return []ReportKind{ReportIdentify, ReportPlan, ReportStatus} }

// Move is a change of a host's standing.
type Move struct {
	Host string
	At   time.Time
	From Standing
	To   Standing
}

// Sighting is what one look found.
type Sighting struct {
	Host     string
	At       time.Time
	Findings []Finding
}

// EvidenceStore is what a store keeps so that others can check it. It is part
// of every Store.
//
// Every method of Store that records something appends what it says to the
// ledger in the same transaction, so that there is never one without the
// other. A repeat that changes nothing appends nothing. At the end of each
// transaction that appended, the ledger's new head is signed and kept.
type EvidenceStore interface {
	// Note appends a record that no other method makes: RecordSettings.
	Note(ctx context.Context, r Record) error
	// SaveSubmission records that a report was handed in. The same again
	// changes nothing.
	SaveSubmission(ctx context.Context, s Submission) error
	// Submissions lists all of them, oldest first.
	Submissions(ctx context.Context) ([]Submission, error)
	// Moves yields every change of a standing, oldest first: the first look at a
	// host moves it from StandUnseen.
	Moves(ctx context.Context) iter.Seq2[Move, error]
	// LatestMoves yields them newest first.
	LatestMoves(ctx context.Context) iter.Seq2[Move, error]
	// Sightings yields what looks found, prechecks included, in the order of
	// their recording. Looks that found nothing are left out.
	Sightings(ctx context.Context) iter.Seq2[Sighting, error]

	// LedgerSize is the number of records.
	LedgerSize(ctx context.Context) (int64, error)
	// Ledger yields the records with numbers from first on.
	Ledger(ctx context.Context, first int64) iter.Seq2[LedgerEntry, error]
	// HostLedger yields the records of one host, in order.
	HostLedger(ctx context.Context, host string) iter.Seq2[LedgerEntry, error]
	// ApprovalRecords are the numbers of the records of approvals, in order.
	// Those that name its scripts and hosts follow each.
	ApprovalRecords(ctx context.Context) ([]int64, error)
	// LedgerHashes returns the stored hashes with these indexes, as
	// golang.org/x/mod/sumdb/tlog numbers them, or ErrNotFound.
	LedgerHashes(ctx context.Context, indexes []int64) ([][32]byte, error)
	// Heads lists the signed heads that are kept, smallest first: the newest,
	// and the last one of each day (UTC). They are signed notes.
	Heads(ctx context.Context) ([]string, error)
}
