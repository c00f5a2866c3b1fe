package lab

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// image is what hosts of one kind with the same products share: a file tree,
// packages and daemons. It never changes.
type image struct {
	kind     *osKind
	products productSet
	root     *node
	lastIno  uint64
	packages []*pkg // sorted by name
	daemons  []daemon
	units    map[string]unitFile
}

// imageStore makes each image once.
type imageStore struct {
	mu    sync.Mutex
	clock Clock
	made  map[imageKey]*image
}

type imageKey struct {
	kind     *osKind
	products productSet
}

func (s *imageStore) get(kind *osKind, products productSet) *image {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := imageKey{kind, products}
	if im, ok := s.made[key]; ok {
		return im
	}
	if s.made == nil {
		s.made = make(map[imageKey]*image)
	}
	im := newImage(kind, products, s.clock.Now().Unix()-90*24*3600)
	s.made[key] = im
	return im
}

// imageBuilder fills the tree of an image.
type imageBuilder struct {
	*image
	t *tree
	v view
}

func newImage(kind *osKind, products productSet, built int64) *image {
	t := &tree{root: &node{mode: fs.ModeDir | 0o755, nlink: 2, ino: 2, mtime: built}, ino: 131072, now: func() int64 { return built }}
	t.root.owner = t
	b := &imageBuilder{image: &image{kind: kind, products: products, units: make(map[string]unitFile)}, t: t, v: view{t: t}}
	b.folders()
	b.programs()
	b.etc()
	b.managers()
	b.services()
	for _, p := range products.list() {
		b.install(p)
	}
	b.proc()
	slices.SortFunc(b.packages, func(x, y *pkg) int { return cmp.Compare(x.name, y.name) })
	disown(t.root)
	b.root, b.lastIno = t.root, t.ino
	return b.image
}

// disown makes a tree immutable: every node is copied before its change.
func disown(n *node) {
	n.owner = nil
	n.data = slices.Clip(n.data)
	for _, k := range n.kids {
		disown(k)
	}
}

func (b *imageBuilder) dir(perm fs.FileMode, names ...string) {
	for _, name := range names {
		_ = b.v.mkdirAll(name, 0o755)
		_ = b.v.chmod(name, func(fs.FileMode) fs.FileMode { return perm })
	}
}

func (b *imageBuilder) file(name string, perm fs.FileMode, text string) {
	_ = b.v.mkdirAll(path.Dir(name), 0o755)
	_ = b.v.writeFile(name, []byte(text), perm)
}

func (b *imageBuilder) link(target, name string) {
	_ = b.v.mkdirAll(path.Dir(name), 0o755)
	_ = b.v.symlink(target, name)
}

// node enters a node of a special kind.
func (b *imageBuilder) node(name string, n *node) {
	_ = b.v.mkdirAll(path.Dir(name), 0o755)
	_ = b.v.create("mknod", name, n)
}

func (b *imageBuilder) folders() {
	b.dir(0o755, "/etc", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/share/doc", "/usr/local/bin", "/usr/local/sbin",
		"/var/lib", "/var/log", "/var/cache", "/var/opt", "/opt", "/home", "/run", "/boot", "/mnt", "/srv", "/dev")
	b.dir(0o700, "/root", "/root/.ssh", "/run/user", "/var/lib/private")
	b.dir(fs.ModeSticky|0o777, "/tmp", "/var/tmp", "/run/lock")
	if b.kind.merged {
		b.link("usr/bin", "/bin")
		b.link("usr/sbin", "/sbin")
		b.link("usr/lib", "/lib")
	} else {
		b.dir(0o755, "/bin", "/sbin", "/lib")
	}
	b.link("/run", "/var/run")
	for _, u := range users[1:] {
		b.dir(0o750, u.home)
		_ = b.v.change("chown", u.home, false, func(n *node) error { n.uid, n.gid = u.uid, u.gid; return nil })
	}
	for _, name := range []string{"null"} {
		b.node("/dev/"+name, &node{mode: fs.ModeDevice | fs.ModeCharDevice | 0o666})
	}
}

