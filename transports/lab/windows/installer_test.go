package windows

import (
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"oust/transports/lab/cmdexe"
)

// background runs a command beside others; the channel gives its exit code.
func (m *machine) background(line string) <-chan int {
	m.t.Helper()
	s, err := m.Session("ops")
	if err != nil {
		m.t.Fatal(err)
	}
	exit := make(chan int, 1)
	go func() {
		exit <- cmdexe.Run(m.t.Context(), s.Config(strings.NewReader(""), io.Discard, io.Discard), "/c "+line)
	}()
	return exit
}

// waitFor waits until a program runs.
func (m *machine) waitFor(program string) {
	m.t.Helper()
	for !slices.Contains(m.Processes(), program) {
		if m.t.Context().Err() != nil {
			m.t.Fatal("the test is over")
		}
		runtime.Gosched()
	}
}

// TestTwoInstallations: the second is turned away while the first runs; what
// kills the first leaves the product, and the way free.
func TestTwoInstallations(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Fault = FaultHangs }, KES, NetworkAgent)
	first := m.background(`msiexec /x ` + KES.Code + ` /qn`)
	for !m.Registry.Has(inProgressKey) {
		runtime.Gosched()
	}
	m.lines("ops", []step{
		{`msiexec /x ` + NetworkAgent.Code + ` /qn`, 1618, ""},
		{`taskkill /f /im msiexec.exe`, 0, "...SUCCESS"},
	})
	if exit := <-first; exit == 0 || !m.Installed(KES) || m.Registry.Has(inProgressKey) {
		t.Errorf("exit %d, installed %t, still at work %t", exit, m.Installed(KES), m.Registry.Has(inProgressKey))
	}
	m.lines("ops", []step{{`msiexec /x ` + NetworkAgent.Code + ` /qn`, 0, ""}})
	if starts := m.Starts(); len(starts) != 2 {
		t.Errorf("starts %v", starts)
	}
}

// TestInstallerRestarts: without /norestart the machine is started again.
func TestInstallerRestarts(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Fault = FaultReboot }, KES)
	old := m.BootID()
	m.lines("ops", []step{{`msiexec /x ` + KES.Code + ` /qn`, 1641, ""}})
	m.later.Wait()
	if m.BootID() == old || m.Installed(KES) || len(m.Left(KES)) != 0 {
		t.Errorf("boot id %q, installed %t, left %q", m.BootID(), m.Installed(KES), m.Left(KES))
	}
}

// TestQuestions: what asks a person waits until it is killed.
func TestQuestions(t *testing.T) {
	m := newMachine(t, nil, KES, ToolBar)
	for program, line := range map[string]string{
		"msiexec.exe": `msiexec /x ` + KES.Code, "uninst.exe": `"` + ToolBar.uninstaller + `"`,
	} {
		exit := m.background(line)
		m.waitFor(program)
		m.lines("ops", []step{{`taskkill /f /im ` + program, 0, "...SUCCESS"}})
		if code := <-exit; code == 0 {
			t.Errorf("%s: exit code 0", line)
		}
	}
	if !m.Installed(KES) || !m.Installed(ToolBar) || len(m.Starts()) != 0 {
		t.Errorf("something was removed: %v", m.Starts())
	}
}
