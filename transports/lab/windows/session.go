package windows

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"oust/transports/lab/cmdexe"
)

// account is who a session works as.
type account struct {
	name, domain, sid string
	admin             bool
}

// Accounts that every machine has. The administrator's token is not filtered;
// the guest has a user's rights.
var (
	accounts = []account{
		{"ops", "LAB", "S-1-5-21-1004336348-1177238915-682003330-1105", true},
		{"guest", "LAB", "S-1-5-21-1004336348-1177238915-682003330-1142", false},
	}
	system = account{"SYSTEM", "NT AUTHORITY", "S-1-5-18", true}
)

// Accounts are the names of the accounts that may log in: an administrator's
// first.
func Accounts() []string {
	var out []string
	for _, a := range accounts {
		out = append(out, a.name)
	}
	return out
}

func accountNamed(name string) (account, bool) {
	for _, a := range accounts {
		if strings.EqualFold(a.name, name) {
			return a, true
		}
	}
	return account{}, false
}

// Session is one account's view of a machine.
type Session struct {
	host    *Host
	account account
}

// Session is a session of an account, which it names without a domain.
func (h *Host) Session(user string) (*Session, error) {
	a, ok := accountNamed(user)
	if !ok {
		return nil, fmt.Errorf("windows: no account is called %q", user)
	}
	return &Session{host: h, account: a}, nil
}

// Config is what the interpreter of cmd scripts needs for a session that
// reads and writes these.
func (s *Session) Config(in io.Reader, out, err io.Writer) cmdexe.Config {
	h := s.host
	dir := `C:\Users\` + s.account.name
	if s.account == system {
		dir = `C:\Windows\System32`
	}
	return cmdexe.Config{
		Files: guarded{h.Files, s.account.admin}, Lookup: s.Lookup, Env: s.env(), Dir: dir,
		Stdin: in, Stdout: out, Stderr: err,
		Now: h.now, Sleep: h.clock.Sleep, Version: h.image.version, CodePage: 437,
	}
}

// env are the variables of a session, as Windows Server sets them for a 64-bit
// process.
func (s *Session) env() []string {
	name := s.account.name
	profile, user, domain := `C:\Users\`+name, name, s.account.domain
	if s.account == system {
		profile, user, domain = `C:\Windows\System32\config\systemprofile`, s.host.Name+"$", "LAB"
	}
	temp := profile + `\AppData\Local\Temp`
	if s.account == system {
		temp = `C:\Windows\TEMP`
	}
	return []string{
		`ALLUSERSPROFILE=C:\ProgramData`, `APPDATA=` + profile + `\AppData\Roaming`,
		`CommonProgramFiles=C:\Program Files\Common Files`, `CommonProgramFiles(x86)=C:\Program Files (x86)\Common Files`,
		`CommonProgramW6432=C:\Program Files\Common Files`, `COMPUTERNAME=` + s.host.Name, `ComSpec=C:\Windows\system32\cmd.exe`,
		`LOCALAPPDATA=` + profile + `\AppData\Local`, `NUMBER_OF_PROCESSORS=2`, `OS=Windows_NT`,
		`Path=C:\Windows\system32;C:\Windows;C:\Windows\System32\Wbem`, `PATHEXT=.COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC`,
		`PROCESSOR_ARCHITECTURE=AMD64`, `ProgramData=C:\ProgramData`, `ProgramFiles=C:\Program Files`,
		`ProgramFiles(x86)=C:\Program Files (x86)`, `ProgramW6432=C:\Program Files`, `PROMPT=$P$G`, `PUBLIC=C:\Users\Public`,
		`SystemDrive=C:`, `SystemRoot=C:\Windows`, `TEMP=` + temp, `TMP=` + temp,
		`USERDOMAIN=` + domain, `USERNAME=` + user, `USERPROFILE=` + profile, `windir=C:\Windows`,
	}
}

// mayTouch reports whether the account may read a key, or change it. Of the
// hives of accounts of the system a user may not know; what belongs to the
// machine only administrators change.
func (s *Session) mayTouch(p regPath, change bool) bool {
	if s.account.admin {
		return true
	}
	if len(p.stored) > 0 && p.stored[0] == hku {
		return len(p.stored) == 1 && !change || len(p.stored) > 1 && strings.EqualFold(p.stored[1], s.account.sid)
	}
	return !change
}

// visible are the subkeys that a listing of a key shows. Of the hives of people
// the session's own is loaded, and that of who is logged on.
func (s *Session) visible(p regPath, k *key) []*key {
	if len(p.stored) != 1 || p.stored[0] != hku {
		return k.subs
	}
	return slices.DeleteFunc(slices.Clone(k.subs), func(hive *key) bool {
		return isPerson(hive.name) && !strings.EqualFold(hive.name, s.account.sid) && !s.host.LoggedOn()
	})
}

func isPerson(sid string) bool {
	return slices.ContainsFunc(accounts, func(a account) bool { return strings.EqualFold(a.sid, sid) })
}

// program is a program that is simulated.
type program func(ctx context.Context, s *Session, c *cmdexe.Call) int

// Lookup finds a program by a name or a path, and returns nil if there is
// none.
func (s *Session) Lookup(name string) cmdexe.Program {
	base := strings.ToLower(name)
	if i := strings.LastIndexByte(base, '\\'); i >= 0 {
		folder := base[:i]
		base = base[i+1:]
		if folder != `c:\windows\system32` && folder != `c:\windows\syswow64` && folder != `c:\windows\sysnative` {
			return s.uninstallerAt(name)
		}
	}
	base = strings.TrimSuffix(base, ".exe")
	p := programNamed(base)
	if p == nil {
		return nil
	}
	return func(ctx context.Context, c *cmdexe.Call) int {
		ctx, end := s.host.begin(ctx, base+".exe", s.account)
		defer end()
		return p(ctx, s, c)
	}
}

// programNamed is the program of a name in small letters without .exe.
func programNamed(name string) program {
	switch name {
	case "reg":
		return reg
	case "find":
		return find
	case "findstr":
		return findstr
	case "ping":
		return ping
	case "timeout":
		return timeout
	case "waitfor":
		return waitfor
	case "whoami":
		return whoami
	case "hostname":
		return hostname
	case "icacls":
		return icacls
	case "attrib":
		return attrib
	case "wevtutil":
		return wevtutil
	case "schtasks":
		return schtasks
	case "sc":
		return sc
	case "net":
		return netProgram
	case "tasklist":
		return tasklist
	case "taskkill":
		return taskkill
	case "msiexec":
		return msiexec
	case "shutdown":
		return shutdown
	case "powershell":
		return powershell
	case "cmd":
		return cmd
	}
	return nil
}

// cmd is cmd.exe, started by another program.
func cmd(ctx context.Context, s *Session, c *cmdexe.Call) int {
	config := s.Config(c.Stdin, c.Stdout, c.Stderr)
	config.Env, config.Dir = c.Environ(), c.Dir
	return s.host.shell(ctx, config, c.Line)
}
