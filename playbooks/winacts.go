package playbooks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

const (
	defaultUninstallWait = 10 * time.Minute
	mostUninstallWait    = time.Hour
)

// uninstallChildren are what NSIS (nsis.sourceforge.io, "Uninstaller") and
// Inno Setup call the copies of themselves that do the work.
var uninstallChildren = []string{"Au_.exe", "Un_A.exe", "_iu14D2N.tmp"}

// msiExit is what msiexec's exit codes mean for a removal (Microsoft,
// "MsiExec.exe and InstMsi.exe error messages"). 1641 means that a restart has
// begun, which /norestart should have kept from happening. All others, 1602
// and 1603 among them, are failures.
func msiExit() ExitCodes {
	return ExitCodes{
		0: remediate.StepOK, 1605: remediate.StepAbsent, 1614: remediate.StepAbsent, 1618: remediate.StepBusy,
		1641: remediate.StepReboot, 3010: remediate.StepReboot,
	}
}

// A cmdAct is an act on Windows: variables, a function of the prelude, and
// what it calls back.
type cmdAct struct {
	vars [][2]string // set to exactly these values
	// raw are lines that set variables from others of the host's.
	raw      []string
	function string
	run      []string // lines of :runN, which leave the code in %code%
	look     []string // lines of :lookN and :childrenN, which may set there
	children []string
	denied   []string
	exit     ExitCodes
}

// on reports whether the step is of the platform.
func (s Step) on(p remediate.Platform) bool {
	if len(s.Platforms) > 0 && !slices.Contains(s.Platforms, p) {
		return false
	}
	if s.File != nil {
		return isWindowsPath(s.File.Path) == (p == remediate.Windows)
	}
	return slices.Contains(stepPlatforms[s.kind()], p)
}

// windowsActs returns what removes the product from a Windows host, or why
// nothing can.
func (p *Playbook) windowsActs(f *remediate.Facts) ([]act, string) {
	entries, reason := p.entries(f)
	if reason == "" {
		reason = p.ofUsersAlone(f)
	}
	if reason != "" {
		return nil, reason
	}
	var out []act
	removes := len(entries) > 0 // without entries other steps must do it
	done := map[string]bool{}
	for _, s := range p.Steps {
		if !s.on(remediate.Windows) {
			continue
		}
		acts, bad := s.windowsActs(p, entries, done)
		if bad != "" {
			return nil, bad
		}
		out = append(out, acts...)
		removes = removes || s.File != nil || s.Key != nil || s.Script != nil
	}
	for _, e := range entries {
		if !done[entryID(e)] {
			return nil, fmt.Sprintf("no step removes the entry %s (%s)", e.Key, oneLine(e.DisplayName))
		}
	}
	if len(out) == 0 || !removes {
		return nil, "it is there without an uninstall entry that the steps could remove"
	}
	return append(out, p.windowsLeftovers()...), ""
}

// ofUsersAlone says that all that proves the product is in the folders of users,
// who have it for themselves, or "".
func (p *Playbook) ofUsersAlone(f *remediate.Facts) string {
	where := ""
	for _, s := range p.Detect {
		if _, _, ok := s.match(f); !ok {
			continue
		}
		if _, _, users := remediate.PerUserPath(s.Path); !users {
			return ""
		}
		where = s.Path
	}
	if where == "" {
		return ""
	}
	return "it is in the folders of users alone (" + where + "); they must remove it"
}

// words are names for a loop of cmd, which reads one with a blank in quotes.
func words(names []string) string {
	out := slices.Clone(names)
	for i, n := range out {
		if strings.Contains(n, " ") {
			out[i] = `"` + n + `"`
		}
	}
	return strings.Join(out, " ")
}

