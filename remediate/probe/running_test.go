package probe_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/probe"
)

// states are the run states of facts, in short.
func states(f *remediate.Facts) string {
	if f == nil {
		return "no facts"
	}
	var out []string
	for _, r := range f.Running {
		out = append(out, r.Service+"="+string(r.State))
	}
	return strings.Join(out, " ")
}

// TestRunning: systemd's words as they come, and as they come wrong.
func TestRunning(t *testing.T) {
	t.Parallel()
	const asked = "service cron\nservice nothing\n"
	for _, c := range []struct{ system, said, want string }{
		{"ubuntu-24.04", asked + "active\ninactive\n", "cron=running nothing=absent"},
		{"ubuntu-24.04", asked + "reloading\nunknown\n", "cron=running nothing=absent"},
		{"ubuntu-24.04", asked + "failed\nactive\n", "cron=stopped nothing=running"},
		{"ubuntu-24.04", asked + "unknown\nfailed\n", "cron=unknown nothing=absent"},
		{"ubuntu-24.04", asked + "activating\n\nactive\n", "cron=stopped nothing=running"},
		{"ubuntu-24.04", asked + "active\n", "cron=unknown nothing=unknown"},
		{"ubuntu-24.04", asked + "active\nactive\nactive\n", "cron=unknown nothing=unknown"},
		{"ubuntu-24.04", asked, "cron=unknown nothing=unknown"},
		{"ubuntu-24.04", asked + "running\nActive\n", "cron=unknown nothing=unknown"},
		{"ubuntu-24.04", "service cron\nBroadcast message\nservice nothing\nactive\nactive\n", "cron=unknown"},
		{"ubuntu-24.04", "", ""},
		// It lists no units: that a service is not there cannot be told.
		{"alpine-3.20", "service a\ninactive\n", "a=stopped"},
		{"alpine-3.20", "service a\nunknown\n", "a=unknown"},
	} {
		facts, _, err := probe.Parse(with(t, c.system, "running", c.said), nonce)
		if err != nil || states(facts) != c.want {
			t.Errorf("%s says %q: %s, error %v; want %s", c.system, c.said, states(facts), err, c.want)
		}
	}
	flood := strings.Repeat("service a\n", 10_001)
	if _, _, err := probe.Parse(with(t, "ubuntu-24.04", "running", flood), nonce); err == nil {
		t.Error("10,001 services are read")
	}
}

// sc is what sc.exe says of a service, with the labels of a language.
func sc(labels [3]string, kind, state string) string {
	return fmt.Sprintf("\r\n%s: WinDefend \r\n        %-19s: %s  \r\n        %-19s: %s \r\n"+
		"                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n"+
		"        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n",
		labels[0], labels[1], kind, labels[2], state)
}

// TestRunningOnWindows: whatever language sc.exe speaks, and whatever it
// fails with.
func TestRunningOnWindows(t *testing.T) {
	t.Parallel()
	wine, keys := wineLook(t), []byte("@"+string(nonce)+" section keys\r\n")
	wineWith := func(said string) []byte {
		return bytes.Replace(wine, keys, slices.Concat([]byte("@"+string(nonce)+" section running\r\n"+said), keys), 1)
	}
	english := [3]string{"SERVICE_NAME", "TYPE", "STATE"}
	for name, c := range map[string]struct {
		said, code string
		want       remediate.RunState
	}{
		"running":       {sc(english, "10  WIN32_OWN_PROCESS", "4  RUNNING"), "0", remediate.ServiceRunning},
		"stopped":       {sc(english, "20  WIN32_SHARE_PROCESS", "1  STOPPED"), "0", remediate.ServiceStopped},
		"starting":      {sc(english, "10  WIN32_OWN_PROCESS", "2  START_PENDING"), "0", remediate.ServiceStopped},
		"paused":        {sc(english, "10  WIN32_OWN_PROCESS", "7  PAUSED"), "0", remediate.ServiceStopped},
		"a driver":      {sc(english, "2  FILE_SYSTEM_DRIVER", "4  RUNNING"), "0", remediate.ServiceRunning},
		"type of 4":     {sc(english, "4  ADAPTER", "1  STOPPED"), "0", remediate.ServiceStopped},
		"Spanish":       {sc([3]string{"NOMBRE_SERVICIO", "TIPO", "ESTADO"}, "10  WIN32_OWN_PROCESS", "4  RUNNING"), "0", remediate.ServiceRunning},
		"Russian":       {sc([3]string{"Имя_службы", "Тип", "Состояние"}, "10  WIN32_OWN_PROCESS", "4  RUNNING"), "0", remediate.ServiceRunning},
		"in code page":  {sc([3]string{"\x88\xac\xef", "\x92\xa8\xaf", "\x91\xae\xe1"}, "10  WIN32_OWN_PROCESS", "4  RUNNING"), "0", remediate.ServiceRunning},
		"a user's":      {sc(english, "e0  USER_SHARE_PROCESS INSTANCE", "4  RUNNING"), "0", remediate.ServiceRunning},
		"no number":     {sc(english, "10  WIN32_OWN_PROCESS", "RUNNING"), "0", remediate.ServiceUnknown},
		"a new state":   {sc(english, "10  WIN32_OWN_PROCESS", "9  DREAMING"), "0", remediate.ServiceUnknown},
		"not there":     {"[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n\r\nThe specified service does not exist as an installed service.\r\n\r\n", "1060", remediate.ServiceAbsent},
		"denied":        {"[SC] EnumQueryServicesStatus:OpenService FAILED 5:\r\n\r\nAccess is denied.\r\n\r\n", "5", remediate.ServiceUnknown},
		"no sc.exe":     {"'sc' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", "9009", remediate.ServiceUnknown},
		"says nothing":  {"", "0", remediate.ServiceUnknown},
		"fails, though": {sc(english, "10  WIN32_OWN_PROCESS", "4  RUNNING"), "1", remediate.ServiceUnknown},
	} {
		facts, _, err := probe.Parse(wineWith("service WinDefend\r\n"+c.said+"rc "+c.code+"\r\n"), nonce)
		if err != nil || facts.Runs("windefend") != c.want || len(facts.Running) != 1 {
			t.Errorf("%s: %s, error %v; want %s", name, states(facts), err, c.want)
		}
		if facts, _, err = probe.Parse(wineWith("service WinDefend\r\n"+c.said), nonce); err != nil || states(facts) != "WinDefend=unknown" {
			t.Errorf("%s, without an exit code: %s, error %v", name, states(facts), err)
		}
	}
}

