package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"oust/transports"
	"oust/transports/lab"
)

// The secrets of the campaign below, each of its own, by what they are for.
// sudo asks for the password of the account.
var planted = map[string]string{
	"ssh and sudo password": `Lx4&"p'<%41>\ö!login`,
	"key passphrase":        `Kp5 key'phrase & more`,
	"winrm password":        `Wr6&"q<%zz>\admin`,
	"product password":      `Pr7&x'<%41>^y!z`,
	"playbook secret":       `Sb8$(id) "q" 'r' \n ü`,
	"encoded secret":        `He9&hex"ä`,
	"ledger passphrase":     `Lp10 ledger'phrase & more`,
	"witness passphrase":    `Wp11 witness"phrase`,
}

// confessing is a playbook whose script repeats its secrets in what it prints,
// and the first time in the line that says why it failed.
const confessing = `format: 1
name: lab/kesl
title: Lab package with passwords
vendor: Lab
platforms: [linux]
owns: [kesl]
confidence: unverified
detect:
  - package: {managers: [dpkg, rpm], names: [kesl]}
secrets:
  - {name: lab_plain, what: the password of the lab package}
  - {name: lab_encoded, encoding: utf16le-hex, what: the same in another form}
steps:
  - script:
      what: remove the lab package with its passwords
      text: |
        printf 'given %s and %s\n' "$(cat "$OUST_DIR/secrets/lab_plain")" "$(cat "$OUST_DIR/secrets/lab_encoded")"
        [ -e /var/tmp/refused ] || { : >/var/tmp/refused; printf '%s is refused\n' "$(cat "$OUST_DIR/secrets/lab_plain")"; exit 3; }
        if command -v dpkg >/dev/null; then dpkg -P kesl; else rpm -e kesl; fi
      exit: {0: ok}
residue:
  - {path: /var/opt/kaspersky/kesl, remove: true}
sources:
  - {claim: all of it, source: this test, confidence: unverified}
`

// confession is all secrets in all forms, as an uninstaller might print them.
// Windows Installer's log is text, so that what is no text has no place there.
func confession(text bool) string {
	var b strings.Builder
	b.WriteString("the confession begins\n")
	for _, name := range slices.Sorted(maps.Keys(planted)) {
		if name == "witness passphrase" { // a command's, and no campaign's
			continue
		}
		forms := disguises(planted[name])
		for _, form := range slices.Sorted(maps.Keys(forms)) {
			if !text || !strings.HasPrefix(form, "utf-16") || !strings.HasSuffix(form, "plain") {
				fmt.Fprintf(&b, "<%s>\n", forms[form])
			}
		}
	}
	b.WriteString("the confession ends\n")
	return b.String()
}

// redactionLab is a fleet of either kind with its campaign folder; secrets
// stand outside of it.
type redactionLab struct {
	dir           string
	unix, windows *lab.Fleet
	env           []string
}

func newRedactionLab(t *testing.T) *redactionLab {
	t.Helper()
	l := &redactionLab{dir: filepath.Join(t.TempDir(), "campaign")}
	start := func(c lab.Config) *lab.Fleet {
		c.Speed = 100
		fleet, err := lab.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = fleet.Close() })
		return fleet
	}
	l.unix = start(lab.Config{
		Hosts: 8, Seed: 3, Password: transports.NewSecret(planted["ssh and sudo password"]), Says: confession(false),
		Faults: lab.FaultMix{{Fault: "login-refused", Hosts: 1}},
	})
	l.windows = start(lab.Config{
		Windows: 6, Seed: 4, Password: transports.NewSecret(planted["winrm password"]), Says: confession(true),
		ProductPassword: transports.NewSecret(planted["product password"]),
		WindowsFaults:   lab.FaultMix{{Fault: "wrong-password", Hosts: 1}, {Fault: "installer-fails", Hosts: 1}},
	})
	l.write(t)
	return l
}

