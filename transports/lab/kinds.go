package lab

import "embed"

//go:embed images/*.txt
var images embed.FS

// Package managers.
const (
	managerDpkg = "dpkg"
	managerRPM  = "rpm"
	managerApk  = "apk"
)

// osKind is one operating system that hosts can have.
type osKind struct {
	id      string // os-release ID
	name    string // PRETTY_NAME
	version string // VERSION_ID
	like    string // ID_LIKE
	kernel  string
	manager string
	list    string // of its packages, in images/
	vendor  string
	systemd bool
	merged  bool // /bin is a link to usr/bin
	rpmDB   string
	banner  string // what sshd calls itself
	weight  int    // its share of a fleet, in percent
}

var kinds = []*osKind{
	{
		id: "debian", name: "Debian GNU/Linux 12 (bookworm)", version: "12", kernel: "6.1.0-28-amd64",
		manager: managerDpkg, list: "debian.txt", vendor: "Debian Project <project@debian.invalid>",
		systemd: true, merged: true, banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", weight: 35,
	},
	{
		id: "ubuntu", name: "Ubuntu 22.04.5 LTS", version: "22.04", like: "debian", kernel: "5.15.0-126-generic",
		manager: managerDpkg, list: "ubuntu.txt", vendor: "Ubuntu Developers <devel@ubuntu.invalid>",
		systemd: true, merged: true, banner: "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10", weight: 25,
	},
	{
		id: "rhel", name: "Red Hat Enterprise Linux 9.4 (Plow)", version: "9.4", like: "fedora", kernel: "5.14.0-427.42.1.el9_4.x86_64",
		manager: managerRPM, list: "rhel.txt", vendor: "Red Hat, Inc.", rpmDB: "/var/lib/rpm",
		systemd: true, merged: true, banner: "SSH-2.0-OpenSSH_8.7", weight: 20,
	},
	{
		id: "sles", name: "SUSE Linux Enterprise Server 15 SP6", version: "15.6", like: "suse", kernel: "6.4.0-150600.23.25-default",
		manager: managerRPM, list: "sles.txt", vendor: "SUSE LLC <https://www.suse.com/>", rpmDB: "/usr/lib/sysimage/rpm",
		systemd: true, merged: true, banner: "SSH-2.0-OpenSSH_9.6", weight: 12,
	},
	{
		id: "alpine", name: "Alpine Linux v3.20", version: "3.20.3", kernel: "6.6.58-0-virt",
		manager: managerApk, list: "alpine.txt", vendor: "", banner: "SSH-2.0-OpenSSH_9.7", weight: 8,
	},
}
