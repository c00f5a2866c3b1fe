package engine_test

import (
	"strings"
	"testing"

	"oust/remediate"
	"oust/transports/transporttest/sshdlab"
	"oust/transports/transporttest/winelab"
)

// TestLibraryOnHosts: products with the names and keys that real ones have go
// by the playbooks that ship: packages of dpkg and rpm, products of Windows
// Installer, and one whose uninstaller copies itself and has a command without
// quotes.
func TestLibraryOnHosts(t *testing.T) {
	t.Parallel()
	r := newMixedRig(t, sshdlab.Options{Hosts: 1, RPM: 1}, windowsSecrets(),
		winelab.Options{MSIs: []string{winelab.KES, winelab.Agent}}, winelab.Options{})
	viewer := winelab.Product{Name: "TeamViewer", Publisher: "TeamViewer", Uninstaller: "uninstall.exe", Unquoted: true,
		Files: []string{"TeamViewer_Service.exe"}, Seconds: 2}
	r.windows[1].InstallProduct(viewer)
	plan := r.plan(t)
	r.apply(t, plan)

	found := map[string]bool{}
	for _, h := range plan.Hosts {
		for _, f := range h.Findings {
			found[f.Playbook] = true
		}
		at := r.outcome(t, h.Name)
		want := remediate.OutcomeRemoved
		if strings.Contains(string(h.Platform), "windows") && h.Name == "win1" {
			want = remediate.OutcomeRebootPending // Endpoint Security asks for it
		}
		if at.Outcome.Kind != want {
			t.Errorf("%s: outcome %+v, want %s\n%s\n%s", h.Name, at.Outcome, want, at.Result, at.Log)
		}
	}
	for _, name := range []string{"kaspersky/kesl", "kaspersky/kes-windows", "kaspersky/klnagent", "teamviewer/teamviewer"} {
		if !found[name] {
			t.Errorf("%s was found nowhere: %v", name, found)
		}
	}
	gone(t, r.windows[0])
	if r.windows[1].RegExists(viewer.Key()) || r.windows[1].FileExists(viewer.Dir()) {
		t.Error("TeamViewer is still there")
	}
}
