package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestWriteCampaign(t *testing.T) {
	f := newFleet(t, Config{Hosts: 3, Seed: 2, Faults: FaultMix{{Fault: faultHostKey, Hosts: 1}}})
	dir := filepath.Join(t.TempDir(), "fleet")
	if err := f.WriteCampaign(dir); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	hosts := strings.Split(strings.TrimSpace(read(hostsFile)), "\n")
	if len(hosts) != 4 || !strings.HasPrefix(hosts[1], "lab-0001,127.0.0.1,") {
		t.Errorf("hosts.csv: %q", hosts)
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	if _, err := ssh.ParsePrivateKey([]byte(read(keyFile))); err != nil {
		t.Error(err)
	}
	if known := read(knownHostsFile); strings.Count(known, "ssh-ed25519") != 3 || known != f.KnownHosts() {
		t.Errorf("known_hosts: %s", known)
	}
	if err := f.WriteCampaign(dir); err == nil || !strings.Contains(err.Error(), "campaign.yaml") {
		t.Errorf("over another campaign: %v", err)
	}
	if err := f.WriteCampaign(filepath.Join(dir, hostsFile)); err == nil {
		t.Error("a campaign was written into a file")
	}
}

// TestStateFile: it tells the truth when it is written, and again when the
// fleet is closed.
func TestStateFile(t *testing.T) {
	f, h := oneHostWith(t, Config{}, lot{kind: kindNamed(t, "debian"), products: setOf(kesl, klnagent)})
	path := filepath.Join(t.TempDir(), StateFile)
	if err := f.DumpTo(path); err != nil {
		t.Fatal(err)
	}
	read := func() HostState {
		t.Helper()
		data, err := os.ReadFile(path)
		var s FleetState
		if err == nil {
			err = json.Unmarshal(data, &s)
		}
		if err != nil || len(s.Hosts) != 1 {
			t.Fatalf("%v: %s", err, data)
		}
		return s.Hosts[0]
	}
	if s := read(); len(s.Installed) != 2 || len(s.Files) == 0 || len(s.Counts) != 0 || s.OS != "debian" || s.BootID == "" {
		t.Errorf("at the start: %+v", s)
	}
	const attempt = "06h0t7w9mv27wx7fyr35nyt4pr"
	run(t, h, "OUST_DIR=/var/lib/oust/"+attempt+"/l-1 dpkg --purge kesl")
	run(t, h, "dpkg --purge klnagent64")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s := read()
	if len(s.Installed) != 0 || len(s.Files) != 0 || s.Counts["kesl"] != 1 || s.Counts["klnagent64"] != 1 {
		t.Errorf("at the end: %+v", s)
	}
	if len(s.Starts) != 2 || s.Starts[0].Attempt != attempt || s.Starts[1].Attempt != "" || s.Starts[0].At.IsZero() {
		t.Errorf("starts: %+v", s.Starts)
	}
	if left, err := filepath.Glob(filepath.Dir(path) + "/.*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := f.DumpTo(filepath.Join(path, "x")); err == nil {
		t.Error("a state file below a file")
	}
}
