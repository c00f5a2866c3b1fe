package probe

import (
	"slices"
	"strings"

	"oust/remediate"
)

// manager is a package manager: the parser of one line that it prints, and
// what its remarks begin with that say nothing about a package.
type manager struct {
	name    string
	line    func(f []string) (p remediate.Package, ok bool)
	remarks []string
}

var managers = []manager{
	{remediate.ManagerDpkg, dpkgLine, []string{"dpkg-query: warning: ", " "}},
	// Those about locks are of Berkeley DB, when an rpm of before was killed.
	{remediate.ManagerRPM, rpmLine, []string{"warning: ", "BDB2053 ", "Freeing read locks for locker "}},
	{remediate.ManagerPkgutil, pkgutilLine, nil},
}

// packages reads what the package managers listed. apk has records instead of
// lines.
func (r *reader) packages() error {
	known := false
	for _, m := range managers {
		if r.has(m.name) {
			known = true
			r.list(m)
		}
	}
	known = r.apk() || known
	switch {
	case !known:
		r.incomplete("no package manager that oust knows (dpkg, rpm, apk, pkgutil)")
	case len(r.facts.Packages) == 0:
		r.incomplete("the package managers list no package at all")
	}
	r.versions()
	r.apps()
	return nil
}

// list reads the lines of a manager.
func (r *reader) list(m manager) {
	var odd []string
	lines := r.lines(m.name)
	r.facts.Packages = slices.Grow(r.facts.Packages, min(len(lines), maxPackages))
	for _, l := range lines {
		p, ok := m.line(strings.Split(l, "\t"))
		switch {
		case ok && p.Name != "":
			r.add(m.name, p)
		case !ok && !slices.ContainsFunc(m.remarks, func(begin string) bool { return strings.HasPrefix(l, begin) }):
			odd = append(odd, l)
		}
	}
	r.check(m.name, odd)
}

// check holds a manager to its exit code, and to have printed nothing but
// packages.
func (r *reader) check(manager string, odd []string) {
	code := clean(strings.Join(r.lines(manager+"-exit"), " "))
	switch code {
	case "0":
	case "124", "137", "142": // what the shell says of the end is no fault of its own
		r.gap(manager, "", "%s did not list its packages in time and was ended", manager)
		r.gaps[len(r.gaps)-1].Late = true
		return
	case "126", "127": // it is not there, or is no program
		r.incomplete("%s could not list its packages (exit code %s)", manager, code)
	default:
		r.gap(manager, "", "%s could not list its packages (exit code %s)", manager, code)
	}
	if len(odd) > 0 {
		r.gap(manager, "", "%s printed %d line(s) that name no package, the first %q", manager, len(odd), clean(odd[0]))
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
	if len(f) != 4 || f[0] == "" {
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
	if len(f) != 4 || f[0] == "" {
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
	return remediate.Package{Name: f[0], Status: remediate.PackageInstalled}, len(f) == 1 && !strings.Contains(f[0], " ")
}

// versions reads what pkgutil says about single receipts: lines "package-id:"
// and "version:", see pkgutil(1), --pkg-info. Apple's own are not asked for.
func (r *reader) versions() {
	versions, id := map[string]string{}, ""
	for _, l := range r.lines("pkgutil-info") {
		key, value, _ := strings.Cut(l, ":")
		switch value = clean(strings.TrimSpace(value)); key {
		case "package-id":
			id = value
		case "version":
			versions[id] = value
		}
	}
	for i, p := range r.facts.Packages {
		if p.Manager == remediate.ManagerPkgutil {
			r.facts.Packages[i].Version = versions[p.Name]
		}
	}
}

// apk reads the lines "C:checksum", "P:name", "V:version" and "A:arch" of
// apk's database of installed packages. A record begins with its checksum.
func (r *reader) apk() bool {
	if !r.has(remediate.ManagerApk) {
		return false
	}
	var p remediate.Package
	var odd []string
	end := func() {
		if p.Name != "" {
			p.Status = remediate.PackageInstalled
			r.add(remediate.ManagerApk, p)
		}
		p = remediate.Package{}
	}
	for _, l := range r.lines(remediate.ManagerApk) {
		key, value, ok := strings.Cut(l, ":")
		switch {
		case ok && key == "C":
			end()
		case ok && key == "P":
			if p.Name != "" {
				end()
			}
			p.Name = value
		case ok && key == "V":
			p.Version = value
		case ok && key == "A":
			p.Arch = value
		default:
			odd = append(odd, l)
		}
	}
	end()
	r.check(remediate.ManagerApk, odd)
	return true
}

// apps reads names and versions of macOS application bundles.
func (r *reader) apps() {
	for _, l := range r.lines("apps") {
		f := strings.Split(l, "\t")
		switch {
		case len(f) == 3 && f[0] == "app" && f[1] != "":
			r.add(remediate.ManagerApp, remediate.Package{Name: f[1], Version: f[2], Status: remediate.PackageInstalled})
		case len(f) == 2 && f[0] == "denied":
			r.incomplete("%s may not be read as %s", clean(f[1]), r.facts.Privilege.User)
		}
	}
}
