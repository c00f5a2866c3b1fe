package playbooks

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// What a host needs to live, to be reached, to remove software, or to run the
// programs of others is no playbook's to take away, whatever the playbook says
// that it detects. The names are patterns of path.Match in lower case.
var (
	systemPackages = []string{
		"apt", "base-files", "base-passwd", "bash", "busybox", "coreutils", "dash", "dbus", "dbus-broker", "dnf", "dpkg",
		"filesystem", "glibc", "grub*", "ifupdown", "init", "kernel", "kernel-core", "libc-bin", "libc6", "linux-image-*",
		"login", "netplan.io", "network-manager", "networkmanager", "openssh", "openssh-server", "openssh-client*", "pam",
		"passwd", "perl", "perl-base", "python3", "rpm", "setup", "shadow", "shadow-utils", "sssd", "sudo", "systemd",
		"systemd-sysv", "udev", "util-linux", "wicked", "yum", "zypper",
	}
	systemServices = []string{
		"auditd", "cron", "crond", "dbus", "dbus-broker", "dhcpcd", "getty*", "network", "networking", "networkmanager",
		"bfe", "cryptsvc", "dcomlaunch", "dhcp", "dnscache", "eventlog", "lanmanserver", "lanmanworkstation", "lsm", "mpssvc",
		"msiserver", "netlogon", "nsi", "plugplay", "power", "profsvc", "rpcss", "samss", "schedule", "sense", "termservice",
		"trustedinstaller", "windefend", "winmgmt", "winrm", "wuauserv",
		"adws", "brokerinfrastructure", "clussvc", "dfsr", "dns", "gpsvc", "kdc", "keyiso", "ntds", "rpceptmapper", "systemeventsbroker", "vmms",
		// drivers
		"acpi", "afd", "clfs", "cng", "disk", "fltmgr", "fvevol", "http", "ksecdd", "ksecpkg", "mountmgr", "mup", "ndis", "netbt", "ntfs",
		"partmgr", "pci", "spaceport", "storahci", "stornvme", "tcpip", "tdx", "vdrvroot", "volmgr*", "volsnap", "volume", "wdf01000",
		"iscsid", "lvm2-*", "multipathd", "waagent", "walinuxagent",
		"polkit", "rsyslog", "serial-getty*", "ssh", "ssh@*", "sshd", "sshd@*", "sssd", "systemd-*", "udev", "wicked", "wickedd",
	}
	systemProcesses = []string{
		"agetty", "apt", "apt-get", "ash", "auditd", "bash", "busybox", "containerd*", "cron", "crond", "dash", "dbus-*",
		"dhclient", "dhcpcd", "dnf", "dpkg", "init", "java", "ksh", "login", "networkmanager", "node", "perl", "php", "polkitd",
		"python*", "rpm", "rsyslogd", "ruby", "sh", "sshd", "sshd-*", "sssd", "su", "sudo", "systemd", "systemd-*", "udevd",
		"cmd.exe", "conhost.exe", "csrss.exe", "dwm.exe", "explorer.exe", "lsass.exe", "lsm.exe", "msiexec.exe", "powershell.exe",
		"reg.exe", "schtasks.exe", "services.exe", "smss.exe", "sshd.exe", "svchost.exe", "taskeng.exe", "taskhostw.exe",
		"tiworker.exe", "trustedinstaller.exe", "wininit.exe", "winlogon.exe", "winrshost.exe", "wsmprovhost.exe",
		"cscript.exe", "dllhost.exe", "java.exe", "javaw.exe", "logonui.exe", "mshta.exe", "node.exe", "perl.exe", "php.exe", "pwsh.exe",
		"python*.exe", "regsvr32.exe", "ruby.exe", "rundll32.exe", "sihost.exe", "spoolsv.exe", "userinit.exe", "wmiprvse.exe", "wscript.exe",
		"wpa_supplicant", "yum", "zsh", "zypper",
	}
)

// genericNames are folder names that say nothing about whose a folder is.
var genericNames = []string{
	"agent", "app", "application", "applications", "apps", "backup", "bin", "cache", "client", "cloud", "common", "conf", "config",
	"core", "daemon", "data", "database", "default", "doc", "docs", "etc", "home", "include", "lib", "lib64", "linux", "local",
	"log", "logs", "man", "modules", "network", "opt", "private", "root", "run", "sbin", "security", "server", "service",
	"services", "share", "software", "src", "support", "sys", "system", "systemd", "temp", "tmp", "tools", "update", "user",
	"users", "usr", "var", "www",
}

func generic(name string) bool { return slices.Contains(genericNames, name) }

func ofSystem(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := path.Match(p, strings.ToLower(name))
		return ok
	})
}

// sparesSystem refuses steps and residue against the system itself.
func (c *checker) sparesSystem() {
	check := func(what string, patterns, names []string, at ...any) {
		for i, n := range names {
			if ofSystem(patterns, n) {
				c.err(ruleSystem, fmt.Sprintf("%s %q belongs to the system, not to a product", what, n), append(at, i)...)
			}
		}
	}
	for i, s := range c.p.Steps {
		switch {
		case s.Package != nil:
			check("package", systemPackages, s.Package.Names, "steps", i, "package", "names")
		case s.Service != nil:
			check("service", systemServices, s.Service.Names, "steps", i, "service", "names")
		case s.Process != nil:
			check("process", systemProcesses, s.Process.Names, "steps", i, "process", "names")
		}
	}
	for i, r := range c.p.Residue {
		switch {
		case !r.Remove:
		case r.Service != "" && ofSystem(systemServices, r.Service):
			c.err(ruleSystem, fmt.Sprintf("service %q belongs to the system, not to a product", r.Service), "residue", i, "service")
		case r.Package != "" && ofSystem(systemPackages, r.Package):
			c.err(ruleSystem, fmt.Sprintf("package %q belongs to the system, not to a product", r.Package), "residue", i, "package")
		}
	}
}
