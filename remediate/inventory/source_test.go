package inventory

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// problemsOf loads paths in a folder and returns the problems as told, without
// the folder.
func problemsOf(t *testing.T, dir string, opts Options, paths ...string) string {
	t.Helper()
	opts.Dir = dir
	_, err := Load(paths, opts)
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*Error](err); !ok {
		t.Errorf("%T is no *Error", err)
	}
	return strings.ReplaceAll(err.Error(), dir+"/", "")
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "hosts.csv", "name\nweb1\n")
	write(t, dir, "empty/README.md", "nothing")
	write(t, dir, "file/as/folder.csv", "name\n")
	if err := os.Link(filepath.Join(dir, "hosts.csv"), filepath.Join(dir, "again.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling.csv")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		paths []string
		want  string
	}{
		{"mistyped", []string{"hosts.cvs"}, "hosts.cvs: there is no such file; did you mean hosts.csv?"},
		{"nothing near", []string{"zzzzzzzz"}, "zzzzzzzz: there is no such file"},
		{"no folder either", []string{"x/y.csv"}, "x/y.csv: there is no such file"},
		{"a file as a folder", []string{"hosts.csv/x"}, "hosts.csv/x: not a directory"},
		{"a dangling link", []string{"dangling.csv"}, "dangling.csv: there is no such file; the link leads nowhere"},
		{"a pipe nobody writes to", []string{"pipe"}, `pipe: not a file; to pipe an inventory in, name it "-"`},
		{"a device", []string{"/dev/zero"}, `/dev/zero: not a file; to pipe an inventory in, name it "-"`},
		{"a folder of nothing", []string{"empty"}, "empty: there is no host in the files of this folder"},
		{"twice", []string{"hosts.csv", "hosts.csv"}, "hosts.csv: the file is named twice"},
		{"twice by a link", []string{"hosts.csv", "again.csv"}, "again.csv: the file is named twice"},
		{"none", nil, "inventory: no file is named that holds the hosts"},
		{"no stdin", []string{"-"}, "stdin: there is no standard input here; name a file"},
		{"all at once", []string{"hosts.cvs", "hosts.csv", "empty"},
			"hosts.cvs: there is no such file; did you mean hosts.csv?\nempty: there is no host in the files of this folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, problemsOf(t, dir, Options{}, tt.paths...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLargeFile has a file of 200 MB that takes no room on the disk.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"large.csv", "group_vars/web", "host_vars/web1.yml"} {
		write(t, dir, name, "")
		if err := os.Truncate(filepath.Join(dir, name), 200<<20); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "hosts.ini", "[web]\nweb1\n")
	want := "large.csv: the file has 209715200 bytes; at most 67108864 are read\n" +
		"group_vars/web: the file has 209715200 bytes; at most 16777216 are read\n" +
		"host_vars/web1.yml: the file has 209715200 bytes; at most 16777216 are read"
	if diff := cmp.Diff(want, problemsOf(t, dir, Options{}, "large.csv", "hosts.ini")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// endless counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	e.read += len(b)
	return len(b), nil
}

func TestEndlessStandardInput(t *testing.T) {
	t.Parallel()
	in := &endless{}
	_, err := load([]string{"-"}, Options{Stdin: in}, small)
	if want := "stdin: more than 1048576 bytes; no more are read"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if in.read > small.file+1 {
		t.Errorf("%d bytes were read", in.read)
	}
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"list": "root@web1:2222\n",
		"CSV":  "name,port,user\nweb1,2222,root\n",
		"YAML": "hosts:\n  - {name: web1, port: 2222, user: root}\n",
		"INI":  "[all]\nweb1:2222 ansible_user=root\n",
		"JSON": `{"all": ["web1"], "_meta": {"hostvars": {"web1": {"ansible_port": 2222, "ansible_user": "root"}}}}`,
	} {
		inv, err := Load([]string{"-"}, Options{Stdin: strings.NewReader(text)})
		if err != nil || len(inv.Hosts) != 1 {
			t.Errorf("%s: %v %v", name, inv.Hosts, err)
			continue
		}
		if h := inv.Hosts[0]; h.Name != "web1" || h.Port != 2222 || h.User != "root" || !strings.HasPrefix(h.Origin, "stdin:") {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if got := problemsOf(t, ".", Options{Stdin: strings.NewReader("web1")}, "-", "-"); got != "stdin: named twice; it can be read once" {
		t.Error(got)
	}
	broken := io.MultiReader(strings.NewReader("web1\n"), &failing{})
	if got := problemsOf(t, ".", Options{Stdin: broken}, "-"); got != "stdin: the cable is out" {
		t.Error(got)
	}
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errors.New("the cable is out") }

// TestSeveralFiles has a host in two files of different formats.
func TestSeveralFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.csv", "name\nweb1\nweb2\n")
	write(t, dir, "b.txt", "web3\nweb1\n")
	write(t, dir, "c.ini", "web4\nweb2\n")
	write(t, dir, "d.json", `{"all": ["web3"]}`)
	want := `b.txt:2: host "web1" is there already, at a.csv:2; a name is unique in a campaign
d.json:1: host "web3" is there already, at b.txt:1; a name is unique in a campaign
c.ini:2: host "web2" is there already, at a.csv:3; a name is unique in a campaign`
	if diff := cmp.Diff(want, problemsOf(t, dir, Options{}, "a.csv", "b.txt", "c.ini", "d.json")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	repeat := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	bomb := "---\nx0: &a0 {hosts: {web1: }}\n"
	for i := range 30 {
		bomb += fmt.Sprintf("x%d: &a%d {children: {g%d: *a%d, h%d: *a%d}}\n", i+1, i+1, i, i, i, i)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"hosts of a list", repeat("h%d\n", 105), "stdin:101: more than 100 hosts; split them into campaigns"},
		{"hosts of ranges", "[a]\nh[1:100]\nx\ny\n", "stdin:3: more than 100 hosts"},
		{"one range", "[a]\nh[1:101]\n", `stdin:2: host "h[1:101]": [1:101]: a range of more than 100 hosts`},
		{"ranges in one host", "[a]\nh[1:11][1:10]\n", `stdin:2: host "h[1:11][1:10]": ranges of more than 100 hosts`},
		{"a range in many groups", repeat("[g%d]\nh[1:100]\n", 10), "stdin:8: more than 300 mentions of hosts and groups in groups"},
		{"a range again and again", "[a]\n" + strings.Repeat("h[1:100]\n", 10), "stdin:5: more than 300 mentions of hosts and groups in groups"},
		{"groups", repeat("[g%d]\n", 40), "stdin:29: more than 30 groups"},
		{"groups of groups", "[a]\nweb1\n[b:children]\n" + strings.Repeat("a\n", 400), "stdin:303: more than 300 mentions of hosts and groups in groups"},
		{"aliases", bomb, "more than 500 values, aliases followed"},
		{"YAML", "hosts: # " + strings.Repeat("x\n# ", 400_000), "YAML of 1600009 bytes; at most 1048576 are read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			max := small
			max.file = 2 << 20
			_, err := load([]string{"-"}, Options{Stdin: strings.NewReader(tt.text)}, max)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestHomeFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	write(t, home, "hosts.txt", "web1\n")
	inv, err := Load([]string{"~/hosts.txt"}, Options{Dir: "elsewhere"})
	if err != nil || len(inv.Hosts) != 1 {
		t.Errorf("%v %v", inv.Hosts, err)
	}
}
