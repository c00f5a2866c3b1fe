package inventory

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"oust/remediate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// data is the shared folder of inventories.
const data = "../../testdata/inventories"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cases are the files of one case each.
func cases(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(data, "cases"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, filepath.Join(data, "cases", e.Name()))
	}
	if len(out) < 50 {
		t.Fatalf("%d cases; is this the folder?", len(out))
	}
	return out
}

// TestCases reads each file by itself and compares all that comes of it.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, path := range cases(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			inv, err := Load([]string{path}, Options{})
			got := strings.ReplaceAll(render(inv, err), filepath.Dir(path)+"/", "")
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is told:\n%s", got)
			}
			golden := filepath.Join(data, "golden", filepath.Base(path)+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// render writes what a reading came to: a line of JSON for each host, the
// warnings, and the problems.
func render(inv Inventory, err error) string {
	var b strings.Builder
	for _, h := range inv.Hosts {
		line, jsonErr := json.Marshal(h)
		if jsonErr != nil {
			panic(jsonErr)
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	for _, w := range inv.Warnings {
		fmt.Fprintf(&b, "note: %s\n", w)
	}
	if err != nil {
		fmt.Fprintf(&b, "error:\n%v\n", err)
	}
	return b.String()
}

// TestAllProblemsOfAllFiles reads all cases at once.
func TestAllProblemsOfAllFiles(t *testing.T) {
	t.Parallel()
	inv, err := Load(cases(t), Options{})
	told, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%T %v is no *Error", err, err)
	}
	if len(inv.Hosts) > 0 {
		t.Error("hosts beside an error")
	}
	if len(told.Problems) != maxProblems || told.More < 100 {
		t.Errorf("%d problems and %d more", len(told.Problems), told.More)
	}
	lines := strings.Split(err.Error(), "\n")
	if last := lines[len(lines)-1]; len(lines) != maxProblems+1 || last != fmt.Sprintf("and %d more", told.More) {
		t.Errorf("%d lines, the last is %q", len(lines), last)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	text := "name,platform,transport,credential,site,zone\nopen,,,,,\nsaid,macos,ssh,mac,paris,Europe/Paris\nwin,,winrm,,,\n"
	inv, err := Load([]string{"-"}, Options{Stdin: strings.NewReader(text), Defaults: remediate.HostDefaults{
		Platform: remediate.Linux, Transport: "ssh", Credential: "linux", Site: "berlin", Zone: "Europe/Berlin",
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []remediate.Host{
		{Name: "open", Platform: "linux", Transport: "ssh", Credential: "linux", Site: "berlin", Zone: "Europe/Berlin", Origin: "stdin:2"},
		{Name: "said", Platform: "macos", Transport: "ssh", Credential: "mac", Site: "paris", Zone: "Europe/Paris", Origin: "stdin:3"},
		{Name: "win", Platform: "windows", Transport: "winrm", Credential: "linux", Site: "berlin", Zone: "Europe/Berlin", Origin: "stdin:4"},
	}
	if diff := cmp.Diff(want, inv.Hosts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCredentialsOfTheCampaign(t *testing.T) {
	t.Parallel()
	known := []string{"linux", "windows"}
	inv, err := Load([]string{"-"}, Options{Stdin: strings.NewReader("name,credential\na,linux\nb\nc,\n"), Credentials: known})
	if note := "stdin:3: no credential: write one, or defaults.credential in campaign.yaml (b, c)"; err != nil || len(inv.Warnings) != 1 || inv.Warnings[0] != note {
		t.Errorf("%q, %v", inv.Warnings, err)
	}
	_, err = Load([]string{"-"}, Options{Stdin: strings.NewReader("name,credential\na,linux\nb,linxu\n"), Credentials: known})
	want := `stdin:3: credential: unknown credential "linxu"; did you mean "linux"?`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