func entryID(e remediate.UninstallEntry) string {
	return e.Hive + `\` + string(e.View) + `\` + e.Key
}

// entries are those of the host that the playbook's signs mean, each once. An
// entry in a user's hive is the user's to write: what it names is never run as
// SYSTEM.
func (p *Playbook) entries(f *remediate.Facts) (out []remediate.UninstallEntry, reason string) {
	seen := map[string]bool{}
	for _, s := range p.Detect {
		if _, _, ok := s.match(f); !ok || s.Uninstall == nil {
			continue
		}
		for _, e := range s.Uninstall.match(f) {
			switch {
			case seen[entryID(e)]:
			case e.Hive != "HKLM":
				return nil, fmt.Sprintf("%s is installed for one user alone (%s); that user must uninstall it", oneLine(e.DisplayName), e.Hive)
			case strings.ContainsAny(e.Key, `"`) || !printable(e.Key):
				return nil, fmt.Sprintf("the entry %s has a name that no command can be given", oneLine(e.Key))
			default:
				seen[entryID(e)] = true
				out = append(out, e)
			}
		}
	}
	return out, ""
}

func (s Step) windowsActs(p *Playbook, entries []remediate.UninstallEntry, done map[string]bool) ([]act, string) {
	a := act{playbook: p.Name, cmd: &cmdAct{}}
	switch {
	case s.MSI != nil, s.Uninstaller != nil:
		var out []act
		for _, e := range entries {
			if done[entryID(e)] {
				continue
			}
			code := productCode(e)
			if code != "" && s.MSI != nil && done[code] {
				done[entryID(e)] = true // another entry of the same product
				continue
			}
			some, reason := s.entryAct(p, e)
			if reason != "" {
				return nil, reason
			}
			if some != nil {
				done[entryID(e)], done[code] = true, true
				out = append(out, *some)
			}
		}
		return out, ""
	case s.Service != nil:
		a.what = "stop and disable " + noun("service", s.Service.Names)
		a.uses, a.cmd.function = []string{"service"}, "service"
		a.cmd.vars = [][2]string{{"services", words(s.Service.Names)}}
	case s.Process != nil:
		a.what = "end " + noun("process", s.Process.Names)
		a.uses, a.cmd.function = []string{"process"}, "process"
		a.cmd.vars = [][2]string{{"processes", strings.Join(s.Process.Names, " ")}}
	case s.File != nil:
		a = fileAct(p.Name, s.File.Path, "remove "+s.File.Path, "remove_tree")
	case s.Key != nil:
		a = keyAct(p.Name, s.Key.Key)
	case s.Script != nil:
		a.what, a.uses = s.Script.What, []string{"script"}
		a.cmd.function, a.cmd.exit = "script", s.Script.Exit
		s.Script.cover(&a, entries, done)
		return s.Script.cmd(a)
	}
	return []act{a}, ""
}

// cover makes the entries that the text removes its own: no later step removes
// them, and the step has not ended well while one of them is there.
func (s *ScriptStep) cover(a *act, entries []remediate.UninstallEntry, done map[string]bool) {
	for _, e := range entries {
		if done[entryID(e)] || !anyWild(s.Covers, e.DisplayName) {
			continue
		}
		done[entryID(e)] = true
		if code := productCode(e); code != "" {
			done[code] = true
		}
		a.cmd.function = "covering"
		a.cmd.look = append(a.cmd.look, lookAt(e)...)
	}
}

// cmd writes the text into a file of its own when the step runs.
func (s *ScriptStep) cmd(a act) ([]act, string) {
	into := ">"
	for line := range strings.Lines(s.Text) {
		echo, err := remediate.EchoCmd(strings.TrimRight(line, "\r\n"), remediate.CmdBatch)
		if err != nil {
			return nil, fmt.Sprintf("a line of the step %q: %v", s.What, err)
		}
		a.cmd.run = append(a.cmd.run, into+`"%OUST_DIR%\step-%step%.cmd" `+echo)
		into = ">>"
	}
	a.cmd.run = append(a.cmd.run,
		`cmd /d /q /e:on /v:off /s /c ""%OUST_DIR%\step-%step%.cmd"" >"%OUST_DIR%\out-%step%" 2>&1 <nul`, `set "code=%ERRORLEVEL%"`)
	return []act{a}, ""
}

