package probe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// mostNamed is how many packages a reason for a reboot names.
const mostNamed = 10

// reboot reads the marks that ask for a reboot, and on rpm systems compares
// the running kernel with those installed.
func (r *reader) reboot() error {
	var files, pkgs []string
	for _, l := range r.lines("reboot") {
		kind, what, _ := strings.Cut(l, " ")
		switch what = clean(what); kind {
		case "file":
			if what = mainName(what); !slices.Contains(files, what) {
				files = append(files, what)
			}
		case "package":
			if !slices.Contains(pkgs, what) {
				pkgs = append(pkgs, what)
			}
		}
	}
	for _, f := range files {
		reason := f + " is there"
		if strings.HasSuffix(f, "/reboot-required") && len(pkgs) > 0 {
			reason += " (for " + strings.Join(pkgs[:min(len(pkgs), mostNamed)], ", ")
			if len(pkgs) > mostNamed {
				reason += fmt.Sprintf(" and %d more", len(pkgs)-mostNamed)
			}
			reason += ")"
		}
		r.facts.RebootPending = append(r.facts.RebootPending, reason)
	}
	if newer := r.newerKernel(); newer != "" {
		r.facts.RebootPending = append(r.facts.RebootPending,
			fmt.Sprintf("kernel %s is installed, %s runs", newer, r.facts.OS.Kernel))
	}
	return nil
}

// newerKernel names the newest installed rpm kernel if the running kernel is
// one of them and is older.
func (r *reader) newerKernel() string {
	newest, running := "", false
	for _, p := range r.facts.Packages {
		release := kernelRelease(p)
		if release == "" {
			continue
		}
		running = running || release == r.facts.OS.Kernel
		if newest == "" || compareVersions(release, newest) > 0 {
			newest = release
		}
	}
	if !running || newest == r.facts.OS.Kernel {
		return ""
	}
	return newest
}

// kernelRelease is what uname -r says when this package's kernel runs, or ""
// if the package is no kernel. SUSE leaves out the last number of the
// package's release, which counts its rebuilds.
func kernelRelease(p remediate.Package) string {
	if p.Manager != remediate.ManagerRPM {
		return ""
	}
	switch p.Name {
	case "kernel", "kernel-core":
		return p.Version + "." + p.Arch
	case "kernel-default":
		if i := strings.LastIndexByte(p.Version, '.'); i > 0 {
			return p.Version[:i] + "-default"
		}
	}
	return ""
}

// compareVersions orders version texts as rpm does: runs of digits by value,
// runs of letters by text, digits after letters.
func compareVersions(a, b string) int {
	x, y := segments(a), segments(b)
	for i := range min(len(x), len(y)) {
		s, t := x[i], y[i]
		ds, dt := isDigit(s[0]), isDigit(t[0])
		switch {
		case ds && !dt:
			return 1
		case dt && !ds:
			return -1
		case ds:
			s, t = strings.TrimLeft(s, "0"), strings.TrimLeft(t, "0")
			if c := cmp.Compare(len(s), len(t)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(s, t); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func segments(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		if c := s[i]; !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') {
			i++
			continue
		}
		j := i
		for j < len(s) && isDigit(s[j]) == isDigit(s[i]) && (isDigit(s[j]) || s[j]|0x20 >= 'a' && s[j]|0x20 <= 'z') {
			j++
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}
