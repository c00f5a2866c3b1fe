package engine

import (
	"time"

	"oust/remediate"
)

// Exit codes of runs, the same as the program's.
const (
	ExitOK          = 0
	ExitFailed      = 2 // some hosts failed
	ExitStopped     = 3 // a threshold stopped the run
	ExitRefused     = 4 // the plan was refused
	ExitInterrupted = 130
)

// Summary counts how the hosts of a run ended. Every host of the run stands
// in exactly one of Outcomes (apply) or in Standings or Failed (looks).
type Summary struct {
	Run       string                        `json:"run"`
	Kind      string                        `json:"kind"`
	Hosts     int                           `json:"hosts"`
	Outcomes  map[remediate.OutcomeKind]int `json:"outcomes,omitempty"`
	Standings map[remediate.Standing]int    `json:"standings,omitempty"`
	// Failed counts failed hosts by class.
	Failed map[remediate.Class]int `json:"failed,omitempty"`
	// Dirty counts hosts of a verify that are not clean.
	Dirty int `json:"dirty,omitempty"`
	// Stopped is the reason of a threshold, empty otherwise.
	Stopped     string `json:"stopped,omitempty"`
	Interrupted bool   `json:"interrupted,omitempty"`
	// Opens is when the first window of the deferred hosts opens; zero if none.
	Opens time.Time `json:"opens,omitzero"`
	// Bare counts hosts that nothing protects after their removal.
	Bare int `json:"bare,omitempty"`
	// Open counts attempts whose jobs may go on on their hosts; the next
	// apply joins them.
	Open int `json:"open,omitempty"`
}

func newSummary(run, kind string, hosts int) Summary {
	return Summary{
		Run: run, Kind: kind, Hosts: hosts,
		Outcomes:  map[remediate.OutcomeKind]int{},
		Standings: map[remediate.Standing]int{},
		Failed:    map[remediate.Class]int{},
	}
}

func (s *Summary) add(o remediate.Outcome) {
	s.Outcomes[o.Kind]++
	if o.Kind == remediate.OutcomeFailed {
		s.Failed[o.Class]++
	}
}

// ExitCode is how the program ends after this run: an interruption before a
// threshold, a threshold before failures.
func (s Summary) ExitCode() int {
	unfinished := s.Outcomes[remediate.OutcomeStale] + s.Outcomes[remediate.OutcomeRebootPending] +
		s.Outcomes[remediate.OutcomeNotStarted] + s.Outcomes[remediate.OutcomeDeferred]
	switch {
	case s.Interrupted:
		return ExitInterrupted
	case s.Stopped != "":
		return ExitStopped
	case len(s.Failed) > 0 || s.Dirty > 0 || unfinished > 0 || s.Open > 0:
		return ExitFailed
	}
	return ExitOK
}
