package probe

import (
	"fmt"
	"regexp"
	"strings"

	"oust/remediate"
)

// maxRunning is how many services are read of which it is told whether they
// run.
const maxRunning = 10_000

// unitStates are the words of "systemctl is-active" that say whether a service
// runs. Source: systemctl(1), is-active; systemd's unit-def.c for the words.
var unitStates = map[string]remediate.RunState{
	"active": remediate.ServiceRunning, "reloading": remediate.ServiceRunning, "refreshing": remediate.ServiceRunning,
	"inactive": remediate.ServiceStopped, "failed": remediate.ServiceStopped, "activating": remediate.ServiceStopped,
	"deactivating": remediate.ServiceStopped, "maintenance": remediate.ServiceStopped,
}

// running reads the names that were asked for, "service NAME", and then a word
// of systemd for each, in their order. With more or fewer words than names
// nothing is known. An older systemd says "unknown" of a unit that it has not
// loaded, and also where it could not be asked.
func (r *reader) running() error {
	var names, words []string
	for _, l := range r.lines("running") {
		if name, ok := strings.CutPrefix(l, "service "); ok && len(words) == 0 {
			names = append(names, clean(name))
		} else {
			words = append(words, l)
		}
	}
	if len(names) > maxRunning {
		return fmt.Errorf("the host answers for %d services; at most %d are read", len(names), maxRunning)
	}
	for i, name := range names {
		word := ""
		if len(words) == len(names) {
			word = words[i]
		}
		r.facts.Running = append(r.facts.Running, remediate.RunningFact{Service: name, State: r.unitState(name, word)})
	}
	return nil
}

// unitState makes a state of systemd's word for a service. One of which there
// is no unit file, on a host whose systemd listed some, is absent.
func (r *reader) unitState(name, word string) remediate.RunState {
	listed, known := false, false
	for _, s := range r.facts.Services {
		listed = listed || s.Manager == "systemd" && s.State != ""
		known = known || s.Name == name
	}
	state, ok := unitStates[word]
	switch {
	case listed && !known && (state == remediate.ServiceStopped || word == "unknown"):
		return remediate.ServiceAbsent
	case !ok:
		return remediate.ServiceUnknown
	}
	return state
}

// stateLine is a line of sc.exe that gives a number and the word for it: first
// the type, then the state. What stands before the colon is in the host's
// language.
var stateLine = regexp.MustCompile(`^ +\S[^:]*: ([0-9A-Fa-f]{1,8}) +[A-Z_]{3,}`)

// running reads the answers about services:
//
//	service NAME
//	what sc.exe says of it
//	rc N
//
// A state of 4 is running; 1060 is what sc.exe ends with for a service that is
// not there. Source: Microsoft, "SERVICE_STATUS structure" and "System Error
// Codes". An answer in another form leaves the service unknown.
func (w *winReader) running() error {
	asked := false
	var numbers []string
	for _, l := range w.all("running") {
		word, rest, _ := strings.Cut(l, " ")
		m := stateLine.FindStringSubmatch(l)
		switch {
		case word == "service":
			numbers, asked = nil, true
			w.facts.Running = append(w.facts.Running, remediate.RunningFact{Service: clean(rest), State: remediate.ServiceUnknown})
		case !asked:
		case word == "rc":
			w.facts.Running[len(w.facts.Running)-1].State = serviceState(rest, numbers)
			asked = false
		case m != nil:
			numbers = append(numbers, m[1])
		}
	}
	if n := len(w.facts.Running); n > maxRunning {
		return fmt.Errorf("the host answers for %d services; at most %d are read", n, maxRunning)
	}
	return nil
}

// serviceState makes a state of sc.exe's exit code and of its numbers: type,
// state, and perhaps more.
func serviceState(code string, numbers []string) remediate.RunState {
	switch {
	case code == "1060":
		return remediate.ServiceAbsent
	case code != "0" || len(numbers) < 2:
		return remediate.ServiceUnknown
	}
	switch numbers[1] {
	case "4":
		return remediate.ServiceRunning
	case "1", "2", "3", "5", "6", "7":
		return remediate.ServiceStopped
	}
	return remediate.ServiceUnknown
}
