package remediate

import "time"

// Phase is how far an attempt has come. Each phase is written to the store
// before the act that follows it.
type Phase string

// The phases of an attempt.
const (
	// PhaseIntended: about to launch; the job may or may not be on the host.
	PhaseIntended Phase = "intended"
	// PhaseLaunched: the host has confirmed the job.
	PhaseLaunched Phase = "launched"
	// PhaseRunning: a later look has seen the job at work.
	PhaseRunning Phase = "running"
	// PhaseEnded: the job has ended; its exit code and log are in the store.
	PhaseEnded Phase = "ended"
	// PhaseClosed: the outcome is recorded; the attempt's folder may still be
	// on the host.
	PhaseClosed Phase = "closed"
	// PhaseCleaned: the outcome is recorded, and nothing of the attempt is on
	// the host any more (or ever was).
	PhaseCleaned Phase = "cleaned"
)

// Attempt is one try to remove the findings of one host.
type Attempt struct {
	// ID is unique for ever: 26 lower-case characters, see NewAttemptID.
	ID   string `json:"id"`
	Run  string `json:"run"`
	Host string `json:"host"`
	Plan string `json:"plan"`
	// Script is the digest of the script that the job runs.
	Script string `json:"script"`
	Phase  Phase  `json:"phase"`
	// Address is where the host was when the attempt began, HOST:PORT; it
	// never changes. Empty in attempts of earlier versions.
	Address string `json:"address,omitempty"`
	// BootID is the host's at launch.
	BootID  string    `json:"boot_id,omitempty"`
	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"`
	// Exit is the job's exit code (see ScriptExit), valid from PhaseEnded.
	Exit int `json:"exit"`
	// Result is the job's result lines, Log the bounded output of the
	// uninstallers; both from PhaseEnded.
	Result string `json:"result,omitempty"`
	Log    []byte `json:"-"`
	// Outcome is set from PhaseClosed.
	Outcome Outcome `json:"outcome"`
	// Playbooks are those whose products the script removes, sorted.
	Playbooks []string `json:"playbooks,omitempty"`
	// Journal is when each phase was recorded, in order. A store writes it; what
	// a caller puts here is ignored. Only Store.HostAttempts gives it back.
	Journal []JournalEntry `json:"journal,omitempty"`
}

// JournalEntry is one step of an attempt: a phase that it had not been in.
type JournalEntry struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
}
