package sshdlab

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// RefuseLogins makes a host refuse the lab's key; see Lab.RefuseLogins.
func (f *Fleet) RefuseLogins(i int) error {
	return os.WriteFile(filepath.Join(f.Hosts[i].Root, "etc/oust-lab/keys"), nil, 0o644)
}

// loginProcesses fits the titles of sshd's processes for one login each, in
// whatever stage ("sshd: ops [priv]", "sshd: ops", "sshd: ops@notty"), and not
// that of the one that listens ("sshd: /usr/sbin/sshd -D").
const loginProcesses = `^sshd(-session)?: [^/]`

// dropPasses is how often DropLogins looks for logins: a process that forks
// while the first pass reads /proc is found by the second.
const dropPasses = 100

// DropLogins kills a host's logins; see Lab.DropLogins. Until none is left
// sshd stands still, so that no new login is taken for an old one.
func (f *Fleet) DropLogins(i int) error {
	thaw, err := f.Freeze(i)
	if err != nil {
		return err
	}
	defer thaw()
	for range dropPasses {
		out, exit, err := f.Exec(i, "pkill", "-KILL", "-f", loginProcesses)
		switch {
		case err != nil:
			return err
		case exit == 1: // there were none
			return nil
		case exit > 1:
			return fmt.Errorf("%s: drop logins: exit code %d: %s", f.Hosts[i].Name, exit, out)
		}
	}
	return fmt.Errorf("%s: drop logins: some are left after %d passes", f.Hosts[i].Name, dropPasses)
}

// Freeze stops a host's sshd; see Lab.Freeze.
func (f *Fleet) Freeze(i int) (thaw func(), err error) {
	pid, ok := f.keeper.pid(f.Hosts[i].Name)
	if !ok {
		return nil, fmt.Errorf("%s: freeze: the host is down", f.Hosts[i].Name)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("%s: freeze: %w", f.Hosts[i].Name, err)
	}
	return func() { _ = syscall.Kill(pid, syscall.SIGCONT) }, nil
}
