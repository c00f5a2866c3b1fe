package playbooks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// cmdPreludeOrder is the order in which parts of the prelude stand in a batch
// file.
var cmdPreludeOrder = []string{"base", "msi", "uninstaller", "service", "process", "file", "key", "script"}

// renderCmd makes a batch file. Values from the host stand in it only as cmd
// reads them exactly; see remediate.SetCmd.
func renderCmd(removals []removal, left []Left, busyWait time.Duration) (remediate.Script, error) {
	r := &cmdRenderer{}
	r.line("@echo off")
	for _, l := range headLines(removals, left) {
		r.line(":: %s", strings.TrimRight(strings.ReplaceAll(onlyASCII(l), "%", "%%"), "^"))
	}
	r.line("setlocal EnableExtensions DisableDelayedExpansion")
	r.line("chcp 65001 >nul 2>nul <nul")
	r.line(`if not defined OUST_DIR exit /b %d`, remediate.ScriptFailed)
	r.line(`if not exist "%%OUST_DIR%%\" exit /b %d`, remediate.ScriptFailed)
	for _, v := range []string{"busy_wait=" + strconv.Itoa(seconds(busyWait)), "reboot=no", "over=", "more="} {
		r.line(`set "%s"`, v)
	}
	acts := r.steps(removals)
	r.line(`if "%%reboot%%"=="yes" exit /b %d`, remediate.ScriptReboot)
	r.line("exit /b %d", remediate.ScriptDone)
	uses := map[string]bool{"base": true}
	for i, a := range acts {
		r.callbacks(i+1, a)
		for _, u := range a.uses {
			uses[u] = true
		}
	}
	r.prelude(uses)
	if r.err != nil {
		return remediate.Script{}, fmt.Errorf("render: %w", r.err)
	}
	text := r.b.String()
	return remediate.Script{Digest: remediate.Digest([]byte(text)), Shell: remediate.ShellCmd, Text: text}, nil
}

// cmdRenderer writes one batch file. The first error is kept.
type cmdRenderer struct {
	b   strings.Builder
	err error
}

func (r *cmdRenderer) line(format string, args ...any) { fmt.Fprintf(&r.b, format+"\r\n", args...) }

func (r *cmdRenderer) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *cmdRenderer) steps(removals []removal) (acts []act) {
	for _, m := range removals {
		r.line("")
		r.line(`set "changed=no"`)
		for _, a := range m.acts {
			acts = append(acts, a)
			r.step(len(acts), a)
		}
		if m.playbook.Reboot == RebootNeeded {
			r.line(`if "%%changed%%"=="yes" set "reboot=yes"`)
		}
	}
	r.line("")
	return acts
}

func (r *cmdRenderer) step(n int, a act) {
	soft := "no"
	if a.soft {
		soft = "yes"
	}
	r.line(`set "step=%d"`, n)
	r.line(`set "soft=%s"`, soft)
	for _, v := range a.cmd.vars {
		set, err := remediate.SetCmd(v[0], v[1])
		r.keep(err)
		r.line("%s", set)
	}
	for _, l := range a.cmd.raw {
		r.line("%s", l)
	}
	r.line("call :%s", a.cmd.function)
	r.line("if defined over exit /b %%over%%")
}

// callbacks are the labels of step n that the prelude calls.
func (r *cmdRenderer) callbacks(n int, a act) {
	label := func(name string, lines ...string) {
		r.line("")
		r.line(":%s%d", name, n)
		for _, l := range lines {
			r.line("%s", strings.ReplaceAll(l, "%N%", strconv.Itoa(n)))
		}
		r.line("goto :eof")
	}
	echo, err := remediate.EchoCmd(onlyASCII(a.what), remediate.CmdBatch)
	r.keep(err)
	what := strings.TrimPrefix(strings.TrimPrefix(echo, "echo"), ".")
	label("record",
		fmt.Sprintf(`>>"%%OUST_DIR%%\result" echo %d %%verdict%% %%code%% %s%s%%more%%`, n, a.playbook, spaced(what)),
		fmt.Sprintf(`>>"%%OUST_DIR%%\log" echo oust: step %d: %%verdict%%, exit %%code%%:%s%%more%%`, n, spaced(what)))
	if len(a.cmd.exit) > 0 {
		lines := []string{`set "verdict=failed"`}
		for _, code := range slices.Sorted(maps.Keys(a.cmd.exit)) {
			lines = append(lines, fmt.Sprintf(`if "%%code%%"=="%d" set "verdict=%s"`, code, a.cmd.exit[code]))
		}
		label("meaning", lines...)
	}
	if len(a.cmd.run) > 0 {
		label("run", a.cmd.run...)
	}
	if len(a.cmd.look) > 0 {
		label("look", a.cmd.look...)
	}
	switch a.cmd.function {
	case "msi":
		label("denied", a.cmd.denied...)
	case "uninstaller":
		label("children", a.cmd.children...)
	}
}

func spaced(s string) string { return " " + strings.TrimLeft(s, " ") }

func (r *cmdRenderer) prelude(uses map[string]bool) {
	for _, name := range cmdPreludeOrder {
		if !uses[name] {
			continue
		}
		text, err := preludes.ReadFile("prelude/cmd/" + name + ".cmd")
		r.keep(err)
		r.line("")
		for l := range strings.Lines(string(text)) {
			r.line("%s", strings.TrimRight(l, "\r\n"))
		}
	}
}
