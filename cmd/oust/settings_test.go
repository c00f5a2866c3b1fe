package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
	"oust/transports/lab"
)

func TestLowered(t *testing.T) {
	t.Parallel()
	kept := remediate.Campaign{Stop: remediate.StopRules{Failed: 0.05, FailedHosts: 20, Unreachable: 0.3}, Waves: []remediate.WaveSize{{Hosts: 1}}}
	for _, hosts := range []int{0, 1, 2, 1000} {
		if got := lowered(kept, hosts); got != nil {
			t.Errorf("nothing is lowered of %d hosts: %q", hosts, got)
		}
	}
	kept.Waves[0].Hosts = 500
	if got := lowered(kept, 501); got != nil {
		t.Errorf("one host is left for the second wave: %q", got)
	}
	if got := lowered(kept, 500); len(got) != 1 || got[0] != "waves: all hosts at once" {
		t.Errorf("a first wave of all hosts: %q", got)
	}
	got := lowered(remediate.Campaign{
		SSH: remediate.SSHSettings{HostKeys: "accept-new"}, WinRM: remediate.WinRMSettings{Verify: "none", Plain: true},
		Creds: map[string]remediate.CredentialSpec{"windows": {Auth: "basic"}, "linux": {}},
		Stop:  remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 1}, Waves: []remediate.WaveSize{{Share: 1}},
		Reboot: remediate.RebootSettings{Policy: remediate.RebootAlways}, Retry: map[remediate.Class]remediate.RetryRule{remediate.ClassBusy: {Tries: -1}},
	}, 10)
	want := []string{
		"credentials.windows.auth: basic", "reboot.policy: always", "retry.busy.tries: without end", "ssh.host_keys: accept-new", "stop.failed: 100%",
		"stop.failed_hosts: none", "stop.unreachable: 100%", "waves: all hosts at once", "winrm.plain: true", "winrm.verify: none",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSettingsAreRecorded: once, and again when they have changed.
func TestSettingsAreRecorded(t *testing.T) {
	t.Parallel()
	_, dir := newLab(t, lab.Config{Hosts: 2, Seed: 1})
	edit := func(name, from, to string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(text), from, to, 1)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	must(t, 0, dir, "scan")
	must(t, engine.ExitFailed, dir, "verify")
	first := recordedSettings(t, dir)
	if len(first) != 1 || !strings.HasPrefix(first[0].Campaign, "sha256:") || len(first[0].Inventory) != 2 || first[0].Inventory[1].Name != resolvedName || len(first[0].Playbooks) == 0 || first[0].Mandate.Digest == "" || len(first[0].Probes) == 0 {
		t.Fatalf("%+v", first)
	}
	edit("hosts.csv", "\n", "\n\n") // moves lines, and changes no host
	must(t, engine.ExitFailed, dir, "verify")
	second := recordedSettings(t, dir)
	if len(second) != 2 || second[1].Inventory[0] == first[0].Inventory[0] || second[1].Inventory[1] != first[0].Inventory[1] {
		t.Fatalf("%+v", second)
	}
	edit("campaign.yaml", "failed_hosts: 2", "failed_hosts: 3")
	must(t, 0, dir, "plan", "-o", filepath.Join(dir, "plan.json"))
	third := recordedSettings(t, dir)
	if len(third) != 3 || third[2].Campaign == first[0].Campaign || strings.Join(third[2].Lowered, "; ") != "stop.failed: 100%; stop.unreachable: 100%" {
		t.Fatalf("%+v", third)
	}
}

func recordedSettings(t *testing.T, dir string) (out []remediate.Settings) {
	t.Helper()
	s, err := sqlite.OpenReadOnly(context.Background(), filepath.Join(dir, storeName), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for e, err := range s.Ledger(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := ledger.Decode(e.Text)
		if err != nil || r.By == "" {
			t.Fatalf("record %d: %v, by %q", e.Number, err, r.By)
		}
		if b, is := r.Body.(remediate.Settings); is {
			out = append(out, b)
		}
	}
	return out
}
