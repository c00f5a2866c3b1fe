package playbooks

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"oust/remediate"
	"oust/remediate/strictyaml"
)

// Case is one example of a playbook: facts, what is found in them, and what
// becomes of it. Cases stand beside the playbooks of a folder, in
// cases/PRODUCT/NAME.yaml, each with what it must give in NAME.golden.
type Case struct {
	// Title says in one line what the case shows.
	Title string `yaml:"case"`
	// Kind is one of the Case constants.
	Kind string `yaml:"kind"`
	// Source says where the values of the facts were seen, in one line.
	Source string `yaml:"source"`
	// Found is what the case's playbook finds: a kind of finding, or nothing.
	Found string `yaml:"found"`
	// Unsupported is a part of the reason why nothing can be removed; empty
	// where there is a script, or nothing to remove.
	Unsupported string `yaml:"unsupported"`
	// Also are other playbooks that find something in the same facts.
	Also []string `yaml:"also"`
	// Facts are what a look found; Look names a file beside the case, a look that
	// was kept. There is one of the two.
	Facts *CaseFacts `yaml:"facts"`
	Look  string     `yaml:"look"`

	playbook, file string
	look           []byte
	golden         []byte
}

// Kinds of cases. A playbook has at least one of each.
const (
	CaseTypical  = "typical"   // a host as most are
	CaseOdd      = "odd"       // protected, half removed, of another language, twice
	CaseNearMiss = "near-miss" // looks alike and is something else
)

// CaseNothing is Found where the playbook finds nothing.
const CaseNothing = "nothing"

var caseKinds = []string{CaseTypical, CaseOdd, CaseNearMiss}

// casesFolder holds cases and is not read for playbooks.
const casesFolder = "cases"

// maxCases bounds the cases of one playbook.
const maxCases = 200

// Playbook is the name of the case's playbook; File is where it was read from,
// and GoldenFile where what it must give is kept.
func (c *Case) Playbook() string { return c.playbook }

// File is where the case was read from.
func (c *Case) File() string { return c.file }

// GoldenFile is where what the case must give is kept, beside File.
func (c *Case) GoldenFile() string { return strings.TrimSuffix(c.file, path.Ext(c.file)) + ".golden" }

// Golden is what is kept there, nil where nothing is.
func (c *Case) Golden() []byte { return c.golden }

// Cases reads the cases of the playbook from the folder that it stands in, in
// the order of their names. A playbook without cases has none.
func (p *Playbook) Cases(folder fs.FS) ([]*Case, error) {
	dir := path.Join(casesFolder, p.productKey())
	entries, err := fs.ReadDir(folder, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the cases of %s: %w", p.Name, err)
	}
	var out []*Case
	for _, e := range entries {
		if e.IsDir() || !isPlaybook(e.Name()) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if len(out) == maxCases {
			return nil, fmt.Errorf("%s: more than %d cases", dir, maxCases)
		}
		c, err := p.readCase(folder, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (p *Playbook) readCase(folder fs.FS, name string) (*Case, error) {
	c := &Case{playbook: p.Name, file: name}
	data, err := readBounded(folder, name)
	if err != nil {
		return nil, fmt.Errorf("read the case: %w", err)
	}
	shown := filepath.Join(filepath.Dir(p.file), name)
	if err := strictyaml.Decode(shown, data, c); err != nil {
		return nil, err
	}
	if bad := c.check(); bad != nil {
		line, col := locate(canonical(data)).at(bad.at...)
		return nil, fmt.Errorf("%s:%d:%d: %w", shown, line, col, bad)
	}
	if c.Look != "" {
		if c.look, err = readBounded(folder, path.Join(path.Dir(name), c.Look)); err != nil {
			return nil, fmt.Errorf("%s: read the look: %w", name, err)
		}
	}
	c.golden, err = readBounded(folder, c.GoldenFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// maxCaseFile bounds a file of a case, in bytes.
const maxCaseFile = 2 << 20

func readBounded(folder fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(folder, name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", name)
	case info.Size() > maxCaseFile:
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxCaseFile>>20)
	}
	return fs.ReadFile(folder, name)
}

// A caseError is what is wrong with a case, and the keys of the place.
type caseError struct {
	at  []any
	msg string
}

func (e *caseError) Error() string { return e.msg }

func badCase(msg string, at ...any) *caseError { return &caseError{at, msg} }

// check says what a case lacks, or nil.
func (c *Case) check() *caseError {
	found := []string{string(remediate.FindProduct), string(remediate.FindResidue), string(remediate.FindEmbedded), CaseNothing}
	word := func(key, value string, known []string) *caseError {
		switch {
		case value == "":
			return badCase(fmt.Sprintf("%s is missing; use %s", key, strings.Join(known, ", ")))
		case !slices.Contains(known, value):
			return badCase(fmt.Sprintf("%s %q is unknown; use %s", key, value, orNearest(value, known)), key)
		}
		return nil
	}
	if strings.TrimSpace(c.Title) == "" || strings.TrimSpace(c.Source) == "" {
		return badCase("a case says in case what it shows, and in source where its values were seen")
	}
	if bad := cmp.Or(word("kind", c.Kind, caseKinds), word("found", c.Found, found)); bad != nil {
		return bad
	}
	switch {
	case (c.Kind == CaseNearMiss) != (c.Found == CaseNothing):
		return badCase("a near-miss is a case in which nothing is found, and the only kind of it", "found")
	case (c.Facts == nil) == (c.Look == ""):
		return badCase("a case has either facts or look")
	case c.Look != "" && (c.Look != path.Base(c.Look) || strings.HasPrefix(c.Look, ".")):
		return badCase(fmt.Sprintf("look %q: name a file beside the case", c.Look), "look")
	case c.Unsupported != "" && c.Found == CaseNothing:
		return badCase("unsupported: nothing is found that could be left alone", "unsupported")
	case c.Facts != nil:
		return c.Facts.check()
	}
	return nil
}

// MissingCases are the kinds of which there is no case.
func MissingCases(cases []*Case) []string {
	return slices.DeleteFunc(slices.Clone(caseKinds), func(kind string) bool {
		return slices.ContainsFunc(cases, func(c *Case) bool { return c.Kind == kind })
	})
}
