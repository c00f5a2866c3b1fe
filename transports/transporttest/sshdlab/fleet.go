package sshdlab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Fleet is a Lab without a test around it, for programs such as the benchmark.
// Its methods may be called concurrently for different hosts.
type Fleet struct {
	Hosts []Host
	// KnownHosts is the path of a known_hosts file with every host's key.
	KnownHosts string
	// KeyFile is the path of a private key (ed25519, no passphrase) that
	// logs in as every user; KeyFile + ".pub" is its public half.
	KeyFile string
	// UserCAFile is the path of a private key whose user certificates all
	// hosts accept.
	UserCAFile string

	options Options
	slot    *slot
	keeper  *keeper
	paths   map[string]string
}

// startTimeout bounds the start of one host, from its boot to sshd's banner.
const startTimeout = 30 * time.Second

// Open starts a fleet. The caller closes it.
func Open(o Options) (*Fleet, error) {
	if o.Packages == "" {
		o.Packages = KESL
	}
	if o.MaxStartups == "" {
		o.MaxStartups = "1000:30:2000"
	}
	if n := o.Hosts + o.RPM; n > 250 {
		return nil, fmt.Errorf("a lab has at most 250 hosts, not %d", n)
	}
	paths, err := builtPaths()
	if err != nil {
		return nil, err
	}
	s, err := takeSlot()
	if err != nil {
		return nil, err
	}
	f := &Fleet{options: o, slot: s, paths: paths}
	if err := f.start(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Fleet) start() error {
	k, err := startKeeper(f.paths["scripts"], f.slot.dir)
	if err != nil {
		return err
	}
	f.keeper = k
	if err := f.makeKeys(); err != nil {
		return err
	}
	port := freePort(f.slot.addr(1))
	for i := range f.options.Hosts + f.options.RPM {
		h := Host{Addr: f.slot.addr(i + 1), Port: port, Kind: Deb}
		h.Name = fmt.Sprintf("deb-%02d", i+1)
		if i >= f.options.Hosts {
			h.Kind, h.Name = RPM, fmt.Sprintf("rpm-%02d", i-f.options.Hosts+1)
		}
		h.Root = filepath.Join(k.dir, "hosts", h.Name, "root")
		f.Hosts = append(f.Hosts, h)
	}
	for _, kind := range []Kind{Deb, RPM} {
		if err := k.ask("base", string(kind), f.lowers(kind)); err != nil {
			return err
		}
	}
	for i := range f.Hosts {
		if err := f.create(i); err != nil {
			return err
		}
	}
	return f.bootAll()
}

// Close stops all hosts and removes what belongs to the fleet.
func (f *Fleet) Close() error {
	var err error
	if f.keeper != nil {
		err = f.keeper.close()
	}
	return errors.Join(err, f.slot.release())
}

// lowers is the overlay's list of layers below a host of the kind.
func (f *Fleet) lowers(kind Kind) string {
	layers := []string{f.paths["deb"]}
	if kind == RPM {
		layers = append([]string{f.paths["rpm"]}, layers...)
	}
	if f.options.Packages != None {
		layers = append([]string{f.paths[string(kind)+"-"+string(f.options.Packages)]}, layers...)
	}
	return strings.Join(layers, ":")
}

// create makes a host's tree and writes what is its own into it.
func (f *Fleet) create(i int) error {
	h := f.Hosts[i]
	if err := f.keeper.ask("host", h.Name, f.lowers(h.Kind)); err != nil {
		return err
	}
	files := map[string]string{
		"etc/hostname":        h.Name + "\n",
		"etc/hosts":           "127.0.0.1 localhost " + h.Name + "\n",
		"etc/ssh/sshd_config": f.sshdConfig(h),
		"etc/oust-lab/banner": "This is " + h.Name + ", a test host.\n@begin stdout end\n",
		"etc/oust-lab/keys":   readOr(f.KeyFile + ".pub"),
		"etc/oust-lab/ca.pub": readOr(f.UserCAFile + ".pub"),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(h.Root, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the host's files: %w", err)
		}
	}
	if err := f.tame(h); err != nil {
		return fmt.Errorf("%s: put the stand-ins for shutdown in place: %w", h.Name, err)
	}
	return f.newHostKey(i, true)
}

func (f *Fleet) sshdConfig(h Host) string {
	yes := map[bool]string{true: "yes", false: "no"}
	return fmt.Sprintf(`ListenAddress %s
Port %d
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/oust-lab/keys
TrustedUserCAKeys /etc/oust-lab/ca.pub
PermitRootLogin prohibit-password
PasswordAuthentication %s
KbdInteractiveAuthentication %s
UsePAM yes
UseDNS no
PrintMotd no
MaxStartups %s
MaxAuthTries 20
Banner /etc/oust-lab/banner
Subsystem sftp internal-sftp
PidFile none
%s
`, h.Addr, h.Port, yes[!f.options.KbdInteractive], yes[f.options.KbdInteractive], f.options.MaxStartups, f.options.SSHD)
}

// bootAll boots every host and waits for all.
func (f *Fleet) bootAll() error {
	for _, h := range f.Hosts {
		if err := f.keeper.send("boot", h.Name, ""); err != nil {
			return err
		}
	}
	deadline := time.Now().Add(startTimeout)
	for _, h := range f.Hosts {
		if err := f.awaitBanner(h, deadline); err != nil {
			return err
		}
	}
	return nil
}

// Stop cuts a host's power; see Lab.Stop.
func (f *Fleet) Stop(i int) error { return f.keeper.down(f.Hosts[i].Name) }

// Boot starts a host that was stopped.
func (f *Fleet) Boot(i int) error {
	if err := f.keeper.send("boot", f.Hosts[i].Name, ""); err != nil {
		return err
	}
	return f.awaitBanner(f.Hosts[i], time.Now().Add(startTimeout))
}

// Restart stops and boots a host; see Lab.Restart.
func (f *Fleet) Restart(i int) error {
	if err := f.Stop(i); err != nil {
		return err
	}
	return f.Boot(i)
}

// Reset gives every host back the disk that it had at first, and boots it.
// Host keys change; KnownHosts is written anew.
func (f *Fleet) Reset() error {
	if err := f.keeper.close(); err != nil {
		return err
	}
	if err := os.Remove(f.KnownHosts); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.Hosts = nil
	return f.start()
}

// Exec runs a command inside a host; see Lab.Exec. The error is not nil if it
// could not be run at all.
func (f *Fleet) Exec(i int, command ...string) (output string, exit int, err error) {
	cmd, err := f.command(i, command...)
	if err != nil {
		return "", 0, err
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok && ee.Exited() {
		return out.String(), ee.ExitCode(), nil
	}
	if err != nil {
		return out.String(), 0, fmt.Errorf("%s: run %s: %w", f.Hosts[i].Name, command[0], err)
	}
	return out.String(), 0, nil
}

// command prepares a command that runs inside a host.
func (f *Fleet) command(i int, command ...string) (*exec.Cmd, error) {
	pid, ok := f.keeper.pid(f.Hosts[i].Name)
	if !ok {
		return nil, fmt.Errorf("%s: run %s: the host is down", f.Hosts[i].Name, command[0])
	}
	args := append([]string{"--target", strconv.Itoa(pid), "--mount", "--uts", "--pid", "--root", "--wd", "--"}, command...)
	cmd := exec.Command("nsenter", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"}
	return cmd, nil
}

// Log returns what sshd of a host has logged.
func (f *Fleet) Log(i int) string {
	return readOr(filepath.Join(f.keeper.dir, "hosts", f.Hosts[i].Name, "log"))
}

// readOr returns a file's text, or nothing.
func readOr(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}
