package playbooks

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// systemFolders, and a few files, belong to the operating system. None of them, nor any folder
// above one, is ever removed; what a playbook removes lies below one of them
// or elsewhere at least two levels deep. Source: Filesystem Hierarchy
// Standard 3.0; for macOS, hier(7).
var systemFolders = []string{
	"/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/media", "/mnt", "/opt", "/proc",
	"/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var",
	"/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.monthly", "/etc/cron.weekly",
	"/etc/default", "/etc/init.d", "/etc/ld.so.conf.d", "/etc/logrotate.d", "/etc/opt", "/etc/pam.d",
	"/etc/profile.d", "/etc/rc.d/init.d", "/etc/sudoers.d", "/etc/sysconfig", "/etc/systemd/system",
	"/etc/systemd/user", "/etc/udev/rules.d", "/etc/yum.repos.d", "/etc/apt/sources.list.d", "/etc/ssh", "/etc/ssl",
	"/boot/efi", "/boot/grub", "/boot/grub2", "/boot/loader",
	"/etc/NetworkManager", "/etc/X11", "/etc/apt", "/etc/crypttab", "/etc/dpkg", "/etc/fstab", "/etc/group", "/etc/gshadow",
	"/etc/hostname", "/etc/hosts", "/etc/modprobe.d", "/etc/netplan", "/etc/network", "/etc/nsswitch.conf", "/etc/passwd", "/etc/pki",
	"/etc/resolv.conf", "/etc/rpm", "/etc/security", "/etc/selinux", "/etc/shadow", "/etc/sudoers", "/etc/sysctl.d",
	"/lib/firmware", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib/i386-linux-gnu",
	"/usr/lib/firmware", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/i386-linux-gnu", "/usr/lib/locale",
	"/usr/lib/python3", "/usr/lib/python3/dist-packages", "/usr/share", "/usr/share/ca-certificates", "/usr/share/fonts",
	"/usr/share/perl5", "/usr/share/zoneinfo",
	"/lib/modules", "/lib/systemd/system", "/lib/udev/rules.d",
	"/run/lock", "/run/log", "/run/systemd/system", "/run/user",
	"/usr/bin", "/usr/include", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/sbin", "/usr/src",
	"/usr/lib/modules", "/usr/lib/systemd/system", "/usr/lib/systemd/user", "/usr/lib/udev/rules.d",
	"/usr/local/bin", "/usr/local/etc", "/usr/local/lib", "/usr/local/libexec", "/usr/local/sbin",
	"/usr/local/share", "/usr/local/man",
	"/usr/share/applications", "/usr/share/doc", "/usr/share/icons", "/usr/share/man", "/usr/share/polkit-1/actions",
	"/var/backups", "/var/cache", "/var/crash", "/var/db", "/var/lib", "/var/local", "/var/lock", "/var/log",
	"/var/mail", "/var/opt", "/var/run", "/var/spool", "/var/spool/cron", "/var/tmp", "/var/www",
	"/var/lib/dpkg", "/var/lib/rpm", "/var/lib/apt", "/var/lib/systemd",
	"/Applications", "/Applications/Utilities", "/Library", "/Library/Application Support", "/Library/Caches",
	"/Library/Extensions", "/Library/Frameworks", "/Library/Internet Plug-Ins", "/Library/LaunchAgents",
	"/Library/LaunchDaemons", "/Library/Logs", "/Library/PreferencePanes", "/Library/Preferences",
	"/Library/PrivilegedHelperTools", "/Library/StagedExtensions", "/Library/SystemExtensions", "/System",
	"/System/Library", "/Users", "/Users/Shared", "/Volumes", "/cores", "/private", "/private/etc", "/private/tmp",
	"/private/var", "/private/var/db", "/private/var/db/receipts", "/private/var/log", "/private/var/root",
}

// pathProblem says what is wrong with a path that is only looked at, or "".
func pathProblem(p string) string {
	switch {
	case p == "":
		return "the path is empty"
	case !path.IsAbs(p):
		return "the path is not absolute"
	case !printable(p):
		return "the path holds a control character or is not UTF-8"
	case strings.Contains(p, `\`):
		return "the path holds a backslash"
	case strings.ContainsAny(p, "*?["):
		return "the path holds a wildcard; name each path"
	case hasDots(p):
		return "the path holds a . or .. step"
	case path.Clean(p) != p:
		return "the path is not clean; write " + path.Clean(p)
	case strings.TrimSpace(p) != p:
		return "the path ends in a blank"
	case len(p) > 1024:
		return "the path is longer than 1024 bytes"
	}
	return ""
}

func hasDots(p string) bool {
	for _, c := range strings.Split(p, "/") {
		if c == "." || c == ".." {
			return true
		}
	}
	return false
}

// removalProblem says why a path must not be removed, or "".
func removalProblem(p string) string {
	if bad := pathProblem(p); bad != "" {
		return bad
	}
	if strings.Count(p, "/") < 2 {
		return "the path is a top-level folder; what is removed lies at least two levels deep"
	}
	// macOS does not tell upper from lower case.
	for _, s := range systemFolders {
		if strings.EqualFold(s, p) {
			return "the path is a folder of the system"
		}
		if strings.HasPrefix(strings.ToLower(s), strings.ToLower(p)+"/") {
			return "the path is above " + s + ", a folder of the system"
		}
	}
	switch dir, base := path.Split(p); {
	case slices.ContainsFunc([]string{"/home/", "/Users/"}, func(h string) bool { return strings.EqualFold(h, dir) }):
		return "the path is all that a user has"
	case strings.HasSuffix(dir, "bin/") && ofSystem(systemProcesses, base):
		return "the path is a program of the system"
	}
	return ""
}

// owned reports whether a folder or file name in the path, below the folders
// of the system, holds one of the playbook's own names as a word: "kesl" is in
// "kesl-gui" and "kesl64", not in "keslar".
func (p *Playbook) owned(name string) bool {
	below := belowSystem(name)
	if isWindowsPath(name) {
		below = belowWindows(name)
	}
	own := append([]string{p.vendorKey(), p.productKey()}, p.Owns...)
	for _, c := range strings.Split(strings.ToLower(below), "/") {
		for _, o := range own {
			if len(o) >= 3 && !generic(o) && holdsWord(c, o) {
				return true
			}
		}
	}
	return false
}

// holdsWord reports whether s holds the word with no letter beside it.
func holdsWord(s, word string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+len(word):])
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
		from = i + 1
	}
}

// belowWindows cuts off the drive, variable or hive, and the folders of Windows
// that lead the path.
func belowWindows(name string) string {
	names := strings.Split(strings.ToLower(name), `\`)[1:]
	for len(names) > 0 && slices.Contains(windowsSystem, names[0]) {
		names = names[1:]
	}
	return strings.Join(names, "/")
}

// belowSystem cuts off the longest folder of the system that leads the path.
func belowSystem(name string) string {
	longest := ""
	for _, s := range systemFolders {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(s)+"/") && len(s) > len(longest) {
			longest = s
		}
	}
	return name[len(longest):]
}