// entryAct removes one entry, nil if the step is not for such entries.
func (s Step) entryAct(p *Playbook, e remediate.UninstallEntry) (*act, string) {
	code := productCode(e)
	if code != "" && s.MSI != nil {
		return s.MSI.act(p, e, code)
	}
	if code == "" && s.Uninstaller != nil {
		return s.Uninstaller.act(p, e)
	}
	return nil, ""
}

var msiCommand = regexp.MustCompile(`(?i)^"?(?:[a-z]:\\[^"]*\\|%[^%"]+%\\[^"]*)?msiexec(?:\.exe)?"?\s+/[xi]\s*(\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\})`)

// productCode is by what Windows Installer removes the entry, or "".
func productCode(e remediate.UninstallEntry) string {
	if e.WindowsInstaller && e.ProductCode != "" {
		return e.ProductCode
	}
	if m := msiCommand.FindStringSubmatch(strings.TrimSpace(e.UninstallString)); m != nil {
		return strings.ToUpper(m[1])
	}
	return ""
}

func (s *MSIStep) act(p *Playbook, e remediate.UninstallEntry, code string) (*act, string) {
	exit := msiExit()
	maps.Copy(exit, s.Exit)
	a := &act{
		playbook: p.Name, uses: []string{"msi"},
		what: fmt.Sprintf("uninstall %s with Windows Installer: %s", p.titleOf(e), code),
		cmd:  &cmdAct{function: "msi", exit: exit, look: lookAt(e)},
	}
	line := "msiexec /x " + code + " /qn /norestart REBOOT=ReallySuppress" + properties(s.Properties)
	// All but the list of properties (p), which would hold the password.
	const log = ` /liwearumo "%log%" >nul 2>nul <nul`
	if s.Password == nil {
		a.cmd.run = []string{line + log, `set "code=%ERRORLEVEL%"`}
	} else {
		file := `"%OUST_DIR%\secrets\` + s.Password.Secret + `.cmd"`
		a.cmd.run = []string{
			"if exist " + file + " goto run%N%_with",
			line + log,
			`set "code=%ERRORLEVEL%"`,
			"goto :eof",
			":run%N%_with",
			"call " + file,
			line + properties(s.Password.With) + " " + s.Password.Property + `="%OUST_SECRET_MSI%"` + log,
			`set "code=%ERRORLEVEL%"`,
			`set "OUST_SECRET="`,
			`set "OUST_SECRET_MSI="`,
		}
	}
	for _, text := range s.Denied {
		quoted, err := remediate.CmdArguments(`"` + text + `"`)
		if err != nil {
			return nil, fmt.Sprintf("the text %q: %v", text, err)
		}
		a.cmd.denied = append(a.cmd.denied, `type "%log%" 2>nul <nul | find `+quoted+` >nul`, `if not errorlevel 1 set "denied=yes"`)
	}
	return a, ""
}

// properties are words for msiexec, whose values stand in quotes with each
// quote doubled (Microsoft, "Command-Line Options").
func properties(values map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := strings.ReplaceAll(values[name], `"`, `""`)
		b.WriteString(" " + name + `="` + strings.ReplaceAll(v, "%", "%%") + `"`)
	}
	return b.String()
}

// lookAt sets there if the entry is still there.
func lookAt(e remediate.UninstallEntry) []string {
	return []string{
		`reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\` + strings.ReplaceAll(e.Key, "%", "%%") +
			`" /reg:` + string(e.View) + ` >nul 2>nul <nul`,
		`if not errorlevel 1 set "there=yes"`,
	}
}

