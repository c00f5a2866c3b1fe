package inventory

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"oust/remediate"
)

// Options are what the files themselves do not say.
type Options struct {
	// Dir is where relative paths start; empty is the working folder.
	Dir string
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Defaults fill what a host leaves open. A transport that nothing names
	// is ssh.
	Defaults remediate.HostDefaults
}

// Inventory is what the files say.
type Inventory struct {
	// Hosts are in the order of the files and of the lines in them.
	Hosts []remediate.Host
	// Warnings are about what was left out or looks wrong, each with its
	// place; at most 50 and a line that counts the rest.
	Warnings []string
}

// Load reads inventory files of any mix of formats; "-" is standard input.
// The error is an *Error with the problems of all files, and no host is
// returned beside it.
func Load(paths []string, opts Options) (Inventory, error) {
	l := newLoader(opts)
	stdin := false
	for _, path := range paths {
		if path == "-" {
			if stdin {
				l.problem(Place{File: stdinName}, "named twice; it can be read once")
				continue
			}
			stdin = true
			l.loadStdin()
			continue
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(opts.Dir, path)
		}
		l.loadFile(path)
	}
	l.finish()
	if err := l.err(); err != nil {
		return Inventory{}, err
	}
	return Inventory{Hosts: l.hosts, Warnings: l.warnings()}, nil
}

// loader is one reading of all files.
type loader struct {
	report
	check
	opts   Options
	hosts  []remediate.Host
	byName map[string]int // index in hosts
}

func newLoader(opts Options) *loader {
	return &loader{opts: opts, check: newCheck(), byName: map[string]int{}}
}

// parse reads the text of one file.
func (l *loader) parse(s source) {
	before, faults := len(l.hosts), len(l.problems.Problems)
	switch s.format() {
	case formatCSV:
		l.parseCSV(s)
	default:
		l.parseList(s)
	}
	if len(l.hosts) == before && len(l.problems.Problems) == faults {
		l.problem(Place{File: s.name}, "there is no host in it; write one on a line, or take the file out of the campaign's inventory")
	}
}

// add checks an entry and makes it a host. The name is claimed even when
// something else is wrong with the entry, so that one mistake is told once.
func (l *loader) add(e *entry) {
	if len(l.hosts) >= maxHosts {
		if len(l.hosts) == maxHosts && !l.full {
			l.full = true
			l.problem(e.place, "more than %d hosts; split them into campaigns", maxHosts)
		}
		return
	}
	h, ok := l.host(&l.report, e, l.opts.Defaults)
	if !ok {
		return
	}
	if first, taken := l.byName[h.Name]; taken {
		l.problem(e.place, "host %q is there already, at %s; names are unique in a campaign", h.Name, l.hosts[first].Origin)
		return
	}
	l.byName[h.Name] = len(l.hosts)
	l.hosts = append(l.hosts, h)
}

// finish looks at the hosts of all files together.
func (l *loader) finish() {
	type target struct {
		address string
		port    int
	}
	first := make(map[target]int, len(l.hosts))
	for i, h := range l.hosts {
		t := target{strings.ToLower(h.DialAddress()), h.Port}
		if j, taken := first[t]; taken {
			l.warn(placeOf(h.Origin), fmt.Sprintf("host %s has the address of host %s (%s): one machine under two names?", h.Name, l.hosts[j].Name, l.hosts[j].Origin))
			continue
		}
		first[t] = i
	}
}
