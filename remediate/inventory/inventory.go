package inventory

import (
	"bytes"
	"hash/maphash"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
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
	// is ssh, and the platform of a WinRM host is windows.
	Defaults remediate.HostDefaults
	// Credentials are the names that a host's credential may have; nil means
	// that they are not checked.
	Credentials []string
}

// Inventory is what the files say.
type Inventory struct {
	// Hosts are in the order of the files and of the lines in them, those of
	// Ansible inventories last.
	Hosts []remediate.Host
	// Warnings are about what was left out or looks wrong, each with its
	// place; at most 50 and a line that counts the rest.
	Warnings []string
}

// Load reads inventory files of any mix of formats; a path may be a folder
// with an Ansible inventory, or "-" for standard input. The error is an *Error
// with the problems of all files, and no host is returned beside it.
func Load(paths []string, opts Options) (Inventory, error) {
	return load(paths, opts, standard)
}

func load(paths []string, opts Options, max limits) (Inventory, error) {
	l := newLoader(opts, max)
	if len(paths) == 0 {
		l.problem(Place{File: "inventory"}, "no file is named that holds the hosts")
	}
	for i, path := range paths {
		l.load(path, paths[:i])
	}
	l.ansible.resolve(l)
	l.compareAddresses()
	if l.faults() == 0 && len(l.hosts) == 0 {
		l.problem(Place{File: paths[0]}, "there is no host in the inventory")
	}
	if err := l.err(); err != nil {
		return Inventory{}, err
	}
	return Inventory{Hosts: l.hosts, Warnings: l.warnings()}, nil
}

// loader is one reading of all files.
type loader struct {
	report
	check
	opts    Options
	max     limits
	ansible *ansible // all Ansible files but JSON
	hosts   []remediate.Host
	places  []Place // of hosts
	seed    maphash.Seed
	byName  *seen // the first hosts, as many as were entered
	entered int
	files   []os.FileInfo // that were read
	told    map[Problem]bool
}

func newLoader(opts Options, max limits) *loader {
	return &loader{opts: opts, max: max, check: newCheck(opts), ansible: newAnsible(max), seed: maphash.MakeSeed(), told: map[Problem]bool{}}
}

// load reads what one path of the campaign names.
func (l *loader) load(path string, before []string) {
	if path == "-" {
		for _, b := range before {
			if b == path {
				l.problem(Place{File: stdinName}, "named twice; it can be read once")
				return
			}
		}
		l.loadStdin()
		return
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.opts.Dir, path)
	}
	l.loadPath(path)
}

// parse reads the text of one file. A file that holds nothing is a problem,
// except in a folder.
func (l *loader) parse(s source) {
	hosts, faults, known := len(l.hosts), l.faults(), l.ansible.size()
	switch s.format() {
	case formatCSV:
		l.expect(bytes.Count(s.text, []byte("\n")))
		l.parseCSV(s)
	case formatYAML:
		l.parseYAML(s)
	case formatJSON:
		l.parseJSON(s)
	case formatINI:
		l.parseINI(s)
	default:
		l.expect(bytes.Count(s.text, []byte("\n")))
		l.parseList(s)
	}
	if l.ansible.size() > known {
		l.ansible.addFolder(s.folder)
	}
	if !s.inFolder && len(l.hosts) == hosts && l.faults() == faults && l.ansible.size() == known {
		l.problem(Place{File: s.name}, "there is no host in it; write one on a line, or take the file out of the campaign's inventory")
	}
}

// expect makes room for hosts.
func (l *loader) expect(n int) {
	n = min(n, l.max.hosts-len(l.hosts))
	if n <= 0 {
		return
	}
	l.hosts = slices.Grow(l.hosts, n)
	l.places = slices.Grow(l.places, n)
}

func (l *loader) nameHash(i int) uint64 { return maphash.String(l.seed, l.hosts[i].Name) }

// add checks an entry and makes it a host.
func (l *loader) add(e *entry) {
	if len(l.hosts) >= l.max.hosts {
		if !l.full {
			l.full = true
			l.problem(e.place, "more than %d hosts; split them into campaigns", l.max.hosts)
		}
		return
	}
	name := e.text[colName]
	if first := l.first(name); first >= 0 {
		l.problem(e.at(colName), "host %q is there already, at %s; a name is unique in a campaign", name, l.places[first])
		return
	}
	h, ok := l.host(&l.report, e)
	if !ok && h.Name == "" {
		return
	}
	// A host that has problems keeps its name, so that a second one is told.
	l.hosts = append(l.hosts, h)
	l.places = append(l.places, e.place)
}

// first is the host that has the name, or -1. As long as names ascend none can be
// there twice, and they are not even entered.
func (l *loader) first(name string) int {
	if n := len(l.hosts); l.entered == 0 && (n == 0 || l.hosts[n-1].Name < name) {
		return -1
	}
	if l.entered == 0 {
		l.byName = newSeen(max(cap(l.hosts), len(l.hosts)+1), l.nameHash)
	}
	for ; l.entered < len(l.hosts); l.entered++ {
		l.byName.put(l.nameHash(l.entered), l.entered)
	}
	return l.byName.find(maphash.String(l.seed, name), func(i int) bool { return l.hosts[i].Name == name })
}

// target is what a host is reached at.
type target struct {
	address string
	port    int
}

func targetOf(h *remediate.Host) target {
	t := target{strings.ToLower(h.DialAddress()), h.Port}
	if strings.ContainsRune(t.address, ':') { // IPv4 addresses have one form
		if ip, err := netip.ParseAddr(t.address); err == nil {
			t.address = ip.Unmap().String()
		}
	}
	if t.port == 0 && h.Transport == remediate.TransportSSH {
		t.port = 22
	}
	return t
}

// hash tells the ports of one address apart too: a simulated fleet has
// thousands of them.
func (t target) hash(seed maphash.Seed) uint64 {
	const odd = 0x9e3779b97f4a7c15 // spreads neighbours: 2^64 divided by the golden ratio
	return maphash.String(seed, t.address) + uint64(t.port)*odd
}

// compareAddresses warns of machines that seem to be there twice.
func (l *loader) compareAddresses() {
	first := newSeen(len(l.hosts), func(i int) uint64 { return targetOf(&l.hosts[i]).hash(l.seed) })
	for i := range l.hosts {
		h := &l.hosts[i]
		t := targetOf(h)
		hash := t.hash(l.seed)
		if j := first.find(hash, func(j int) bool { return targetOf(&l.hosts[j]) == t }); j >= 0 {
			l.warn(l.places[i], "", "host "+h.Name+" has the address and port of "+l.hosts[j].Name+" ("+l.hosts[j].Origin+"): one machine under two names?")
			continue
		}
		first.put(hash, i)
	}
}
