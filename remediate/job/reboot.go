package job

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

// RebootSpec is one restart.
type RebootSpec struct {
	// BootID is the boot that is to be ended, as a look or a report of a job
	// gave it; in any other the script does nothing. So a restart that is asked
	// for again, after an answer was lost, is never a second one.
	BootID string
	// Delay is what people who are logged on are given after the warning; where
	// nobody is, the host restarts at once, which is in a few seconds, so that it
	// can answer. It is rounded up to what the host's tool takes, whole minutes on
	// Unix and seconds on Windows; 24 h at most.
	Delay time.Duration
	// Message is the warning: one line of any Unicode, at most 400 characters.
	Message string
}

const (
	// MaxRebootDelay is the longest that people may be given.
	MaxRebootDelay = 24 * time.Hour
	// mostMessage bounds the message, in UTF-16 units: shutdown.exe takes 512.
	mostMessage = 400
	// maxBootID bounds a boot id in bytes.
	maxBootID = 128
	// soon is when a host restarts on which nobody is logged on.
	soon = 5 * time.Second
)

func (s RebootSpec) validate() error {
	switch {
	case s.BootID == "" || s.BootID == "-":
		return errors.New("the boot that is to be ended is not known")
	case len(s.BootID) > maxBootID || strings.ContainsFunc(s.BootID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("bad boot id %q", remediate.ClipText(s.BootID))
	case s.Delay < 0 || s.Delay > MaxRebootDelay:
		return fmt.Errorf("a delay of %v; want 0 to %v", s.Delay, MaxRebootDelay)
	case !utf8.ValidString(s.Message):
		return errors.New("the message is not UTF-8")
	case strings.ContainsFunc(s.Message, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' }):
		return errors.New("the message is more than one line, or holds a control character")
	case utf16Len(s.Message) > mostMessage:
		return fmt.Errorf("the message has %d characters; at most %d are shown", utf16Len(s.Message), mostMessage)
	}
	return nil
}

// message is what is given to the tool. A dash at its beginning would be read
// as an option.
func (s RebootSpec) message() string {
	if strings.HasPrefix(s.Message, "-") || strings.HasPrefix(s.Message, "/") {
		return " " + s.Message
	}
	return s.Message
}

// utf16Len is the length of a text in UTF-16 units.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// upTo is how many whole units a time takes.
func upTo(d, unit time.Duration) int { return int((d + unit - 1) / unit) }

// Reboot makes the script that restarts the host with the zero Layout; see
// Layout.Reboot.
func Reboot(spec RebootSpec, nonce remediate.Nonce) ([]byte, error) {
	return Layout{}.Reboot(spec, nonce)
}

// Reboot makes the script that asks the host, Linux or macOS, for one restart and
// answers before it comes. It does nothing in another boot than spec.BootID,
// where a restart is planned already, and while a job of any campaign runs or a
// package manager is at work. Its output is for ParseReboot.
//
// With people logged on the host's own shutdown(8) is asked for a restart in so
// many minutes, which warns them and which they can take back with `shutdown -c`.
// Without any, and where there is only reboot(8), a process of the host's own
// waits and then restarts; it looks once more before it does. Nothing is forced:
// services are stopped in their order and their own time.
func (l Layout) Reboot(spec RebootSpec, nonce remediate.Nonce) ([]byte, error) {
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("reboot: %w", err)
	}
	l = l.withDefaults()
	var w scriptWriter
	w.restartVariables(l, spec)
	w.set("WANTED", spec.BootID)
	w.setInt("MINUTES", upTo(spec.Delay, time.Minute))
	w.setInt("SOON", upTo(soon, time.Second))
	w.set("SYSTEMD", l.SystemdDir)
	w.set("SHELL_", l.Shell)
	w.frames(nonce, rebootKind, secAsking, secState, secDetail)
	var left scriptWriter
	left.restartVariables(l, spec)
	left.include("base", "report", "busy", "restart")
	w.line(`stage_restart() {`)
	w.line(`printf '` + printfFormat([]byte(left.b.String())) + `' >"$MARK.sh"`)
	w.line("}")
	w.include("base", "report", "busy", "restart", "reboot")
	if w.err == nil {
		w.err = left.err
	}
	return w.bytes()
}

// restartVariables are those of the script and of the process that it leaves.
func (w *scriptWriter) restartVariables(l Layout, spec RebootSpec) {
	w.env(l, "")
	w.line("export PATH LC_ALL=C")
	w.set("RUNDIR", l.RunDir)
	w.line(`[ -d "$RUNDIR" ] || RUNDIR=/var/run`)
	w.line(`MARK="$RUNDIR/oust-restart"`)
	w.set("MESSAGE", spec.message())
}
