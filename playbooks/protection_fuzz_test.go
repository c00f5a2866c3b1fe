package playbooks

import (
	"slices"
	"testing"

	"oust/remediate"
)

// FuzzBare: whatever a host says, Bare is one bounded line that is fit for a
// terminal, does not depend on the order of the facts, and calls no host
// protected of which nothing says so.
func FuzzBare(f *testing.F) {
	f.Add("WinDefend", "running", "DisableAntiSpyware=0", "10.0", "ESET Endpoint Security", "present", byte(3))
	f.Add("windefend", "stopped", "PassiveMode=1 by policy\n", "5.\x1b[31m", "\u202e", "denied", byte(0))
	f.Add("ekrn", "unknown", "=", "6.1", "ESET Endpoint", "", byte(7))
	l := guardLibrary(f)
	f.Fuzz(func(t *testing.T, service, state, value, version, name, kind string, which byte) {
		facts := windowsHost(entry(name))
		facts.OS.Version = version
		running(facts, remediate.RunState(state), service, "ekrn")
		if which&1 != 0 {
			running(facts, remediate.ServiceStopped, "WinDefend")
		}
		facts.Paths = []remediate.PathFact{{Path: otherPath, Kind: remediate.PathKind(kind)}}
		facts.Windows.Keys = []remediate.KeyFact{{Key: otherKey, Kind: remediate.KeyKind(kind)}, {Key: otherKey, Kind: remediate.KeyAbsent}}
		if which&2 != 0 {
			facts.Incomplete = []string{name}
		}
		defender(facts, value)
		removed := []string{"acme/guard", name}
		got := l.Bare(facts, removed)
		if !printable(got) || len(got) > remediate.MaxText {
			t.Errorf("not fit for a terminal: %q", got)
		}
		if says := state == string(remediate.ServiceRunning) || kind == string(remediate.KeyPresent) || len(l.Match(facts)) > 0; got == "" && !says {
			t.Errorf("nothing says that the host is protected: %+v", facts)
		}
		slices.Reverse(facts.Windows.Keys)
		slices.Reverse(facts.Windows.Uninstall)
		if again := l.Bare(facts, []string{name, "acme/guard", "acme/guard"}); again != got {
			t.Errorf("the order of the facts matters:\n%s\n%s", got, again)
		}
	})
}
