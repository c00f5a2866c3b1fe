package windows

import (
	"strings"
	"testing"

	"oust/remediate"
)

// TestLookBelowUsers: a path of each user is there if one of them has it, and not
// if none has; who may not look into their folders does not know.
func TestLookBelowUsers(t *testing.T) {
	m := newMachine(t, nil)
	for _, line := range []string{
		`md "C:\Users\anna\AppData\Local"`, `md "C:\Users\bert & co\AppData\Local\Acme (x)"`, `md "C:\Users\carl\AppData\Local\Acme (x)"`,
		`echo x>C:\Users\anna\acme.txt`,
	} {
		if r := m.as("ops", line); r.exit != 0 {
			t.Fatalf("%s: %+v", line, r)
		}
	}
	const folder, file, none = `%SystemDrive%\Users\*\AppData\Local\Acme (x)`, `%SystemDrive%\Users\*\acme.txt`, `%SystemDrive%\Users\*\AppData\Roaming\Acme`
	q := remediate.Questions{Paths: []string{folder, file, none, `%SystemRoot%\x`}}
	f := m.facts("ops", q)
	if len(f.Incomplete) > 0 {
		t.Errorf("incomplete: %q", f.Incomplete)
	}
	for path, want := range map[string]remediate.PathFact{
		folder: {Kind: remediate.PathDir, Full: `C:\Users\bert & co\AppData\Local\Acme (x)`},
		file:   {Kind: remediate.PathFile, Full: `C:\Users\anna\acme.txt`},
		none:   {Kind: remediate.PathAbsent},
	} {
		if got, asked := f.Path(path); !asked || got.Kind != want.Kind || got.Full != want.Full {
			t.Errorf("%s: %+v (%t), want %+v", path, got, asked, want)
		}
	}
	guest := m.facts("guest", q)
	if got, _ := guest.Path(none); got.Kind != remediate.PathDenied || !strings.Contains(strings.Join(guest.Incomplete, " "), "no administrator") {
		t.Errorf("guest was told %+v, incomplete %q", got, guest.Incomplete)
	}
}
