package inventory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "inv/b.csv", "name\ncsv1\n")
	write(t, dir, "inv/a", "[web]\nweb1\n")
	write(t, dir, "inv/empty", "")
	write(t, dir, "inv/deeper/c.yml", "web:\n  hosts:\n    web2:\n")
	for _, name := range []string{".hidden", "x.md", "x.bak", "x~", "x.cfg", "x.retry", "vars_plugins/x.py", ".git/config"} {
		write(t, dir, "inv/"+name, "<not an inventory>")
	}
	write(t, dir, "inv/group_vars/web.yml", "ansible_port: 2222\n")
	write(t, dir, "inv/deeper/group_vars/web.yml", "ansible_port: 1\n") // Ansible does not look there
	inv, err := Load([]string{"inv"}, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range inv.Hosts {
		got = append(got, h.Name+":"+strconv.Itoa(h.Port))
	}
	if diff := cmp.Diff([]string{"csv1:0", "web1:2222", "web2:2222"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFolderProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "inv/aws_ec2.yml", "plugin: amazon.aws.aws_ec2\n")
	write(t, dir, "inv/script.py", "#!/usr/bin/python3\n")
	write(t, dir, "inv/vaulted", "$ANSIBLE_VAULT;1.1;AES256\n")
	write(t, dir, "inv/hosts", "web1\n")
	if err := os.Symlink(".", filepath.Join(dir, "inv", "self")); err != nil {
		t.Fatal(err)
	}
	got := problemsOf(t, dir, Options{}, "inv")
	for _, want := range []string{
		"inv/aws_ec2.yml:1: the settings of an inventory plugin",
		"inv/script.py: a script; oust does not run inventories",
		"inv/vaulted: encrypted with Ansible Vault",
		"inv/self: a link that leads back to a folder which it is in",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestFolderOfTooManyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range small.folderFiles + 1 {
		write(t, dir, "inv/h"+strconv.Itoa(i), "w"+strconv.Itoa(i)+"\n")
	}
	_, err := load([]string{"inv"}, Options{Dir: dir}, small)
	if want := filepath.Join(dir, "inv") + ": more than 20 files in the folder"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestVarsFileProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "hosts", "[web]\nweb1\nweb2\nweb3\nweb4\nweb5\nweb6\nweb7\nweb8\n../x oust_address=10.0.0.9\n")
	write(t, dir, "group_vars/web", "ansible_user: [a\n")
	write(t, dir, "host_vars/web1.yml", "- ansible_user\n")
	write(t, dir, "host_vars/web2.yml", "ansible_user: \xff\n")
	write(t, dir, "host_vars/web3.yml", "a: {b: [c\n") // broken, but nothing in it is ours
	write(t, dir, "host_vars/web4.yml", "ansible_user: a\n---\nansible_user: b\n")
	write(t, dir, "host_vars/web5/vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")
	write(t, dir, "host_vars/web5/vars.txt", "ansible_user: left alone\n")
	write(t, dir, "host_vars/web5/.vars.yml", "ansible_user: left alone\n")
	write(t, dir, "x", "ansible_port: 1\n") // not reached by ../x
	write(t, dir, "host_vars/web6/vars", "ansible_user: a\n")
	if err := os.Symlink(".", filepath.Join(dir, "host_vars", "web6", "self")); err != nil {
		t.Fatal(err)
	}
	for i := range maxVarsFiles + 1 {
		write(t, dir, "host_vars/web7/v"+strconv.Itoa(i), "")
	}
	write(t, dir, "host_vars/web8/1/2/3/4/5/6/7/8/9/10/11/12/vars", "")
	got := problemsOf(t, dir, Options{}, "hosts")
	want := `group_vars/web:1: not YAML: sequence end token ']' not found
host_vars/web1.yml:1: want a map of variables
host_vars/web2.yml:1: not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)
host_vars/web4.yml:2: a second document; write one document a file
host_vars/web6/self: a link that leads back to a folder which it is in
host_vars/web7: more than 100 files for one group or host
host_vars/web8/1/2/3/4/5/6/7/8/9/10/11: folders are nested deeper than 10`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestVaultedVarsAreTold reads on without a file of secrets.
func TestVaultedVarsAreTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "hosts", "[web]\nweb1\nweb2\n")
	write(t, dir, "group_vars/web/vault", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")
	write(t, dir, "group_vars/web/vars", "ansible_user: root\n")
	inv, err := Load([]string{"hosts"}, Options{Dir: dir})
	if err != nil || inv.Hosts[0].User != "root" {
		t.Errorf("%v %v", inv.Hosts, err)
	}
	want := filepath.Join(dir, "group_vars/web/vault") + ": encrypted with Ansible Vault, and not read; an ansible_host, _port, _user or _connection in it is not seen"
	if len(inv.Warnings) != 1 || inv.Warnings[0] != want {
		t.Errorf("got %q, want %q", inv.Warnings, want)
	}
}

func TestVarsFilesOfTooManyBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "hosts", "[a]\nweb1\n[b]\nweb2\n[c]\nweb3\n")
	for _, g := range []string{"a", "b", "c"} {
		write(t, dir, "group_vars/"+g, strings.Repeat("# x\n", 200_000))
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "group_vars", "all"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := load([]string{"hosts"}, Options{Dir: dir}, small)
	want := "group_vars/all: not a file\ngroup_vars/b: more than 1048576 bytes in group_vars and host_vars"
	if err == nil || strings.ReplaceAll(err.Error(), dir+"/", "") != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestVarsFolderThatIsNone is a file where a folder belongs; Ansible leaves it
// alone.
func TestVarsFolderThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "hosts", "10.0.0.1 ansible_host={{inventory_hostname_short}}\n")
	write(t, dir, "group_vars", "ansible_port: 1\n")
	inv, err := Load([]string{"hosts"}, Options{Dir: dir})
	if err != nil || len(inv.Hosts) != 1 || inv.Hosts[0].Port != 0 || inv.Hosts[0].Address != "10.0.0.1" {
		t.Errorf("%+v, %v", inv, err)
	}
}
