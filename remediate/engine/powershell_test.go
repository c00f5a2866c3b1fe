package engine

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
	"oust/remediate/storetest"
	"oust/transports"
)

// aWindowsHost is a host that answers the look as wine did, and the second
// question as second says. It keeps what it was sent.
type aWindowsHost struct {
	look   []byte // with nonce recordedNonce
	second func(nonce string) (string, error)

	mu   sync.Mutex
	sent []transports.Command
}

const recordedNonce = "0123456789abcdef0123456789abcdef"

var beginLine = regexp.MustCompile(`@([0-9a-f]{32}) begin`)

func (h *aWindowsHost) Run(_ context.Context, cmd transports.Command) (transports.Result, error) {
	h.mu.Lock()
	h.sent = append(h.sent, cmd)
	h.mu.Unlock()
	m := beginLine.FindSubmatch(cmd.Stdin)
	if m == nil {
		return transports.Result{}, errors.New("a command without frames")
	}
	if !isSecond(cmd) {
		return transports.Result{Stdout: bytes.ReplaceAll(h.look, []byte(recordedNonce), m[1])}, nil
	}
	out, err := h.second(string(m[1]))
	return transports.Result{Stdout: []byte(out)}, err
}

func (h *aWindowsHost) Close() error { return nil }

func isSecond(cmd transports.Command) bool {
	return bytes.Contains(cmd.Stdin, []byte(probe.KindPowerShell))
}

// answer is a second answer whose lines are short and plain.
func answer(nonce, profiles string) string {
	at := "@" + nonce + " "
	text := at + "begin " + probe.KindPowerShell + "\n" + at + "section host\n.version 5.1.1\n.language FullLanguage\n.done\n" +
		at + "section appx\n.name Vendor.App\n.done\n" + at + "section security\n.none\n.done\n" +
		at + "section profiles\n" + profiles + ".done\n" + at + "end\n"
	return strings.ReplaceAll(text, "\n", "\r\n")
}

const (
	offlineSID = "S-1-5-21-1-2-3-1002"
	// offlineEntry is a product in the hive of a user who is not logged on.
	offlineEntry = ".hive " + offlineSID + "\n" +
		`+r HKEY_USERS\oust-look-x\Software\Microsoft\Windows\CurrentVersion\Unins` + "\n" + `.tall\K` + "\n" +
		`.r     DisplayName    REG_SZ    Kaspersky Endpoint Security for Windows` + "\n" +
		`.r     Publisher    REG_SZ    Kaspersky` + "\n" +
		`.r     UninstallString    REG_SZ    C:\k.exe` + "\n.rc 0\n"
	offlineNone = ".hive " + offlineSID + "\n.none\n"
)

// dirtyLook is the recorded look, with products of the whole host.
func dirtyLook(t *testing.T) []byte {
	t.Helper()
	look, err := os.ReadFile("../../testdata/probes/windows/wine-8.0.look")
	if err != nil {
		t.Fatal(err)
	}
	m := beginLine.FindSubmatch(look)
	return bytes.ReplaceAll(look, m[1], []byte(recordedNonce))
}

// cleanLook is the recorded look without what any playbook knows.
func cleanLook(t *testing.T) []byte {
	t.Helper()
	look := dirtyLook(t)
	hexOf := func(s string) string { return hex.EncodeToString([]byte(s)) }
	for old, now := range map[string]string{"Kaspersky": "Neutral", hexOf("Kaspersky"): hexOf("Neutral"), "5278159B67B039744A906C974424BF05": strings.Repeat("0", 32), "AVP.KES": "OTHER"} {
		look = bytes.ReplaceAll(look, []byte(old), []byte(now))
	}
	return look
}

