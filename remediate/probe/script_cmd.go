package probe

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"oust/remediate"
)

// KindWindows is the kind and version of the framed output of a look at a
// Windows host.
const KindWindows = "look-windows 1"

// maxAsked is the longest path or key that can be asked, in bytes: it stands
// twice in a line of cmd.exe, once in hexadecimal.
const maxAsked = 1024

// ErrCannotAsk: a path, a registry key or a service that cmd.exe cannot be asked for
// exactly as it is written.
var ErrCannotAsk = errors.New("it cannot be asked of a Windows host")

//go:embed look.cmd
var lookCmd string

// Cmd makes the script of a look at a Windows host, for the standard input of
// remediate.CmdLine. It needs cmd.exe, reg.exe, sc.exe and nothing newer than
// Windows Server 2008 R2, and writes no file. It starts reg.exe about forty
// times, twice more for each registry key of the questions, and sc.exe once for
// each service.
//
// What a lookup cannot be trusted to have asked exactly, such as a path in
// letters that the host's code page lacks, comes back in Facts.Incomplete. The
// error wraps ErrCannotAsk for a path, key or service that no line can hold.
func Cmd(q remediate.Questions, nonce remediate.Nonce) ([]byte, error) {
	return cmd(q, nonce, func(string) bool { return true })
}

// cmd makes the script from the sections that are wanted.
func cmd(q remediate.Questions, nonce remediate.Nonce, want func(section string) bool) ([]byte, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	section := ""
	for l := range strings.Lines(lookCmd) {
		l = strings.TrimRight(l, "\r\n")
		word, rest, _ := strings.Cut(l, " ")
		switch {
		case word == "SECTION":
			section = rest
		case word == "END":
			section = ""
		case l == "ASK SERVICES":
			section = "running"
		}
		switch {
		case section != "" && !want(section):
		case word == "BEGIN":
			line("%s", nonce.CmdBegin(KindWindows))
		case word == "SECTION":
			line("%s", nonce.CmdSection(rest))
		case word == "END":
			line("%s", nonce.CmdEnd())
		case word == "KEY":
			askKey(line, rest, remediate.View64)
		case l == "ASK SERVICES":
			if err := askServices(line, q.Services, nonce); err != nil {
				return nil, err
			}
		case l == "ASK KEYS":
			if err := askKeys(line, q.Keys); err != nil {
				return nil, err
			}
		case l == "ASK PATHS":
			if err := askPaths(line, q.Paths); err != nil {
				return nil, err
			}
		default:
			line("%s", strings.ReplaceAll(l, "NONCE", string(nonce)))
		}
	}
	return []byte(b.String()), nil
}

// askServices prints the name of each service, what sc.exe says of it, and its
// exit code.
func askServices(line func(string, ...any), services []string, nonce remediate.Nonce) error {
	if len(services) == 0 {
		return nil
	}
	line("%s", nonce.CmdSection("running"))
	for _, s := range services {
		if !serviceName.MatchString(s) {
			return fmt.Errorf("service %q: %w: no service has such a name", clean(s), ErrCannotAsk)
		}
		line("echo service %s", s)
		line("sc query %s 2>&1 <nul", s)
		line("echo rc %%ERRORLEVEL%%")
	}
	return nil
}

func askKeys(line func(string, ...any), keys []string) error {
	for _, key := range keys {
		if problem := keyProblem(key); problem != "" {
			return fmt.Errorf("registry key %q: %w: %s", clean(key), ErrCannotAsk, problem)
		}
		askKey(line, key, remediate.View64)
		askKey(line, key, remediate.View32)
	}
	line("echo asked %d", 2*len(keys))
	return nil
}

// askKey prints what was asked, in hexadecimal and as cmd.exe reads it, what
// reg.exe says against it, and its exit code.
func askKey(line func(string, ...any), key string, view remediate.RegistryView) {
	line(`echo key %s %x "%s"`, view, key, literal(key))
	line(`reg query "%s" /reg:%s 2>&1 >nul <nul`, literal(key), view)
	line(`echo rc %%ERRORLEVEL%%`)
}

