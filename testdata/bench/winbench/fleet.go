package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"oust/transports/lab"
)

// work is one measurement: a fleet that is new, and the files for the tools.
type work struct {
	dir   string
	fleet *lab.Fleet
	// counter stands in front of the only host, where requests are counted.
	counter *counter
}

// endpoint is where the tools find a host.
type endpoint struct {
	name, address string
	port          int
}

// fleetSeed decides the products of the hosts: it is the same for all tools.
const fleetSeed = 7

// newWork starts hosts, and writes the files into a folder that is there.
// With counted there is one host, which speaks HTTP sealed by NTLM, so that
// its requests can be counted on the way; otherwise NTLM goes over TLS.
func newWork(ctx context.Context, dir string, s settings, counted bool) (*work, error) {
	hosts := s.hosts
	if counted {
		hosts = 1
	}
	fleet, err := lab.Start(ctx, lab.Config{Windows: hosts, Seed: fleetSeed, Speed: s.speed})
	if err != nil {
		return nil, err
	}
	w := &work{dir: dir, fleet: fleet}
	if counted {
		h := fleet.Hosts()[0]
		if w.counter, err = newCounter(ctx, net.JoinHostPort(h.Address, strconv.Itoa(h.Port))); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	if err := w.write(s); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *work) close() error {
	if w.counter != nil {
		w.counter.close()
	}
	return w.fleet.Close()
}

func (w *work) endpoints() []endpoint {
	var out []endpoint
	for _, h := range w.fleet.Hosts() {
		e := endpoint{h.Name, h.Address, h.Port}
		if w.counter != nil {
			e.address, e.port = w.counter.address().IP.String(), w.counter.address().Port
		}
		out = append(out, e)
	}
	return out
}

// check asks the hosts themselves: no tool is believed. Every product is
// there, or every one has gone by one start of its uninstaller.
func (w *work) check(removed bool) error {
	for _, h := range w.fleet.Hosts() {
		state, err := w.fleet.State(h.Name)
		if err != nil {
			return err
		}
		if len(h.Products) == 0 {
			return fmt.Errorf("%s never had a product", h.Name)
		}
		for _, p := range h.Products {
			if starts := state.Counts[p]; removed && starts != 1 || !removed && starts != 0 {
				return fmt.Errorf("%s: %d uninstallers of %s ran", h.Name, starts, p)
			}
		}
		if removed != (len(state.Installed) == 0) {
			return fmt.Errorf("%s: installed are %v", h.Name, state.Installed)
		}
	}
	return nil
}

// Names of a measurement's files.
const (
	caFile       = "ca.pem"
	passwordFile = "password"
	opensslFile  = "openssl.cnf"
	ansibleFile  = "ansible.cfg"
	lookFile     = "look.yml"
	removeFile   = "remove.yml"
	scriptFile   = "pywinrm.py"
	pythonFile   = "hosts.json"
)

func (w *work) write(s settings) error {
	password := w.fleet.Password().Reveal()
	transport, winrm := "https", "ca: "+caFile
	if w.counter != nil {
		transport, winrm = "http", "plain: true"
	}
	hosts, inventory := "name,address,port\n", "[all:vars]\n"+ansibleVariables(transport, filepath.Join(w.dir, caFile), password)+"[all]\n"
	for _, e := range w.endpoints() {
		hosts += fmt.Sprintf("%s,%s,%d\n", e.name, e.address, e.port)
		inventory += fmt.Sprintf("%s ansible_host=%s ansible_port=%d\n", e.name, e.address, e.port)
	}
	job, err := pythonJob(w, s, transport, password)
	if err != nil {
		return err
	}
	files := map[string]string{
		caFile: string(w.fleet.Authority()), passwordFile: password + "\n", opensslFile: opensslLegacy,
		"hosts.csv": hosts, "campaign.yaml": campaign(winrm, s.forks),
		"inventory": inventory, lookFile: lookPlaybook(), removeFile: removePlaybook(), ansibleFile: ansibleConfig(w.dir, s.forks),
		scriptFile: pythonScript, pythonFile: job,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// env are variables of the tools.
func (w *work) env() []string {
	return []string{
		"ANSIBLE_CONFIG=" + filepath.Join(w.dir, ansibleFile), "OPENSSL_CONF=" + filepath.Join(w.dir, opensslFile),
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "LC_ALL=C.UTF-8",
	}
}

func (w *work) path(name string) string { return filepath.Join(w.dir, name) }

// campaign stays for the end of an uninstaller, which takes half a minute of the
// hosts' time, and asks after one that takes longer every second, as the
// others do.
func campaign(winrm string, hosts int) string {
	return fmt.Sprintf(`campaign: bench
mandate: bod-17-01
issued: 2026-10-01
inventory: [hosts.csv]
playbooks: [kaspersky]
credentials:
  windows: {user: ops, password: 'file:%s', auth: ntlm}
defaults: {transport: winrm, credential: windows, platform: windows}
winrm: {%s}
concurrency: {hosts: %d}
timing: {poll: 1s, launch_wait: 1m}
waves: [100%%]
`, passwordFile, winrm, hosts)
}

// opensslLegacy lets Python have MD4, which NTLM needs.
const opensslLegacy = `openssl_conf = init
[init]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
`

func ansibleConfig(dir string, forks int) string {
	return fmt.Sprintf("[defaults]\nforks = %d\ninventory = %s\nlocal_tmp = %s\n", forks, filepath.Join(dir, "inventory"), filepath.Join(dir, "local"))
}

func ansibleVariables(scheme, ca, password string) string {
	lines := []string{
		"ansible_connection=winrm", "ansible_user=ops", "ansible_password=" + password,
		"ansible_winrm_transport=ntlm", "ansible_winrm_scheme=" + scheme,
	}
	if scheme == "https" {
		lines = append(lines, "ansible_winrm_ca_trust_path="+ca)
	}
	return strings.Join(lines, "\n") + "\n"
}
