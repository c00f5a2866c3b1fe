package engine

import (
	"sync"
	"time"

	"oust/remediate"
	"oust/remediate/schedule"
)

// Event is something that happened in a run. Each is a struct of this file
// with stable snake_case JSON fields; EventType is its "type".
type Event interface{ EventType() string }

// Sink is told of events. It is called from one goroutine at a time, in the
// order in which things happened, and must return quickly.
type Sink interface{ Event(Event) }

// SinkFunc makes a function a Sink.
type SinkFunc func(Event)

// Event calls f.
func (f SinkFunc) Event(e Event) { f(e) }

var _ Sink = SinkFunc(nil)

// serialSink hands events on one at a time.
type serialSink struct {
	mu sync.Mutex
	to Sink
}

// Event implements Sink.
func (s *serialSink) Event(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to.Event(e)
}

var _ Sink = (*serialSink)(nil)

// RunStarted opens a run.
type RunStarted struct {
	Run   string `json:"run"`
	Kind  string `json:"kind"` // scan, verify, apply, dry-run
	Hosts int    `json:"hosts"`
	// Resumed is true when an interrupted run is taken up again; Done then
	// counts the hosts that had ended before.
	Resumed bool      `json:"resumed,omitempty"`
	Done    int       `json:"done,omitempty"`
	Waves   []int     `json:"waves,omitempty"`
	At      time.Time `json:"at"`
}

// WaveStarted says that a wave begins.
type WaveStarted struct {
	Wave  int `json:"wave"` // from 1; 0 joins attempts of earlier runs
	Of    int `json:"of"`
	Hosts int `json:"hosts"`
}

// HostStarted says that work on a host begins.
type HostStarted struct {
	Host string    `json:"host"`
	At   time.Time `json:"at"`
}

// HostStep says what a host is at: look, launch, wait, verify, join, restart,
// knock.
type HostStep struct {
	Host string `json:"host"`
	Step string `json:"step"`
}

// HostLooked closes a host's part in a scan or verify.
type HostLooked struct {
	Host     string              `json:"host"`
	Standing remediate.Standing  `json:"standing"`
	OS       string              `json:"os,omitempty"`
	Findings []remediate.Finding `json:"findings,omitempty"`
	Class    remediate.Class     `json:"class,omitempty"`
	Detail   string              `json:"detail,omitempty"`
	// Bare says what should protect the host and does not.
	Bare string        `json:"bare,omitempty"`
	Took time.Duration `json:"took_ns"`
	At   time.Time     `json:"at"`
}

// HostEnded closes a host's part in an apply.
type HostEnded struct {
	Host    string `json:"host"`
	Attempt string `json:"attempt,omitempty"`
	Wave    int    `json:"wave,omitempty"`
	remediate.Outcome
	// Warnings are what a person should know although it went on, such as a
	// reboot that was pending before.
	Warnings []string      `json:"warnings,omitempty"`
	Took     time.Duration `json:"took_ns"`
	At       time.Time     `json:"at"`
}

// HostJoined says how an attempt of an earlier run ended.
type HostJoined struct {
	Host    string `json:"host"`
	Attempt string `json:"attempt"`
	Run     string `json:"run"`
	remediate.Outcome
}

// RunStopped says that a threshold or an interruption ends the run early.
type RunStopped struct {
	Reason string `json:"reason"`
}

// Deferred says that the rest of a run waits for change windows, from when.
type Deferred struct {
	Hosts int       `json:"hosts"`
	Until time.Time `json:"until,omitzero"` // the first opening
}

// Idle says that nothing is due before that time; zero where everything that
// is left waits for a person.
type Idle struct {
	Until time.Time `json:"until,omitzero"`
	// Waiting counts hosts by their next work.
	Waiting map[schedule.Work]int `json:"waiting,omitempty"`
}

// RunEnded closes a run.
type RunEnded struct {
	Summary
	At time.Time `json:"at"`
}

// EventType implements Event.
func (RunStarted) EventType() string { return "run_started" }

// EventType implements Event.
func (WaveStarted) EventType() string { return "wave_started" }

// EventType implements Event.
func (HostStarted) EventType() string { return "host_started" }

// EventType implements Event.
func (HostStep) EventType() string { return "host_step" }

// EventType implements Event.
func (HostLooked) EventType() string { return "host_looked" }

// EventType implements Event.
func (HostEnded) EventType() string { return "host_ended" }

// EventType implements Event.
func (HostJoined) EventType() string { return "host_joined" }

// EventType implements Event.
func (RunStopped) EventType() string { return "run_stopped" }

// EventType implements Event.
func (Deferred) EventType() string { return "deferred" }

// EventType implements Event.
func (Idle) EventType() string { return "idle" }

// EventType implements Event.
func (RunEnded) EventType() string { return "run_ended" }
