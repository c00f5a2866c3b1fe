package probe

import (
	"strings"

	"oust/remediate"
)

// managers are the package managers, with the parser of one line each; apk
// has records instead of lines.
func (r *reader) packages() error {
	known := false
	for _, m := range []struct {
		name string
		line func(f []string) (remediate.Package, bool)
	}{
		{remediate.ManagerDpkg, dpkgLine},
		{remediate.ManagerRPM, rpmLine},
		{remediate.ManagerPkgutil, pkgutilLine},
	} {
		if !r.has(m.name) {
			continue
		}
		known = true
		r.checkExit(m.name)
		odd := 0
		for _, l := range r.lines(m.name) {
			p, ok := m.line(strings.Split(l, "\t"))
			if !ok {
				odd++
				continue
			}
			if p.Name != "" {
				r.add(m.name, p)
			}
		}
		if odd > 0 {
			r.incomplete("%s printed %d lines that are no packages", m.name, odd)
		}
	}
	known = r.apk() || known
	r.apps()
	if !known {
		r.incomplete("no package manager that oust knows (dpkg, rpm, apk, pkgutil)")
	}
	return nil
}

// checkExit holds a manager to its exit code.
func (r *reader) checkExit(manager string) {
	l := r.lines(manager + "-exit")
	if len(l) != 1 || l[0] != "0" {
		r.incomplete("%s could not list its packages (exit code %s)", manager, clean(strings.Join(l, " ")))
	}
}

func (r *reader) add(manager string, p remediate.Package) {
	if len(r.facts.Packages) == maxPackages {
		r.incomplete("%s lists more than %d packages", manager, maxPackages)
	}
	if len(r.facts.Packages) > maxPackages {
		return
	}
	p.Manager = manager
	p.Name, p.Version, p.Arch, p.Vendor = clean(p.Name), clean(p.Version), clean(p.Arch), clean(p.Vendor)
	r.facts.Packages = append(r.facts.Packages, p)
}

// dpkgLine reads Package, Version, Architecture and Status. The words of a
// status are want, error flag and state, see dpkg-query(1).
func dpkgLine(f []string) (remediate.Package, bool) {
	if len(f) != 4 {
		return remediate.Package{}, false
	}
	status := strings.Fields(f[3])
	if len(status) != 3 {
		return remediate.Package{}, false
	}
	p := remediate.Package{Name: f[0], Version: f[1], Arch: f[2], Status: remediate.PackageBroken}
	switch {
	case status[2] == "not-installed":
		return remediate.Package{}, true
	case status[1] != "ok":
	case status[2] == "installed":
		p.Status = remediate.PackageInstalled
	case status[2] == "config-files":
		p.Status = remediate.PackageConfigFiles
	case status[2] == "triggers-awaited" || status[2] == "triggers-pending":
		p.Status = remediate.PackageInstalled
	}
	return p, true
}

// rpmLine reads name, epoch:version-release, architecture and vendor. The
// keys that rpm keeps among its packages (gpg-pubkey) are no software.
func rpmLine(f []string) (remediate.Package, bool) {
	if len(f) != 4 {
		return remediate.Package{}, false
	}
	if f[0] == "gpg-pubkey" {
		return remediate.Package{}, true
	}
	none := func(s string) string {
		if s == "(none)" {
			return ""
		}
		return s
	}
	return remediate.Package{
		Name: f[0], Version: f[1], Arch: none(f[2]), Vendor: none(f[3]), Status: remediate.PackageInstalled,
	}, true
}

// pkgutilLine reads the id of a receipt.
func pkgutilLine(f []string) (remediate.Package, bool) {
	return remediate.Package{Name: f[0], Status: remediate.PackageInstalled}, len(f) == 1
}

// apk reads /lib/apk/db/installed: records of lines "P:name", "V:version",
// "A:arch", ended by an empty line, which lines() has dropped: a record begins
// with its checksum "C:".
func (r *reader) apk() bool {
	if !r.has(remediate.ManagerApk) {
		return false
	}
	r.checkExit(remediate.ManagerApk)
	var p remediate.Package
	end := func() {
		if p.Name != "" {
			p.Status = remediate.PackageInstalled
			r.add(remediate.ManagerApk, p)
		}
		p = remediate.Package{}
	}
	for _, l := range r.lines(remediate.ManagerApk) {
		key, value, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		switch key {
		case "C":
			end()
		case "P":
			if p.Name != "" {
				end()
			}
			p.Name = value
		case "V":
			p.Version = value
		case "A":
			p.Arch = value
		}
	}
	end()
	return true
}

// apps reads version and name of the bundles in /Applications.
func (r *reader) apps() {
	for _, l := range r.lines("apps") {
		version, name, ok := strings.Cut(l, "\t")
		if ok && name != "" {
			r.add(remediate.ManagerApp, remediate.Package{Name: name, Version: version, Status: remediate.PackageInstalled})
		}
	}
}
