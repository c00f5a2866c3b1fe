package windows

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"oust/transports/lab/cmdexe"
)

func callOf(text string) *cmdexe.Call {
	return &cmdexe.Call{
		Line: text, Args: strings.Fields(text), Dir: `C:\`, Getenv: func(string) string { return "" },
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
	}
}

func TestTexts(t *testing.T) {
	m := newMachine(t, nil)
	if err := m.Files.WriteFile(`C:\Temp\a.txt`, []byte("one\r\nTwo 2\r\nthree\r\n")); err != nil {
		t.Fatal(err)
	}
	m.lines("ops", []step{
		{`type C:\Temp\a.txt | find "Two"`, 0, "Two 2\r\n"},
		{`type C:\Temp\a.txt | find /i "two"`, 0, "Two 2\r\n"},
		{`type C:\Temp\a.txt | find "two"`, 1, ""},
		{`type C:\Temp\a.txt | find /c /v ""`, 0, "3\r\n"},
		{`type C:\Temp\a.txt | find /n "e"`, 0, "[1]one\r\n[3]three\r\n"},
		{`find "one" C:\Temp\a.txt`, 0, "\r\n---------- C:\\TEMP\\A.TXT\r\none\r\n"},
		{`find "one" C:\Temp\none.txt`, 2, "File not found - C:\\TEMP\\NONE.TXT\r\n"},
		{`find one`, 2, "FIND: Parameter format not correct\r\n"},
		{`type C:\Temp\a.txt | findstr /i "ONE three"`, 0, "one\r\nthree\r\n"},
		{`type C:\Temp\a.txt | findstr /r "^T.*[0-9]$"`, 0, "Two 2\r\n"},
		{`type C:\Temp\a.txt | findstr /v /c:"Two 2"`, 0, "one\r\nthree\r\n"},
		{`findstr /m /x one C:\Temp\a.txt`, 0, "C:\\Temp\\a.txt\r\n"},
		{`findstr none C:\Temp\a.txt`, 1, ""},
	})
}

func TestTools(t *testing.T) {
	m := newMachine(t, nil)
	m.lines("ops", []step{
		{`ping -n 6 127.0.0.1 >nul`, 0, ""},
		{`ping nowhere`, 1, "...could not find host"},
		{`timeout /t 1 <nul`, 1, "ERROR: Input redirection is not supported, exiting the process immediately.\r\n"},
		{`waitfor x /t 3`, 1, "ERROR: Timed out waiting for the signal.\r\n"},
		{`whoami`, 0, "lab\\ops\r\n"},
		{`hostname`, 0, "LAB-0001\r\n"},
		{`icacls "C:\Program Files" /grant x`, 0, "...Successfully processed 1 files"},
		{`icacls C:\none /grant x`, 2, "...cannot find the file"},
		{`attrib -r C:\none`, 0, "File not found - C:\\none\r\n"},
		{`powershell -c exit`, 9009, "...is not recognized"},
		{`shutdown /s`, 87, "...incorrect"},
		{`wevtutil el`, 87, "...Invalid"},
	})
	if m.clock.slept != 8*time.Second {
		t.Errorf("the commands took %v, want 8s", m.clock.slept)
	}
	m.lines("guest", []step{
		{`icacls "C:\Program Files" /grant x`, 5, "...Access is denied"},
		{`shutdown /r /t 0`, 5, "...Access is denied"},
	})
}

func TestServices(t *testing.T) {
	m := newMachine(t, nil, KES, NetworkAgent)
	m.lines("ops", []step{
		{`sc query klnagent | find "STATE"`, 0, "        STATE              : 4  RUNNING \r\n"},
		{`sc query none`, 1060, "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n\r\nThe specified service does not exist as an installed service.\r\n\r\n"},
		{`sc stop none`, 1060, "...OpenService FAILED 1060"},
		{`sc stop klnagent`, 0, "...1  STOPPED"},
		{`sc stop klnagent`, 1062, "...FAILED 1062"},
		{`sc start klnagent`, 0, "...4  RUNNING"},
		{`sc start klnagent`, 1056, "...FAILED 1056"},
		{`taskkill /f /im klnagent.exe`, 0, "...SUCCESS"},
		{`taskkill /f /im klnagent.exe`, 128, "...not found"},
		{`taskkill /f /pid 4`, 1, "...Access is denied"},
		{`sc stop klnagent`, 1062, "...FAILED 1062"},
		{`sc config klnagent start= disabled`, 0, "[SC] ChangeServiceConfig SUCCESS\r\n"},
		{`sc start klnagent`, 1058, "...FAILED 1058"},
		{`sc delete klnagent`, 0, "[SC] DeleteService SUCCESS\r\n"},
		{`sc query klnagent`, 1060, "...FAILED 1060"},
		{`sc stop klif.KES`, 1052, "...FAILED 1052"},
		{`net stop AVP.KES.21.15`, 0, "...was stopped successfully"},
		{`net stop AVP.KES.21.15`, 2, "...System error 1062"},
		{`net stop none`, 2, "...service name is invalid"},
		{`tasklist /nh /fo csv /fi "imagename eq none.exe"`, 0, "INFO: No tasks are running which match the specified criteria.\r\n"},
		{`tasklist /nh | find "svchost.exe" >nul`, 0, ""},
	})
	m.lines("guest", []step{{`sc stop WinRM`, 5, "...FAILED 5"}, {`net stop WinRM`, 2, "...System error 5"}})
	if err := m.SetFault(FaultProtected); err != nil {
		t.Fatal(err)
	}
	m.lines("ops", []step{{`net start AVP.KES.21.15`, 0, "...started successfully"}, {`sc stop AVP.KES.21.15`, 5, "...FAILED 5"}})
}

func TestInstaller(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Password = "pw" }, KES, NetworkAgent, ToolBar)
	m.lines("ops", []step{
		{`msiexec /x {00000000-0000-0000-0000-000000000000} /qn`, 1605, ""},
		{`msiexec /x nonsense /qn`, 1639, ""},
		{`msiexec /x ` + NetworkAgent.Code + ` /qn KLUNINSTPASSWD=7000`, 1603, ""},
		{`msiexec /x ` + NetworkAgent.Code + ` /qn KLUNINSTPASSWD=70007700 /l*v C:\Temp\none\x.log`, 1622, ""},
	})
	if m.Installed(NetworkAgent) || len(m.Left(NetworkAgent)) != 0 {
		t.Errorf("the agent is left: %q", m.Left(NetworkAgent))
	}
	m.lines("ops", []step{
		{`msiexec /X` + KES.Code + ` /quiet /norestart KLLOGIN=KLAdmin KLPASSWD="pw" /l*v C:\Windows\Temp\kes.log`, 0, ""},
		{`type C:\Windows\Temp\kes.log | find "Removal completed successfully"`, 0, "MSI (s): Product: Kaspersky Endpoint Security for Windows -- Removal completed successfully.\r\n"},
		{`msiexec /x ` + KES.Code + ` /qn`, 1605, ""},
		{`reg query HKLM\SOFTWARE\KasperskyLab /reg:32`, 1, regNotFound},
		{`sc query klif.KES`, 1060, "...FAILED 1060"},
	})
	m.lines("guest", []step{{`msiexec /x ` + KES.Code + ` /qn`, 1605, ""}})
	if n := len(m.Starts()); n != 3 {
		t.Errorf("%d starts, want 3: %v", n, m.Starts())
	}
	if !m.Installed(ToolBar) {
		t.Error("another product has gone")
	}
}

// TestSelfCopying: the uninstaller ends at once, and its copy goes on.
func TestSelfCopying(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Clock.(*quickClock).speed = 20 }, ToolBar)
	m.lines("ops", []step{
		{`"C:\Program Files\Sample Toolbar\uninst.exe" /S`, 0, ""},
		{`tasklist /nh /fo csv /fi "imagename eq Un_A.exe" | find /c "Un_A.exe"`, 0, "1\r\n"},
	})
	if !m.Installed(ToolBar) {
		t.Error("it went at once")
	}
	m.work.Wait()
	if m.Installed(ToolBar) || len(m.Left(ToolBar)) != 0 {
		t.Errorf("left: %q", m.Left(ToolBar))
	}
	m.lines("ops", []step{{`"C:\Program Files\Sample Toolbar\uninst.exe" /S`, 9009, "..."}})
}

// FuzzPrograms: no words make a program panic, or wait when its time is over.
func FuzzPrograms(f *testing.F) {
	for _, s := range []string{
		`find "" x`, `findstr /c:[ /r a`, `ping -n x`, `waitfor /t 9`, `icacls x /grant`, `attrib +r`, `wevtutil qe System EventID=12 Kernel-General`,
		`schtasks /create /tn x /tr y /f`, `schtasks /query /v /fo csv`, `sc config klnagent start= auto`, `sc delete klif.KES`, `net stop x`, `tasklist /fi x`,
		`taskkill /im svchost.exe /f`, `msiexec /x {27534751-4A40-48BD-B393-BC3BF28C876E} /qn /l*v`, `reg query HKLM /s`, `timeout`, `whoami`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, rest, _ := strings.Cut(text, " ")
		p := programNamed(strings.ToLower(name))
		if p == nil || strings.EqualFold(name, "cmd") || strings.EqualFold(name, "shutdown") {
			return
		}
		m := newMachine(t, nil, KES, NetworkAgent)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p(ctx, &Session{m.Host, system}, callOf(rest))
	})
}