// write makes the campaign folder, and the secrets in files and variables.
func (l *redactionLab) write(t *testing.T) {
	t.Helper()
	elsewhere := t.TempDir()
	key, err := ssh.MarshalPrivateKeyWithPassphrase(l.unix.ClientKey(), "lab", []byte(planted["key passphrase"]))
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, content string) string {
		path := filepath.Join(elsewhere, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, variable := range map[string]string{
		"ssh and sudo password": "LOGIN", "winrm password": "WINRM", "playbook secret": "PLAIN", "encoded secret": "ENCODED",
		"ledger passphrase": "LEDGER", "witness passphrase": "WITNESS",
	} {
		l.env = append(l.env, "OUST_TEST_"+variable+"="+planted[name])
	}
	yaml := fmt.Sprintf(`campaign: redaction
mandate: bod-17-01
issued: 2026-10-01
inventory: [hosts.csv]
playbooks: [kaspersky/kes-windows, kaspersky/klnagent, ./own]
credentials:
  key: {user: root, key: %q, key_passphrase: 'file:%s'}
  login: {user: ops, password: 'env:OUST_TEST_LOGIN', become: sudo, become_password: 'env:OUST_TEST_LOGIN'}
  windows: {user: ops, password: 'env:OUST_TEST_WINRM', auth: ntlm}
secrets:
  kes_windows_password: 'file:%s'
  klnagent_windows_password: 'file:%s'
  lab_plain: 'env:OUST_TEST_PLAIN'
  lab_encoded: 'env:OUST_TEST_ENCODED'
ledger: {key: oust.key, passphrase: 'env:OUST_TEST_LEDGER'}
ssh: {known_hosts: known_hosts, host_keys: strict, config: none}
winrm: {ca: ca.pem}
waves: [100%%]
stop: {failed: 100%%, failed_hosts: 100, unreachable: 100%%}
timing: {connect: 30s, probe: 2m, launch_wait: 10s, job: 1m, poll: 1s, busy_wait: 30s}
`, file("key", string(pem.EncodeToMemory(key))), file("phrase", planted["key passphrase"]),
		file("product", planted["product password"]), file("product2", planted["product password"]))
	hosts := "name,address,port,platform,transport,credential\n"
	for i, h := range l.unix.Hosts() {
		hosts += fmt.Sprintf("%s,%s,%d,linux,ssh,%s\n", h.Name, h.Address, h.Port, []string{"key", "login"}[i%2])
	}
	for _, h := range l.windows.Hosts() {
		hosts += fmt.Sprintf("%s,%s,%d,windows,winrm,windows\n", h.Name, h.Address, h.Port)
	}
	if err := os.MkdirAll(filepath.Join(l.dir, "own"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"campaign.yaml": yaml, "hosts.csv": hosts, "known_hosts": l.unix.KnownHosts(), "ca.pem": string(l.windows.Authority()), "own/kesl.yaml": confessing,
	} {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// boast has hosts name secrets in what a look asks: one that is as long as a
// release may be, so that the look tells it.
func (l *redactionLab) boast(t *testing.T) {
	t.Helper()
	for _, h := range l.unix.Hosts() {
		if h.Fault != "" {
			continue
		}
		conn, err := l.unix.Dialer().Dial(t.Context(), transports.Target{Host: h.Name, Credential: transports.Credential{User: "root", KeyFile: "any"}})
		if err != nil {
			t.Fatal(err)
		}
		text := "PRETTY_NAME=\"Linux of " + strings.NewReplacer(`"`, `\"`, `\`, `\\`, `$`, `\$`).Replace(planted["playbook secret"]) + "\"\n"
		res, err := conn.Run(t.Context(), transports.Command{Line: "cat >>/etc/os-release", Stdin: []byte(text)})
		if err != nil || res.Exit != 0 {
			t.Fatalf("%s: %v %s", h.Name, err, res.Stderr)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// run is a command with the log as loud as it can be. It adds to what was
// said, and returns the exit code.
func (l *redactionLab) run(t *testing.T, said *bytes.Buffer, args ...string) int {
	t.Helper()
	c := command(t, l.dir, append([]string{"--log-level", "trace", "--log-file", filepath.Join(l.dir, "oust.log")}, args...)...)
	c.Env, c.Dir = append(c.Env, l.env...), l.dir
	out, err := c.CombinedOutput()
	fmt.Fprintf(said, "oust %v\n%s\n", args, out)
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode()
}

// TestRedaction carries a secret of each kind through a whole campaign in
// which hosts repeat all of them in all forms, and then searches everything
// that was written or printed, and the hosts, for every form of every one.
func TestRedaction(t *testing.T) {
	t.Parallel()
	l := newRedactionLab(t)
	l.boast(t)
	var said bytes.Buffer
	witness := filepath.Join(t.TempDir(), "witness.key")
	plan := filepath.Join(l.dir, "plan.json")
	linux, windows := l.unix.Hosts()[1].Name, l.windows.Hosts()[0].Name
	for _, args := range [][]string{
		{"hosts", "--json"}, {"scan"}, {"plan", "-o", plan}, {"plan", "show", plan, linux}, {"plan", "show", plan, windows},
		{"apply", plan, "--dry-run", "--json"}, {"apply", plan, "--json"}, {"status"}, {"status", "--json"},
		{"status", linux}, {"status", linux, "--json"}, {"status", windows}, {"serve", "--once", "--json"},
		{"retry", "--class", "uninstaller", "--json"}, {"retry", "--class", "protected"}, {"verify", "--json"},
		{"exempt", windows, "--reason", "audit", "--approver", "CISO", "--until", "2999-12-31"}, {"exempt", "--json"},
		{"status", "--json"}, {"scan", "--json"}, {"status", linux}, {"status", windows, "--json"},
		{"report", "identify", "-o", "i.html", "-o", "i.csv", "-o", "i.json", "-o", "i.oscal.json"},
		{"report", "identify", "--submit", "the department", "i.html", "i.csv"},
		{"report", "plan", "-o", "p.html", "-o", "p.csv", "-o", "p.json", "-o", "p.oscal.json"},
		{"report", "status", "-o", "s.html", "-o", "s.csv", "-o", "s.json", "-o", "s.oscal.json"},
		{"report", "status"}, {"audit", "--bundle", "all.zip", "--raw"}, {"audit", "--bundle", "one.zip", "--host", windows, "--raw"},
		{"audit", "--json"}, {"audit", "--head"}, {"audit", "--new-key", witness, "--name", "auditor.example", "--key-passphrase", "env:OUST_TEST_WITNESS"},
		{"audit", "--rotate"},
	} {
		if code := l.run(t, &said, args...); code != 0 && code != 2 {
			t.Fatalf("oust %v: exit code %d\n%s", args, code, said.Bytes())
		}
	}
	places := map[string][]byte{"output": said.Bytes()}
	collect(t, places, l.dir)
	key, err := os.ReadFile(filepath.Join(l.dir, "oust.key"))
	if err != nil {
		t.Fatal(err)
	}
	unpacked(t, places)
	l.hosts(t, places)
	for place, text := range places {
		if bytes.Contains(text, bytes.TrimSpace(key)) && filepath.Base(place) != "oust.key" {
			t.Errorf("%s holds the key of the ledger", place)
		}
		for _, leak := range leaks(text, planted) {
			t.Errorf("%s holds the %s", place, leak)
		}
	}
	l.complete(t, places)
}

// hosts adds the files of all hosts.
func (l *redactionLab) hosts(t *testing.T, places map[string][]byte) {
	t.Helper()
	for _, fleet := range []*lab.Fleet{l.unix, l.windows} {
		for _, h := range fleet.Hosts() {
			err := fleet.Files(h.Name, func(path string, content []byte) {
				if path != "/etc/os-release" && path != "/usr/lib/os-release" { // see boast
					places[h.Name+": "+path] = slices.Clone(content)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// complete reports a search that has passed by what it should have looked at:
// hosts have said what they should not, and it was told with the secrets out
// of it.
func (l *redactionLab) complete(t *testing.T, places map[string][]byte) {
	t.Helper()
	rows := places[filepath.Join(l.dir, storeName)+" rows"]
	for _, want := range []string{
		"logs.data unpacked: ", "the confession begins", "the confession ends", "given [redacted] and [redacted]", "[redacted] is refused",
		"Linux of [redacted]", "Error 27300",
	} {
		if !bytes.Contains(rows, []byte(want)) {
			t.Errorf("the store does not hold %q", want)
		}
	}
	for _, want := range []string{"oust.log", "plan.json", storeName, "s.html", "s.csv", "i.json", "p.oscal.json", "all.zip", "one.zip"} {
		if len(places[filepath.Join(l.dir, want)]) == 0 {
			t.Errorf("%s was not looked at", want)
		}
	}
	for place := range places {
		if strings.Contains(place, ": /var/lib/oust/") || strings.Contains(strings.ToLower(place), `: c:\programdata\oust\`) {
			t.Errorf("left on a host: %s", place)
		}
	}
}
