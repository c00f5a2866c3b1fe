package playbooks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// TestOrphans: an entry that nothing can uninstall is residue; beside a product
// it does not keep that from being removed.
func TestOrphans(t *testing.T) {
	t.Parallel()
	l := mustLibrary(t, catchAll, strings.Replace(widgetOnWindows, "STEPS", "steps: [{msi: {}}, {uninstaller: {arguments: /S, exit: {0: ok}}}]", 1))
	const code = "{11111111-2222-3333-4444-555555555555}"
	orphan := remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: "Widget", DisplayName: "Acme Widget", Publisher: "Acme"}
	guid := orphan
	guid.Key, guid.ProductCode = code, code
	works := exeEntry("", `"C:\Program Files\Acme\u.exe"`)
	msi := guid
	msi.WindowsInstaller = true
	alias := msi
	alias.Key, alias.ProductCode, alias.WindowsInstaller, alias.UninstallString = "InstallWIX_"+code, "", false, "MsiExec.exe /X"+code
	for name, c := range map[string]struct {
		entries []remediate.UninstallEntry
		want    []string
		script  int // how many entries it uninstalls
		reason  string
	}{
		"alone":                       {[]remediate.UninstallEntry{orphan}, []string{"acme/widget residue; HKLM 64 Widget Acme Widget Acme"}, 0, "HKLM 64 Widget Acme Widget Acme (an entry that nothing can uninstall)"},
		"with a GUID":                 {[]remediate.UninstallEntry{guid}, []string{"acme/widget residue; HKLM 64 " + code + " Acme Widget Acme"}, 0, "nothing can uninstall"},
		"beside one that works":       {[]remediate.UninstallEntry{orphan, works}, []string{"acme/widget product; HKLM 64 Acme & Widget 100% Acme Widget (x64) & more"}, 1, ""},
		"one that the installer has":  {[]remediate.UninstallEntry{msi}, []string{"acme/widget product; HKLM 64 " + code + " Acme Widget Acme"}, 1, ""},
		"two entries of one product":  {[]remediate.UninstallEntry{msi, alias}, []string{"acme/widget product; HKLM 64 InstallWIX_" + code + " Acme Widget Acme; HKLM 64 " + code + " Acme Widget Acme"}, 1, ""},
		"of the publisher, not known": {[]remediate.UninstallEntry{{Hive: "HKLM", View: remediate.View64, Key: "x", DisplayName: "Gadget", Publisher: "Acme"}}, []string{"acme/other residue; HKLM 64 x Gadget Acme"}, 0, "nothing can uninstall"},
	} {
		f := windowsHost(c.entries...)
		if diff := cmp.Diff(c.want, kindsFound(l, f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		script, err := l.Render(RenderInput{Facts: f, Findings: l.Match(f)})
		if c.reason != "" && (err == nil || !strings.Contains(err.Error(), c.reason)) || c.reason == "" && err != nil {
			t.Errorf("%s: Render gives %v, want %q", name, err, c.reason)
		}
		if n := strings.Count(script.Text, "call :msi\r\n") + strings.Count(script.Text, "call :uninstaller\r\n"); n != c.script {
			t.Errorf("%s: the script uninstalls %d entries, want %d", name, n, c.script)
		}
	}
}
