// Package software counts what is installed on a fleet, from facts alone.
package software

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"oust/remediate"
)

// What lists software besides the package managers of remediate.Package.
const (
	ManagerUninstall = "uninstall" // Windows' list of programs, of the machine and its users
	ManagerMSIX      = "msix"      // Appx and MSIX packages
)

// Installed is one thing that a host has.
type Installed struct {
	Manager   string
	Name      string
	Publisher string // "" where the host does not say; so is Version
	Version   string
}

// maxText bounds each text of an Installed, in bytes.
const maxText = 1000

// Of lists what a host has, each once, in no order. A dpkg package of which only
// the configuration is left is not there. An uninstall entry without a name goes
// by that of its key.
func Of(f *remediate.Facts) []Installed {
	seen := map[Installed]bool{}
	add := func(i Installed) {
		i = Installed{i.Manager, short(i.Name), short(i.Publisher), short(i.Version)}
		if i.Name != "" {
			seen[i] = true
		}
	}
	for _, p := range f.Packages {
		if p.Status != remediate.PackageConfigFiles {
			add(Installed{p.Manager, p.Name, p.Vendor, p.Version})
		}
	}
	if f.Windows != nil {
		for _, u := range f.Windows.Uninstall {
			name := u.DisplayName
			if strings.TrimSpace(name) == "" {
				name = u.Key
			}
			add(Installed{ManagerUninstall, name, u.Publisher, u.DisplayVersion})
		}
		for _, a := range f.Windows.Appx {
			add(Installed{ManagerMSIX, a.Name, a.Publisher, a.Version})
		}
	}
	out := make([]Installed, 0, len(seen))
	for i := range seen {
		out = append(out, i)
	}
	return out
}

func short(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return strings.TrimSpace(s)
}

// Product is one name by one publisher, as one manager lists it.
type Product struct {
	Manager, Name, Publisher string
	// Hosts have it, in one version or several.
	Hosts    int
	Versions []Version // sorted by their text
}

// Version is one version of a product.
type Version struct {
	Version string
	// Hosts have this version: a host with two versions stands in both.
	Hosts int
	on    []byte
}

// Numbers yields the numbers of the hosts with this version, ascending, as Add was given
// them.
func (v Version) Numbers() iter.Seq[int] {
	return func(yield func(int) bool) {
		at, on := 0, v.on
		for len(on) > 0 {
			skip, n := binary.Uvarint(on)
			run, m := binary.Uvarint(on[n:])
			on = on[n+m:]
			at += int(skip)
			for range run {
				if !yield(at) {
					return
				}
				at++
			}
		}
	}
}

// compare sorts products for people: by name, whatever its case.
func compare(a, b Product) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Publisher, b.Publisher), cmp.Compare(a.Manager, b.Manager))
}

// sortVersions sorts by the text of the version.
func sortVersions(vs []Version) {
	slices.SortFunc(vs, func(a, b Version) int { return cmp.Compare(a.Version, b.Version) })
}
