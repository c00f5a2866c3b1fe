package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"oust/transports/transporttest/sshdlab"
)

// tool is one way to do the work.
type tool struct {
	name    string
	program string
	version []string
	// before lists commands that are run first and not measured.
	before func(work) [][]string
	// work does the work, nothing does it once more.
	work, nothing func(work) []string
	note          string
}

// work is one measurement's files.
type work struct {
	dir           string
	fleet         *sshdlab.Fleet
	addresses     []string
	port          string
	ansibleConfig string
}

// script is the work as a shell does it.
const script = `export LC_ALL=C DEBIAN_FRONTEND=noninteractive
state() { dpkg-query -W -f '${db:Status-Status}' kesl 2>/dev/null; }
if [ -z "$(state)" ]; then echo nothing to do; exit 0; fi
dpkg -P kesl || exit 1
[ -z "$(state)" ] && [ ! -e /opt/kaspersky/kesl ] && echo removed`

const playbook = `- hosts: all
  gather_facts: false
  tasks:
    - name: find the package
      command: dpkg-query -W -f ${db:Status-Status} kesl
      register: found
      failed_when: false
      changed_when: false
    - name: purge it
      command: dpkg -P kesl
      environment: {DEBIAN_FRONTEND: noninteractive, LC_ALL: C}
      when: found.stdout == 'installed'
    - name: check that it is gone
      shell: '! dpkg-query -W kesl 2>/dev/null && [ ! -e /opt/kaspersky/kesl ]'
      changed_when: false
      when: found.stdout == 'installed'
`

func newWork(dir string, fleet *sshdlab.Fleet) (work, error) {
	w := work{dir: dir, fleet: fleet, ansibleConfig: filepath.Join(dir, "ansible.cfg")}
	inventory, hosts := "", "name,address,port\n"
	for _, h := range fleet.Hosts {
		w.addresses = append(w.addresses, h.Addr)
		w.port = strconv.Itoa(h.Port)
		inventory += fmt.Sprintf("%s ansible_host=%s ansible_port=%d\n", h.Name, h.Addr, h.Port)
		hosts += fmt.Sprintf("%s,%s,%d\n", h.Name, h.Addr, h.Port)
	}
	forks := len(fleet.Hosts)
	files := map[string]string{
		"addresses":    strings.Join(w.addresses, "\n") + "\n",
		"inventory":    inventory,
		"playbook.yml": playbook,
		"ansible.cfg": fmt.Sprintf(`[defaults]
forks = %d
inventory = %s
remote_user = root
private_key_file = %s
interpreter_python = /usr/bin/python3
local_tmp = %s
[ssh_connection]
pipelining = true
control_path_dir = %s
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=%s -o StrictHostKeyChecking=yes
`, forks, filepath.Join(dir, "inventory"), fleet.KeyFile, filepath.Join(dir, "local"), filepath.Join(dir, "cp"), fleet.KnownHosts),
		"hosts.csv": hosts,
		"campaign.yaml": fmt.Sprintf(`campaign: bench
mandate: bod-17-01
issued: %s
inventory: [hosts.csv]
playbooks: [kaspersky/kesl]
credentials:
  linux: {user: root, key: %s}
defaults: {transport: ssh, credential: linux}
ssh: {known_hosts: %s, host_keys: strict}
concurrency: {hosts: %d}
waves: [100%%]
`, "2026-10-01", fleet.KeyFile, fleet.KnownHosts, forks),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return work{}, err
		}
	}
	return w, nil
}

// sshOptions are what each OpenSSH client is told.
func (w work) sshOptions() []string {
	return []string{
		"-o", "IdentityFile=" + w.fleet.KeyFile, "-o", "UserKnownHostsFile=" + w.fleet.KnownHosts,
		"-o", "StrictHostKeyChecking=yes", "-o", "Port=" + w.port, "-o", "LogLevel=ERROR", "-F", "none",
	}
}

// tools lists what is compared, oust first if there is one.
func tools(s settings) []tool {
	all := []tool{
		{
			name: "raw x/crypto/ssh", program: s.raw,
			work: func(w work) []string {
				return append([]string{s.raw, w.fleet.KeyFile, w.fleet.KnownHosts, w.port, script}, w.addresses...)
			},
			note: "the limit: no plan, no second look, no records",
		},
		{
			name: "clush", program: "clush", version: []string{"clush", "--version"},
			work: func(w work) []string {
				return []string{
					"clush", "-S", "-f", strconv.Itoa(s.hosts), "-l", "root", "-o", strings.Join(w.sshOptions(), " "),
					"-w", strings.Join(w.addresses, ","), script,
				}
			},
			note: fmt.Sprintf("`-f %d`", s.hosts),
		},
		{
			name: "parallel-ssh", program: "parallel-ssh", version: []string{"parallel-ssh", "--version"},
			work: func(w work) []string {
				return []string{
					"parallel-ssh", "-p", strconv.Itoa(s.hosts), "-l", "root", "-h", filepath.Join(w.dir, "addresses"),
					"-x", strings.Join(w.sshOptions(), " "), "-i", "-t", "0", script,
				}
			},
			note: fmt.Sprintf("`-p %d`", s.hosts),
		},
		{
			name: "ansible-playbook", program: "ansible-playbook", version: []string{"ansible-playbook", "--version"},
			work: func(w work) []string {
				return []string{"ansible-playbook", filepath.Join(w.dir, "playbook.yml")}
			},
			note: fmt.Sprintf("%d forks, pipelining, ControlPersist, no fact gathering, 3 tasks", s.hosts),
		},
	}
	for i := range all {
		all[i].nothing = all[i].work
	}
	if s.oust == "" {
		return all
	}
	return append([]tool{oust(s.oust)}, all...)
}

// oust is measured from the plan on: its scan and the plan are made before a
// change window, not in it. With nothing to do, it looks at every host.
func oust(program string) tool {
	in := func(w work, args ...string) []string { return append([]string{program, "-C", w.dir}, args...) }
	return tool{
		name: "oust", program: program, version: []string{program, "--version"},
		before: func(w work) [][]string {
			return [][]string{in(w, "scan"), in(w, "plan", "-o", "plan.json")}
		},
		work:    func(w work) []string { return in(w, "apply", "plan.json") },
		nothing: func(w work) []string { return in(w, "verify") },
		note:    "`apply`: look, detached job, second look in a new session, records on disk; nothing to do: `verify`",
	}
}
