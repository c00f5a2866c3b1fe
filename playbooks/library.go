package playbooks

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"oust/remediate"
)

// The library with its cases, so that it can be tested wherever it is used.
//
//go:embed vendors
var vendors embed.FS

// shippedPrefix begins the file names of playbooks that ship.
const shippedPrefix = "oust:"

// Library is a set of playbooks with distinct names. It does not change after
// it is made and may be used by many goroutines.
type Library struct {
	list    []*Playbook // by name
	screens []screen    // of list
	// known are the names that an After may have beside those in list.
	known []string
	// others are playbooks beside those in list: a playbook of KindPublisher
	// leaves to them what they know.
	others []*Playbook
	// beside are those of others that have to do with the order of a playbook in
	// list, by its name.
	beside map[string][]neighbour
	// countsEmbedded: a playbook of KindEmbedded finds products.
	countsEmbedded bool
}

// CountEmbedded returns a library in which the vendor's code inside other
// companies' products counts as a product, or does not, as a mandate says it.
func (l *Library) CountEmbedded(counts bool) *Library {
	out := *l
	out.countsEmbedded = counts
	return &out
}

// newLibrary makes a Library. Two playbooks of one name are an error that
// names both files.
func newLibrary(list []*Playbook, known []string) (*Library, error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *Playbook) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(list); i++ {
		if list[i].Name == list[i-1].Name {
			return nil, fmt.Errorf("playbook %s is in two places: %s and %s", list[i].Name, list[i-1].file, list[i].file)
		}
	}
	l := &Library{list: list, known: known}
	for _, p := range list {
		l.screens = append(l.screens, p.newScreen())
	}
	return l, l.checkCycles()
}

// Embedded returns the playbooks that ship with oust. They were checked when
// oust was built; reading them is all that is left to do.
func Embedded() (*Library, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Library, error) {
	var names []string
	err := fs.WalkDir(vendors, "vendors", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err == nil && d.IsDir() && d.Name() == casesFolder:
			return fs.SkipDir
		case err == nil && !d.IsDir() && isPlaybook(name):
			names = append(names, name)
		}
		return err
	})
	list := make([]*Playbook, len(names))
	problems := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { list[i], problems[i] = readShipped(name) })
	}
	all.Wait()
	if err := errors.Join(errors.Join(problems...), err); err != nil {
		return nil, fmt.Errorf("load the built-in playbooks: %w", err)
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		return nil, err
	}
	return l, l.checkAfter()
})

// readShipped reads a playbook that TestShippedAreClean has checked: what Parse
// does beyond that takes three times as long, at the start of every command.
func readShipped(name string) (*Playbook, error) {
	data, err := vendors.ReadFile(name)
	if err != nil {
		return nil, err
	}
	text := canonical(data)
	p := new(Playbook)
	if err := yaml.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.file, p.text, p.digest, p.pos = shippedPrefix+name, text, remediate.Digest(text), locate(text)
	return p, nil
}

// Over returns the playbooks of l and those of base that have other names: what
// is tried out beside all else that is known.
func (l *Library) Over(base *Library) (*Library, error) {
	list := l.List()
	for _, p := range base.list {
		if _, own := l.Get(p.Name); !own {
			list = append(list, p)
		}
	}
	return newLibrary(list, base.Names())
}

// Folder is where the playbook stands, with its cases beside it: a folder of the
// system, or of those that ship.
func (p *Playbook) Folder() fs.FS {
	if shipped, ok := strings.CutPrefix(p.file, shippedPrefix); ok {
		sub, err := fs.Sub(vendors, path.Dir(shipped))
		if err == nil {
			return sub
		}
	}
	return os.DirFS(filepath.Dir(p.file))
}

// Ships reports whether the playbook is one of those that ship with oust.
func (p *Playbook) Ships() bool { return strings.HasPrefix(p.file, shippedPrefix) }

// List returns the playbooks in the order of their names.
func (l *Library) List() []*Playbook { return slices.Clone(l.list) }

// Get returns the playbook of that name.
func (l *Library) Get(name string) (*Playbook, bool) {
	i, ok := slices.BinarySearchFunc(l.list, name, func(p *Playbook, n string) int { return cmp.Compare(p.Name, n) })
	if !ok {
		return nil, false
	}
	return l.list[i], true
}

// Names returns the playbooks' names, sorted.
func (l *Library) Names() []string {
	out := make([]string, len(l.list))
	for i, p := range l.list {
		out[i] = p.Name
	}
	return out
}

// Refs returns the playbooks' names and digests, sorted by name: what a plan
// pins.
func (l *Library) Refs() []remediate.PlaybookRef {
	out := make([]remediate.PlaybookRef, len(l.list))
	for i, p := range l.list {
		out[i] = remediate.PlaybookRef{Name: p.Name, Digest: p.digest}
	}
	return out
}

// Questions returns what a look at a host of the platform must answer so that
// Match and Bare can decide.
func (l *Library) Questions(platform remediate.Platform) remediate.Questions {
	q := l.matchQuestions(platform)
	for _, p := range l.list {
		p.askProtection(&q, platform)
	}
	return tidy(q)
}

// matchQuestions are those that Match needs.
func (l *Library) matchQuestions(platform remediate.Platform) remediate.Questions {
	var q remediate.Questions
	for _, p := range l.list {
		if !p.On(platform) {
			continue
		}
		for _, s := range p.Detect {
			ask(&q, platform, s.Path, s.Key)
		}
		for _, r := range p.Residue {
			ask(&q, platform, r.Path, r.Key)
		}
		for _, b := range p.Blocks {
			ask(&q, platform, b.Path, b.Key)
		}
	}
	return tidy(q)
}

// tidy sorts questions and leaves out what is there twice.
func tidy(q remediate.Questions) remediate.Questions {
	for _, list := range []*[]string{&q.Paths, &q.Keys, &q.Services} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return q
}

// ask adds a path and a registry key, where they are of the platform.
func ask(q *remediate.Questions, platform remediate.Platform, path, key string) {
	windows := platform == remediate.Windows
	if path != "" && isWindowsPath(path) == windows {
		q.Paths = append(q.Paths, path)
	}
	if key != "" && windows {
		q.Keys = append(q.Keys, key)
	}
}

// Unanswered returns the paths and registry keys that Match wants to know
// about and that the look which gave the facts was not asked, sorted. A host
// with any of them is not known to be clean: it was looked at for other
// playbooks.
func (l *Library) Unanswered(f *remediate.Facts) []string {
	asked := map[string]bool{}
	for _, p := range f.Paths {
		asked[p.Path] = true
	}
	if f.Windows != nil {
		for _, k := range f.Windows.Keys {
			asked[k.Key] = true
		}
	}
	q := l.matchQuestions(f.Platform)
	return slices.DeleteFunc(append(q.Paths, q.Keys...), func(s string) bool { return asked[s] })
}