// programMark starts the content of a simulated program.
const programMark = "\x7fELF\x02\x01\x01 simulated program "

// programs enters each program that the kind of system has.
func (b *imageBuilder) programs() {
	for name, p := range programs() {
		if !p.on(b.kind) {
			continue
		}
		mode := fs.FileMode(0o755)
		if name == "sudo" {
			mode |= fs.ModeSetuid
		}
		dir := cmp.Or(p.dir, "/usr/bin")
		if !b.kind.merged && slices.Contains([]string{"sh", "cat", "ls", "rm", "mv", "cp", "mkdir", "rmdir", "ln", "chmod", "date", "df", "ps", "kill", "sleep", "stat", "sync", "touch", "true", "false", "uname", "grep", "busybox"}, name) {
			dir = "/bin"
		}
		b.file(path.Join(dir, name), mode, programMark+name+"\n")
	}
}

func (b *imageBuilder) etc() {
	k := b.kind
	like := ""
	if k.like != "" {
		like = "ID_LIKE=" + k.like + "\n"
	}
	b.file("/usr/lib/os-release", 0o644, fmt.Sprintf("PRETTY_NAME=%q\nNAME=%q\nVERSION_ID=%q\nID=%s\n%sHOME_URL=\"https://%s.invalid/\"\n",
		k.name, strings.Fields(k.name)[0], k.version, k.id, like, k.id))
	b.link("../usr/lib/os-release", "/etc/os-release")
	b.node("/etc/hostname", &node{mode: 0o644, live: live{text: func(v view) []byte { return []byte(v.h.name + "\n") }}})
	var passwd, group strings.Builder
	for _, u := range users {
		fmt.Fprintf(&passwd, "%s:x:%d:%d:%s:%s:/bin/sh\n", u.name, u.uid, u.gid, u.name, u.home)
		fmt.Fprintf(&group, "%s:x:%d:\n", u.name, u.gid)
	}
	b.file("/etc/passwd", 0o644, passwd.String()+"nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n")
	b.file("/etc/group", 0o644, group.String()+"sudo:x:27:ops\nnogroup:x:65534:\n")
	b.file("/etc/shadow", 0o640, "root:*:20000::::::\n")
	b.file("/etc/profile", 0o644, "export PATH\n")
	b.file("/etc/hosts", 0o644, "127.0.0.1 localhost\n")
	b.file("/etc/fstab", 0o644, "/dev/vda1 / ext4 defaults 0 1\n")
	b.dir(0o755, "/etc/init.d", "/etc/opt", "/etc/cron.d")
}

// managers enters the package database as far as its files are looked at.
func (b *imageBuilder) managers() {
	b.packages = parsePackages(b.kind)
	switch b.kind.manager {
	case managerDpkg:
		b.dir(0o755, "/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/lib/apt/lists", "/var/cache/apt/archives")
		for _, name := range []string{dpkgLock, dpkgFrontendLock, "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"} {
			b.file(name, 0o640, "")
		}
		b.node("/var/lib/dpkg/status", &node{mode: 0o644, live: live{text: func(v view) []byte { return dpkgStatusFile(v.h) }}})
		for _, p := range b.packages {
			b.file("/var/lib/dpkg/info/"+p.name+".list", 0o644, "/.\n/usr/share/doc/"+p.name+"\n")
		}
	case managerRPM:
		b.dir(0o755, b.kind.rpmDB)
		b.file(b.kind.rpmDB+"/.rpm.lock", 0o644, "")
		b.file(b.kind.rpmDB+"/rpmdb.sqlite", 0o644, "SQLite format 3\x00")
		if b.kind.rpmDB != "/var/lib/rpm" {
			b.link("../.."+b.kind.rpmDB, "/var/lib/rpm")
		}
	case managerApk:
		b.dir(0o755, "/lib/apk/db")
		b.file(apkLock, 0o600, "")
		b.node("/lib/apk/db/installed", &node{mode: 0o644, live: live{text: func(v view) []byte { return apkInstalled(v.h) }}})
	}
}

