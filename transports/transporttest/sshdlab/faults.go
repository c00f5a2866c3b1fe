package sshdlab

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Pretend is the fault of a package tool that exits 0 and removes nothing:
// dpkg or rpm of the host is then a wrapper.
const Pretend = "pretend"

const pretender = `#!/bin/sh
for arg in "$@"; do
	case $arg in
	-r | -P | --remove | --purge | -e | --erase) echo "Removing (not really) ..."; exit 0 ;;
	esac
done
exec %[1]s.real "$@"
`

func (h Host) tool() string {
	if h.Kind == RPM {
		return "rpm"
	}
	return "dpkg"
}

// SetFault sets how removals on a host misbehave; see Lab.SetFault.
func (f *Fleet) SetFault(i int, faults ...string) error {
	h := f.Hosts[i]
	if err := h.setPretend(slices.Contains(faults, Pretend)); err != nil {
		return fmt.Errorf("%s: set fault %s: %w", h.Name, Pretend, err)
	}
	text := strings.Join(append(faults, ""), "\n")
	return os.WriteFile(filepath.Join(h.Root, "etc/oust-lab/fault"), []byte(text), 0o644)
}

func (h Host) setPretend(on bool) error {
	tool := filepath.Join(h.Root, "usr/bin", h.tool())
	_, err := os.Stat(tool + ".real")
	switch is := err == nil; {
	case is == on:
		return nil
	case on:
		if err := os.Rename(tool, tool+".real"); err != nil {
			return err
		}
		return os.WriteFile(tool, fmt.Appendf(nil, pretender, "/usr/bin/"+h.tool()), 0o755)
	default:
		return os.Rename(tool+".real", tool)
	}
}

// Install installs lab packages by name, in this order.
func (f *Fleet) Install(i int, packages ...string) error {
	h := f.Hosts[i]
	dir, err := os.MkdirTemp(filepath.Join(h.Root, "var/tmp"), "oust-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	command := []string{h.tool(), "-i"}
	for _, name := range packages {
		file := name + "." + string(h.Kind)
		data, err := os.ReadFile(filepath.Join(f.paths["packages"], file))
		if err != nil {
			return fmt.Errorf("%s: install %s: %w", h.Name, name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o644); err != nil {
			return err
		}
		command = append(command, filepath.Join("/var/tmp", filepath.Base(dir), file))
	}
	out, exit, err := f.Exec(i, command...)
	if err == nil && exit != 0 {
		err = fmt.Errorf("%s: install %v: exit code %d: %s", h.Name, packages, exit, out)
	}
	return err
}

// Installed reports whether a package is installed; see Lab.Installed.
func (f *Fleet) Installed(i int, name string) (bool, error) {
	if f.Hosts[i].Kind == RPM {
		_, exit, err := f.Exec(i, "rpm", "-q", name)
		return err == nil && exit == 0, err
	}
	out, exit, err := f.Exec(i, "dpkg-query", "-W", "-f", "${db:Status-Status}", name)
	return err == nil && exit == 0 && out == "installed", err
}

// Uninstalls counts the uninstallers started on a host; see Lab.Uninstalls.
func (f *Fleet) Uninstalls(i int) (int, error) {
	data, err := os.ReadFile(filepath.Join(f.Hosts[i].Root, "var/lib/oust-lab/uninstalls"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return strings.Count(string(data), "\n"), err
}

// lockHolder takes write locks as dpkg, apt and rpm do (fcntl, whole file) and
// keeps them until its input ends.
const lockHolder = `
import fcntl, sys
held = [open(path, "a") for path in sys.argv[1:]]
for file in held:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
`

// HoldPackageLock holds the package manager's locks; see Lab.HoldPackageLock.
func (f *Fleet) HoldPackageLock(i int) (release func(), err error) {
	h := f.Hosts[i]
	locks := []string{"/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"}
	if h.Kind == RPM {
		locks = []string{"/var/lib/rpm/.rpm.lock"}
	}
	cmd, err := f.command(i, append([]string{"python3", "-c", lockHolder}, locks...)...)
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	release = func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		release()
		return nil, fmt.Errorf("%s: hold the package lock: somebody else holds it", h.Name)
	}
	return release, nil
}
