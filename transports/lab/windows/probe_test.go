package windows

import (
	"testing"

	"oust/remediate"
)

// TestLook: a look at each release is whole, and the playbooks find what is
// installed and nothing else.
func TestLook(t *testing.T) {
	l := library(t)
	for name, c := range map[string]struct {
		products []*Product
		want     []string
	}{
		"clean":      {nil, nil},
		"both":       {[]*Product{KES, NetworkAgent}, []string{"kaspersky/kes-windows", "kaspersky/klnagent"}},
		"agent only": {[]*Product{NetworkAgent, ToolBar}, []string{"kaspersky/klnagent"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, nil, c.products...)
			f := m.facts("ops", l.Questions(remediate.Windows))
			if len(f.Incomplete) > 0 {
				t.Errorf("incomplete: %q", f.Incomplete)
			}
			var got []string
			for _, finding := range l.Match(f) {
				got = append(got, finding.Playbook)
			}
			if len(got) != len(c.want) {
				t.Fatalf("found %q, want %q", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("found %q, want %q", got, c.want)
				}
			}
			if f.BootID != m.BootID() || !f.Privilege.Root || f.OS.Version != "10.0" || f.HostTime.IsZero() || f.Uptime.Hours() < 49 {
				t.Errorf("boot id %q (%q), root %t, version %q, time %v, uptime %v", f.BootID, m.BootID(), f.Privilege.Root, f.OS.Version, f.HostTime, f.Uptime)
			}
		})
	}
}

func TestLookWithoutRights(t *testing.T) {
	m := newMachine(t, nil, KES)
	if f := m.facts("guest", library(t).Questions(remediate.Windows)); f.Privilege.Root {
		t.Errorf("guest is said to be an administrator: %+v", f.Privilege)
	}
	if r := m.as("guest", `md "C:\Program Files\x"`); r.exit == 0 {
		t.Errorf("guest wrote to Program Files: %+v", r)
	}
}
