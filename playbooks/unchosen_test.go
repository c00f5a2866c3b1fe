package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// TestUnchosen: a product that has to do with the order of one that goes, and
// that the campaign leaves out, is told.
func TestUnchosen(t *testing.T) {
	t.Parallel()
	own := filepath.Join(t.TempDir(), "ens.yaml")
	text := `{format: 1, name: own/ens, title: the same, vendor: Trellix, platforms: [linux], detect: [{package: {managers: [dpkg], names: [mcafeetp]}}],
manual: see there, confidence: unverified, sources: [{claim: all, source: an example, confidence: unverified}]}`
	if err := os.WriteFile(own, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	deb := func(names ...string) *remediate.Facts {
		f := &remediate.Facts{Platform: remediate.Linux}
		for _, n := range names {
			f.Packages = append(f.Packages, remediate.Package{Manager: remediate.ManagerDpkg, Name: n, Version: "1", Arch: "amd64", Status: "installed"})
		}
		return f
	}
	for name, c := range map[string]struct {
		chosen []string
		facts  *remediate.Facts
		want   []string
	}{
		"the agent without what it manages":   {[]string{"trellix/agent"}, deb("mfecma", "mcafeetp"), []string{"trellix/ens: the campaign does not choose it, and trellix/agent, which goes after it, is removed"}},
		"the product without its agent":       {[]string{"trellix/ens"}, deb("mfecma", "mcafeetp"), []string{"trellix/agent: the campaign does not choose it, and it goes after trellix/ens, which is removed"}},
		"two steps away":                      {[]string{"kaspersky/ksc-web-console"}, deb("ksc-web-console", "kesl"), []string{"kaspersky/kesl: the campaign does not choose it, and kaspersky/ksc-web-console, which goes after it"}},
		"both":                                {[]string{"trellix"}, deb("mfecma", "mcafeetp"), nil},
		"not there":                           {[]string{"trellix/agent"}, deb("mfecma"), nil},
		"its agent is not there":              {[]string{"trellix/agent"}, deb("mcafeetp"), nil},
		"of no order":                         {[]string{"trellix/agent"}, deb("mfecma", "kesl"), nil},
		"one's own in the place of that":      {[]string{"trellix/agent", own}, deb("mfecma", "mcafeetp"), nil},
		"one's own beside another that ships": {[]string{"kaspersky/klnagent", own}, deb("klnagent64", "kesl"), []string{"kaspersky/kesl: the campaign"}},
	} {
		l, err := mustEmbedded(t).Select(".", c.chosen)
		if err != nil {
			t.Fatal(err)
		}
		got := l.CountEmbedded(true).Unchosen(c.facts, l.Match(c.facts))
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i, u := range got {
			if line := u.Finding.Playbook + ": " + u.Why; !strings.HasPrefix(line, c.want[i]) {
				t.Errorf("%s: %q, want %q", name, line, c.want[i])
			}
			if u.Finding.Kind != remediate.FindProduct || len(u.Finding.Evidence) == 0 {
				t.Errorf("%s: %+v", name, u.Finding)
			}
		}
	}
}

func TestOrderLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chosen []string
		want   []OrderLeft
	}{
		{[]string{"trellix/agent", "trellix/dxl"}, []OrderLeft{{"trellix/agent", []string{"trellix/ens"}}, {"trellix/dxl", []string{"trellix/ens"}}}},
		{[]string{"trellix", "eset"}, nil},
		{[]string{"kaspersky/ksc-server"}, nil}, // which nothing removes
	} {
		l, err := mustEmbedded(t).Select(".", c.chosen)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, l.OrderLeftOut()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.chosen, diff)
		}
	}
}
