package job

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

const fuzzNonce = remediate.Nonce("0123456789abcdef0123456789abcdef")

// printed is a report as the scripts print it, with any text for its parts.
func printed(state, detail, result, head, log string) []byte {
	var b bytes.Buffer
	line := func(words string) { b.WriteString("\n@" + string(fuzzNonce) + " " + words + "\n") }
	line("begin " + kind)
	for _, s := range [][2]string{{secState, state}, {secDetail, detail}, {secResult, result}, {secHead, head}, {secLog, log}} {
		if s[1] != "" {
			line("section " + s[0])
			b.WriteString(s[1])
		}
	}
	line("end")
	return b.Bytes()
}

// FuzzParseReport: whatever a host prints, a report is refused, or is one
// whose parts have their bounds and whose state means something.
func FuzzParseReport(f *testing.F) {
	running := "state running\nboot b\npid 7\nstarted 1795000000\nbegan-in b\n"
	f.Add(running, "", "1 ok 0 kaspersky/kesl purge\n", "", "")
	f.Add("state ended\npid 7\nexit 143\nended 1795000000\n", "", "", "head", "log")
	f.Add("state locked\nowner 06h0tj7raz71cbab088stcaxv0\nowner-campaign a b\n", "", "", "", "")
	f.Add("state refused\nrefusal base\n", "/var/lib/oust\nis a link\x1b[2J", "", "", "")
	f.Add("state ended\nexit 256\n", "", "", "", "")
	f.Add("state \xff\nstarted 99999999999999999999\n", "", "", "", "")
	states := []State{StateAbsent, StatePrepared, StateAccepted, StateRunning, StateEnded, StateDied, StateLocked, StateRefused, StateCleaned}
	f.Fuzz(func(t *testing.T, state, detail, result, head, log string) {
		out := printed(state, detail, result, head, log)
		r, err := ParseReport(out, fuzzNonce)
		_ = ParseCleaned(out, fuzzNonce)
		if err != nil {
			if len(err.Error()) > 4*remediate.MaxText {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		switch {
		case !slices.Contains(states, r.State):
			t.Errorf("state %q", r.State)
		case r.State == StateLocked && !remediate.ValidID(r.LockOwner):
			t.Errorf("locked by %q", r.LockOwner)
		case r.State == StateRefused && r.Refusal == "":
			t.Error("refused without a reason")
		case r.Exit < 0 || r.Exit > 255 || r.PID < 0:
			t.Errorf("exit %d, pid %d", r.Exit, r.PID)
		case len(r.Result) > maxResult:
			t.Errorf("a result of %d bytes", len(r.Result))
		case len(r.Log) > MaxLog+len(logCut) || len(r.Detail) > remediate.MaxText || len(r.BootID) > remediate.MaxText:
			t.Errorf("log %d, detail %d, boot %d bytes", len(r.Log), len(r.Detail), len(r.BootID))
		case strings.ContainsAny(r.Detail, "\r\n"):
			t.Errorf("detail %q", r.Detail)
		}
		if cut, err := ParseReport(out[:len(out)/2], fuzzNonce); err == nil && cut.State != StateAccepted {
			t.Errorf("half of the output is %+v", cut)
		}
	})
}

// FuzzPrintfFormat: any bytes go through a script and a real sh unchanged.
func FuzzPrintfFormat(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("-n %s '\\n' \x81\xff\r\n"))
	f.Add([]byte("\xc3\xa9\xed\xa0\x80\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.ReplaceAll(data, []byte{0}, []byte{1})
		cmd := exec.Command(sh)
		cmd.Stdin = strings.NewReader("printf '" + printfFormat(data) + "'")
		if out, err := cmd.Output(); err != nil || !bytes.Equal(out, data) {
			t.Errorf("%q came back as %q, %v", data, out, err)
		}
	})
}

// FuzzParseReboot: whatever a host prints, a report is refused, or is one
// whose parts have their bounds and whose state means something.
func FuzzParseReboot(f *testing.F) {
	mark := func(words string) string { return "\n@" + string(fuzzNonce) + " " + words + "\n" }
	sh := mark("begin "+rebootKind) + mark("section asking") + "boot b\nusers 2\ndelay 120\n"
	f.Add([]byte(sh + mark("section state") + "state scheduled\nboot b\nusers 2\ndelay 120\n" + mark("end")))
	f.Add([]byte(sh))
	f.Add([]byte(mark("begin "+rebootKind) + mark("section state") + "state refused\nrefusal busy\n" + mark("section detail") + "a\nb\xff" + mark("end")))
	f.Add([]byte(mark("begin "+rebootCmdKind) + mark("section boot") + bootSeven + mark("section state") + "state over\nusers 99999999\n" + mark("end")))
	states := []RebootState{RebootScheduled, RebootOver, RebootPending, RebootRefused}
	f.Fuzz(func(t *testing.T, out []byte) {
		r, err := ParseReboot(out, fuzzNonce)
		if err != nil {
			if len(err.Error()) > 4*remediate.MaxText {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		switch {
		case !slices.Contains(states, r.State):
			t.Errorf("state %q", r.State)
		case (r.State == RebootRefused) != (r.Refusal != ""):
			t.Errorf("%s with the refusal %q", r.State, r.Refusal)
		case r.Users < 0 || r.Users > 1_000_000 || r.Delay < 0 || r.Delay > 1<<31*time.Second:
			t.Errorf("%d users, a delay of %v", r.Users, r.Delay)
		case len(r.Detail) > remediate.MaxText || len(r.BootID) > remediate.MaxText || strings.ContainsAny(r.Detail, "\r\n"):
			t.Errorf("detail %q, boot %q", r.Detail, r.BootID)
		case !utf8.ValidString(r.Detail + r.BootID + string(r.Refusal)):
			t.Error("not UTF-8")
		}
	})
}
