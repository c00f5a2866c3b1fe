package job

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// State is what a host says of an attempt's job.
type State string

// The states.
const (
	// StateAbsent: the host knows nothing of the attempt.
	StateAbsent State = "absent"
	// StatePrepared: there is a folder, and no job has claimed it: nothing
	// has run, and launching is safe.
	StatePrepared State = "prepared"
	// StateAccepted: the launch's output broke off after the job was handed
	// over. It may run, have ended, or (rarely) never have started.
	StateAccepted State = "accepted"
	// StateRunning: the job, or the script it started, is alive.
	StateRunning State = "running"
	// StateEnded: the script has ended; Exit is its exit code.
	StateEnded State = "ended"
	// StateDied: it began and cannot end any more: the host was started
	// again, or its processes were killed.
	StateDied State = "died"
	// StateLocked: another attempt has the host. The script was not run, and
	// will not be under this id.
	StateLocked State = "locked"
	// StateRefused: the host could not take the job; nothing was run. See
	// Report.Refusal.
	StateRefused State = "refused"
	// StateCleaned: nothing of the attempt is left on the host.
	StateCleaned State = "cleaned"
)

// Refusal is why a host could not take a job.
type Refusal string

// Why a host refuses.
const (
	// RefusedPrivilege: the script did not run as root.
	RefusedPrivilege Refusal = "privilege"
	// RefusedStorage: the folder could not be written: full, read-only,
	// broken.
	RefusedStorage Refusal = "storage"
	// RefusedBase: the base folder is a link, or not root's alone.
	RefusedBase Refusal = "base"
	// RefusedShell: the host's sh lacks what the job needs.
	RefusedShell Refusal = "shell"
	// RefusedScheduler: Windows' task scheduler did not take the job.
	RefusedScheduler Refusal = "scheduler"
	// RefusedBusy: a job or another installer is at work, which a restart
	// would cut in the middle.
	RefusedBusy Refusal = "busy"
	// RefusedTool: what restarts the host did not do it.
	RefusedTool Refusal = "tool"
	// RefusedBoot: the host does not say which boot it is in.
	RefusedBoot Refusal = "boot"
)

// Report is what a script of this package printed.
type Report struct {
	State State
	// Refusal is set in StateRefused.
	Refusal Refusal
	// BootID is the host's now; BeganIn the one in which the job began. "-"
	// where a host has none.
	BootID, BeganIn string
	// PID is the job's, 0 if none has claimed it.
	PID int
	// Started and Ended are by the host's clock, UTC, in seconds; zero where
	// not known.
	Started, Ended time.Time
	// Exit is the script's exit code in StateEnded; on Unix 128 and more is a
	// signal, and Windows has any number of 32 bits.
	Exit int
	// Result is the script's result lines so far, see
	// remediate.ParseStepResults.
	Result string
	// Log is what the script printed, at most MaxLog bytes and a note where
	// it was cut. It is not given while the job runs.
	Log          []byte
	LogTruncated bool
	// LockedBy names the attempt and campaign that have the host, in
	// StateLocked; LockOwner is that attempt's id.
	LockedBy, LockOwner string
	// Detail is one line for a person: what is wrong, in the host's words
	// where it has any.
	Detail string
}

const kind = "job 1"

// Sections of the output.
const (
	secAccepted = "accepted"
	secWaiting  = "waiting"
	secState    = "state"
	secDetail   = "detail"
	secResult   = "result"
	secHead     = "head"
	secLog      = "log"
)

// ParseReport reads the output of a launch or a join. Output that breaks off
// after the host accepted a job is StateAccepted without an error; otherwise
// errors are those of remediate.ParseFrames, or say what could not be read.
func ParseReport(out []byte, nonce remediate.Nonce) (Report, error) {
	f, err := remediate.ParseFrames(out, nonce)
	windows := f.Kind == cmdKind
	if err == nil && f.Kind != kind && !windows {
		err = fmt.Errorf("the output is %q, not %q", remediate.ClipText(f.Kind), kind)
	}
	if errors.Is(err, remediate.ErrCutOff) && (f.Kind == kind || windows) {
		if _, ok := f.Get(secLog); ok && windows {
			err = nil // the log is the last section; of it alone a part is missing
		} else if _, ok := f.Get(secAccepted); ok {
			return Report{State: StateAccepted}, nil
		}
	}
	if err != nil {
		return Report{}, fmt.Errorf("job report: %w", err)
	}
	if !windows {
		return readReport(f)
	}
	r, err := windowsReport(f)
	if err != nil {
		return Report{}, fmt.Errorf("job report: %w", err)
	}
	return r, nil
}

