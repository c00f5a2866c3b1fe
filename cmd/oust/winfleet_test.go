package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate/engine"
	"oust/transports/lab"
	"oust/transports/lab/windows"
)

// TestWindowsFleet: every fault of a Windows host leads to the outcome that it
// must, no uninstaller runs twice in an attempt, and nothing is called removed
// that is not gone.
func TestWindowsFleet(t *testing.T) {
	t.Parallel()
	mix := oneOfEach(lab.WindowsFaults())
	fleet, dir := newLab(t, lab.Config{Windows: len(mix) + 8, Clean: 0.1, Seed: 7, WindowsFaults: mix, Speed: 100})
	scan := oust(t, dir, "scan", "--json")
	if scan.Code != engine.ExitFailed {
		t.Fatalf("scan: %d %s", scan.Code, scan.Err)
	}
	unseen, details := map[string]string{}, map[string]string{}
	for _, m := range messages(t, scan.Out) {
		if m.Type == "host_looked" && m.Class != "" {
			unseen[m.Host], details[m.Host] = m.Class, m.Detail
		}
	}
	// What hangs goes last and alone: the others have the time that they need.
	var hanging []string
	for _, h := range fleet.Hosts() {
		if h.Fault == windows.FaultHangs {
			hanging = append(hanging, h.Name)
		}
	}
	got := map[string]string{}
	for _, round := range []struct{ limit, job string }{{"!" + strings.Join(hanging, "+!"), "3m"}, {strings.Join(hanging, ","), "15s"}} {
		timing(t, dir, "job", round.job)
		must(t, engine.ExitOK, dir, "plan", "-o", dir+"/plan.json", "--limit", round.limit)
		apply := must(t, engine.ExitFailed, dir, "apply", dir+"/plan.json", "--json")
		maps.Copy(got, endings(t, apply.Out))
		for _, m := range messages(t, apply.Out) {
			if m.Type == "host_ended" {
				details[m.Host] = m.Detail
			}
		}
	}
	want := map[string]string{}
	for _, h := range fleet.Hosts() {
		end := h.Outcome
		if h.Class != "" {
			end += " " + h.Class
		}
		if class, ok := unseen[h.Name]; ok {
			got[h.Name] = "failed " + class
		}
		if end != "nothing-to-do" {
			want[h.Name] = end
		}
		state, err := fleet.State(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		if gone := len(state.Installed)+len(state.Files) == 0; !gone && got[h.Name] == "removed" {
			t.Errorf("%s (%s) is called removed and has %v %v", h.Name, h.Fault, state.Installed, state.Files)
		}
		if ranTwice(state.Starts) {
			t.Errorf("%s (%s): an uninstaller ran twice: %v", h.Name, h.Fault, state.Starts)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endings (-want +got):\n%s", diff)
		for _, h := range fleet.Hosts() {
			if want[h.Name] != got[h.Name] {
				t.Logf("%s has the fault %q: %s", h.Name, h.Fault, details[h.Name])
			}
		}
	}
}
