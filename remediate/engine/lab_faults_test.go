package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/lab"
)

// victims chooses a host for each fault on each package manager.
func (r *labRig) victims() map[string]lab.Fault {
	manager := map[string]string{"debian": "dpkg", "ubuntu": "dpkg", "rhel": "rpm", "sles": "rpm"}
	free := map[string][]string{}
	for _, h := range r.fleet.Hosts() {
		free[manager[h.OS]] = append(free[manager[h.OS]], h.Name)
	}
	out := map[string]lab.Fault{}
	for _, f := range lab.Faults() {
		for _, m := range []string{"dpkg", "rpm"} {
			out[free[m][0]], free[m] = f, free[m][1:]
		}
	}
	return out
}

// TestLabFaults: each fault that befalls a host after the plan ends in the
// outcome and class that the lab says it must; hosts without one are removed.
func TestLabFaults(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 80, Seed: 5})
	r.scan(t)
	plan := r.plan(t)
	for name, f := range r.victims() {
		if err := r.fleet.SetFault(name, f.Name); err != nil {
			t.Fatal(err)
		}
	}
	// The job that hangs is the last; it need not be waited for in real time.
	r.onEvent = func(engine.Event) {
		if len(r.ended) == len(r.hosts)-2 {
			r.late.Store(int64(time.Hour))
		}
	}
	r.apply(t, plan)
	for _, h := range r.fleet.Hosts() {
		got := r.ended[h.Name]
		if string(got.Kind) != h.Outcome || string(got.Class) != h.Class {
			t.Errorf("%s (%s, %s): %+v, want %s %s", h.Name, h.OS, h.Fault, got, h.Outcome, h.Class)
		}
		switch {
		case h.Outcome == string(remediate.OutcomeRemoved):
			r.gone(t, h)
		case h.Outcome == string(remediate.OutcomeRebootPending) || h.Class == string(remediate.ClassResidue):
			r.ranOnce(t, h)
		case h.Class == string(remediate.ClassUnreachable) || h.Class == string(remediate.ClassBusy):
			if starts, err := r.fleet.Starts(h.Name); err != nil || len(starts) > 0 {
				t.Errorf("%s (%s): uninstallers were started: %v, %v", h.Name, h.Fault, starts, err)
			}
		}
	}
}

// TestLabFaultTable: what the lab says of its faults is in the engine's words.
func TestLabFaultTable(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Faults() {
		if !slices.Contains(remediate.Outcomes(), remediate.OutcomeKind(f.Outcome)) {
			t.Errorf("%s: no outcome is called %q", f.Name, f.Outcome)
		}
		failed := f.Outcome == string(remediate.OutcomeFailed)
		if known := remediate.Class(f.Class).Known(); known != failed {
			t.Errorf("%s: outcome %q and class %q do not go together", f.Name, f.Outcome, f.Class)
		}
	}
}

// TestLabFaultsOfTheNetwork: what keeps a host from being looked at is seen in
// its own class by a scan.
func TestLabFaultsOfTheNetwork(t *testing.T) {
	t.Parallel()
	mix, err := lab.ParseFaults("refused=1,silent=1,wrong-host-key=1,login-refused=1,slow=1,lock-held=1")
	if err != nil {
		t.Fatal(err)
	}
	r := newLabRig(t, lab.Config{Hosts: 8, Seed: 6, Faults: mix})
	sum := r.scan(t)
	for _, h := range r.fleet.Hosts() {
		got, class := r.looked[h.Name], h.Class
		if h.Fault == "lock-held" {
			class = "" // a look does not mind
		}
		if string(got.Class) != class {
			t.Errorf("%s (%s): class %q (%s), want %q", h.Name, h.Fault, got.Class, got.Detail, class)
		}
	}
	if sum.Standings[remediate.StandPresent] != 4 || len(sum.Failed) != 4 {
		t.Errorf("scan: %+v, want 4 hosts present and 4 failed, each in its class", sum)
	}
}

// TestLabReboot: a host that is restarted in mid-uninstall has lost its job,
// and the next plan removes what is left.
func TestLabReboot(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 4, Seed: 7})
	r.scan(t)
	plan := r.plan(t)
	for _, h := range r.fleet.Hosts() {
		if err := r.fleet.SetFault(h.Name, "hangs"); err != nil {
			t.Fatal(err)
		}
	}
	rebooted := map[string]bool{}
	done := make(chan error, len(r.hosts))
	r.onEvent = func(e engine.Event) {
		if step, ok := e.(engine.HostStep); ok && step.Step == "join" && !rebooted[step.Host] {
			rebooted[step.Host] = true
			_ = r.fleet.SetFault(step.Host, "")
			go func() { done <- r.fleet.Reboot(step.Host) }()
		}
	}
	r.apply(t, plan)
	for _, h := range r.fleet.Hosts() {
		if err := <-done; err != nil {
			t.Error(err)
		}
		if o := r.ended[h.Name]; o.Class != remediate.ClassUninstaller || !strings.Contains(o.Detail, "without an exit code") {
			t.Errorf("%s: %+v, want class uninstaller", h.Name, o)
		}
	}
	r.newEngine(t)
	r.scan(t)
	if sum := r.apply(t, r.plan(t)); sum.Outcomes[remediate.OutcomeRemoved] != len(r.hosts) {
		t.Errorf("after the reboot: %+v %+v", sum, r.ended)
	}
}

// TestLabRebootPending: what asks for a reboot is removed after it.
func TestLabRebootPending(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 6, Seed: 8, Faults: lab.FaultMix{{Fault: "reboot-needed", Share: 1}}})
	r.scan(t)
	if sum := r.apply(t, r.plan(t)); sum.Outcomes[remediate.OutcomeRebootPending] != len(r.hosts) {
		t.Errorf("apply: %+v %+v", sum, r.failures())
	}
	for _, h := range r.hosts {
		if err := r.fleet.Reboot(h.Name); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := r.engine.Verify(t.Context(), nil, r.hosts)
	if err != nil || sum.Standings[remediate.StandRemoved] != len(r.hosts) {
		t.Errorf("verify after the reboot: %+v, %v", sum, err)
	}
}