// windowsEngine scans one host.
func windowsEngine(t *testing.T, host *aWindowsHost, powerShell bool) *Engine {
	t.Helper()
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{
		Store: storetest.NewMemory(time.Now), Library: lib,
		Dialer:   transports.DialerFunc(func(context.Context, transports.Target) (transports.Conn, error) { return host, nil }),
		Target:   func(h remediate.Host) (transports.Target, error) { return transports.Target{Host: h.Name}, nil },
		Campaign: remediate.Campaign{Name: "test", Look: remediate.LookSettings{PowerShell: powerShell}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var theHost = []remediate.Host{{Name: "w1", Platform: remediate.Windows}}

// scanned scans and returns the host's state and its last look.
func scanned(t *testing.T, e *Engine) (remediate.HostState, remediate.Look) {
	t.Helper()
	if _, err := e.Scan(t.Context(), nil, theHost); err != nil {
		t.Fatal(err)
	}
	state, err := e.Store.HostState(t.Context(), "w1")
	if err != nil {
		t.Fatal(err)
	}
	var last remediate.Look
	for l, err := range e.Store.HostLooks(t.Context(), "w1") {
		if err != nil {
			t.Fatal(err)
		}
		last = l
	}
	return state, last
}

// TestPowerShellIsOff: unless the campaign says so, nothing that a Windows host
// is sent starts PowerShell.
func TestPowerShellIsOff(t *testing.T) {
	t.Parallel()
	host := &aWindowsHost{look: cleanLook(t)}
	state, look := scanned(t, windowsEngine(t, host, false))
	if state.Standing != remediate.StandClear || look.Detail != "" || len(host.sent) != 1 {
		t.Fatalf("%s %q after %d commands", state.Standing, look.Detail, len(host.sent))
	}
	for _, cmd := range host.sent {
		if strings.Contains(strings.ToLower(cmd.Line+string(cmd.Stdin)), "powershell") {
			t.Errorf("sent %q\n%s", cmd.Line, cmd.Stdin)
		}
	}
}

// TestPowerShellIsAsked: one more command on the same connection, whose answer
// is kept with the look.
func TestPowerShellIsAsked(t *testing.T) {
	t.Parallel()
	host := &aWindowsHost{look: cleanLook(t), second: func(n string) (string, error) { return answer(n, offlineEntry), nil }}
	e := windowsEngine(t, host, true)
	state, _ := scanned(t, e)
	if len(host.sent) != 2 || !isSecond(host.sent[1]) || host.sent[1].Timeout != time.Minute || host.sent[1].Line != remediate.CmdLine {
		t.Fatalf("%d commands", len(host.sent))
	}
	raw, err := e.Store.Raw(t.Context(), state.RawDigest)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := probe.Reparse(raw)
	if err != nil || len(facts.Windows.Appx) != 1 || !facts.Windows.SeesHive(offlineSID) {
		t.Fatalf("%+v, %v", facts.Windows, err)
	}
	if state.Standing != remediate.StandPresent || len(state.Findings) != 1 {
		t.Errorf("%s with %+v", state.Standing, state.Findings)
	}
	plan, err := e.Plan(t.Context(), theHost)
	if err != nil || len(plan.Hosts) != 0 || len(plan.Left) != 1 || !strings.Contains(plan.Left[0].Detail, "installed for one user alone") {
		t.Errorf("planned %+v, left %+v, %v", plan.Hosts, plan.Left, err)
	}
}

// TestPowerShellFails: a host that gives no answer is seen all the same, and the
// look says why it has none.
func TestPowerShellFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second func(string) (string, error)
		want   string
	}{
		"timeout": {func(string) (string, error) {
			return "", &transports.Error{Class: transports.Timeout, Op: "run", Err: errors.New("no end after 1m0s")}
		}, "no end after 1m0s"},
		"missing": {func(n string) (string, error) {
			return "@" + n + " begin " + probe.KindPowerShell + "\r\nThe system cannot find the path specified.\r\n@" + n + " end\r\n", nil
		}, "cannot find the path"},
		"silent": {func(string) (string, error) { return "", nil }, "the answer has no end"},
		"in use": {func(n string) (string, error) { return answer(n, ".failed "+offlineSID+" in use\n"), nil }, "in use"},
	} {
		host := &aWindowsHost{look: cleanLook(t), second: c.second}
		state, look := scanned(t, windowsEngine(t, host, true))
		if state.Standing != remediate.StandClear || look.Class != "" || !look.Complete || !strings.Contains(look.Detail, c.want) {
			t.Errorf("%s: %s, %s %q", name, state.Standing, look.Class, look.Detail)
		}
	}
}

// TestUserLoggedOff: what was found with a user is not gone when that user
// cannot be looked at.
func TestUserLoggedOff(t *testing.T) {
	t.Parallel()
	profiles, fail := offlineEntry, false
	host := &aWindowsHost{look: cleanLook(t), second: func(n string) (string, error) {
		if fail {
			return "", nil
		}
		return answer(n, profiles), nil
	}}
	e := windowsEngine(t, host, true)
	if state, _ := scanned(t, e); state.Standing != remediate.StandPresent {
		t.Fatalf("first %s", state.Standing)
	}
	fail = true
	if state, look := scanned(t, e); state.Standing != remediate.StandPresent || look.Class == "" || !strings.Contains(look.Detail, offlineSID) {
		t.Errorf("without an answer %s, %s %q", state.Standing, look.Class, look.Detail)
	}
	e.Campaign.Look.PowerShell = false
	if state, look := scanned(t, e); state.Standing != remediate.StandPresent || !strings.Contains(look.Detail, "look: {powershell: true}") {
		t.Errorf("not asked %s, %q", state.Standing, look.Detail)
	}
	e.Campaign.Look.PowerShell, fail, profiles = true, false, offlineNone
	if state, _ := scanned(t, e); state.Standing != remediate.StandRemoved || state.Class != "" {
		t.Errorf("asked again %s, %s", state.Standing, state.Class)
	}
}

// TestUserLoggedOffAmongOthers: a product of the whole host that is found
// meanwhile does not make the user's forgotten.
func TestUserLoggedOffAmongOthers(t *testing.T) {
	t.Parallel()
	profiles, fail := offlineEntry, false
	host := &aWindowsHost{look: dirtyLook(t), second: func(n string) (string, error) {
		if fail {
			return "", nil
		}
		return answer(n, profiles), nil
	}}
	e := windowsEngine(t, host, true)
	first, _ := scanned(t, e)
	fail = true
	second, look := scanned(t, e)
	if len(first.Findings) != 2 || !remediate.SameFindings(first.Findings, second.Findings) || look.Complete {
		t.Errorf("first %+v\nthen %+v, complete: %v", first.Findings, second.Findings, look.Complete)
	}
	host.look = cleanLook(t)
	if state, look := scanned(t, e); state.Standing != remediate.StandPresent || look.Class == "" {
		t.Errorf("with the user's alone %s, %s %q", state.Standing, look.Class, look.Detail)
	}
	fail, profiles = false, offlineNone
	if state, _ := scanned(t, e); state.Standing != remediate.StandRemoved {
		t.Errorf("in the end %s", state.Standing)
	}
}

// TestPowerShellIsWindowsOwn: a Unix host is never asked.
func TestPowerShellIsWindowsOwn(t *testing.T) {
	t.Parallel()
	e := deskEngine(t, storetest.NewMemory(time.Now), time.Now)
	e.Campaign.Look.PowerShell = true
	look, err := os.ReadFile("../../testdata/probes/byhand/rocky-8.txt")
	if err != nil {
		t.Fatal(err)
	}
	m := beginLine.FindSubmatch(look)
	var sent []transports.Command
	conn := connFunc(func(cmd transports.Command) transports.Result {
		sent = append(sent, cmd)
		nonce := regexp.MustCompile(`printf '\\n@%s %s\\n' ([0-9a-f]{32})`).FindSubmatch(cmd.Stdin)
		return transports.Result{Stdout: bytes.ReplaceAll(look, m[1], nonce[1])}
	})
	if _, err := e.probe(t.Context(), conn, remediate.Host{Name: "a", Platform: remediate.Linux}); err != nil {
		t.Fatal(err)
	}
	if len(sent) != 1 || slices.ContainsFunc(sent, isSecond) {
		t.Errorf("%d commands", len(sent))
	}
}

type connFunc func(transports.Command) transports.Result

func (f connFunc) Run(_ context.Context, cmd transports.Command) (transports.Result, error) {
	return f(cmd), nil
}

func (f connFunc) Close() error { return nil }
