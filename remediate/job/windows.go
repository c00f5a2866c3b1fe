package job

import (
	"embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

//go:embed cmd/*.cmd cmd/*.xml
var cmdFiles embed.FS

// Windows makes the scripts for Windows hosts: lines for the standard input of
// remediate.CmdLine, run by an administrator whose token is not filtered. They
// need cmd, reg, schtasks, icacls, find and ping, which every Windows since
// Server 2008 R2 has.
//
// On the host:
//
//	%ProgramFiles%\oust\              SYSTEM's and the administrators' alone
//	  lock                            names the one attempt that may run now
//	  dead-ID                         the lock of an attempt that died
//	  ID\                             one attempt
//	    claim                         which launch runs it
//	    LAUNCH\                       what one launch brought
//	      job.cmd, script.cmd, secrets\NAME.cmd
//	      task.xml, start.cmd         the task that runs the job
//	      boot, log, result, holder   what the job and the script said
//	      end                         how it ended
//
// The folder is not below %ProgramData%, where every user may prepare one.
//
// The job runs as SYSTEM in a scheduled task, oust-ID-LAUNCH: Windows ends what a
// session of WinRM has started together with the session, and a network logon
// breaks some installers. The claim and the lock are files that are written
// first and then renamed: a rename fails if its name is taken. Whether a job
// lives the task says, by the result that means "running" in every language of
// Windows: 267009, SCHED_S_TASK_RUNNING (Microsoft, "Task Scheduler Error and
// Success Constants"). The lock of a dead job is renamed to the one name that is its own,
// so that of all who find it one succeeds.
type Windows struct{}

const (
	cmdKind = "job-windows 1"
	// cmdTail is how many lines of a long log are printed.
	cmdTail = 2000
	// mostTyped bounds a typed line in bytes: cmd reads 8,191 characters after
	// it has put in the variables.
	mostTyped = 7600
)

// Launch makes the script that starts the job, waits for its end and reports
// it, as Layout.Launch does.
func (Windows) Launch(spec Spec, nonce remediate.Nonce) ([]byte, error) {
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	w := newCmdWriter(spec.ID, nonce)
	w.launch = "l-" + string(nonce[:min(12, len(nonce))])
	w.stage = func() { w.stageFiles(spec) }
	w.include("head", "launch", "look", "after", "report")
	return w.bytes("launch")
}

// Join makes the script that reports the job as it is, without waiting. Of a
// job that died it removes the secrets; apart from that it changes nothing.
func (Windows) Join(id string, nonce remediate.Nonce) ([]byte, error) {
	if err := checkID(id); err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	w := newCmdWriter(id, nonce)
	w.include("head", "look", "report")
	return w.bytes("join")
}

// Clean makes the script that removes the attempt's folder and task and, if
// it is this attempt's, the lock; a job that still runs is left alone. It may
// be repeated. Its output is for ParseCleaned.
func (Windows) Clean(id string, nonce remediate.Nonce) ([]byte, error) {
	if err := checkID(id); err != nil {
		return nil, fmt.Errorf("clean: %w", err)
	}
	w := newCmdWriter(id, nonce)
	w.include("head", "look", "clean")
	return w.bytes("clean")
}

// cmdWriter puts a script together. The first error is kept for bytes.
type cmdWriter struct {
	b          strings.Builder
	id, launch string
	nonce      remediate.Nonce
	stage      func()
	err        error
}

func newCmdWriter(id string, nonce remediate.Nonce) *cmdWriter {
	return newKindWriter(cmdKind, id, nonce)
}

func newKindWriter(kind, id string, nonce remediate.Nonce) *cmdWriter {
	w := &cmdWriter{id: id, nonce: nonce}
	if !validNonce(nonce) {
		w.err = fmt.Errorf("bad nonce %q", remediate.ClipText(string(nonce)))
	}
	w.line(remediate.CmdPercentVariable)
	w.line("chcp 65001 >nul 2>nul <nul")
	w.line(nonce.CmdBegin(kind))
	return w
}

// line writes a line. What variables of paths become in it is allowed for.
func (w *cmdWriter) line(s string) {
	if n := len(s); n > mostTyped && w.err == nil {
		w.err = fmt.Errorf("%w: a line of %d bytes, at most %d are typed", remediate.ErrCmdValue, n, mostTyped)
	}
	w.b.WriteString(s + "\r\n")
}

// include adds the lines of files of cmd/, without their comments. ID, LAUNCH
// and words in capital letters at a line's beginning are filled in.
func (w *cmdWriter) include(names ...string) {
	fill := strings.NewReplacer("LAUNCH", w.launch, "MAXTYPE", fmt.Sprint(maxTail), "TAILLINES", fmt.Sprint(cmdTail),
		"echo CUT", "echo "+cmdCut, "oust-ID", "oust-"+w.id, "dead-ID", "dead-"+w.id, "lock-ID", "lock-"+w.id,
		`\ID"`, `\`+w.id+`"`, `"ID"`, `"`+w.id+`"`)
	for _, name := range names {
		for line := range w.lines(name + ".cmd") {
			word, rest, _ := strings.Cut(line, " ")
			switch word {
			case "SECTION":
				w.line(w.nonce.CmdSection(rest))
			case "END":
				w.line(w.nonce.CmdEnd())
			case "REFUSE":
				w.line(fmt.Sprintf(`if not "%%WHY%%"=="-" (%s& echo refusal %%WHY%%& %s& exit 0)`,
					w.nonce.CmdSection(secState), w.nonce.CmdEnd()))
			case "QUERYBOOT":
				for _, q := range bootQueries() {
					w.line(q)
				}
			case "STAGE":
				w.stage()
			case "PATHS":
				for l := range w.lines("paths.cmd") {
					w.line(l)
				}
			default:
				w.line(fill.Replace(line))
			}
		}
	}
}

// lines are those of a file of cmd/ but for comments.
func (w *cmdWriter) lines(name string) func(yield func(string) bool) {
	text, err := cmdFiles.ReadFile("cmd/" + name)
	if err != nil && w.err == nil {
		w.err = err
	}
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\r\n")
			if line != "" && !strings.HasPrefix(line, "::") && !yield(line) {
				return
			}
		}
	}
}

