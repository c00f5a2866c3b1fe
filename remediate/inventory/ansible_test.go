package inventory

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// recordings are inventories, and what ansible-inventory --list made of them.
var recordings = []struct {
	name  string
	paths []string
	json  string
}{
	{"INI", []string{"site/hosts.ini"}, "site.json"},
	{"YAML", []string{"yaml/hosts.yaml"}, "yaml.json"},
	{"a folder", []string{"folder"}, "folder.json"},
	{"two sources", []string{"site/hosts.ini", "folder"}, "two.json"},
	{"an export, from a script", []string{"site-export.json"}, "site-export-read.json"},
}

// recorded is the JSON, read without any of our code.
type recorded struct {
	vars   map[string]map[string]any
	groups map[string]struct{ Hosts, Children []string }
}

func readRecorded(t *testing.T, path string) recorded {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var meta struct {
		Meta struct {
			Hostvars map[string]map[string]any `json:"hostvars"`
		} `json:"_meta"`
	}
	var r recorded
	if err := json.Unmarshal(text, &meta); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r.groups); err != nil {
		t.Fatal(err)
	}
	r.vars = meta.Meta.Hostvars
	delete(r.groups, "_meta")
	return r
}

// hosts are the names of all of them.
func (r recorded) hosts() []string {
	var out []string
	for _, g := range r.groups {
		for _, h := range g.Hosts {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	slices.Sort(out)
	return out
}

// in are the groups that a host is in, but for all and ungrouped.
func (r recorded) in(host string) []string {
	var has func(group string) bool
	has = func(group string) bool {
		g := r.groups[group]
		return slices.Contains(g.Hosts, host) || slices.ContainsFunc(g.Children, has)
	}
	var out []string
	for name := range r.groups {
		if name != "all" && name != "ungrouped" && has(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// last is the last of some variables that is set, as Ansible's connection
// plugins look for an option.
func (r recorded) last(host string, names ...string) string {
	out := ""
	for _, n := range names {
		switch v := r.vars[host][n].(type) {
		case nil:
			if _, set := r.vars[host][n]; set {
				out = ""
			}
		case map[string]any:
			out = fmt.Sprint(v["__ansible_unsafe"])
		default:
			out = fmt.Sprint(v)
		}
	}
	short, _, _ := strings.Cut(host, ".")
	out = strings.ReplaceAll(out, "{{ inventory_hostname }}", host)
	return strings.ReplaceAll(out, "{{ inventory_hostname_short }}", short)
}

// expected is a host as Ansible would reach it; false for one that it does not
// reach over SSH or WinRM.
func (r recorded) expected(host string) (remediate.Host, bool) {
	h := remediate.Host{Name: host, Transport: "ssh", Tags: r.in(host)}
	plugin := "ssh"
	switch c := r.last(host, "ansible_connection"); c {
	case "", "ssh", "ansible.builtin.ssh", "paramiko":
	case "winrm", "psrp":
		plugin, h.Transport, h.Platform = c, "winrm", remediate.Windows
	default:
		return h, false
	}
	h.Address = r.last(host, "ansible_host", "ansible_"+plugin+"_host")
	h.User = r.last(host, "ansible_user", "ansible_"+plugin+"_user")
	fmt.Sscan(r.last(host, "ansible_port", "ansible_"+plugin+"_port"), &h.Port)
	return h, true
}

// TestAsAnsible compares what we make of files with what Ansible did.
func TestAsAnsible(t *testing.T) {
	t.Parallel()
	for _, rec := range recordings {
		t.Run(rec.name, func(t *testing.T) {
			t.Parallel()
			ansible := readRecorded(t, filepath.Join(data, "ansible", rec.json))
			var want []remediate.Host
			for _, name := range ansible.hosts() {
				if h, ok := ansible.expected(name); ok {
					want = append(want, h)
				}
			}
			got := mustLoad(t, filepath.Join(data, "ansible"), rec.paths...)
			for i := range got {
				if !strings.HasPrefix(got[i].Origin, filepath.Join(data, "ansible")) {
					t.Errorf("%s is from %s", got[i].Name, got[i].Origin)
				}
				got[i].Origin, got[i].Site, got[i].Zone = "", "", "" // ours alone
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-Ansible +oust):\n%s", diff)
			}
			if len(got) < 4 {
				t.Errorf("only %d hosts", len(got))
			}
		})
	}
}

// TestAsItsOwnJSON compares the files with the JSON of them, as we read both.
func TestAsItsOwnJSON(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(data, "ansible")
	for _, rec := range recordings {
		t.Run(rec.name, func(t *testing.T) {
			t.Parallel()
			files, list := mustLoad(t, dir, rec.paths...), mustLoad(t, dir, rec.json)
			for _, hosts := range [][]remediate.Host{files, list} {
				for i := range hosts {
					hosts[i].Origin = ""
				}
			}
			if diff := cmp.Diff(files, list); diff != "" {
				t.Errorf("(-files +JSON):\n%s", diff)
			}
		})
	}
}

// mustLoad reads inventories and sorts the hosts by name.
func mustLoad(t *testing.T, dir string, paths ...string) []remediate.Host {
	t.Helper()
	inv, err := Load(paths, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(inv.Hosts, func(a, b remediate.Host) int { return strings.Compare(a.Name, b.Name) })
	return inv.Hosts
}
