package sshdlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Shutdown is a restart that a host was asked for.
type Shutdown struct {
	Minutes int // until the restart; 0 is at once
	Message string
}

// restarters are what could restart the machine that a host shares its kernel
// with. A host has none of them; shutdown and reboot are stand-ins.
var restarters = []string{
	"usr/sbin/shutdown", "usr/sbin/reboot", "usr/sbin/halt", "usr/sbin/poweroff", "usr/sbin/init", "usr/sbin/telinit", "usr/sbin/kexec",
	"usr/bin/systemctl", "usr/bin/loginctl", "usr/bin/busybox", "usr/lib/systemd/systemd", "usr/lib/systemd/systemd-shutdown",
}

// notes is the folder in which a host's stand-ins note what they do, outside of
// what snapshots look at.
const notes = "dev/oust-lab"

// tame takes away from a host what could restart this machine, and puts
// stand-ins in its place. A host that restarts comes back by itself.
func (f *Fleet) tame(h Host) error {
	for _, name := range restarters {
		if err := os.Remove(filepath.Join(h.Root, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(f.paths["scripts"], "shutdown.sh"))
	if err != nil {
		return err
	}
	for _, name := range []string{"shutdown", "reboot"} {
		if err := os.WriteFile(filepath.Join(h.Root, "usr/sbin", name), text, 0o755); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(h.Root, notes), 0o755)
}

// SetMinute sets how long a minute of shutdown(8) lasts; see Lab.SetMinute.
func (f *Fleet) SetMinute(i, seconds int) error {
	return os.WriteFile(filepath.Join(f.Hosts[i].Root, "etc/oust-lab/minute"), fmt.Appendf(nil, "%d\n", seconds), 0o644)
}

// logOn writes a record of utmp(5) for a user process that lives.
const logOn = `
import struct, time
record = struct.pack("<hxxi32s4s32s256shhiii16s20x", 7, 1, b"tty7", b"7", b"mia", b"", 0, 0, 0, int(time.time()), 0, b"")
open("/run/utmp", "ab").write(record)
`

// LogOn has a person logged on; see Lab.LogOn.
func (f *Fleet) LogOn(i int) error {
	out, exit, err := f.Exec(i, "python3", "-c", logOn)
	if err == nil && exit != 0 {
		err = fmt.Errorf("%s: log a person on: exit code %d: %s", f.Hosts[i].Name, exit, out)
	}
	return err
}

// Shutdowns lists the restarts that a host was asked for; see Lab.Shutdowns.
func (f *Fleet) Shutdowns(i int) ([]Shutdown, error) {
	data, err := os.ReadFile(filepath.Join(f.Hosts[i].Root, notes, "shutdowns"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []Shutdown
	for line := range strings.Lines(string(data)) {
		minutes, message, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		n, err := strconv.Atoi(minutes)
		if err != nil {
			return nil, fmt.Errorf("%s: shutdowns: %q is not a number of minutes", f.Hosts[i].Name, minutes)
		}
		out = append(out, Shutdown{n, message})
	}
	return out, nil
}
