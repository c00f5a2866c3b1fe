package remediate

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Sentinels of stores.
var (
	// ErrNotFound: no such record.
	ErrNotFound = errors.New("not found")
	// ErrStoreHeld: another process owns the store; the text says which.
	ErrStoreHeld = errors.New("the store is held by another process")
	// ErrBudget: the host has been restarted as often as it may be.
	ErrBudget = errors.New("the host's budget of reboots is spent")
)

// LookKind says why a host was looked at.
type LookKind string

// The kinds of looks.
const (
	LookScan     LookKind = "scan"
	LookPrecheck LookKind = "precheck" // before an act
	LookVerify   LookKind = "verify"   // after an act, or on demand
)

// Look is one look at a host: what was seen, or why nothing was.
type Look struct {
	Host string
	Kind LookKind
	Run  string
	At   time.Time
	// Raw is the text that the host printed, nil if the look failed.
	Raw []byte
	// RawDigest is "sha256:HEX" of Raw.
	RawDigest string
	// Transport and Address are how and where the host was asked, HOST:PORT;
	// Probe is the digest of the script that asked. Empty where nothing was.
	Transport, Address, Probe string
	Platform                  Platform
	OS                        string // OS.Name
	BootID                    string
	Findings                  []Finding
	// Complete is false when facts were incomplete: the standing then moves
	// only if something was found.
	Complete bool
	// Class and Detail say why the look failed; Class is empty if it did not,
	// and Detail is then what an optional question left unanswered, if any.
	Class  Class
	Detail string
	// Bare says what should protect the host and does not, as far as this
	// look can tell; empty if it is protected, or nothing was removed there.
	Bare string
}

// HostState is what the store knows of one host.
type HostState struct {
	Host     string
	Standing Standing
	Platform Platform
	OS       string
	// Findings are those of the last complete look, or of the last that found something.
	Findings []Finding
	// RawDigest and SeenAt are of the last successful look.
	RawDigest string
	SeenAt    time.Time
	// Class and Detail are of the last failure that nothing better has
	// followed: a failed look or a failed attempt; empty if all is well.
	Class  Class
	Detail string
	// Last is the outcome of the last closed attempt, Kind empty if none.
	Last   Outcome
	LastAt time.Time

	// Tries counts the failures in a row that ended in Class, the last one
	// included; 0 where Class is empty. FailedAt is when the last one ended.
	Tries    int
	FailedAt time.Time
	// RemovedAt is when the standing last became StandRemoved; zero while it is
	// another.
	RemovedAt time.Time
	// BootID is of the last successful look.
	BootID string
	// Bare is of the last scan or verify that did not fail (see Look.Bare);
	// BareSince is when the host first stood so, in a row.
	Bare      string
	BareSince time.Time
	// Reboots counts the restarts by oust.
	Reboots int

	// Transport, Probe and Run are of the last successful look.
	Transport, Probe, Run string
	// FoundAt is when something was first found on the host, zero if never.
	FoundAt time.Time
}

// Run is one carrying-out of scan, apply or verify.
type Run struct {
	ID      string
	Kind    string // scan, apply, verify, retry
	Plan    string // apply and retry only
	Started time.Time
	Ended   time.Time // zero while open
	// Exit is the exit code that the run ended with.
	Exit int
	// Note says why it ended early, empty otherwise.
	Note string
	// By is who began it, USER@HOST.
	By string
	// Lowered names guards that a person switched off for it, such as
	// "ignore-windows"; empty otherwise.
	Lowered string
}

