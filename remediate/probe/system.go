package probe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oust/remediate"
)

// services joins what the service manager says with the unit files that are
// there: a unit that systemd has not loaded yet counts too.
func (r *reader) services() error {
	type key struct{ manager, name string }
	state := map[key]string{}
	for _, l := range r.lines("units") {
		f := strings.Fields(l)
		if len(f) < 2 || !strings.HasSuffix(f[0], ".service") {
			continue
		}
		state[key{"systemd", clean(strings.TrimSuffix(f[0], ".service"))}] = clean(f[1])
	}
	for _, l := range r.lines("services") {
		f := strings.Split(l, "\t")
		if len(f) != 3 || f[1] == "" {
			continue
		}
		k := key{clean(f[0]), clean(f[1])}
		if _, known := state[k]; !known {
			state[k] = ""
		}
	}
	if len(state) > maxServices {
		return fmt.Errorf("the host lists %d services; at most %d are read", len(state), maxServices)
	}
	for k, s := range state {
		r.facts.Services = append(r.facts.Services, remediate.Service{Manager: k.manager, Name: k.name, State: s})
	}
	slices.SortFunc(r.facts.Services, func(a, b remediate.Service) int {
		return cmp.Or(cmp.Compare(a.Manager, b.Manager), cmp.Compare(a.Name, b.Name))
	})
	return nil
}

// paths reads "KIND QUOTED-PATH" lines.
func (r *reader) paths() error {
	for _, l := range r.lines("paths") {
		word, quoted, _ := strings.Cut(l, " ")
		path, err := strconv.Unquote(quoted)
		if err != nil {
			return fmt.Errorf("paths: %q", clean(l))
		}
		kind := remediate.PathKind(word)
		switch kind {
		case remediate.PathAbsent, remediate.PathFile, remediate.PathDir, remediate.PathLink, remediate.PathOther:
		case remediate.PathDenied:
			r.incomplete("%s may not be looked at as %s", clean(path), r.facts.Privilege.User)
		default:
			return fmt.Errorf("paths: unknown kind %q", clean(word))
		}
		r.facts.Paths = append(r.facts.Paths, remediate.PathFact{Path: path, Kind: kind})
	}
	return nil
}

// disk reads df -Pk: the header, then one line for each path that was asked,
// in the order asked, which is the order of the mount points' paths. Names of
// devices and mount points may hold spaces: the numbers are found from the
// capacity, which ends in a percent sign.
func (r *reader) disk() error {
	for _, l := range r.lines("disk") {
		f := strings.Fields(l)
		at := slices.IndexFunc(f, func(w string) bool {
			_, err := strconv.Atoi(strings.TrimSuffix(w, "%"))
			return strings.HasSuffix(w, "%") && err == nil
		})
		if at < 3 || at == len(f)-1 {
			continue
		}
		kib, err := strconv.ParseInt(f[at-1], 10, 64)
		if err != nil {
			continue
		}
		space := remediate.FreeSpace{Path: clean(strings.Join(f[at+1:], " ")), KiB: max(0, kib)}
		if !slices.Contains(r.facts.FreeSpace, space) {
			r.facts.FreeSpace = append(r.facts.FreeSpace, space)
		}
	}
	return nil
}

// lockManager says whose lock a file is.
func lockManager(path string) string {
	switch {
	case strings.Contains(path, "/dpkg/") || strings.Contains(path, "/apt/"):
		return remediate.ManagerDpkg
	case strings.Contains(path, "/apk/"):
		return remediate.ManagerApk
	}
	return remediate.ManagerRPM
}

// locks joins the inodes of lock files with /proc/locks, see proc(5):
//
//	1: POSIX  ADVISORY  WRITE 1234 08:01:131 0 EOF
//
// The device is not compared: overlay and btrfs tell another one to stat than
// to /proc/locks. Two files of equal inode on two file systems can so be
// taken for one another, which costs a needless warning and nothing more.
func (r *reader) locks() error {
	files := map[string]string{} // inode -> path
	for _, l := range r.lines("locks") {
		f := strings.Fields(l)
		if len(f) == 2 && strings.HasPrefix(f[1], "/") {
			files[f[0]] = f[1]
			continue
		}
		if len(f) < 6 || !strings.HasSuffix(f[0], ":") || f[1] == "->" || f[3] != "WRITE" {
			continue
		}
		inode := f[5][strings.LastIndexByte(f[5], ':')+1:]
		if path, ok := files[inode]; ok {
			pid, _ := strconv.Atoi(f[4])
			r.facts.Locks = append(r.facts.Locks, remediate.Lock{
				Manager: lockManager(path), Path: clean(path), PID: max(0, pid),
			})
		}
	}
	for _, l := range r.lines("pids") {
		word, path, _ := strings.Cut(l, " ")
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
			r.facts.Locks = append(r.facts.Locks, remediate.Lock{Manager: remediate.ManagerRPM, Path: clean(path), PID: pid})
		}
	}
	return nil
}

// reboot reads the marks that ask for a reboot, and on rpm systems compares
// the running kernel with those installed.
func (r *reader) reboot() error {
	var files, pkgs []string
	for _, l := range r.lines("reboot") {
		kind, what, _ := strings.Cut(l, " ")
		switch what = clean(what); kind {
		case "file":
			// /var/run is a link to /run: one file, two names.
			what = strings.TrimPrefix(what, "/var")
			if !slices.Contains(files, what) {
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
			reason += " (for " + strings.Join(pkgs, ", ") + ")"
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
		if p.Manager != remediate.ManagerRPM || p.Name != "kernel-core" && p.Name != "kernel" && p.Name != "kernel-default" {
			continue
		}
		release := p.Version + "." + p.Arch
		if release == r.facts.OS.Kernel {
			running = true
		}
		if newest == "" || compareVersions(release, newest) > 0 {
			newest = release
		}
	}
	if !running || newest == r.facts.OS.Kernel {
		return ""
	}
	return newest
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
