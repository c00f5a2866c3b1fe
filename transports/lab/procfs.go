package lab

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// proc enters /proc: what stands in it depends on the host and on who looks.
func (b *imageBuilder) proc() {
	text := func(name string, f func(v view) string) {
		b.node("/proc/"+name, &node{mode: 0o444, live: live{text: func(v view) []byte { return []byte(f(v)) }}})
	}
	text("sys/kernel/random/boot_id", func(v view) string { return v.h.bootIdentity() + "\n" })
	text("sys/kernel/osrelease", func(v view) string { return v.h.image.kind.kernel + "\n" })
	text("sys/kernel/hostname", func(v view) string { return v.h.name + "\n" })
	text("uptime", func(v view) string {
		up := v.h.uptime().Seconds()
		return fmt.Sprintf("%.2f %.2f\n", up, up*1.9)
	})
	text("locks", func(v view) string { return string(v.h.locks.text()) })
	text("mounts", func(view) string { return mountTable })
	text("version", func(v view) string {
		return "Linux version " + v.h.image.kind.kernel + " (simulated@lab) #1 SMP\n"
	})
	text("loadavg", func(v view) string { return "0.08 0.03 0.01 1/120 1300\n" })
	text("meminfo", func(view) string { return "MemTotal:        2014368 kB\nMemFree:          512340 kB\n" })
	b.node("/proc/self", &node{mode: fs.ModeSymlink | 0o777, live: live{link: func(v view) string { return strconv.Itoa(v.pid) }}})
	for _, dir := range []string{"/proc/sys/kernel/random", "/proc/sys/kernel", "/proc/sys", "/proc"} {
		_ = b.v.change("mount", dir, false, func(n *node) error {
			n.mode, n.fixed = fs.ModeDir|0o555, true
			if dir == "/proc" {
				n.live = live{look: procEntry, list: procPIDs}
			}
			return nil
		})
	}
}

const mountTable = `sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
udev /dev devtmpfs rw,nosuid,relatime,size=985936k,nr_inodes=246484,mode=755 0 0
tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size=201440k,mode=755 0 0
/dev/vda1 / ext4 rw,relatime,errors=remount-ro 0 0
`

func (h *host) bootIdentity() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bootID
}

func (h *host) uptime() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now().Sub(h.booted)
}

func procPIDs(v view) []string {
	var out []string
	for _, p := range v.h.processes() {
		out = append(out, strconv.Itoa(p.pid))
	}
	return out
}

// procEntry makes the folder of a process.
func procEntry(v view, name string) *node {
	pid, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(pid) != name {
		return nil
	}
	p := v.h.process(pid)
	if p == nil {
		return nil
	}
	file := func(s string) *node {
		return &node{mode: 0o444, uid: p.user.uid, gid: p.user.gid, live: live{text: func(view) []byte { return []byte(s) }}}
	}
	return &node{
		mode: fs.ModeDir | 0o555, uid: p.user.uid, gid: p.user.gid, nlink: 9, ino: uint64(pid) << 16, fixed: true,
		mtime: p.start.Unix(),
		kids: map[string]*node{
			"cmdline": file(strings.Join(p.args(), "\x00") + "\x00"),
			"comm":    file(p.comm() + "\n"),
			"stat":    file(p.stat()),
			"status": file(fmt.Sprintf("Name:\t%s\nUmask:\t%04o\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nUid:\t%[6]d\t%[6]d\t%[6]d\t%[6]d\nGid:\t%[7]d\t%[7]d\t%[7]d\t%[7]d\n",
				p.comm(), p.mask(), p.pid, p.pid, p.ppid, p.user.uid, p.user.gid)),
			"exe": {mode: fs.ModeSymlink | 0o777, uid: p.user.uid, target: p.exe()},
			"cwd": {mode: fs.ModeSymlink | 0o777, uid: p.user.uid, target: "/"},
		},
	}
}

// comm is the process's name as the kernel keeps it: 15 bytes at most.
func (p *process) comm() string {
	name := path.Base(strings.TrimSuffix(p.args()[0], ":"))
	return name[:min(len(name), 15)]
}

// exe is the path of the process's program.
func (p *process) exe() string {
	name := p.args()[0]
	if path.IsAbs(name) {
		return name
	}
	return "/usr/bin/" + name
}

// stat is the process in the form of /proc/PID/stat (proc_pid_stat(5)), whose
// field 22 is its start in hundredths of a second since boot.
func (p *process) stat() string {
	p.host.mu.Lock()
	booted := p.host.booted
	p.host.mu.Unlock()
	ticks := max(p.start.Sub(booted).Milliseconds()/10, 0)
	return fmt.Sprintf("%d (%s) S %d %d %d 0 -1 4194560 312 0 0 0 0 0 0 0 20 0 1 0 %d 2654208 402 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		p.pid, p.comm(), p.ppid, p.sid, p.sid, ticks)
}
