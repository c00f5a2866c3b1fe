package playbooks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

const (
	agentFamily = "{B9518725-0B76-4793-A409-C6794442FB50}"
	agentCode   = "{ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}"
	kesCode     = "{27534751-4A40-48BD-B393-BC3BF28C876E}"
)

func windowsHost(entries ...remediate.UninstallEntry) *remediate.Facts {
	return &remediate.Facts{Platform: remediate.Windows, Windows: &remediate.WindowsFacts{Uninstall: entries}}
}

// found gives the findings as "playbook kind version".
func found(t *testing.T, f *remediate.Facts) []string {
	t.Helper()
	var out []string
	for _, x := range mustThree(t).Match(f) {
		out = append(out, strings.TrimSpace(x.Playbook+" "+string(x.Kind)+" "+x.Version))
	}
	return out
}

func kesEntry() remediate.UninstallEntry {
	return remediate.UninstallEntry{
		Hive: "HKLM", View: remediate.View32, Key: kesCode, ProductCode: kesCode, WindowsInstaller: true,
		DisplayName: "Kaspersky Endpoint Security for Windows", DisplayVersion: "12.4.0.467", Publisher: "AO Kaspersky Lab",
		UninstallString: "MsiExec.exe /X" + kesCode,
	}
}

func agentEntry() remediate.UninstallEntry {
	return remediate.UninstallEntry{
		Hive: "HKLM", View: remediate.View32, Key: agentCode, ProductCode: agentCode, WindowsInstaller: true,
		DisplayName: "Агент администрирования Kaspersky Security Center", DisplayVersion: "12.0.0.7734",
		Publisher: "\"Лаборатория Касперского\"", UninstallString: "MsiExec.exe /X" + agentCode,
	}
}

func TestMatchWindows(t *testing.T) {
	kes, agent := kesEntry(), agentEntry()
	with := func(change func(e *remediate.UninstallEntry)) remediate.UninstallEntry {
		e := kes
		change(&e)
		return e
	}
	german := agent
	german.DisplayName = "Kaspersky Security Center Administrationsagent"
	family := windowsHost(german)
	family.Windows.UpgradeCodes = []remediate.UpgradeCode{
		{UpgradeCode: "{00000000-0000-0000-0000-000000000001}", ProductCode: kesCode},
		{UpgradeCode: agentFamily, ProductCode: agentCode},
	}
	services := windowsHost()
	services.Services = []remediate.Service{{Manager: "scm", Name: "avp.kes.21.15", State: "auto"}}
	files := windowsHost()
	files.Paths = []remediate.PathFact{{Path: `%ProgramData%\Kaspersky Lab\KES`, Full: `C:\ProgramData\Kaspersky Lab\KES`, Kind: remediate.PathDir}}
	keys := windowsHost()
	keys.Windows.Keys = []remediate.KeyFact{
		{Key: `HKLM\SOFTWARE\KasperskyLab\protected\KES`, View: remediate.View64, Kind: remediate.KeyAbsent},
		{Key: `HKLM\SOFTWARE\KasperskyLab\protected\KES`, View: remediate.View32, Kind: remediate.KeyPresent},
	}
	denied := windowsHost()
	denied.Windows.Keys = []remediate.KeyFact{{Key: `HKLM\SOFTWARE\KasperskyLab\protected\KES`, View: remediate.View64, Kind: remediate.KeyDenied}}
	for name, c := range map[string]struct {
		facts *remediate.Facts
		want  []string
	}{
		"typical":              {windowsHost(kes), []string{"kaspersky/kes-windows product 12.4.0.467"}},
		"capital letters":      {windowsHost(with(func(e *remediate.UninstallEntry) { e.DisplayName = strings.ToUpper(e.DisplayName) })), []string{"kaspersky/kes-windows product 12.4.0.467"}},
		"version 10":           {windowsHost(with(func(e *remediate.UninstallEntry) { e.DisplayName = "Kaspersky Endpoint Security 10 for Windows" })), []string{"kaspersky/kes-windows product 12.4.0.467"}},
		"its plug-in":          {windowsHost(with(func(e *remediate.UninstallEntry) { e.DisplayName += " management plug-in" })), nil},
		"an update of it":      {windowsHost(with(func(e *remediate.UninstallEntry) { e.ParentKeyName = kesCode })), nil},
		"an entry of nothing":  {windowsHost(with(func(e *remediate.UninstallEntry) { e.DisplayName, e.UninstallString = "", "" })), nil},
		"the agent in Russian": {windowsHost(agent), []string{"kaspersky/klnagent product 12.0.0.7734"}},
		"a name nobody knows":  {windowsHost(german), nil},
		"the agent's family":   {family, []string{"kaspersky/klnagent product 12.0.0.7734"}},
		"a service":            {services, []string{"kaspersky/kes-windows product"}},
		"a folder":             {files, []string{"kaspersky/kes-windows residue"}},
		"a key":                {keys, []string{"kaspersky/kes-windows residue"}},
		"a key that is denied": {denied, nil},
		"both":                 {windowsHost(agent, kes), []string{"kaspersky/kes-windows product 12.4.0.467", "kaspersky/klnagent product 12.0.0.7734"}},
		"nothing":              {windowsHost(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, found(t, c.facts)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
	l := mustThree(t)
	findings := l.Match(windowsHost(kes))
	want := remediate.Evidence{Kind: remediate.EvidenceUninstall, Value: "HKLM 32 " + kesCode + " Kaspersky Endpoint Security for Windows 12.4.0.467 AO Kaspersky Lab"}
	if diff := cmp.Diff([]remediate.Evidence{want}, findings[0].Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

// TestUnansweredOnWindows: a look that was not asked about a key leaves a
// question open.
func TestUnansweredOnWindows(t *testing.T) {
	l, f := mustThree(t), windowsHost()
	q := l.Questions(remediate.Windows)
	if got := l.Unanswered(f); len(got) != len(q.Paths)+len(q.Keys) || len(q.Keys) == 0 {
		t.Errorf("unanswered: %q", got)
	}
	for _, p := range q.Paths {
		f.Paths = append(f.Paths, remediate.PathFact{Path: p, Kind: remediate.PathAbsent})
	}
	for _, k := range q.Keys[1:] {
		f.Windows.Keys = append(f.Windows.Keys, remediate.KeyFact{Key: k, View: remediate.View64, Kind: remediate.KeyAbsent})
	}
	if diff := cmp.Diff(q.Keys[:1], l.Unanswered(f)); diff != "" {
		t.Errorf("unanswered (-want +got):\n%s", diff)
	}
}

func TestWild(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a*c", "abbc", true}, {"a*c", "abbd", false}, {"a?c", "aЖc", true},
		{"*b*", "abc", true}, {"**", "x", true}, {"a[b]", "a[b]", true}, {"a[b]", "ab", false}, {"a*b*c", "aXbYbZc", true}, {"ab", "abc", false},
	} {
		if got := wild(c.pattern, c.text); got != c.want {
			t.Errorf("wild(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}
