package winelab

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports"
	"oust/transports/winrm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial connects to a host with the client of WinRM.
func dial(t *testing.T, h *Host) transports.Conn {
	t.Helper()
	d, err := winrm.NewDialer(winrm.Config{CAFile: h.CAFile})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Dial(t.Context(), h.Target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = d.Close()
	})
	return conn
}

func run(t *testing.T, conn transports.Conn, line, stdin string) transports.Result {
	t.Helper()
	r, err := conn.Run(t.Context(), transports.Command{Line: line, Stdin: []byte(stdin), Timeout: time.Minute})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return r
}

// look asks a host what the library wants to know, and returns the names of
// what was found.
func look(t *testing.T, conn transports.Conn) (found string, facts *remediate.Facts) {
	t.Helper()
	library, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	nonce := remediate.NewNonce()
	script, err := probe.Cmd(library.Questions(remediate.Windows), nonce)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, conn, remediate.CmdLine, string(script))
	facts, _, err = probe.Parse(r.Stdout, nonce)
	if err != nil {
		t.Fatalf("%v: %s%s", err, r.Stdout, r.Stderr)
	}
	var names []string
	for _, f := range library.Match(facts) {
		names = append(names, f.Playbook)
	}
	return strings.Join(names, " "), facts
}

// TestRemoval finds both products, is refused without their passwords, and
// removes them with these.
func TestRemoval(t *testing.T) {
	t.Parallel()
	h := Start(t, Options{MSIs: []string{KES, Agent}})
	conn := dial(t, h)
	found, before := look(t, conn)
	if found != "kaspersky/kes-windows kaspersky/klnagent" {
		t.Fatalf("found %q", found)
	}
	const avp, uninstall = `C:\Program Files (x86)\Kaspersky Lab\KES.12.3.0\avp.exe`, `HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\`
	if !h.FileExists(avp) || !h.RegExists(uninstall+KESCode) {
		t.Fatal("the product is not there")
	}
	for _, step := range []struct {
		line string
		exit int
	}{
		{"msiexec /x " + KESCode + " /qn /norestart", 1603},
		{"msiexec /x " + KESCode + " /qn /norestart KLLOGIN=KLAdmin KLPASSWD=wrong", 1603},
		{"msiexec /x " + KESCode + " /qn /norestart KLLOGIN=KLAdmin KLPASSWD=" + KESPassword, 3010},
		{"msiexec /x " + KESCode + " /qn /norestart KLLOGIN=KLAdmin KLPASSWD=" + KESPassword, 1605},
		{"msiexec /x " + AgentCode + " /qn /norestart KLUNINSTPASSWD=6c00", 1603},
		{"msiexec /x " + AgentCode + " /qn /norestart KLUNINSTPASSWD=6c0061006200", 0},
	} {
		if r := run(t, conn, step.line, ""); r.Exit != step.exit {
			t.Errorf("%s: exit code %d, want %d: %s%s", step.line, r.Exit, step.exit, r.Stdout, r.Stderr)
		}
	}
	if h.FileExists(avp) || h.RegExists(uninstall+KESCode) {
		t.Error("the product is still there")
	}
	h.Reboot()
	found, after := look(t, dial(t, h))
	if found != "" {
		t.Errorf("found %q after the removal", found)
	}
	if before.BootID == "" || before.BootID == after.BootID {
		t.Errorf("boot id %q, after the restart %q", before.BootID, after.BootID)
	}
}

// TestTask: a task outlives the connection that has started it, and its result
// can be asked for.
func TestTask(t *testing.T) {
	t.Parallel()
	h := Start(t, Options{})
	conn := dial(t, h)
	for _, step := range []struct {
		line string
		exit int
		says string
	}{
		{"schtasks /query /tn job", 1, "cannot find the file"},
		{`schtasks /create /tn job /tr "cmd /c echo begun>C:\begun & ping -n 60 127.0.0.1 >nul & exit 7" /f`, 0, "SUCCESS"},
		{"schtasks /query /tn job /v /fo csv /nh", 0, `"267011"`},
		{"schtasks /run /tn job", 0, "SUCCESS"},
		{"schtasks /query /tn job /v /fo csv /nh", 0, `"267009"`},
	} {
		r := run(t, conn, step.line, "")
		if text := string(r.Stdout) + string(r.Stderr); r.Exit != step.exit || !strings.Contains(text, step.says) {
			t.Fatalf("%s: exit code %d: %s", step.line, r.Exit, text)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	conn = dial(t, h)
	if r := run(t, conn, "schtasks /query /tn job /v /fo csv /nh", ""); !strings.Contains(string(r.Stdout), `"267009"`) {
		t.Errorf("the task has not outlived its shell: %s", r.Stdout)
	}
	if r := run(t, conn, "schtasks /end /tn job", ""); r.Exit != 0 {
		t.Errorf("end: exit code %d: %s", r.Exit, r.Stderr)
	}
	if r := run(t, conn, "schtasks /delete /tn job /f", ""); r.Exit != 0 {
		t.Errorf("delete: exit code %d: %s", r.Exit, r.Stderr)
	}
}

// TestExitCodes: all 32 bits, and command lines to the letter.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	h := Start(t, Options{})
	conn := dial(t, h)
	for line, exit := range map[string]int{"exit 1605": 1605, "exit -1073741510": -1073741510, `echo "a b" & exit 3`: 3} {
		if r := run(t, conn, line, ""); r.Exit != exit {
			t.Errorf("%s: exit code %d, want %d", line, r.Exit, exit)
		}
	}
	if r := run(t, conn, `echo "a  b"`, ""); strings.TrimSpace(string(r.Stdout)) != `"a  b"` {
		t.Errorf("echo gives %q", r.Stdout)
	}
	h.Cut()
	if r, err := conn.Run(t.Context(), transports.Command{Line: "echo x", Timeout: 5 * time.Second}); err == nil {
		t.Errorf("a host that is cut off answers %q", r.Stdout)
	}
	h.Uncut()
	if r := run(t, dial(t, h), "exit 4", ""); r.Exit != 4 {
		t.Errorf("exit code %d", r.Exit)
	}
}

// TestSixHosts: hosts stand beside each other and share nothing.
func TestSixHosts(t *testing.T) {
	t.Parallel()
	var hosts []*Host
	for range 6 {
		hosts = append(hosts, Start(t, Options{}))
	}
	if out, exit := hosts[0].Exec(`reg add HKLM\SOFTWARE\First /f`); exit != 0 {
		t.Fatalf("exit code %d: %s", exit, out)
	}
	for i, h := range hosts {
		if r := run(t, dial(t, h), "exit 2", ""); r.Exit != 2 {
			t.Errorf("host %d: exit code %d", i, r.Exit)
		}
		if got := h.RegExists(`HKLM\SOFTWARE\First`); got != (i == 0) {
			t.Errorf("host %d has the key of the first: %v", i, got)
		}
	}
}

// TestLookBelowUsers: cmd asks for a path below each user's folder.
func TestLookBelowUsers(t *testing.T) {
	t.Parallel()
	h := Start(t, Options{})
	conn := dial(t, h)
	for _, line := range []string{`md "C:\users\anna\AppData\Local"`, `md "C:\users\bert co\AppData\Local\Acme (x)"`} {
		if r := run(t, conn, line, ""); r.Exit != 0 {
			t.Fatalf("%s: %d: %s%s", line, r.Exit, r.Stdout, r.Stderr)
		}
	}
	const there, none = `%SystemDrive%\Users\*\AppData\Local\Acme (x)`, `%SystemDrive%\Users\*\AppData\Roaming\Acme`
	nonce := remediate.NewNonce()
	script, err := probe.Cmd(remediate.Questions{Paths: []string{there, none}}, nonce)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, conn, remediate.CmdLine, string(script))
	facts, _, err := probe.Parse(r.Stdout, nonce)
	if err != nil {
		t.Fatalf("%v: %s%s", err, r.Stdout, r.Stderr)
	}
	if got, _ := facts.Path(there); got.Kind != remediate.PathDir || !strings.HasSuffix(got.Full, `\bert co\AppData\Local\Acme (x)`) {
		t.Errorf("%+v in %s", got, r.Stdout)
	}
	if got, _ := facts.Path(none); got.Kind != remediate.PathAbsent {
		t.Errorf("%+v, incomplete %q", got, facts.Incomplete)
	}
}
