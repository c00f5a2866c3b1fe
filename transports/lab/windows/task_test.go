package windows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// taskFile writes a task's definition that runs a line of cmd.
func (m *machine) taskFile(path, text string) {
	m.t.Helper()
	xml := `<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><Actions Context="Author"><Exec>` +
		`<Command>%SystemRoot%\System32\cmd.exe</Command><Arguments>/d /q /s /c "` + text + `"</Arguments></Exec></Actions></Task>`
	if err := m.Files.WriteFile(path, []byte(xml)); err != nil {
		m.t.Fatal(err)
	}
}

func TestTasks(t *testing.T) {
	m := newMachine(t, nil)
	m.taskFile(`C:\Temp\t.xml`, `whoami &gt;C:\Temp\who &amp; exit /b 7`)
	m.taskFile(`C:\Temp\bad.xml`, `<`)
	m.lines("ops", []step{
		{`schtasks /query /tn none /v /fo csv /nh`, 1, taskNotFound},
		{`schtasks /create /tn t /xml C:\Temp\none.xml /f`, 1, taskNotFound},
		{`schtasks /create /tn t /xml C:\Temp\bad.xml /f`, 1, "...malformed"},
		{`schtasks /create /tn t /xml C:\Temp\t.xml /f`, 0, "SUCCESS: The scheduled task \"t\" has successfully been created.\r\n"},
		{`schtasks /create /tn t /xml C:\Temp\t.xml`, 1, "...already exists"},
		{`schtasks /query /tn t /v /fo csv /nh`, 0, `..."LAB-0001","\t","N/A","Ready","Interactive/Background","N/A","267011",`},
		{`schtasks /run /tn t`, 0, "...Attempted to run"},
	})
	m.work.Wait()
	m.lines("ops", []step{
		{`schtasks /query /tn t /v /fo csv /nh`, 0, `...,"N/A","7",`},
		{`type C:\Temp\who`, 0, "nt authority\\system\r\n"},
		{`schtasks /delete /tn t /f`, 0, "...was successfully deleted"},
		{`schtasks /delete /tn t /f`, 1, taskNotFound},
		{`schtasks /run /tn t`, 1, taskNotFound},
		{`schtasks`, 1, "...Invalid syntax"},
	})
	m.lines("guest", []step{{`schtasks /create /tn t /xml C:\Temp\t.xml /f`, 1, taskDenied}})
}

// TestTaskOutlivesItsShell: a task goes on when the shell that started it has
// ended, and ends with the machine's restart.
func TestTaskOutlivesItsShell(t *testing.T) {
	m := newMachine(t, nil)
	m.taskFile(`C:\Temp\t.xml`, `waitfor never`)
	s, err := m.Session("ops")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs strings.Builder
	m.shell(ctx, s.Config(strings.NewReader(""), &out, &errs), `/c schtasks /create /tn t /xml C:\Temp\t.xml /f & schtasks /run /tn t & schtasks /run /tn t`)
	cancel()
	m.lines("ops", []step{{`schtasks /query /tn t /v /fo csv /nh | find "267009" >nul`, 0, ""}})
	old := m.BootID()
	m.pend(`C:\Temp\t.xml`)
	m.Reboot()
	if m.BootID() == old {
		t.Error("the boot id stays")
	}
	if list, err := m.Files.List(`C:\Temp`); err != nil || len(list) != 0 {
		t.Errorf("what was to go at the start is there: %v %v", list, err)
	}
	m.lines("ops", []step{{`schtasks /query /tn t /v /fo csv /nh`, 0, `...,"267014",`}})
	if slices.Contains(m.Processes(), "waitfor.exe") {
		t.Error("the task's program still runs")
	}
}

// TestTaskEnds: what /end ends says so.
func TestTaskEnds(t *testing.T) {
	m := newMachine(t, nil)
	m.taskFile(`C:\Temp\t.xml`, `waitfor never`)
	m.lines("ops", []step{
		{`schtasks /create /tn t /xml C:\Temp\t.xml /f >nul & schtasks /run /tn t >nul & schtasks /end /tn t`, 0, "...has been terminated"},
	})
	m.work.Wait()
	m.lines("ops", []step{{`schtasks /query /tn t /v /fo csv /nh`, 0, `...,"267014",`}})
}

// TestRestarts: drivers that wait for a restart go with it; a restart that was
// asked for on the machine comes.
func TestRestarts(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Fault = FaultReboot }, KES)
	m.lines("ops", []step{{`msiexec /x ` + KES.Code + ` /qn /norestart`, 3010, ""}, {`sc query klif.KES >nul`, 0, ""}})
	if got := m.Left(KES); len(got) != 2 {
		t.Errorf("left before the restart: %q", got)
	}
	old := m.BootID()
	m.lines("ops", []step{{`shutdown /r /t 5`, 0, ""}})
	m.later.Wait()
	if m.BootID() == old || len(m.Left(KES)) != 0 {
		t.Errorf("boot id %q, left %q", m.BootID(), m.Left(KES))
	}
	m.lines("ops", []step{{`sc query klif.KES`, 1060, "...1060"}, {`sc query WinRM | find "RUNNING" >nul`, 0, ""}})
}

func TestReinstalls(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Fault, c.Clock.(*quickClock).speed = FaultReinstalls, 100_000 }, NetworkAgent)
	m.lines("ops", []step{{`msiexec /x ` + NetworkAgent.Code + ` /qn`, 0, ""}})
	m.work.Wait()
	if !m.Installed(NetworkAgent) || len(m.Left(NetworkAgent)) == 0 || m.clock.slept < time.Hour {
		t.Errorf("installed %t after %v", m.Installed(NetworkAgent), m.clock.slept)
	}
}
