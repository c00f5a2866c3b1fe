package job

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oust/remediate"
)

// RebootState is what a host says of the restart that it was asked for.
type RebootState string

// The states of a restart.
const (
	// RebootScheduled: the restart was asked for and comes after Delay.
	RebootScheduled RebootState = "scheduled"
	// RebootOver: the host is in another boot already; nothing was done.
	RebootOver RebootState = "over"
	// RebootPending: a restart was asked for before, by oust or by another, and
	// has not come yet. Delay is what is left, 0 where that is not known.
	RebootPending RebootState = "pending"
	// RebootRefused: the host does not restart. See RebootReport.Refusal.
	RebootRefused RebootState = "refused"
)

// RebootReport is what a script of Reboot printed.
type RebootReport struct {
	State RebootState
	// Refusal is set in RebootRefused. After RefusedBusy the same may be asked
	// again later.
	Refusal Refusal
	// BootID is the host's now, "" where it did not say.
	BootID string
	// Users is how many people were found logged on. On Windows those count whose
	// hive is loaded, who may also be logged on by a service.
	Users int
	// Delay is the time from the answer to the restart; where nobody was logged on
	// it is 0, for a few seconds.
	Delay time.Duration
	// Detail is one line for a person, the tool's own words where it has any.
	Detail string
}

const (
	rebootKind    = "reboot 1"
	rebootCmdKind = "reboot-windows 1"
	// secAsking begins when all has been looked at and the tool is called next.
	secAsking = "asking"
)

// ParseReboot reads the output of a Reboot. Output that breaks off after the
// host began to ask is RebootScheduled without an error: the restart may have cut
// it off. Otherwise errors are those of remediate.ParseFrames, or say what could
// not be read.
func ParseReboot(out []byte, nonce remediate.Nonce) (RebootReport, error) {
	f, err := remediate.ParseFrames(out, nonce)
	windows := f.Kind == rebootCmdKind
	if err == nil && f.Kind != rebootKind && !windows {
		err = fmt.Errorf("the output is %q, not %q", remediate.ClipText(f.Kind), rebootKind)
	}
	asking, asked := f.Get(secAsking)
	if errors.Is(err, remediate.ErrCutOff) && asked && (f.Kind == rebootKind || windows) {
		var r RebootReport
		_ = r.read(asking) // a part of it may be missing
		r.State, r.Refusal = RebootScheduled, ""
		r.Detail = "the answer broke off after the restart was asked for"
		r.windowsBoot(f, windows)
		return r, nil
	}
	if err != nil {
		return RebootReport{}, fmt.Errorf("reboot report: %w", err)
	}
	r, err := readReboot(f, windows)
	if err != nil {
		return RebootReport{}, fmt.Errorf("reboot report: %w", err)
	}
	return r, nil
}

func readReboot(f remediate.Frames, windows bool) (RebootReport, error) {
	var r RebootReport
	text, ok := f.Get(secState)
	if !ok {
		return r, errors.New("no state")
	}
	if err := r.read(text); err != nil {
		return r, err
	}
	if detail, ok := f.Get(secDetail); ok {
		r.Detail = oneText(detail)
	}
	r.windowsBoot(f, windows)
	if windows {
		r.windowsState(f)
	}
	switch r.State {
	case RebootScheduled, RebootOver, RebootPending:
		r.Refusal = ""
	case RebootRefused:
		if r.Refusal == "" {
			r.Refusal = RefusedTool
		}
	default:
		return r, fmt.Errorf("unknown state %q", remediate.ClipText(string(r.State)))
	}
	return r, nil
}

// read takes the lines of a section. Keys of later versions are passed over.
func (r *RebootReport) read(text []byte) error {
	for key, value := range fields(text) {
		var err error
		switch key {
		case "state":
			r.State = RebootState(remediate.ClipText(value))
		case "refusal":
			r.Refusal = Refusal(remediate.ClipText(strings.ToValidUTF8(value, "?")))
		case "boot":
			if value != "-" {
				r.BootID = remediate.ClipText(strings.ToValidUTF8(value, "?"))
			}
		case "users":
			r.Users, err = number(value, 0, 1_000_000)
		case "delay":
			var n int
			n, err = number(value, 0, 1<<31-1)
			r.Delay = time.Duration(n) * time.Second
		}
		if err != nil {
			return fmt.Errorf("%s %q: %w", key, remediate.ClipText(value), err)
		}
	}
	return nil
}

// windowsBoot makes the boot id of what reg.exe printed.
func (r *RebootReport) windowsBoot(f remediate.Frames, windows bool) {
	if boot, ok := f.Get(secBoot); ok && windows {
		r.BootID = remediate.WindowsBootID(string(boot))
	}
}
