package probe_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/probe"
)

// with is a recorded look with another text in one section.
func with(t *testing.T, system, section, text string) []byte {
	t.Helper()
	frames, err := remediate.ParseFrames(recordings(t)[system], nonce)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(frames.Sections, func(f remediate.Frame) bool { return f.Name == section })
	if at < 0 {
		t.Fatalf("%s has no section %s", system, section)
	}
	frames.Sections[at].Data = []byte(text)
	return build(frames.Kind, frames.Sections)
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ system, section, text, want string }{
		{"alpine-3.20", "uname", "", "uname printed nothing"},
		{"alpine-3.20", "uname", "Linux\n", `uname printed "Linux"`},
		{"alpine-3.20", "uname", "FreeBSD 14.1-RELEASE amd64\n", `the operating system "FreeBSD" is not one that oust knows`},
		{"alpine-3.20", "boot", "9c8d0b5e-5f0c-4a5c-9d57-0e6a8f1f4c02\nNaN 1\n", `uptime is "NaN 1"`},
		{"alpine-3.20", "boot", "9c8d0b5e-5f0c-4a5c-9d57-0e6a8f1f4c02\n-1 1\n", `uptime is "-1 1"`},
		{"alpine-3.20", "boot", "9c8d0b5e-5f0c-4a5c-9d57-0e6a8f1f4c02\n9378480011.77\n", "uptime is"},
		{"alpine-3.20", "clock", "", "date printed no time"},
		{"alpine-3.20", "clock", "tomorrow\n", `date printed "tomorrow"`},
		{"alpine-3.20", "clock", "253402300800\n", "date printed"},
		{"alpine-3.20", "who", "", "id printed nothing"},
		{"alpine-3.20", "who", "uid=root\n", `id printed "uid=root"`},
		{"alpine-3.20", "who", "id: \x1b[31mnot found\n", `id printed "id: ?[31mnot found"`},
		{"alpine-3.20", "paths", "file /opt\nasked 1\n", `paths: "file /opt"`},
		{"alpine-3.20", "paths", "gone \"/opt\"\nasked 1\n", `paths: unknown kind "gone"`},
		{"macos-14", "boot", "0F2A7A8C-3D2D-4B55-9F2B-5B6F3C1B9A11\nyesterday\n", `kern.boottime is "yesterday"`},
	} {
		facts, _, err := probe.Parse(with(t, c.system, c.section, c.text), nonce)
		if err == nil || !strings.Contains(err.Error(), "read the look: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s says %q: facts %+v, error %v; want %q", c.section, c.text, facts, err, c.want)
		}
	}
	other := bytes.Replace(recordings(t)["alpine-3.20"], []byte("begin look-unix 1"), []byte("begin look-unix 99"), 1)
	if _, err := probe.Reparse(other); err == nil || !strings.Contains(err.Error(), `it is of kind "look-unix 99", this program reads "look-unix 1" and "look-windows 1"`) {
		t.Errorf("a look of another kind: %v", err)
	}
	if _, err := probe.Reparse([]byte("Linux")); err == nil || !strings.Contains(err.Error(), "read the kept look") {
		t.Errorf("no look: %v", err)
	}
}

// TestBounds: what no honest host lists is cut short and said, or refused.
func TestBounds(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 100_002 {
		fmt.Fprintf(&b, "p%d\t1\tall\tinstall ok installed\n", i)
	}
	facts, _, err := probe.Parse(with(t, "debian-12", "dpkg", b.String()), nonce)
	if err != nil || len(facts.Packages) > 100_001 || !slices.Contains(facts.Incomplete, "dpkg lists more than 100000 packages") {
		t.Errorf("%d packages, error %v", len(facts.Packages), err)
	}
	b.Reset()
	for i := range 20_001 {
		fmt.Fprintf(&b, "sysv\ts%d\n", i)
	}
	if _, _, err := probe.Parse(with(t, "debian-12", "services", b.String()), nonce); err == nil || !strings.Contains(err.Error(), "20001 services") {
		t.Errorf("20,001 services: %v", err)
	}
	long := strings.Repeat("ü", 5_000)
	facts, _, err = probe.Parse(with(t, "debian-12", "dpkg", long+"\t\x1b[2J\xff\t\u202e\tinstall ok installed\n"), nonce)
	if err != nil {
		t.Fatal(err)
	}
	if p := facts.Packages[0]; p.Name != long[:1024] || p.Version != "?[2J?" || p.Arch != "?" {
		t.Errorf("package %.20q (%d bytes), version %q, architecture %q", p.Name, len(p.Name), p.Version, p.Arch)
	}
	b.Reset()
	b.WriteString("file /run/reboot-required\n")
	for i := range 12 {
		fmt.Fprintf(&b, "package p%d\n", i)
	}
	facts, _, err = probe.Parse(with(t, "debian-12", "reboot", b.String()), nonce)
	want := "/run/reboot-required is there (for p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 2 more)"
	if err != nil || !slices.Equal(facts.RebootPending, []string{want}) {
		t.Errorf("reboot pending: %q, error %v", facts.RebootPending, err)
	}
}