// titleOf names an entry in ASCII: a host may lack the letters of another
// language where it reads the script.
func (p *Playbook) titleOf(e remediate.UninstallEntry) string {
	name := strings.TrimSpace(oneLine(e.DisplayName) + " " + oneLine(e.DisplayVersion))
	if e.DisplayName == "" || !ascii(name) {
		return strings.TrimSpace(p.Title + " " + onlyASCII(oneLine(e.DisplayVersion)))
	}
	return name
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

func onlyASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}

func (s *UninstallerStep) act(p *Playbook, e remediate.UninstallEntry) (*act, string) {
	line, reason := s.line(e)
	if reason != "" {
		return nil, fmt.Sprintf("the entry %s (%s): %s", e.Key, oneLine(e.DisplayName), reason)
	}
	exit := s.Exit
	if len(exit) == 0 {
		exit = defaultExit()
	}
	wait, _ := s.wait() // checked when the playbook was loaded
	children := s.Children
	if len(children) == 0 {
		children = uninstallChildren
	}
	a := &act{
		playbook: p.Name, uses: []string{"uninstaller"}, what: "uninstall " + p.titleOf(e) + " with its own uninstaller",
		cmd: &cmdAct{
			function: "uninstaller", exit: exit, look: lookAt(e), run: []string{line + ` >"%OUST_DIR%\out-%step%" 2>&1 <nul`, `set "code=%ERRORLEVEL%"`},
			vars: [][2]string{{"wait", strconv.Itoa(int(wait / time.Second))}},
		},
	}
	for _, c := range children {
		a.cmd.children = append(a.cmd.children, `tasklist 2>nul <nul | find "`+c+`" >nul`, `if not errorlevel 1 set "there=yes"`)
	}
	return a, ""
}

// wait is Wait read, or its default.
func (s *UninstallerStep) wait() (time.Duration, error) {
	if s.Wait == "" {
		return defaultUninstallWait, nil
	}
	d, err := time.ParseDuration(s.Wait)
	if err != nil || d < 0 || d > mostUninstallWait || d%time.Second != 0 {
		return 0, fmt.Errorf("wait %q: use whole seconds as in 90s or 10m, at most 1h", s.Wait)
	}
	return d, nil
}

// windowsLeftovers are leftoverActs for Windows. Services are never among
// them: what is left of one is a driver as often as not.
func (p *Playbook) windowsLeftovers() []act {
	var out []act
	for _, r := range p.Residue {
		switch {
		case !r.Remove:
		case r.Path != "" && isWindowsPath(r.Path):
			a := fileAct(p.Name, r.Path, "remove what is left in "+r.Path, "remove_tree")
			a.soft = true
			out = append(out, a)
		case r.Key != "":
			a := keyAct(p.Name, r.Key)
			a.soft = true
			out = append(out, a)
		}
	}
	for _, path := range p.Shared {
		if isWindowsPath(path) {
			a := fileAct(p.Name, path, "remove the shared folder "+path+" if it is empty", "remove_empty")
			a.soft = true
			out = append(out, a)
		}
	}
	return out
}

// fileAct acts on a path that may begin with a variable. Where the host does
// not have the variable, there is nothing at the path.
func fileAct(playbook, path, what, function string) act {
	a := act{playbook: playbook, what: what, uses: []string{"file"}, cmd: &cmdAct{function: function}}
	root, rest, _ := strings.Cut(path, `\`)
	set := `set "target=` + root + `\` + strings.ReplaceAll(rest, "%", "%%") + `"`
	a.cmd.raw = []string{set}
	if m := variablePattern.FindStringSubmatch(root); m != nil {
		a.cmd.raw = []string{`set "target="`, "if defined " + m[1] + " " + set}
	}
	return a
}

func keyAct(playbook, key string) act {
	return act{
		playbook: playbook, what: "remove the registry key " + key, uses: []string{"key"},
		cmd: &cmdAct{function: "remove_key", vars: [][2]string{{"key", key}}},
	}
}
