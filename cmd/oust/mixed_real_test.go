package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oust/remediate"
	"oust/transports/transporttest/sshdlab"
	"oust/transports/transporttest/winelab"
)

// winePasswords are in the environment of all tests, for those that run side by
// side.
var winePasswords = map[string]string{
	"OUST_TEST_KES": winelab.KESPassword, "OUST_TEST_AGENT": winelab.AgentPassword, "OUST_TEST_WINE": winelab.Password,
}

// mixedCampaign writes a campaign folder for real Linux hosts and Windows hosts
// of wine.
func mixedCampaign(t *testing.T, l *sshdlab.Lab, windows []*winelab.Host) string {
	t.Helper()
	dir := realCampaign(t, l, rootCredential)
	var roots []byte
	for _, h := range windows {
		pem, err := os.ReadFile(h.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, pem...)
	}
	hosts := "name,address,port,platform,transport,credential\n"
	for _, h := range l.Hosts {
		hosts += fmt.Sprintf("%s,%s,%d,linux,ssh,real\n", h.Name, h.Addr, h.Port)
	}
	for _, h := range windows {
		hosts += fmt.Sprintf("%s,%s,%d,windows,winrm,windows\n", h.Target.Host, h.Target.Address, h.Target.Port)
	}
	yaml, err := os.ReadFile(filepath.Join(dir, "campaign.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(yaml), "credentials:\n", "secrets: {kes_windows_password: 'env:OUST_TEST_KES', klnagent_windows_password: 'env:OUST_TEST_AGENT'}\n"+
		"winrm: {ca: ca.pem}\ncredentials:\n  windows: {user: "+winelab.User+", password: 'env:OUST_TEST_WINE', auth: ntlm}\n", 1)
	text = strings.Replace(text, "launch_wait: 30s", "launch_wait: 2m, probe: 3m", 1)
	for name, data := range map[string][]byte{"campaign.yaml": []byte(text), "hosts.csv": []byte(hosts), "ca.pem": roots} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMixedRealHosts is the whole way on twenty real sshd hosts and six Windows
// hosts of wine, from scan to status. Registry and files of the hosts are
// looked at past oust, and the passwords are searched for in all that it left.
func TestMixedRealHosts(t *testing.T) {
	t.Parallel()
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 14, RPM: 6, Packages: sshdlab.All})
	var windows []*winelab.Host
	for i := range 6 {
		windows = append(windows, winelab.Start(t, winelab.Options{Name: fmt.Sprintf("win%d", i+1), MSIs: []string{winelab.KES, winelab.Agent}}))
	}
	dir := mixedCampaign(t, l, windows)
	plan := filepath.Join(dir, "plan.json")
	var said bytes.Buffer
	say := func(want int, args ...string) result {
		r := must(t, want, dir, args...)
		said.WriteString(r.Out + r.Err)
		return r
	}
	say(0, "scan")
	if s := status(t, dir); s.Standing[remediate.StandPresent] != 26 {
		t.Fatalf("after scan: %+v", s)
	}
	say(0, "plan", "-o", plan)
	say(0, "plan", "show", plan, "win1")
	ends := endings(t, say(0, "apply", plan, "--dry-run", "--json").Out)
	if n := count(ends, "ready"); n != 26 {
		t.Errorf("dry run: %v", ends)
	}
	ends = endings(t, say(2, "apply", plan, "--json").Out)
	if count(ends, "removed") != 20 || count(ends, "reboot-pending") != 6 {
		t.Errorf("apply: %v", ends)
	}
	for _, h := range windows {
		const uninstall = `HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\`
		if h.RegExists(uninstall+winelab.KESCode) || h.RegExists(uninstall+winelab.AgentCode) {
			t.Errorf("%s: an uninstall key is still there", h.Target.Host)
		}
		for _, path := range []string{`C:\Program Files (x86)\Kaspersky Lab`, `C:\Program Files\oust`} {
			if h.FileExists(path) {
				t.Errorf("%s: %s is still there", h.Target.Host, path)
			}
		}
		h.Reboot()
	}
	for i, h := range l.Hosts {
		for _, p := range []string{"kesl", "klnagent64"} {
			if l.Installed(i, p) {
				t.Errorf("%s: %s is still installed", h.Name, p)
			}
		}
	}
	say(0, "verify")
	say(0, "status")
	say(0, "status", "win1")
	if s := status(t, dir); s.Standing[remediate.StandRemoved] != 26 || failures(s) != 0 {
		t.Errorf("status: %+v", s)
	}
	noSecrets(t, dir, said.Bytes(), winelab.Password, winelab.KESPassword, "6c0061006200")
}

// noSecrets fails if a secret is in what was said or in the campaign's folder.
func noSecrets(t *testing.T, dir string, said []byte, secrets ...string) {
	t.Helper()
	texts := map[string][]byte{"output": said}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		texts[name], err = os.ReadFile(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if i := slices.IndexFunc(secrets, func(s string) bool { return bytes.Contains(bytes.ToLower(text), []byte(strings.ToLower(s))) }); i >= 0 {
			t.Errorf("%s holds secret %d", name, i+1)
		}
	}
}
