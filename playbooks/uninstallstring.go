package playbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

// line is the command that runs the entry's uninstaller without asking, for a
// batch file, or why there is none.
func (s *UninstallerStep) line(e remediate.UninstallEntry) (line, reason string) {
	command, more := e.QuietUninstallString, ""
	if strings.TrimSpace(command) == "" {
		command, more = e.UninstallString, s.Arguments
		if strings.TrimSpace(more) == "" {
			return "", "it has no QuietUninstallString, and the playbook gives no arguments that keep its uninstaller from asking"
		}
	}
	program, arguments, reason := parseUninstall(command)
	if reason != "" {
		return "", reason
	}
	root, rest, _ := strings.Cut(program, `\`)
	line = `"` + root + `\` + strings.ReplaceAll(rest, "%", "%%") + `"`
	for _, words := range []string{arguments, more} {
		if words = strings.TrimSpace(words); words == "" {
			continue
		}
		escaped, err := remediate.CmdArguments(words)
		if err != nil {
			return "", "its uninstall command cannot be given to cmd"
		}
		line += " " + escaped
	}
	if utf16Len(line) > 2000 {
		return "", "its uninstall command is too long"
	}
	return line, ""
}

// unquotedProgram ends a path without quotes at the first .exe that a blank
// or the end follows, as CreateProcess would find the file if no folder's name
// ends so.
var unquotedProgram = regexp.MustCompile(`(?i)^([^"]*?\.exe)(?:\s+(.*))?$`)

// interpreters run what they are given: such a command is no uninstaller that
// could be looked at.
var interpreters = []string{
	"cmd.exe", "powershell.exe", "pwsh.exe", "rundll32.exe", "regsvr32.exe", "wscript.exe", "cscript.exe", "mshta.exe",
	"msiexec.exe", "explorer.exe", "control.exe", "forfiles.exe", "conhost.exe", "pcalua.exe", "scriptrunner.exe",
}

// administratorsFolders are those of Windows into which administrators alone
// write: what is run from there as SYSTEM nobody else can have put there.
var administratorsFolders = []string{
	`%programfiles%\`, `%programfiles(x86)%\`, `%programw6432%\`, `%commonprogramfiles%\`, `%commonprogramfiles(x86)%\`,
	`c:\program files\`, `c:\program files (x86)\`, `%systemroot%\`, `c:\windows\`,
	`%programdata%\package cache\`, `c:\programdata\package cache\`,
}

// usersFolders are exceptions below them.
var usersFolders = []string{
	`%systemroot%\temp\`, `c:\windows\temp\`, `%systemroot%\tasks\`, `c:\windows\tasks\`, `%systemroot%\tracing\`, `c:\windows\tracing\`,
	`%systemroot%\system32\spool\`, `c:\windows\system32\spool\`, `%systemroot%\system32\tasks\`, `c:\windows\system32\tasks\`,
}

// administrators reports whether administrators alone write where the program
// stands.
func administrators(program string) bool {
	program = strings.ToLower(program)
	under := func(folder string) bool { return strings.HasPrefix(program, folder) }
	return slices.ContainsFunc(administratorsFolders, under) && !slices.ContainsFunc(usersFolders, under)
}

// parseUninstall splits the command of an UninstallString into the program and
// the rest, or says why it cannot be run.
func parseUninstall(command string) (program, arguments, reason string) {
	command = strings.TrimSpace(command)
	if rest, quoted := strings.CutPrefix(command, `"`); quoted {
		var closed bool
		program, arguments, closed = strings.Cut(rest, `"`)
		if !closed {
			return "", "", "its uninstall command has a quote that does not end"
		}
	} else if m := unquotedProgram.FindStringSubmatch(command); m != nil {
		program, arguments = m[1], m[2]
	} else {
		return "", "", "its uninstall command names no .exe"
	}
	program, arguments = strings.TrimSpace(program), strings.TrimSpace(arguments)
	name := strings.ToLower(program[strings.LastIndexByte(program, '\\')+1:])
	switch {
	case strings.Count(arguments, `"`)%2 != 0:
		return "", "", "its uninstall command has a quote that does not end"
	case slices.Contains(interpreters, name):
		return "", "", fmt.Sprintf("its uninstall command is a line for %s", name)
	case !strings.HasSuffix(name, ".exe"):
		return "", "", "its uninstall command names no .exe"
	case windowsPathProblem(program) != "":
		return "", "", "the program of its uninstall command: " + windowsPathProblem(program)
	case !administrators(program):
		return "", "", "its uninstaller stands where users may be able to write: " + program
	}
	return program, arguments, ""
}