// ParseCleaned reads the output of a clean. An error says why the folder is
// still there.
func ParseCleaned(out []byte, nonce remediate.Nonce) error {
	if f, err := remediate.ParseFrames(out, nonce); err == nil && f.Kind == cmdKind {
		return windowsCleaned(f)
	}
	r, err := ParseReport(out, nonce)
	switch {
	case err != nil:
		return err
	case r.State == StateCleaned:
		return nil
	case r.State == StateRunning:
		return errors.New("clean: the job still runs")
	}
	return fmt.Errorf("clean: %s: %s", r.State, r.Detail)
}

func readReport(f remediate.Frames) (Report, error) {
	text, ok := f.Get(secState)
	if !ok {
		return Report{}, errors.New("job report: no state")
	}
	var r Report
	var campaign string
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if key == "owner-campaign" {
			campaign = value
			continue
		}
		if err := r.field(key, value); err != nil {
			return Report{}, fmt.Errorf("job report: %s %q: %w", remediate.ClipText(key), remediate.ClipText(value), err)
		}
	}
	if err := r.check(); err != nil {
		return Report{}, fmt.Errorf("job report: %w", err)
	}
	if r.LockOwner != "" {
		r.LockedBy = fmt.Sprintf("attempt %s of campaign %s", r.LockOwner, campaign)
	}
	result, _ := f.Get(secResult)
	r.Result = string(result[:min(len(result), maxResult)])
	if detail, ok := f.Get(secDetail); ok {
		r.Detail = remediate.ClipText(strings.Join(strings.Fields(strings.ToValidUTF8(string(detail), "?")), " "))
	}
	r.readLog(f)
	return r, nil
}

// field takes one line of the state. Keys of later versions are passed over.
func (r *Report) field(key, value string) (err error) {
	switch key {
	case "state":
		r.State = State(value)
	case "refusal":
		r.Refusal = Refusal(value)
	case "boot":
		r.BootID = remediate.ClipText(value)
	case "began-in":
		r.BeganIn = remediate.ClipText(value)
	case "pid":
		r.PID, err = number(value, 1, 1<<31-1)
	case "started":
		r.Started, err = hostTime(value)
	case "ended":
		r.Ended, err = hostTime(value)
	case "exit":
		r.Exit, err = number(value, 0, 255)
	case "owner":
		if !remediate.ValidID(value) {
			return errors.New("not an attempt id")
		}
		r.LockOwner = value
	}
	return err
}

func (r *Report) check() error {
	switch r.State {
	case StateAbsent, StatePrepared, StateRunning, StateEnded, StateDied, StateLocked, StateCleaned:
	case StateRefused:
		if r.Refusal == "" {
			r.Refusal = RefusedStorage
		}
	default:
		return fmt.Errorf("unknown state %q", remediate.ClipText(string(r.State)))
	}
	if r.State == StateLocked && r.LockOwner == "" {
		return errors.New("locked, and not by whom")
	}
	return nil
}

// readLog puts the parts of the log together.
func (r *Report) readLog(f remediate.Frames) {
	log, _ := f.Get(secLog)
	head, cut := f.Get(secHead)
	if len(log) > maxTail {
		log, cut = log[len(log)-maxTail:], true
	}
	if cut {
		head = head[:min(len(head), headKept)]
		log = []byte(string(head) + logCut + string(log))
	}
	r.Log, r.LogTruncated = log, cut
}

// CutNote stands in a log where something is missing.
const CutNote = "[oust: the log was longer; a part is left out here]"

const logCut = "\n" + CutNote + "\n"

func number(s string, from, to int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < from || n > to {
		return 0, fmt.Errorf("not a number from %d to %d", from, to)
	}
	return n, nil
}

// hostTime reads seconds since 1970, up to the year 9999.
func hostTime(s string) (time.Time, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 253402300799 {
		return time.Time{}, errors.New("not a time")
	}
	return time.Unix(n, 0).UTC(), nil
}
