package windows

import (
	"strings"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/job"
)

// removal takes what the playbooks find through a look, a job in a scheduled
// task and its report, as the program does.
func (m *machine) removal(secrets map[string]string) (job.Report, string) {
	m.t.Helper()
	l := library(m.t)
	f := m.facts("ops", l.Questions(remediate.Windows))
	script, err := l.Render(playbooks.RenderInput{Facts: f, Findings: l.Match(f), BusyWait: 10 * time.Second})
	if err != nil {
		m.t.Fatal(err)
	}
	id, n := remediate.NewID(time.Unix(1_800_000_000, 0)), remediate.NewNonce()
	launch, err := job.Windows{}.Launch(job.Spec{ID: id, Campaign: "c", Controller: "m", Wait: time.Hour, Script: []byte(script.Text), Secrets: secrets}, n)
	if err != nil {
		m.t.Fatal(err)
	}
	out := m.script("ops", launch)
	r, err := job.ParseReport([]byte(out), n)
	if err != nil {
		m.t.Fatalf("%v in\n%s", err, out)
	}
	if r.State != job.StateEnded {
		m.t.Logf("the launch printed %q", out)
	}
	return r, id
}

func (m *machine) clean(id string) {
	m.t.Helper()
	n := remediate.NewNonce()
	text, err := job.Windows{}.Clean(id, n)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := job.ParseCleaned([]byte(m.script("ops", text)), n); err != nil {
		m.t.Error(err)
	}
}

func TestRemoval(t *testing.T) {
	const password = `s%e&c"r^e!t`
	secrets := map[string]string{"kes_windows_password": password, "klnagent_windows_password": utf16Hex(password)}
	for name, c := range map[string]struct {
		fault, password string
		exit            int
		there           bool // the product, afterwards
		starts          int
		result          string
	}{
		"plain":                  {"", "", remediate.ScriptReboot, false, 1, " ok 0 "},
		"with a password":        {"", password, remediate.ScriptReboot, false, 1, " ok 0 "},
		"another password":       {FaultPassword, password, remediate.ScriptProtected, true, 1, " protected 1603 "},
		"another installation":   {FaultBusy, "", remediate.ScriptBusy, true, 0, " busy 1618 "},
		"the uninstaller fails":  {FaultFails, "", remediate.ScriptFailed, true, 1, " failed 1603 "},
		"the uninstaller lies":   {FaultLies, "", remediate.ScriptDone, true, 1, " failed 0 "},
		"a file is left":         {FaultResidue, "", remediate.ScriptReboot, false, 1, " ok 0 "},
		"the network goes away":  {FaultDrop, "", remediate.ScriptReboot, false, 1, " ok 0 "},
		"a restart is asked for": {FaultReboot, "", remediate.ScriptReboot, false, 1, " reboot 3010 "},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, func(cfg *Config) { cfg.Fault, cfg.Password = c.fault, c.password }, KES, NetworkAgent)
			given := secrets
			if c.password == "" {
				given = nil
			}
			r, id := m.removal(given)
			if r.State != job.StateEnded || r.Exit != c.exit || !strings.Contains(r.Result, c.result) {
				t.Errorf("report %+v, want exit %d and %q", r, c.exit, c.result)
			}
			starts := 0
			for _, s := range m.Starts() {
				if s.Product == KES.Name && s.Attempt == id {
					starts++
				}
			}
			if m.Installed(KES) != c.there || starts != c.starts {
				t.Errorf("installed %t, started %d times: %v", m.Installed(KES), starts, m.Starts())
			}
			if strings.Contains(string(r.Log)+r.Result, password) {
				t.Error("the log holds the password")
			}
			m.work.Wait() // the job says its end before its task ends
			m.clean(id)
			if _, err := m.Files.Stat(`C:\Program Files\oust`); err == nil {
				t.Error("the job's folder is still there")
			}
		})
	}
}
