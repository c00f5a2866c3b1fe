package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oust/remediate/sqlite"
	"oust/transports/transporttest/sshdlab"
)

// A playbook whose script looks at every process of the host while it has the
// secret, keeps what it saw, and repeats the secret in its output; it fails
// the first time.
const tellTale = `format: 1
name: lab/kesl
title: Lab package with a password
vendor: Lab
platforms: [linux]
owns: [kesl]
confidence: unverified
detect:
  - package: {managers: [dpkg], names: [kesl]}
secrets:
  - {name: lab_password, what: the password of the lab package}
steps:
  - script:
      what: remove the lab package with its password
      text: |
        sha256sum <"$OUST_DIR/secrets/lab_password" >/var/tmp/arrived
        for f in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr '\0' ' ' <"$f"; echo; done >/var/tmp/processes 2>/dev/null
        printf 'the password is %s, thank you\n' "$(cat "$OUST_DIR/secrets/lab_password")"
        [ -e /var/tmp/refused ] || { : >/var/tmp/refused; printf '%s is refused\n' "$(cat "$OUST_DIR/secrets/lab_password")"; exit 3; }
        dpkg -P kesl
      exit: {0: ok}
residue:
  - {path: /var/opt/kaspersky/kesl, remove: true}
sources:
  - {claim: all of it, source: this test, confidence: unverified}
`

// TestSecretsStayUnseen carries three secrets through a whole campaign on a
// real host, and then looks for them in everything that was left or printed.
func TestSecretsStayUnseen(t *testing.T) {
	t.Parallel()
	const playbookSecret = `Pa$$ %w"o'rd & \n 漢字`
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 1})
	dir := realCampaign(t, l, "{user: ops, password: 'env:OUST_TEST_LOGIN', become: sudo, become_password: 'env:OUST_TEST_BECOME'}")
	edit(t, filepath.Join(dir, "campaign.yaml"), "playbooks: [kaspersky]", "playbooks: [./own]\nsecrets: {lab_password: 'env:OUST_TEST_SECRET'}")
	if err := os.Mkdir(filepath.Join(dir, "own"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "own", "kesl.yaml"), []byte(tellTale), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	plan := filepath.Join(dir, "plan.json")
	host := l.Hosts[0].Name
	for _, args := range [][]string{
		{"scan"}, {"plan", "-o", plan}, {"plan", "show", plan, host}, {"apply", plan, "--dry-run"}, {"apply", plan, "--json"},
		{"status"}, {"status", host}, {"serve", "--once", "--json"}, {"apply", "--resume"}, {"retry", "--class", "uninstaller", "--json"},
		{"exempt", host, "--reason", "audit", "--approver", "CISO", "--until", "2999-12-31"}, {"exempt", "--json"}, {"retry"},
		{"exempt", host, "--end", "--json"}, {"serve", "--unit"},
		{"verify"}, {"status", host}, {"status", host, "--json"}, {"playbook", "lint", "own/kesl.yaml"},
	} {
		c := command(t, dir, append([]string{"--log-level", "trace", "--log-file", filepath.Join(dir, "oust.log")}, args...)...)
		c.Env = append(c.Env, "OUST_TEST_LOGIN="+sshdlab.OpsPassword, "OUST_TEST_BECOME="+sshdlab.OpsPassword, "OUST_TEST_SECRET="+playbookSecret)
		c.Dir = dir
		out, err := c.CombinedOutput()
		said.Write(out)
		// The first apply is the one that fails.
		if first := args[0] == "apply" && args[len(args)-1] == "--json"; (err != nil) != first {
			t.Fatalf("oust %v: %v\n%s", args, err, out)
		}
	}

	root := l.Hosts[0].Root
	arrived, err := os.ReadFile(filepath.Join(root, "var/tmp/arrived"))
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(playbookSecret))); err != nil || !strings.HasPrefix(string(arrived), want) {
		t.Fatalf("the secret did not arrive as it was: %q, %v", arrived, err)
	}
	if n := l.Uninstalls(0); n != 1 {
		t.Fatalf("the uninstaller ran %d times", n)
	}
	places := map[string][]byte{"output": said.Bytes(), "store": stored(t, dir, l.Hosts[0].Name)}
	collect(t, places, dir)
	collect(t, places, filepath.Join(filepath.Dir(root), "upper"))
	for _, name := range []string{"oust.log", "plan.json", "oust.db", "processes"} {
		if !hasPlace(places, name) {
			t.Errorf("%s was not looked at", name)
		}
	}
	if !bytes.Contains(said.Bytes(), []byte("[redacted] is refused")) {
		t.Errorf("the failure was not told:\n%s", said.Bytes())
	}
	for place, data := range places {
		for _, secret := range []string{playbookSecret, sshdlab.OpsPassword, `Pa$$ %w\"o'rd`} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds a secret", place)
			}
		}
	}
	if !bytes.Contains(places["store"], []byte("the password is [redacted], thank you")) {
		t.Errorf("the log of the job is not in the store:\n%s", places["store"])
	}
}

func hasPlace(places map[string][]byte, base string) bool {
	for p := range places {
		if filepath.Base(p) == base {
			return true
		}
	}
	return false
}

// collect reads every file below a folder.
func collect(t *testing.T, places map[string][]byte, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stored is all that the store keeps of a host, unpacked.
func stored(t *testing.T, dir, host string) []byte {
	t.Helper()
	ctx := context.Background()
	s, err := sqlite.OpenReadOnly(ctx, filepath.Join(dir, storeName), sqlite.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var b bytes.Buffer
	for look, err := range s.HostLooks(ctx, host) {
		if err != nil {
			t.Fatal(err)
		}
		raw, err := s.Raw(ctx, look.RawDigest)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v\n%s\n", look, raw)
	}
	for at, err := range s.HostAttempts(ctx, host) {
		if err != nil {
			t.Fatal(err)
		}
		log := at.Log
		at.Log = nil
		fmt.Fprintf(&b, "%+v\n%s\n", at, log)
	}
	return b.Bytes()
}
