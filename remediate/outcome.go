package remediate

// OutcomeKind is how an attempt ended.
type OutcomeKind string

// The outcomes.
const (
	// OutcomeRemoved: a second look in a new session found nothing.
	OutcomeRemoved OutcomeKind = "removed"
	// OutcomeNothingToDo: the look before the act found nothing.
	OutcomeNothingToDo OutcomeKind = "nothing-to-do"
	// OutcomeRebootPending: the product asks for a reboot before it is gone.
	OutcomeRebootPending OutcomeKind = "reboot-pending"
	// OutcomeStale: findings differ from the plan; the host was not touched.
	OutcomeStale OutcomeKind = "stale"
	// OutcomeNotStarted: the run ended before this host's turn.
	OutcomeNotStarted OutcomeKind = "not-started"
	// OutcomeDeferred: the host's change window is not open, or an earlier wave
	// waits for its own; the host was not touched.
	OutcomeDeferred OutcomeKind = "deferred"
	// OutcomeExempt: the host has been exempted since it was planned; it was
	// not touched.
	OutcomeExempt OutcomeKind = "exempt"
	// OutcomeReady: dry run only; apply would run the script here.
	OutcomeReady OutcomeKind = "ready"
	// OutcomeFailed: see Class.
	OutcomeFailed OutcomeKind = "failed"
)

// Outcomes lists all outcomes in the order in which reports show them.
func Outcomes() []OutcomeKind {
	return []OutcomeKind{
		OutcomeRemoved, OutcomeNothingToDo, OutcomeReady, OutcomeRebootPending,
		OutcomeStale, OutcomeFailed, OutcomeDeferred, OutcomeExempt, OutcomeNotStarted,
	}
}

// Outcome is how an attempt ended, and why.
type Outcome struct {
	Kind OutcomeKind `json:"outcome"`
	// Class is set if and only if Kind is OutcomeFailed.
	Class Class `json:"class,omitempty"`
	// Detail is one line for a person: what happened, in the host's words
	// where it has any. Never a secret.
	Detail string `json:"detail,omitempty"`
}

// Failed makes a failed outcome.
func Failed(class Class, detail string) Outcome {
	return Outcome{Kind: OutcomeFailed, Class: class, Detail: detail}
}

// OK reports whether nothing more has to be done on the host.
func (o Outcome) OK() bool {
	return o.Kind == OutcomeRemoved || o.Kind == OutcomeNothingToDo
}
