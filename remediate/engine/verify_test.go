package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oust/playbooks"
	"oust/remediate"
)

func productFinding() remediate.Finding {
	return remediate.Finding{
		Playbook: "kaspersky/kesl", Kind: remediate.FindProduct, Product: "KES for Linux", Version: "12.1",
		Evidence: []remediate.Evidence{{Kind: remediate.EvidencePackage, Value: "dpkg kesl 12.1 amd64 installed"}},
	}
}

func residueFinding() remediate.Finding {
	return remediate.Finding{
		Playbook: "kaspersky/kesl", Kind: remediate.FindResidue, Product: "KES for Linux",
		Evidence: []remediate.Evidence{{Kind: remediate.EvidencePath, Value: "/opt/kaspersky/kesl dir"}},
	}
}

func seen(reboot []string, fs ...remediate.Finding) *sight {
	return &sight{facts: &remediate.Facts{RebootPending: reboot, Privilege: remediate.Privilege{Root: true}}, findings: fs}
}

func TestJudge(t *testing.T) {
	const step = "1 failed 1 kaspersky/kesl purge kesl\n"
	blind := seen(nil)
	blind.facts.Incomplete = []string{"/var/opt/kaspersky/kesl may not be read"}
	asUser := seen(nil)
	asUser.facts.Incomplete = blind.facts.Incomplete
	asUser.facts.Privilege.Root = false
	before := seen(nil, productFinding())
	tests := []struct {
		name   string
		v      verdict
		kind   remediate.OutcomeKind
		class  remediate.Class
		detail string
	}{
		{"gone", verdict{before: before, after: seen(nil)}, remediate.OutcomeRemoved, "", ""},
		{"gone though the script failed", verdict{exit: remediate.ScriptFailed, result: step, before: before, after: seen(nil)},
			remediate.OutcomeRemoved, "", "nothing is left all the same"},
		{"gone though the job died", verdict{exit: diedExit, died: true, after: seen(nil)}, remediate.OutcomeRemoved, "", "without an exit code"},
		{"gone, script asks for a reboot", verdict{exit: remediate.ScriptReboot, after: seen(nil)}, remediate.OutcomeRebootPending, "", "reboot"},
		{"gone, host asks for a reboot since", verdict{before: before, after: seen([]string{"kesl"})}, remediate.OutcomeRebootPending, "", "kesl"},
		{"gone, the reboot was pending before", verdict{before: seen([]string{"kernel"}, productFinding()), after: seen([]string{"kernel"})},
			remediate.OutcomeRemoved, "", ""},
		{"exit 0 and still there", verdict{before: before, after: seen(nil, productFinding())}, remediate.OutcomeFailed,
			remediate.ClassStillPresent, "dpkg kesl 12.1"},
		{"exit 0 and residue", verdict{before: before, after: seen(nil, residueFinding())}, remediate.OutcomeFailed,
			remediate.ClassResidue, "/opt/kaspersky/kesl"},
		{"failed", verdict{exit: remediate.ScriptFailed, result: step, before: before, after: seen(nil, productFinding())},
			remediate.OutcomeFailed, remediate.ClassUninstaller, "step 1 of kaspersky/kesl (purge kesl) gave exit code 1"},
		{"busy", verdict{exit: remediate.ScriptBusy, after: seen(nil, productFinding())}, remediate.OutcomeFailed, remediate.ClassBusy, "lock"},
		{"protected", verdict{exit: remediate.ScriptProtected, after: seen(nil, productFinding())}, remediate.OutcomeFailed, remediate.ClassProtected, "refused"},
		{"unsupported", verdict{exit: remediate.ScriptUnsupported, after: seen(nil, productFinding())}, remediate.OutcomeFailed, remediate.ClassUnsupported, "tool"},
		{"died and still there", verdict{exit: diedExit, died: true, after: seen(nil, productFinding())}, remediate.OutcomeFailed,
			remediate.ClassUninstaller, "without an exit code"},
		{"there until the reboot", verdict{exit: remediate.ScriptReboot, after: seen(nil, residueFinding())}, remediate.OutcomeRebootPending, "", "until the reboot"},
		{"a blind look proves nothing", verdict{after: blind}, remediate.OutcomeFailed, remediate.ClassUnsupported, "not complete"},
		{"a look without rights proves nothing", verdict{after: asUser}, remediate.OutcomeFailed, remediate.ClassPrivilege, "not complete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := judge(tt.v)
			if o.Kind != tt.kind || o.Class != tt.class || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("judge = %+v; want %s %s with %q", o, tt.kind, tt.class, tt.detail)
			}
		})
	}
}

func TestOneLine(t *testing.T) {
	got := oneLine("a\nb\x00\tc \xff" + strings.Repeat("x", 1000))
	if strings.ContainsAny(got, "\n\t") || len(got) > 410 {
		t.Errorf("oneLine = %q", got)
	}
}

// TestLeftToPeople: products that playbooks only report are no failure of an
// uninstaller.
func TestLeftToPeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, steps := range map[string]string{"reported": "", "removed": "steps: [{package: {managers: [dpkg], names: [widget]}}]\n"} {
		text := "format: 1\nname: acme/" + name + "\ntitle: Widget\nvendor: Acme\nplatforms: [linux]\ndetect: [{package: {managers: [dpkg], names: [widget]}}]\n" + steps +
			"manual: call Acme\nconfidence: unverified\nsources: [{claim: all of it, source: an example, confidence: unverified}]\n"
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := playbooks.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	still := func(name string) remediate.Finding {
		return remediate.Finding{Playbook: "acme/" + name, Kind: remediate.FindProduct, Product: "Widget",
			Evidence: []remediate.Evidence{{Kind: remediate.EvidencePackage, Value: "dpkg widget 1 installed"}}}
	}
	present := remediate.Failed(remediate.ClassStillPresent, "still there")
	for _, c := range []struct {
		o     remediate.Outcome
		still []remediate.Finding
		want  remediate.Class
	}{
		{present, []remediate.Finding{still("reported")}, remediate.ClassUnsupported},
		{present, []remediate.Finding{still("reported"), still("removed")}, remediate.ClassStillPresent},
		{present, []remediate.Finding{still("unknown")}, remediate.ClassStillPresent},
		{remediate.Failed(remediate.ClassBusy, "busy"), []remediate.Finding{still("reported")}, remediate.ClassBusy},
	} {
		if got := leftToPeople(c.o, l, c.still); got.Class != c.want {
			t.Errorf("%v with %v: %v, want class %s", c.o, c.still, got, c.want)
		}
	}
}
