package wsman

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// The names of the faults that can be asked for.
const (
	FaultShellsQuota     = "shells-quota"
	FaultOperationsQuota = "operations-quota"
	FaultAccessDenied    = "access-denied"
	FaultShellKilled     = "shell-killed"
	FaultNoExitCode      = "no-exit-code"
	FaultNotXML          = "not-xml"
	FaultStall           = "stall"
	FaultReceive         = "receive-fault"
	FaultSend            = "send-fault"
	FaultSignal          = "signal-fault"
	FaultReset           = "reset"
	FaultDead            = "dead"
	FaultStripSealing    = "strip-sealing"
	FaultBasicOnly       = "basic-only"
)

// Injection is a fault that can be asked for.
type Injection struct {
	Name string
	// Meaning is one clause that says what the server does.
	Meaning string
}

// Injections lists the faults that Inject knows.
func Injections() []Injection {
	return []Injection{
		{FaultShellsQuota, "Create is refused with fault 2150859173"},
		{FaultOperationsQuota, "Command is refused with fault 2150859174"},
		{FaultAccessDenied, "Create is refused with fault 5"},
		{FaultShellKilled, "the shell is gone in mid-receive, with fault 2150858843"},
		{FaultNoExitCode, "the end of a command comes without an exit code"},
		{FaultNotXML, "a Receive is answered with text that is not XML"},
		{FaultStall, "the answer to a Receive stops in its middle"},
		{FaultReceive, "Receive is answered with HTTP 500 and a fault"},
		{FaultSend, "Send is answered with HTTP 500 and a fault"},
		{FaultSignal, "Signal is answered with HTTP 500 and a fault"},
		{FaultReset, "the connection is reset in mid-receive"},
		{FaultDead, "a Receive is taken and never answered"},
		{FaultStripSealing, "a sealed request is answered in the clear"},
		{FaultBasicOnly, "nothing but Basic is offered, also over HTTP"},
	}
}

// faultSet is what a server does wrong: how often each fault is still due;
// below 0 is for ever. Its zero value is empty.
type faultSet struct {
	mu  sync.Mutex
	due map[string]int
}

// Inject makes the next times answers that a fault fits go wrong; 0 means all
// from now on. A name that Injections does not have is an error.
func (s *Server) Inject(name string, times int) error {
	if !slices.ContainsFunc(Injections(), func(i Injection) bool { return i.Name == name }) {
		var names []string
		for _, i := range Injections() {
			names = append(names, i.Name)
		}
		return fmt.Errorf("wsman: no fault is called %q; there are %s", name, strings.Join(names, ", "))
	}
	if times == 0 {
		times = -1
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.due == nil {
		s.faults.due = make(map[string]int)
	}
	s.faults.due[name] = times
	return nil
}

// Heal ends all faults that were asked for. Answers that stall go on
// stalling.
func (s *Server) Heal() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	maps.DeleteFunc(s.faults.due, func(string, int) bool { return true })
}

// take reports whether a fault is due, and counts it.
func (f *faultSet) take(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.due[name]
	switch {
	case n == 0:
		return false
	case n == 1:
		delete(f.due, name)
	case n > 1:
		f.due[name] = n - 1
	}
	return true
}

// is reports whether a fault holds that is not counted.
func (f *faultSet) is(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.due[name] != 0
}

// refusals are faults that are answered in place of an operation.
var refusals = map[string][]struct {
	name  string
	fault func(*Config) *Fault
}{
	actionCreate:  {{FaultShellsQuota, func(c *Config) *Fault { return faultShells(c.Shells) }}, {FaultAccessDenied, func(*Config) *Fault { return faultAccessDenied() }}},
	actionCommand: {{FaultOperationsQuota, func(c *Config) *Fault { return faultOperations(c.Operations) }}},
	actionReceive: {{FaultReceive, func(*Config) *Fault { return faultAborted() }}},
	actionSend:    {{FaultSend, func(*Config) *Fault { return faultAborted() }}},
	actionSignal:  {{FaultSignal, func(*Config) *Fault { return faultAborted() }}},
}

// misbehave answers in the wrong way if one is due, and reports whether it
// did.
func (x *exchange) misbehave(r *request) bool {
	s := x.server
	for _, refusal := range refusals[r.action] {
		if s.faults.take(refusal.name) {
			x.write(http.StatusInternalServerError, refusal.fault(&s.config).envelope(s.config.Machine, r.id))
			return true
		}
	}
	if r.action != actionReceive {
		return false
	}
	switch {
	case s.faults.take(FaultNotXML):
		x.write(http.StatusOK, []byte("<html><body>502 Bad Gateway<br></body>"))
	case s.faults.take(FaultStall):
		x.stall()
	case s.faults.take(FaultReset):
		x.reset()
	case s.faults.take(FaultDead):
		x.hold()
	default:
		return false
	}
	return true
}
