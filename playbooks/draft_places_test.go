package playbooks

import (
	"strings"
	"testing"

	"oust/remediate"
)

// TestDraftOfEveryHost: an entry that calls a folder of Windows its own makes
// neither that folder nor the services in it signs of the product.
func TestDraftOfEveryHost(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{
		`C:\Program Files\`:                  "",
		`C:\Windows\System32`:                "",
		`C:\`:                                "",
		`C:\Program Files\Common Files`:      "",
		`C:\Program Files\Gizmo`:             `%ProgramFiles%\Gizmo`,
		`C:\Gizmo`:                           `C:\Gizmo`,
		`C:\Users\alice\AppData\Local\Gizmo`: `%SystemDrive%\Users\*\AppData\Local\Gizmo`,
	} {
		f := windowsHost(remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: "Gizmo", DisplayName: "Gizmo", DisplayVersion: "1",
			UninstallString: `"C:\Program Files\Gizmo\u.exe"`, InstallLocation: place})
		f.Services = []remediate.Service{
			{Manager: "scm", Name: "Spooler", State: "auto", Type: "service", ImagePath: `C:\Windows\System32\spoolsv.exe`},
			{Manager: "scm", Name: "OtherSvc", State: "auto", Type: "service", ImagePath: `"C:\Program Files\Other\svc.exe"`},
			{Manager: "scm", Name: "SharedSvc", State: "auto", Type: "service", ImagePath: `"C:\Program Files\Common Files\Other\svc.exe"`},
		}
		base := mustThree(t)
		d, err := base.NewDraft(DraftInput{Facts: f, Product: "gizmo", Seen: "seen on ws01 on 2026-11-29"})
		if err != nil {
			t.Fatal(err)
		}
		tryDraft(t, base, d)
		text := string(d.Text)
		if strings.Contains(text, "Svc") || strings.Contains(text, "Spooler") || strings.Contains(text, "- {path: ") != (want != "") || !strings.Contains(text, want) {
			t.Errorf("%s: want %q\n%s", place, want, text)
		}
	}
}