// TestServicesThatCannotBeAsked: a name that would be more than a name.
func TestServicesThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "-x", "a b", "a&b", "a'b", `a"b`, "a;b", "a*", "%PATH%", "a\nb", "ä", strings.Repeat("a", 129)} {
		if script, err := probe.Cmd(remediate.Questions{Services: []string{name}}, nonce); !errors.Is(err, probe.ErrCannotAsk) {
			t.Errorf("%q: %v, a script of %d bytes", name, err, len(script))
		}
		if script := probe.Sh(remediate.Questions{Services: []string{name}}, nonce); !bytes.Equal(script, probe.Sh(remediate.Questions{}, nonce)) {
			t.Errorf("%q is asked", name)
		}
	}
	script, err := probe.Cmd(remediate.Questions{Services: []string{"WinDefend", "ekrn"}}, nonce)
	if err != nil || !bytes.Contains(script, []byte("\r\nsc query WinDefend 2>&1 <nul\r\n")) || bytes.Count(script, []byte("section running")) != 1 {
		t.Errorf("%v\n%s", err, script)
	}
}

// FuzzRunning: whatever stands in the section, no service is said to run of
// which the text has not the word, and the facts are bounded.
func FuzzRunning(f *testing.F) {
	for _, said := range []string{"service a\nactive\n", "service WinDefend\n        TYPE : 10  WIN32\n        STATE : 4  RUNNING\nrc 0\n", "rc 0\n", "service a\nrc 1060\nrc 0\n"} {
		f.Add([]byte(said))
	}
	linux, wine := recordings(f)["alpine-3.20"], wineLook(f)
	mark := []byte("@" + string(nonce) + " section ")
	f.Fuzz(func(t *testing.T, said []byte) {
		if bytes.Contains(said, []byte(nonce)) {
			return
		}
		section := slices.Concat(mark, []byte("running\n"), said, []byte("\n"))
		for _, look := range []struct {
			out  []byte
			word string // of one that runs
		}{
			{bytes.Replace(linux, slices.Concat(mark, []byte("running\nservice clamd\nservice sshd\n\n")), section, 1), "ing|active"},
			{bytes.Replace(wine, slices.Concat(mark, []byte("keys")), slices.Concat(section, mark, []byte("keys")), 1), ": 4 "},
		} {
			facts, raw, err := probe.Parse(look.out, nonce)
			if err != nil {
				continue
			}
			for _, r := range facts.Running {
				if r.State == remediate.ServiceRunning && !regexp.MustCompile(look.word).Match(said) {
					t.Errorf("%s runs, says %q", r.Service, said)
				}
			}
			if again, err := probe.Reparse(raw); err != nil || states(again) != states(facts) {
				t.Errorf("read again: %v, %s and %s", err, states(facts), states(again))
			}
		}
	})
}
