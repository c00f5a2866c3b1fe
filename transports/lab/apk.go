package lab

import (
	"fmt"
	"strings"
)

const apkLock = "/lib/apk/db/lock"

// apk lists packages and removes them. Its texts are those of apk-tools 2.14.
func apk(c *call) int {
	o, ok := c.options("vIqe", "installed verbose quiet no-network purge no-cache")
	if !ok || len(o.list) == 0 {
		fmt.Fprintln(c.err, "apk-tools 2.14.4, compiled for x86_64.")
		return 1
	}
	names := o.list[1:]
	switch o.list[0] {
	case "info":
		return c.apkInfo(names, o.is("v") || o.is("verbose"), o.is("e") || o.is("installed"))
	case "list":
		for _, p := range c.proc.host.packages() {
			fmt.Fprintf(c.out, "%s-%s %s {%s} (MIT) [installed]\n", p.name, p.version, p.arch, p.name)
		}
		return 0
	case "del":
		return c.apkDel(names)
	}
	fmt.Fprintf(c.err, "ERROR: '%s' is not an apk command. See 'apk --help'.\n", o.list[0])
	return 1
}

func (c *call) apkInfo(names []string, versions, quietly bool) int {
	h, code := c.proc.host, 0
	if len(names) == 0 {
		for _, p := range h.packages() {
			names = append(names, p.name)
		}
	}
	for _, name := range names {
		p := h.packageNamed(name)
		switch {
		case p == nil:
			code = 1
		case versions:
			fmt.Fprintf(c.out, "%s-%s\n", p.name, p.version)
		default:
			fmt.Fprintln(c.out, p.name)
		}
	}
	if quietly || code == 0 {
		return code
	}
	return 1
}

func (c *call) apkDel(names []string) int {
	if c.proc.user.uid != 0 {
		fmt.Fprint(c.err, "ERROR: Unable to lock database: Permission denied\nERROR: Failed to open apk database: Permission denied\n")
		return 99
	}
	if _, ok := c.proc.takeLock(apkLock); !ok {
		fmt.Fprint(c.err, "ERROR: Unable to lock database: Resource temporarily unavailable\nERROR: Failed to open apk database: Resource temporarily unavailable\n")
		return 99
	}
	for i, name := range names {
		p := c.proc.host.packageNamed(name)
		if p == nil {
			continue
		}
		fmt.Fprintf(c.out, "(%d/%d) Purging %s (%s)\n", i+1, len(names), p.name, p.version)
		c.proc.host.setPackage(name, pkgState{"purge", stateAbsent})
	}
	return 0
}

// apkInstalled is the content of /lib/apk/db/installed.
func apkInstalled(h *host) []byte {
	var b strings.Builder
	for _, p := range h.packages() {
		fmt.Fprintf(&b, "P:%s\nV:%s\nA:%s\n\n", p.name, p.version, p.arch)
	}
	return []byte(b.String())
}
