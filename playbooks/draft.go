package playbooks

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"oust/remediate"
)

// Draft is the beginning of a playbook, made from what one look found, with two
// cases. It loads; what a person has still to say stands in it as FILL IN, of
// which lint warns.
type Draft struct {
	Name string // vendor/product
	Text []byte
	// Cases are a typical one and a near-miss, by the names of their files.
	Cases map[string][]byte
	// Known are playbooks of the library that find a product in the typical case.
	Known []string
}

// DraftInput is what a draft is made from.
type DraftInput struct {
	Facts *remediate.Facts
	// Product is a part of the product's or its publisher's name, of at least
	// three letters; upper and lower case do not count.
	Product string
	// Seen says where and when the facts were seen, in one line.
	Seen string
}

// fillIn begins what a person has still to write.
const fillIn = "FILL IN"

// drafted is what of a host is the product's.
type drafted struct {
	in       DraftInput
	platform remediate.Platform
	packages []remediate.Package
	services []remediate.Service
	entries  []remediate.UninstallEntry
	codes    []remediate.UpgradeCode
	appx     []remediate.AppxPackage
	paths    []remediate.PathFact
}

// NewDraft drafts a playbook for a product of a host: what carries its name as a
// name or publisher, and the services that run from its folders. Other
// playbooks of the library that find something in the typical case are named in
// it.
func (l *Library) NewDraft(in DraftInput) (*Draft, error) {
	if len(letters(in.Product)) < 3 || slug(in.Product) == "" {
		return nil, fmt.Errorf("product %q: give at least three letters of its name", in.Product)
	}
	d := &drafted{in: in, platform: in.Facts.Platform}
	d.collect(in.Facts)
	if len(d.packages)+len(d.entries)+len(d.appx)+len(d.serviceNames()) == 0 {
		return nil, fmt.Errorf("nothing on this host has %q in its name or publisher; 'oust software' lists what hosts have", in.Product)
	}
	out := &Draft{Name: d.vendorSlug() + "/" + slug(in.Product)}
	out.Text = []byte(d.text(out.Name))
	p, err := Parse("draft", out.Text)
	if err != nil {
		return nil, fmt.Errorf("the draft does not load, which is a fault of oust: %w", err)
	}
	own, err := newLibrary([]*Playbook{p}, nil)
	if err != nil {
		return nil, err
	}
	all, err := own.Over(l)
	if err != nil {
		return nil, err
	}
	out.Cases, err = d.cases(all, out)
	return out, err
}

func (d *drafted) is(texts ...string) bool {
	want := letters(d.in.Product)
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(letters(t), want) })
}