// TestReleases reads release files as systems of today and of before have
// them.
func TestReleases(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# ID=comment\nNAME=Void\nID=\"void\"\n":                                   "void||Void",
		"NAME='Arch Linux'\nID=arch\nPRETTY_NAME='Arch Linux'\n":                   "arch||Arch Linux",
		"ID=x\nVERSION_ID=\"1\\\"2\"\nPRETTY_NAME=\"a \\$b \\`c\\` \\\\d\"\n":      "x|1\"2|a $b `c` \\d",
		"SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n": "||SUSE Linux Enterprise Server 11 (x86_64)",
		"NAME=Debian\nVERSION_ID=12\nID=debian\n":                                  "debian|12|Debian 12",
		"PRETTY_NAME=\"unclosed\nID=\"\nVERSION_ID=\n":                             "\"||\"unclosed",
		"":                       "||Linux 6.6.58-0-virt",
		"ID=\x1b[31mred\x07\r\n": "?[31mred?||Linux 6.6.58-0-virt",
	} {
		facts, _, err := probe.Parse(with(t, "alpine-3.20", "release", text), nonce)
		if err != nil {
			t.Fatal(err)
		}
		if got := facts.OS.ID + "|" + facts.OS.Version + "|" + facts.OS.Name; got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestWho reads the ways of id(1) to name a user.
func TestWho(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]remediate.Privilege{
		"uid=0(root) gid=0(root)\ncan-become\n":                   {User: "root", Root: true, CanBecome: true},
		"uid=0 gid=0\n":                                           {User: "0", Root: true},
		"uid=1234 gid=100(users)\n":                               {UID: 1234, User: "1234"},
		"uid=70001(CORP\\jane doe) gid=70001(CORP\\domain users)": {UID: 70001, User: `CORP\jane doe`},
		"uid=1000(ops) gid=1000(ops)\nYou have mail.\ncan-become": {UID: 1000, User: "ops", CanBecome: true},
	} {
		facts, _, err := probe.Parse(with(t, "alpine-3.20", "who", text), nonce)
		if err != nil || facts.Privilege != want {
			t.Errorf("%q: %+v, error %v; want %+v", text, facts.Privilege, err, want)
		}
	}
}

// TestMacUptime: a clock that was set back gives no uptime below zero, one
// that was never set gives none beyond a century.
func TestMacUptime(t *testing.T) {
	t.Parallel()
	for sec, want := range map[int64]time.Duration{
		1733304300: time.Second, 1733304301: 0, 1733400000: 0, 0: 0, -5: 0,
	} {
		text := fmt.Sprintf("0F2A7A8C-3D2D-4B55-9F2B-5B6F3C1B9A11\n{ sec = %d, usec = 0 } Tue Dec  3\n", sec)
		facts, _, err := probe.Parse(with(t, "macos-14", "boot", text), nonce)
		if err != nil || facts.Uptime != want {
			t.Errorf("booted at %d: uptime %v, error %v; want %v", sec, facts.Uptime, err, want)
		}
	}
	facts, _, err := probe.Parse(with(t, "macos-14", "clock", "253402300799\n"), nonce)
	if err != nil || facts.Uptime != 100*365*24*time.Hour {
		t.Errorf("in the year 9999: uptime %v, error %v", facts.Uptime, err)
	}
}