// askPaths prints what was asked, in hexadecimal, and then the attributes and
// the path as cmd.exe reads it. For a path without attributes dir says why.
func askPaths(line func(string, ...any), paths []string) error {
	for _, path := range paths {
		if users, below, ok := remediate.PerUserPath(path); ok {
			if err := askUsers(line, path, users, below); err != nil {
				return err
			}
			continue
		}
		variable, rest, problem := splitPath(path)
		if problem != "" {
			return fmt.Errorf("path %q: %w: %s", clean(path), ErrCannotAsk, problem)
		}
		word := variable + literal(rest)
		line(`echo path %x`, path)
		line(`for %%p in ("%s") do echo is %%~ap %%p`, word)
		line(`if not exist "%s" dir /b /a "%s" 2>&1 >nul`, word, word)
	}
	line("echo asked %d", len(paths))
	return nil
}

// literal is a text within quotes as cmd.exe must be given it: a percent sign
// comes from a variable, for what comes from there is not read again.
func literal(s string) string { return strings.ReplaceAll(s, "%", "%OUSTP%") }

// pathVariables are what a path may begin with. On 32-bit Windows those with
// (x86) and W6432 are not set: cmd.exe leaves them as they are, and nothing is
// at such a path.
var pathVariables = []string{
	"%ProgramFiles%", "%ProgramFiles(x86)%", "%ProgramW6432%", "%CommonProgramFiles%", "%CommonProgramFiles(x86)%",
	"%CommonProgramW6432%", "%ProgramData%", "%ALLUSERSPROFILE%", "%PUBLIC%", "%SystemRoot%", "%windir%", "%SystemDrive%",
}

var drive = regexp.MustCompile(`^[A-Za-z]:\\`)

// splitPath cuts the variable off that a path begins with, and says what is
// wrong with the path, or "".
func splitPath(path string) (variable, rest, problem string) {
	rest = path
	for _, v := range pathVariables {
		if len(path) > len(v) && strings.EqualFold(path[:len(v)], v) && path[len(v)] == '\\' {
			variable, rest = path[:len(v)], path[len(v):]
		}
	}
	switch {
	case variable == "" && strings.HasPrefix(path, "%"):
		problem = "it begins with a variable that not every host has; use one of " + strings.Join(pathVariables, ", ")
	case variable == "" && !drive.MatchString(path):
		problem = `it begins neither with a drive, such as C:\, nor with a variable, such as %ProgramFiles%\`
	case strings.ContainsAny(path, `*?<>|/`) || strings.LastIndexByte(rest, ':') > 1:
		problem = "it holds a character that no file name holds"
	default:
		problem = textProblem(path)
	}
	return variable, rest, problem
}

var registryKey = regexp.MustCompile(`(?i)^(HKLM|HKU|HKCR|HKEY_LOCAL_MACHINE|HKEY_USERS|HKEY_CLASSES_ROOT)\\[^\\]`)

func keyProblem(key string) string {
	if !registryKey.MatchString(key) {
		return `it does not begin with HKLM\, HKU\ or HKCR\`
	}
	return textProblem(key)
}

// textProblem is what is wrong with a text that is to stand in quotes.
func textProblem(s string) string {
	switch {
	case len(s) > maxAsked:
		return fmt.Sprintf("it is longer than %d bytes", maxAsked)
	case !utf8.ValidString(s):
		return "it is not UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "it holds a control character"
	case strings.Contains(s, `"`):
		return "it holds a quotation mark"
	case strings.Contains(s, `\\`) || strings.HasSuffix(s, `\`):
		return "it has an empty step"
	case strings.Count(literal(s), "")-1 > 3*maxAsked:
		return "it holds too many percent signs"
	}
	return ""
}