func (d *drafted) collect(f *remediate.Facts) {
	for _, p := range f.Packages {
		if p.Status != remediate.PackageConfigFiles && d.is(p.Name, p.Vendor) {
			d.packages = append(d.packages, p)
		}
	}
	if w := f.Windows; w != nil {
		d.windows(w)
	}
	for _, s := range f.Services {
		if d.is(s.Name, s.DisplayName) || d.runsFrom(s.ImagePath) {
			d.services = append(d.services, s)
		}
	}
	for _, p := range f.Paths {
		if p.Kind != remediate.PathAbsent && p.Kind != remediate.PathDenied && d.is(path.Base(strings.ReplaceAll(p.Path, `\`, "/"))) {
			d.paths = append(d.paths, p)
		}
	}
}

func (d *drafted) windows(w *remediate.WindowsFacts) {
	for _, e := range w.Uninstall {
		if e.ParentKeyName != "" || !fixed(pattern(e.DisplayName)) || !d.is(e.DisplayName, e.Publisher) {
			continue
		}
		d.entries = append(d.entries, withoutUser(e))
		for _, u := range w.UpgradeCodes {
			if e.ProductCode != "" && strings.EqualFold(u.ProductCode, e.ProductCode) {
				d.codes = append(d.codes, u)
			}
		}
	}
	for _, a := range w.Appx {
		if fixed(pattern(a.Name)) && d.is(a.Name, a.Publisher) {
			a.Users = nil
			d.appx = append(d.appx, a)
		}
	}
}

// withoutUser takes away whose an entry is: a draft is for others to read.
func withoutUser(e remediate.UninstallEntry) remediate.UninstallEntry {
	if e.Hive != "HKLM" {
		e.Hive = `HKU\S-1-5-21-1-2-3-1001`
	}
	for _, s := range []*string{&e.UninstallString, &e.QuietUninstallString, &e.InstallLocation} {
		*s = userFolder.ReplaceAllString(*s, `${1}user`)
	}
	return e
}

// runsFrom reports whether a service's program lies in the folder of an entry.
func (d *drafted) runsFrom(image string) bool {
	return slices.ContainsFunc(d.entries, func(e remediate.UninstallEntry) bool {
		folder := strings.ToLower(strings.TrimRight(e.InstallLocation, `\`))
		return !everyHost(folder) && strings.HasPrefix(strings.TrimLeft(strings.ToLower(image), `"`), folder+`\`)
	})
}

// vendorSlug is the maker as a name has it.
func (d *drafted) vendorSlug() string {
	v := company.ReplaceAllString(letters(d.vendor()), "")
	if v = slug(v); v == "" {
		return slug(d.in.Product)
	}
	return v
}

// vendor is the first publisher or vendor that is named, or "".
func (d *drafted) vendor() string {
	for _, e := range d.entries {
		if e.Publisher != "" {
			return oneLine(e.Publisher)
		}
	}
	for _, p := range d.packages {
		if p.Vendor != "" {
			return oneLine(p.Vendor)
		}
	}
	return ""
}

// slug is a text as a part of a playbook's name.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String()[:min(b.Len(), 60)], "-")
}

// cases are the draft's two cases.
func (d *drafted) cases(all *Library, out *Draft) (map[string][]byte, error) {
	f, name := d.caseFacts(), out.Name
	typical := caseHead{title: "as it was seen", kind: CaseTypical, source: d.in.Seen, found: string(remediate.FindProduct)}
	for _, x := range all.Match(f.facts(all.Questions(d.platform))) {
		if x.Playbook == name {
			continue
		}
		typical.also = append(typical.also, x.Playbook)
		if p, ok := all.Get(x.Playbook); ok && p.Is(KindProduct) && x.Kind == remediate.FindProduct {
			out.Known = append(out.Known, x.Playbook)
		}
	}
	c := &Case{Title: typical.title, Kind: CaseTypical, Found: typical.found, Facts: f, playbook: name, file: "draft"}
	r, err := all.RunCase(c, nil)
	if err != nil {
		return nil, err
	}
	if p, ok := all.Get(name); ok {
		typical.unsupported = p.whyNot(all, r.Facts)
	}
	near := d.nearMiss()
	miss := caseHead{title: "something else whose name holds the product's", kind: CaseNearMiss, source: "made up after " + d.in.Seen, found: CaseNothing}
	for _, x := range all.Match(near.facts(all.Questions(d.platform))) {
		if x.Playbook == name {
			return nil, errors.New("the draft finds its own near-miss, which is a fault of oust")
		}
		miss.also = append(miss.also, x.Playbook)
	}
	return map[string][]byte{"typical.yaml": []byte(typical.text(f)), "near-miss.yaml": []byte(miss.text(near))}, nil
}

// whyNot is a part of the reason why the product cannot be removed from the
// host; "" where it can.
func (p *Playbook) whyNot(l *Library, f *remediate.Facts) string {
	_, err := l.Render(RenderInput{Facts: f, Findings: l.Match(f)})
	unsupported, ok := errors.AsType[*UnsupportedError](err)
	if !ok {
		return ""
	}
	for _, left := range unsupported.Left {
		if left.Playbook == p.Name {
			return left.Reason
		}
	}
	return ""
}
