package lab

import (
	"fmt"
	"slices"
	"strings"
)

// The locks of dpkg, in the order in which it takes them.
const (
	dpkgFrontendLock = "/var/lib/dpkg/lock-frontend"
	dpkgLock         = "/var/lib/dpkg/lock"
)

// dpkg removes packages and hands queries on to dpkg-query. Its texts and exit
// codes are those of dpkg 1.21: 1 when a package failed, 2 when dpkg could
// not work at all.
func dpkg(c *call) int {
	o, ok := c.options("rPslLSW", "remove purge status list listfiles force-depends force-remove-reinstreq force-all force-confold "+
		"configure pending audit print-architecture version no-triggers abort-after= log=")
	if !ok {
		return usage
	}
	is := func(names ...string) bool { return slices.ContainsFunc(names, o.is) }
	switch {
	case is("print-architecture"):
		return echoLine(c, "amd64")
	case is("version"):
		return echoLine(c, "Debian 'dpkg' package management program version 1.21.22 (amd64).")
	case is("s", "status", "l", "list", "L", "listfiles", "W"):
		return dpkgQuery(c.with(c.env, append([]string{"dpkg-query"}, c.args[1:]...)))
	case is("configure", "audit"):
		return 0
	case is("r", "remove", "P", "purge"):
		return c.dpkgRemove(o.list, is("P", "purge"), is("force-depends", "force-all"))
	}
	fmt.Fprintln(c.err, "dpkg: error: need an action option")
	return usage
}

// removal is one run of `dpkg --remove` or `dpkg --purge`.
type removal struct {
	*call
	purge  bool
	read   bool // the database was counted on the terminal
	failed []string
}

func (c *call) dpkgRemove(names []string, purge, force bool) int {
	action := map[bool]string{true: "--purge", false: "--remove"}[purge]
	if len(names) == 0 {
		fmt.Fprintf(c.err, "dpkg: error: %s needs at least one package name argument\n", action)
		return usage
	}
	if c.proc.user.uid != 0 {
		fmt.Fprintln(c.err, "dpkg: error: requested operation requires superuser privilege")
		return usage
	}
	if code := c.dpkgLocks(); code != 0 {
		return code
	}
	r := &removal{call: c, purge: purge}
	for _, name := range c.proc.host.removalOrder(names) {
		p := c.proc.host.packageNamed(strings.TrimSuffix(name, ":amd64"))
		switch {
		case p == nil:
			fmt.Fprintf(c.err, "dpkg: warning: ignoring request to remove %s which isn't installed\n", name)
		case !force && r.needed(p):
			fmt.Fprintf(c.err, "dpkg: error processing package %s (%s):\n dependency problems - not removing\n", name, action)
			r.failed = append(r.failed, name)
		default:
			r.one(p, action)
		}
		if killed(c.ctx) {
			return 128
		}
	}
	if len(r.failed) > 0 {
		fmt.Fprintf(c.err, "Errors were encountered while processing:\n %s\n", strings.Join(r.failed, "\n "))
		return 1
	}
	return 0
}

// dpkgLocks takes both locks, the first only if no frontend has it for us.
func (c *call) dpkgLocks() int {
	for _, l := range []struct{ path, what string }{
		{dpkgFrontendLock, "dpkg frontend lock"}, {dpkgLock, "dpkg database lock"},
	} {
		if l.path == dpkgFrontendLock && c.getenv("DPKG_FRONTEND_LOCKED") != "" {
			continue
		}
		if pid, ok := c.proc.takeLock(l.path); !ok {
			fmt.Fprintf(c.err, "dpkg: error: %s was locked by another process with pid %d\n"+
				"Note: removing the lock file is always wrong, can damage the locked area\n"+
				"and the entire system. See <https://wiki.debian.org/Teams/Dpkg/FAQ#db-lock>.\n", l.what, pid)
			return usage
		}
	}
	return 0
}

// removalOrder puts packages behind those that depend on them, as dpkg does.
func (h *host) removalOrder(names []string) []string {
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int {
		pa, pb := h.packageNamed(a), h.packageNamed(b)
		switch {
		case pa != nil && slices.Contains(pa.depends, b):
			return -1
		case pb != nil && slices.Contains(pb.depends, a):
			return 1
		}
		return 0
	})
	return out
}

// needed reports whether installed packages depend on one that is to go.
func (r *removal) needed(p *pkg) bool {
	h := r.proc.host
	if h.packageState(p.name).state != stateInstalled {
		return false
	}
	by := h.dependents(p.name)
	if len(by) == 0 {
		return false
	}
	fmt.Fprintf(r.err, "dpkg: dependency problems prevent removal of %s:\n", p.name)
	for _, d := range by {
		fmt.Fprintf(r.err, " %s depends on %s.\n", d.name, p.name)
	}
	fmt.Fprintln(r.err)
	return true
}

// one removes one package that dpkg knows.
func (r *removal) one(p *pkg, action string) {
	h := r.proc.host
	state := h.packageState(p.name)
	if state.state == stateConfigFiles && !r.purge {
		fmt.Fprintf(r.err, "dpkg: warning: ignoring request to remove %s, only the config\n files of which are on the system; use --purge to remove them too\n", p.name)
		return
	}
	if !r.read {
		fmt.Fprintf(r.out, "(Reading database ... %d files and directories currently installed.)\n", 3*len(h.packages())+31000)
		r.read = true
	}
	u := &uninstaller{call: r.call, product: p.product}
	if state.state != stateConfigFiles {
		if !r.remove(p, u, action) {
			return
		}
	}
	if r.purge {
		fmt.Fprintf(r.out, "Purging configuration files for %s (%s) ...\n", p.name, p.version)
		if p.product != nil {
			u.wipe(r.view())
		}
		h.setPackage(p.name, pkgState{"purge", stateAbsent})
	}
}

// remove runs the package's scripts and removes its files. It reports whether
// only configuration is left of the package.
func (r *removal) remove(p *pkg, u *uninstaller, action string) bool {
	h := r.proc.host
	fmt.Fprintf(r.out, "Removing %s (%s) ...\n", p.name, p.version)
	want := map[bool]string{true: "purge", false: "deinstall"}[r.purge]
	if p.product != nil {
		err := u.begin()
		if err != nil {
			h.setPackage(p.name, pkgState{want, stateHalfInstalled})
			return false // the process was killed
		}
		if u.lies() {
			return false
		}
		u.remove()
		if u.fails() {
			h.setPackage(p.name, pkgState{want, stateHalfInstalled})
			fmt.Fprintf(r.err, "dpkg: error processing package %s (%s):\n installed %[1]s package post-removal script subprocess returned error %[3]v\n", p.name, action, errScript)
			r.failed = append(r.failed, p.name)
			return false
		}
	}
	h.setPackage(p.name, pkgState{want, stateConfigFiles})
	return true
}