// Store keeps everything that is recorded. Each method returns only after
// what it wrote is on disk; writers may be batched together. Methods are safe
// for concurrent use. A cancelled context means that the write may or may not
// have happened, so callers write outcomes with a context that is not the
// one that a person cancels.
type Store interface {
	CampaignStore
	EvidenceStore

	// CampaignID is the random id that the store was given when it was made.
	CampaignID(ctx context.Context) (string, error)

	// SaveLook records a look and moves the host's standing (Standing.Next)
	// unless the look is a precheck or failed.
	SaveLook(ctx context.Context, look Look) error

	// Raw returns the text of the look with that digest, or ErrNotFound.
	Raw(ctx context.Context, digest string) ([]byte, error)

	// SavePlan records a plan's id and digest.
	SavePlan(ctx context.Context, id, digest string, at time.Time) error
	// PlanDigest returns what SavePlan recorded, or ErrNotFound.
	PlanDigest(ctx context.Context, id string) (string, error)

	BeginRun(ctx context.Context, run Run) error
	EndRun(ctx context.Context, run Run) error
	// OpenRun returns the newest run of that kind and plan that has not
	// ended, or ErrNotFound.
	OpenRun(ctx context.Context, kind, plan string) (Run, error)

	// BeginAttempt records the intent, in PhaseIntended. A second call with
	// the same id is an error.
	BeginAttempt(ctx context.Context, a Attempt) error
	// SaveAttempt replaces the attempt's mutable fields. Phases only go
	// forward: an attempt never returns to an earlier phase.
	SaveAttempt(ctx context.Context, a Attempt) error
	// CloseAttempt records the outcome and, in the same transaction, the
	// look that it rests on (nil if there was none). a.Phase is PhaseClosed
	// or PhaseCleaned. An outcome without an attempt on the host
	// (nothing-to-do, stale, unreachable) is recorded through it as well, in
	// PhaseCleaned: an id that BeginAttempt never saw is taken as new.
	CloseAttempt(ctx context.Context, a Attempt, look *Look) error
	// OpenAttempts lists the attempts that are not in PhaseCleaned, oldest
	// first: those whose job or folder may still be on its host.
	OpenAttempts(ctx context.Context) ([]Attempt, error)
	// RunAttempts yields the attempts of a run.
	RunAttempts(ctx context.Context, run string) iter.Seq2[Attempt, error]

	// HostState returns what is known of a host; a host that was never seen
	// has StandUnseen and no error.
	HostState(ctx context.Context, host string) (HostState, error)
	// HostStates yields every host that anything is recorded of, by name.
	HostStates(ctx context.Context) iter.Seq2[HostState, error]
	// HostLooks and HostAttempts yield a host's history, oldest first; raw
	// text and logs are included.
	HostLooks(ctx context.Context, host string) iter.Seq2[Look, error]
	HostAttempts(ctx context.Context, host string) iter.Seq2[Attempt, error]

	// TrustHostKey records that a host's key was accepted on first sight.
	TrustHostKey(ctx context.Context, host, address, fingerprint string, at time.Time) error

	Close() error
}

// CampaignStore is what a store keeps of a campaign that runs for weeks: what
// persons decided, and what is due. It is part of every Store.
type CampaignStore interface {
	// OpenRuns lists the runs that have not ended, oldest first.
	OpenRuns(ctx context.Context) ([]Run, error)
	// Runs yields all runs, oldest first, those that have ended included.
	Runs(ctx context.Context) iter.Seq2[Run, error]
	// LowerRun records which guards a person has switched off for a run that
	// was begun before, or returns ErrNotFound.
	LowerRun(ctx context.Context, run, lowered string) error

	// Approve records an approval. The same plan again changes nothing. A later
	// approval takes over the hosts that it names.
	Approve(ctx context.Context, a Approval) error
	// ApprovedScripts are the digests of all scripts that were ever approved.
	ApprovedScripts(ctx context.Context) (map[string]bool, error)
	// PlannedHosts yields the hosts of all approvals, by name.
	PlannedHosts(ctx context.Context) iter.Seq2[Planned, error]

	// SaveHold records a hold, unless one is in force: then that one stays, and
	// there is no error.
	SaveHold(ctx context.Context, h Hold) error
	// ReleaseHold ends the hold that is in force, or returns ErrNotFound.
	ReleaseHold(ctx context.Context, at time.Time, by string) error
	// Holds lists all holds, oldest first. The last may be in force.
	Holds(ctx context.Context) ([]Hold, error)

	// SaveExemption records an exemption. One that holds for the host already
	// is ended at e.At, and takes the new one's place.
	SaveExemption(ctx context.Context, e Exemption) error
	// EndExemption takes back the exemption of a host that has neither been
	// taken back nor ended by its own date at that time, or returns ErrNotFound.
	EndExemption(ctx context.Context, host string, at time.Time) error
	// Exemptions lists all exemptions, oldest first, ended ones included.
	Exemptions(ctx context.Context) ([]Exemption, error)

	// BeginReboot records that a host is about to be restarted. It returns
	// ErrBudget, and records nothing, where the host has been restarted budget
	// times already. The same host and boot id again is no error and counts once.
	BeginReboot(ctx context.Context, r Reboot, budget int) error
	// EndReboot records that the host has come back from the boot bootID; it
	// is no error where no such restart is recorded, or it has ended.
	EndReboot(ctx context.Context, host, bootID string, at time.Time) error
	// Reboots lists a host's restarts, oldest first.
	Reboots(ctx context.Context, host string) ([]Reboot, error)

	// Durations are the times, from start to outcome, of each playbook's newest
	// attempts that ended in OutcomeRemoved or OutcomeRebootPending after a job
	// had run: at most limit a playbook, newest first.
	Durations(ctx context.Context, limit int) (map[string][]time.Duration, error)
}
