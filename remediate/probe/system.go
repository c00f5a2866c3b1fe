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
		manager, name, ok := strings.Cut(l, "\t")
		switch {
		case !ok || name == "":
			continue
		case manager == "denied":
			r.incomplete("%s may not be read as %s", clean(name), r.facts.Privilege.User)
			continue
		}
		k := key{clean(manager), clean(name)}
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

// paths reads "KIND QUOTED-PATH" lines, and a last one that says how many
// there are.
func (r *reader) paths() error {
	asked := -1
	for _, l := range r.lines("paths") {
		word, quoted, _ := strings.Cut(l, " ")
		if n, err := strconv.Atoi(quoted); err == nil && word == "asked" {
			asked = n
			continue
		}
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
	if r.has("paths") && asked != len(r.facts.Paths) {
		r.gap("paths", "", "not all paths were looked at: %d answers", len(r.facts.Paths))
	}
	return nil
}

// disk reads df -Pk: the header, then one line for each folder that was asked.
// Names of devices and mount points may hold spaces: the numbers are found
// from the capacity, which ends in a percent sign.
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

// mainName is the name that a file in /var/run has where /var/run is a link to
// /run, as on every system of today.
func mainName(path string) string {
	if rest, ok := strings.CutPrefix(path, "/var/run/"); ok {
		return "/run/" + rest
	}
	return path
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
			lock := remediate.Lock{Manager: remediate.ManagerRPM, Path: mainName(clean(path)), PID: pid}
			if !slices.Contains(r.facts.Locks, lock) {
				r.facts.Locks = append(r.facts.Locks, lock)
			}
		}
	}
	return nil
}
