package job

import (
	"errors"
	"fmt"
	"strings"

	"oust/remediate"
)

// Sections of the output of a Windows host, beside those of every host.
const (
	secEnd    = "end"
	secHolder = "holder"
	secBoot   = "boot"
	secBegan  = "began"
	secWhy    = "why"
	secClean  = "clean"
)

// cmdCut stands in place of what a log is too long for.
const cmdCut = CutNote

// winRefusals is what a person reads where a Windows host took no job.
var winRefusals = map[Refusal]string{
	RefusedPrivilege: "the job needs an administrator whose token is not filtered: over WinRM that is a domain account or the built-in " +
		"Administrator; for another local account the host needs LocalAccountTokenFilterPolicy=1",
	RefusedStorage: `%ProgramFiles%\oust could not be written whole, or not be kept to SYSTEM and the administrators`,
	RefusedBase:    `%ProgramFiles%\oust is a link`,
	RefusedShell:   "find.exe of Windows does not find what it is shown",
}

// windowsReport judges what a Windows host printed: the host itself says only
// what is there.
func windowsReport(f remediate.Frames) (Report, error) {
	state, ok := f.Get(secState)
	if !ok {
		return Report{}, errors.New("no state")
	}
	var r Report
	folder, claimed, alive := false, false, false
	for key, value := range fields(state) {
		switch key {
		case "refusal":
			r.State, r.Refusal = StateRefused, Refusal(value)
			r.Detail = winRefusals[r.Refusal]
			return r, nil
		case "folder":
			folder = true
		case "claim":
			claimed = true
		case "alive":
			alive = value == "yes"
		}
	}
	boot, _ := f.Get(secBoot)
	r.BootID = remediate.WindowsBootID(string(boot))
	if claimed {
		began, _ := f.Get(secBegan)
		r.BeganIn = remediate.WindowsBootID(string(began))
	}
	ended, err := r.windowsEnd(f)
	if err != nil {
		return Report{}, err
	}
	r.windowsState(folder, claimed, alive, ended)
	if why, ok := f.Get(secWhy); ok && r.State == StatePrepared {
		r.Detail = "the job did not start"
		if said := oneText(why); said != "" {
			r.State, r.Refusal, r.Detail = StateRefused, RefusedScheduler, "the task could not be made or started: "+said
		}
	}
	result, _ := f.Get(secResult)
	r.Result = strings.ReplaceAll(string(result[:min(len(result), maxResult)]), "\r\n", "\n")
	r.windowsLog(f)
	return r, nil
}

// windowsEnd reads how the job ended, and tells whether it did.
func (r *Report) windowsEnd(f remediate.Frames) (ended bool, err error) {
	text, _ := f.Get(secEnd)
	whole := false
	for key, value := range fields(text) {
		switch key {
		case "state":
			r.State = State(value)
		case "exit":
			if r.Exit, err = number(value, -1<<31, 1<<32-1); err != nil {
				return false, fmt.Errorf("exit %q: %w", remediate.ClipText(value), err)
			}
		case "whole":
			whole = true
		}
	}
	switch {
	case !whole:
		r.State = ""
		return false, nil
	case r.State == StateLocked:
		return true, r.windowsHolder(f)
	case r.State == StateRefused:
		r.Refusal, r.Detail = RefusedStorage, `the lock in %ProgramFiles%\oust could not be taken`
		return true, nil
	case r.State != StateEnded:
		return false, fmt.Errorf("unknown end %q", remediate.ClipText(string(r.State)))
	}
	return true, nil
}

func (r *Report) windowsHolder(f remediate.Frames) error {
	text, _ := f.Get(secHolder)
	campaign := ""
	for key, value := range fields(text) {
		switch key {
		case "owner":
			r.LockOwner = value
		case "campaign":
			campaign = value
		}
	}
	if !remediate.ValidID(r.LockOwner) {
		return errors.New("locked, and not by whom")
	}
	r.LockedBy = fmt.Sprintf("attempt %s of campaign %s", r.LockOwner, remediate.ClipText(campaign))
	return nil
}

func (r *Report) windowsState(folder, claimed, alive, ended bool) {
	switch {
	case ended:
	case !claimed && alive:
		r.State = StateAccepted // its task runs or waits, and has not come to the claim
	case claimed && alive && !anotherBoot(r.BeganIn, r.BootID):
		r.State = StateRunning
	case claimed:
		r.State, r.Detail = StateDied, "the job is gone and left no exit code"
		if r.BeganIn != r.BootID {
			r.Detail = "the host was started again before the job ended"
		}
	case folder:
		r.State = StatePrepared
	default:
		r.State = StateAbsent
	}
}

// anotherBoot reports whether the kernel was started between two boot ids. A
// shutdown alone may have left the kernel and its tasks asleep.
func anotherBoot(began, now string) bool {
	a, _, _ := strings.Cut(began, ",")
	b, _, _ := strings.Cut(now, ",")
	return a != b && strings.HasPrefix(a, "boot-") && strings.HasPrefix(b, "boot-")
}

func (r *Report) windowsLog(f remediate.Frames) {
	log, _ := f.Get(secLog)
	if len(log) > maxTail {
		log = append([]byte(cmdCut+"\n"), log[len(log)-maxTail:]...)
	}
	r.LogTruncated = strings.Contains(string(log), cmdCut)
	r.Log = log
}

// windowsCleaned is what the output of a clean means: nil, or why something is
// left.
func windowsCleaned(f remediate.Frames) error {
	r, err := windowsReport(f)
	switch {
	case err != nil:
		return err
	case r.State == StateRunning:
		return errors.New("clean: the job still runs")
	case r.State == StateRefused && r.Refusal != RefusedStorage:
		return fmt.Errorf("clean: %s: %s", r.State, r.Detail)
	}
	said, ok := f.Get(secClean)
	if !ok {
		return errors.New("clean: the host did not say what it did")
	}
	if text, left := strings.CutSuffix(oneText(said), "left"); left {
		return fmt.Errorf("clean: the folder is still there: %s", strings.TrimSpace(text))
	}
	return nil
}

// fields are the lines of a section, each a word and what follows it.
func fields(text []byte) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimRight(line, " \r\n"), " ")
			if key != "" && !yield(key, value) {
				return
			}
		}
	}
}

// oneText is what a host said as one line for a person.
func oneText(said []byte) string {
	return remediate.ClipText(strings.Join(strings.Fields(strings.ToValidUTF8(string(said), "?")), " "))
}
