package probe_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"oust/remediate"
	"oust/remediate/probe"
)

const testdata = "../../testdata/probes"

// recordings are the looks of testdata, by system.
func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(testdata + "/*/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("there are %d recordings in %s, error %v", len(files), testdata, err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), ".txt")] = read(t, file)
	}
	return all
}

// TestRecordings: each recording is what the look prints today, and gives the
// facts that stand beside it.
func TestRecordings(t *testing.T) {
	if *record {
		recordHosts(t)
	}
	hosts, err := filepath.Glob(testdata + "/byhand/*.txtar")
	if err != nil || len(hosts) == 0 {
		t.Fatalf("no hosts are written by hand in %s: %v", testdata, err)
	}
	for _, file := range hosts {
		name := strings.TrimSuffix(file, ".txtar")
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out := newStandin(t, archive).look(t)
			golden(t, name+".txt", bytes.TrimPrefix(out, []byte("\n")))
			golden(t, name+".json", factsJSON(t, out))
		})
	}
	recorded, err := filepath.Glob(testdata + "/recorded/*.txt")
	if err != nil || len(recorded) == 0 {
		t.Fatalf("no hosts are recorded in %s: %v", testdata, err)
	}
	for _, file := range recorded {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			golden(t, strings.TrimSuffix(file, ".txt")+".json", factsJSON(t, read(t, file)))
		})
	}
}

// TestRecordingsAreListed: the README says of each recording where it is from.
func TestRecordingsAreListed(t *testing.T) {
	t.Parallel()
	readme := string(read(t, testdata+"/README.md"))
	for name := range recordings(t) {
		if !strings.Contains(readme, "| `"+name+"` |") {
			t.Errorf("%s is not in the table of testdata/probes/README.md", name)
		}
	}
}

// TestRecordingsHaveTheScriptsSections: a recording of a script of before is
// recorded anew, not kept.
func TestRecordingsHaveTheScriptsSections(t *testing.T) {
	t.Parallel()
	var want []string
	script := string(probe.Sh(remediate.Questions{}, nonce))
	for _, m := range regexp.MustCompile(`frame 'section ([a-z]+)'`).FindAllStringSubmatch(script, -1) {
		want = append(want, m[1])
	}
	optional := map[string]bool{"pkgutil": true, "apps": true}
	for name, out := range recordings(t) {
		frames, err := remediate.ParseFrames(out, nonce)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, section := range want {
			if _, ok := frames.Get(section); !ok && !optional[section] {
				t.Errorf("%s has no section %s", name, section)
			}
		}
	}
}

// recordHosts runs the look on the real hosts of the test lab.
func recordHosts(t *testing.T) {
	t.Helper()
	script := probe.Sh(remediate.Questions{Paths: []string{
		"/etc/opt/kaspersky/kesl", "/opt/kaspersky/kesl", "/opt/kaspersky/klnagent64", "/var/opt/kaspersky/kesl",
	}}, nonce)
	for _, name := range []string{"debian-12", "debian-12-user", "rpm-4.18"} {
		cmd := exec.CommandContext(t.Context(), testdata+"/record.sh", name)
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stderr = bytes.NewReader(script), &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("record %s: %v\n%s", name, err, stderr.Bytes())
		}
		write(t, testdata+"/recorded/"+name+".txt", bytes.TrimPrefix(out, []byte("\n")), 0o644)
	}
}

var innermost = regexp.MustCompile(`\{\n[^{}]*?\n\s*\}`)

// factsJSON is what a look's output means, a package or service a line. On
// the way it holds Reparse to the same facts.
func factsJSON(t *testing.T, out []byte) []byte {
	t.Helper()
	facts, raw, err := probe.Parse(out, nonce)
	if err != nil {
		t.Fatal(err)
	}
	again, err := probe.Reparse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(facts, again); diff != "" {
		t.Errorf("the kept look says something else (-first +again):\n%s", diff)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(facts); err != nil {
		t.Fatal(err)
	}
	// Line ends and what follows them are no part of a JSON value.
	return innermost.ReplaceAllFunc(b.Bytes(), func(object []byte) []byte {
		return regexp.MustCompile(`\n\s*`).ReplaceAll(object, []byte(" "))
	})
}

// golden compares with a file, or writes it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update || *record {
		write(t, file, got, 0o644)
		return
	}
	if diff := cmp.Diff(string(read(t, file)), string(got)); diff != "" {
		t.Errorf("%s (-want +got), go test -update writes it:\n%s", file, diff)
	}
}
