package job

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// winSoon is when a Windows host restarts on which nobody is logged on: WinRM
// fetches the answer in turns.
const winSoon = 10 * time.Second

// Reboot makes the script that asks the host for one restart and answers before
// it comes, as Layout.Reboot does.
//
// shutdown.exe is never given /f. With a time above 0 it implies /f (Microsoft,
// "shutdown"), so that at the end of the delay programs are closed with what
// people have not saved: the delay and the message are all that they get. A time
// of 0 would imply nothing, and leave a host up for ever whose program asks
// whether to save; it would also cut this script's own answer off. Where nobody
// is logged on there is nobody's work, and the time is ten seconds. People and
// administrators can take the restart back with `shutdown /a`.
func (Windows) Reboot(spec RebootSpec, nonce remediate.Nonce) ([]byte, error) {
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("reboot: %w", err)
	}
	compare, err := compareBoot(spec.BootID)
	if err != nil {
		return nil, fmt.Errorf("reboot: %w", err)
	}
	shutdown, err := shutdownLine(spec)
	if err != nil {
		return nil, fmt.Errorf("reboot: the message: %w", err)
	}
	w := newKindWriter(rebootCmdKind, "", nonce)
	fill := strings.NewReplacer("SOON", fmt.Sprint(upTo(winSoon, time.Second)), "=SECONDS", "="+fmt.Sprint(upTo(spec.Delay, time.Second)))
	for line := range w.lines("reboot.cmd") {
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "SECTION":
			w.line(nonce.CmdSection(rest))
		case "END":
			w.line(nonce.CmdEnd())
		case "ASKING":
			w.line(`if "%STATE%%WHY%"=="--" (` + nonce.CmdSection(secAsking) + "& echo users %USERS%& echo delay %DELAY%)")
		case "PATHS":
			for l := range w.lines("paths.cmd") {
				w.line(l)
			}
		case "QUERYBOOT":
			for _, q := range bootQueries() {
				w.line(q)
			}
		case "READBOOT":
			for i, name := range []string{"BOOT", "SHUT"} {
				k := remediate.WindowsBootKeys[i]
				w.line(fmt.Sprintf(`for /f "tokens=1,2,3" %%a in ('reg query "%s" /v %s 2^>nul ^<nul') do if "%%a"=="%[2]s" set "%[3]s=%%c"`, k[0], k[1], name))
			}
		case "COMPARE":
			for _, l := range compare {
				w.line(l)
			}
		default:
			w.line(strings.Replace(fill.Replace(line), "SHUTDOWN", shutdown, 1))
		}
	}
	return w.bytes("reboot")
}

// compareBoot makes the lines that find the host in another boot than the one
// of remediate.WindowsBootID.
func compareBoot(id string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(id, ",") {
		if n, ok := strings.CutPrefix(part, "boot-"); ok {
			count, err := strconv.ParseUint(n, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("bad boot id %q", id)
			}
			out = append(out, `if "%BOOT%"=="-" set "WHY=boot"`, fmt.Sprintf(`if /i not "%%BOOT%%"=="0x%x" set "STATE=over"`, count))
			continue
		}
		at, ok := strings.CutPrefix(part, "shutdown-")
		if !ok || len(at) != 16 || strings.Trim(at, "0123456789ABCDEF") != "" {
			return nil, fmt.Errorf("bad boot id %q", id)
		}
		out = append(out, `if "%SHUT%"=="-" set "WHY=boot"`, fmt.Sprintf(`if /i not "%%SHUT%%"=="%s" set "STATE=over"`, at))
	}
	return out, nil
}

// shutdownLine is the call of shutdown.exe. Its reason is "Application:
// Installation (Planned)".
func shutdownLine(spec RebootSpec) (string, error) {
	line := "shutdown /r /t %T% /d p:4:2"
	if spec.Message == "" {
		return line, nil
	}
	text, err := remediate.CmdArguments(cArgument(spec.message()))
	if err != nil {
		return "", err
	}
	// In typed lines a percent sign is not doubled.
	return line + " /c " + strings.ReplaceAll(text, "%%", string(remediate.CmdTyped)), nil
}

// cArgument is a text as one argument for programs that read their command line
// by the rules of Microsoft's C runtime.
func cArgument(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, r := range text {
		switch r {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	return b.String()
}

// Exit codes of shutdown.exe that mean that the host restarts anyway
// (Microsoft, "System Error Codes").
const (
	shutdownInProgress  = 1115 // ERROR_SHUTDOWN_IN_PROGRESS
	shutdownIsScheduled = 1190 // ERROR_SHUTDOWN_IS_SCHEDULED
)

// windowsState judges what a Windows host has found.
func (r *RebootReport) windowsState(f remediate.Frames) {
	text, _ := f.Get(secState)
	said, _ := f.Get("said")
	why, runs, code := "-", "-", "-"
	for key, value := range fields(text) {
		switch key {
		case "why":
			why = value
		case "runs":
			runs = value
		case "code":
			code = value
		}
	}
	switch {
	case why != "-" && (r.State != RebootOver || why == string(RefusedBoot)):
		r.State, r.Refusal = RebootRefused, Refusal(remediate.ClipText(strings.ToValidUTF8(why, "?")))
		r.Detail = r.windowsWhy(runs)
	case r.State == RebootOver:
	case code == "0":
		r.State = RebootScheduled
	case code == fmt.Sprint(shutdownIsScheduled), code == fmt.Sprint(shutdownInProgress):
		r.State, r.Delay = RebootPending, 0
	default:
		r.State, r.Refusal, r.Detail = RebootRefused, RefusedTool, oneText(said)
		if r.Detail == "" {
			r.Detail = remediate.ClipText(fmt.Sprintf("shutdown ended with exit code %q and said nothing", code))
		}
	}
}

func (r *RebootReport) windowsWhy(runs string) string {
	switch {
	case r.Refusal == RefusedBoot:
		return "the host does not say which boot it is in"
	case r.Refusal == RefusedBusy && remediate.ValidID(runs):
		return "attempt " + runs + " runs"
	case r.Refusal == RefusedBusy && runs == "-":
		return "Windows Installer is at work"
	case r.Refusal == RefusedBusy:
		return "a job runs"
	}
	return winRefusals[r.Refusal]
}
