package remediate

import (
	"fmt"
	"strconv"
	"strings"
)

// A rendered script (package playbooks) runs inside a job (package
// remediate/job). This file is what the two agree on.
//
// The job starts the script with the variable OUST_DIR naming the attempt's
// folder. The script appends one line a step to $OUST_DIR/result (see
// StepResult) and ends with one of the ScriptExit codes. Secrets stand in
// $OUST_DIR/secrets/NAME, one file each, without a trailing newline; the
// script never holds their values.
//
// On Windows the script is a batch file. It appends to %OUST_DIR%\log itself,
// for what it starts must not hold that file open, and a secret is set by
// calling %OUST_DIR%\secrets\NAME.cmd, as OUST_SECRET and, for a property of
// Windows Installer, OUST_SECRET_MSI.

// ScriptExit codes are how a rendered script ends. They are deliberately
// outside the range that shells give to signals and to "not found".
const (
	ScriptDone        = 0  // every step ended well; says nothing about removal
	ScriptReboot      = 20 // steps ended well, and the product wants a reboot
	ScriptBusy        = 30 // another installer held its lock for the whole wait
	ScriptProtected   = 40 // the product refused: password or self-protection
	ScriptFailed      = 50 // an uninstaller failed; see the result lines
	ScriptUnsupported = 60 // a tool that the script needs is not on the host
)

// Step verdicts, as the script writes them.
const (
	StepOK          = "ok"
	StepAbsent      = "absent" // there was nothing to do for this step
	StepReboot      = "reboot"
	StepBusy        = "busy"
	StepProtected   = "protected"
	StepFailed      = "failed"
	StepUnsupported = "unsupported"
)

// StepResult is one line of $OUST_DIR/result:
//
//	STEP VERDICT EXIT PLAYBOOK DESCRIPTION...
type StepResult struct {
	Step     int    `json:"step"` // from 1
	Verdict  string `json:"verdict"`
	Exit     int    `json:"exit"` // the tool's own exit code
	Playbook string `json:"playbook"`
	What     string `json:"what"`
}

// ParseStepResults reads the result lines of a script. Lines of another form
// are an error: nobody but the script writes there.
func ParseStepResults(text string) ([]StepResult, error) {
	var out []StepResult
	for n, line := range strings.Split(text, "\n") {
		if line == "" {
			continue
		}
		f := strings.SplitN(line, " ", 5)
		if len(f) < 5 {
			return out, fmt.Errorf("result line %d: %q: want STEP VERDICT EXIT PLAYBOOK DESCRIPTION", n+1, clip(line))
		}
		step, err := strconv.Atoi(f[0])
		if err != nil || step < 1 {
			return out, fmt.Errorf("result line %d: step %q is not a positive number", n+1, clip(f[0]))
		}
		exit, err := strconv.Atoi(f[2])
		if err != nil {
			return out, fmt.Errorf("result line %d: exit code %q is not a number", n+1, clip(f[2]))
		}
		switch f[1] {
		case StepOK, StepAbsent, StepReboot, StepBusy, StepProtected, StepFailed, StepUnsupported:
		default:
			return out, fmt.Errorf("result line %d: unknown verdict %q", n+1, clip(f[1]))
		}
		out = append(out, StepResult{Step: step, Verdict: f[1], Exit: exit, Playbook: f[3], What: f[4]})
	}
	return out, nil
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
