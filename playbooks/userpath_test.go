package playbooks

import (
	"slices"
	"strings"
	"testing"

	"oust/remediate"
)

// TestPathsOfEachUser: a product that one user has for himself is found by a path
// of each user, asked for as it is written, and left to a person.
func TestPathsOfEachUser(t *testing.T) {
	t.Parallel()
	const path = `%SystemDrive%\Users\*\AppData\Local\Acme\widget.exe`
	text := strings.Replace(strings.Replace(widgetOnWindows, "- service: widgetd", "- path: '"+path+"'", 1), "STEPS", coveringSteps, 1)
	p, err := Parse("widget.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLibrary([]*Playbook{p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if q := l.Questions(remediate.Windows); !slices.Contains(q.Paths, path) {
		t.Errorf("a look is asked %q", q.Paths)
	}
	f := windowsHost()
	if got := l.Unanswered(f); !slices.Contains(got, path) {
		t.Errorf("unanswered: %q", got)
	}
	for kind, want := range map[remediate.PathKind]string{
		remediate.PathAbsent: "", remediate.PathDenied: "",
		remediate.PathFile: path + ` file as C:\Users\bert\AppData\Local\Acme\widget.exe`,
	} {
		f.Paths = []remediate.PathFact{{Path: path, Kind: kind, Full: `C:\Users\bert\AppData\Local\Acme\widget.exe`}}
		found := l.Match(f)
		if want == "" && len(found) == 0 {
			continue
		}
		if len(found) != 1 || found[0].Kind != remediate.FindProduct || found[0].Evidence[0].Value != want {
			t.Errorf("%s: %+v, want %q", kind, found, want)
			continue
		}
		if _, err := l.Render(RenderInput{Facts: f, Findings: found}); err == nil || !strings.Contains(err.Error(), "in the folders of users alone") {
			t.Errorf("%v", err)
		}
	}
}