func (b *imageBuilder) services() {
	if !b.kind.systemd {
		b.dir(0o755, "/run/openrc")
		for _, name := range []string{"sshd", "crond", "chronyd"} {
			b.file("/etc/init.d/"+name, 0o755, "#!/sbin/openrc-run\n")
			b.units[name] = unitFile{description: name, state: unitEnabled, runs: true}
		}
		b.daemons = []daemon{{1, "", []string{"/sbin/init"}}, {612, "crond", []string{"/usr/sbin/crond", "-c", "/etc/crontabs"}}, {633, "sshd", []string{"sshd: /usr/sbin/sshd [listener]"}}}
		return
	}
	b.dir(0o755, "/run/systemd/system", "/etc/systemd/system", "/usr/lib/systemd/system")
	cron, sshd := "cron", "ssh"
	if b.kind.manager == managerRPM {
		cron, sshd = "crond", "sshd"
	}
	b.daemons = []daemon{
		{1, "", []string{"/sbin/init"}},
		{288, "systemd-journald", []string{"/usr/lib/systemd/systemd-journald"}},
		{511, cron, []string{"/usr/sbin/" + cron, "-f"}},
		{574, sshd, []string{"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"}},
	}
	for name, state := range map[string]string{
		"systemd-journald": unitStatic, cron: unitEnabled, sshd: unitEnabled, "dbus": unitStatic,
		"rsyslog": unitEnabled, "systemd-timesyncd": unitEnabled, "rescue": unitStatic, "nftables": unitDisabled,
	} {
		b.unit(name, name+" of the simulated host", state, state != unitDisabled && name != "rescue")
	}
}

func (b *imageBuilder) unit(name, description, state string, runs bool) {
	file := "/usr/lib/systemd/system/" + name + ".service"
	b.file(file, 0o644, "[Unit]\nDescription="+description+"\n\n[Service]\nExecStart=/usr/bin/true\n\n[Install]\nWantedBy=multi-user.target\n")
	b.units[name] = unitFile{description: description, state: state, runs: runs}
}

// install enters a product's package, files, services and daemon.
func (b *imageBuilder) install(p *product) {
	for _, name := range slices.Concat(p.files, p.config, p.data) {
		text, perm := p.summary+"\n", fs.FileMode(0o644)
		switch {
		case strings.HasPrefix(name, "/etc/init.d/"):
			text, perm = "#!/bin/sh\ncase ${1:-} in\nstart | stop | restart) exit 0 ;;\nstatus) exit 3 ;;\n*) exit 2 ;;\nesac\n", 0o755
		case strings.Contains(name, "bin/") || strings.Contains(name, "libexec/"):
			text, perm = "#!/bin/sh\n# "+p.summary+"\nexit 0\n", 0o755
		}
		b.file(name, perm, text)
	}
	for i, s := range p.services {
		if b.kind.systemd {
			b.unit(s, p.summary, unitEnabled, true)
		} else {
			b.units[s] = unitFile{description: p.summary, state: unitEnabled, runs: true}
		}
		if p.daemon != nil {
			b.daemons = append(b.daemons, daemon{900 + 20*len(b.daemons) + i, s, p.daemon})
		}
	}
	entry := &pkg{name: p.name, version: p.version, release: p.release, arch: "x86_64", vendor: "AO Kaspersky Lab", summary: p.summary, depends: p.depends, product: p}
	if b.kind.manager == managerDpkg {
		entry.version, entry.release, entry.arch = p.version+"-"+p.release, "", "amd64"
		entry.vendor, entry.section = "AO Kaspersky Lab <lab@oust.invalid>", "misc"
		b.file("/var/lib/dpkg/info/"+p.name+".list", 0o644, "/.\n"+strings.Join(p.files, "\n")+"\n")
	}
	b.packages = append(b.packages, entry)
}