func bootQueries() []string {
	var out []string
	for _, k := range remediate.WindowsBootKeys {
		out = append(out, fmt.Sprintf(`reg query "%s" /v %s 2>nul <nul`, k[0], k[1]))
	}
	return out
}

// stageFiles writes the launch's own folder. Nobody else looks at it before
// the claim names it.
func (w *cmdWriter) stageFiles(spec Spec) {
	var job []string
	for line := range w.lines("job.cmd") {
		switch line {
		case "PATHS":
			job = slices.AppendSeq(job, w.lines("paths.cmd"))
		case "BOOT":
			for _, q := range bootQueries() {
				job = append(job, `>>"%RUN%\boot" `+q)
			}
		default:
			job = append(job, line)
		}
	}
	head := []string{"@echo off", "setlocal EnableExtensions DisableDelayedExpansion", `set "ID=` + w.id + `"`, `set "LAUNCH=` + w.launch + `"`}
	w.file(`%RUN%\job.cmd`, append(head[:len(head):len(head)], job...), "")
	start := append(head[:len(head):len(head)], fmt.Sprintf(`set "WAIT=%d"`, int(spec.Wait/time.Second)))
	w.file(`%RUN%\start.cmd`, slices.AppendSeq(start, w.lines("start.cmd")), "")
	w.file(`%DIR%\`+w.launch+`.claim`, []string{
		"launch " + w.launch, "owner " + w.id, "campaign " + spec.Campaign, "controller " + spec.Controller,
	}, "")
	script := strings.Split(strings.TrimRight(strings.ReplaceAll(string(spec.Script), "\r\n", "\n"), "\n"), "\n")
	w.file(`%RUN%\script.cmd`, script, "")
	w.task()
	for _, name := range slices.Sorted(maps.Keys(spec.Secrets)) {
		w.secret(name, spec.Secrets[name])
	}
}

// file writes the lines of a file and looks whether all of it was written.
// Each echo opens the file anew: a redirected block would be quicker, and is
// not read alike by all that call themselves cmd.
func (w *cmdWriter) file(path string, lines []string, condition string) {
	size := 0
	for i, text := range lines {
		echo, err := remediate.EchoCmd(text, remediate.CmdTyped)
		if err != nil && w.err == nil {
			w.err = fmt.Errorf("line %d of %s: %w", i+1, path, err)
		}
		w.line(condition + `>>"` + path + `" ` + echo)
		size += len(text) + len("\r\n")
	}
	w.line(fmt.Sprintf(`%sfor %%f in ("%s") do if not "%%~zf"=="%d" set "WHY=storage"`, condition, path, size))
}

// task writes the task's definition, in which the host fills in a path.
func (w *cmdWriter) task() {
	for line := range w.lines("task.xml") {
		echo, err := remediate.EchoCmd(line, remediate.CmdTyped)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.line(`>>"%RUN%\task.xml" ` + strings.ReplaceAll(echo, "JOB", `%RUN%\job.cmd`))
	}
	w.line(`for %f in ("%RUN%\task.xml") do if not "%~zf" GTR "0" set "WHY=storage"`)
}

// secret writes a batch file that sets OUST_SECRET to the value and
// OUST_SECRET_MSI to it with each quote doubled, as the value of a property of
// Windows Installer has them. A job that was claimed gets no secrets again.
func (w *cmdWriter) secret(name, value string) {
	plain, err := remediate.SetCmd("OUST_SECRET", value)
	msi, err2 := remediate.SetCmd("OUST_SECRET_MSI", strings.ReplaceAll(value, `"`, `""`))
	if err = errors.Join(err, err2); err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("the secret %s: %w", name, errors.Unwrap(err))
		}
		return
	}
	w.file(`%RUN%\secrets\`+name+`.cmd`, []string{"@" + plain, "@" + msi}, `if not exist "%DIR%\claim" `)
}

func (w *cmdWriter) bytes(what string) ([]byte, error) {
	if w.err != nil {
		return nil, fmt.Errorf("%s: %w", what, w.err)
	}
	return []byte(w.b.String()), nil
}
