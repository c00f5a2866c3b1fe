package report

import (
	"html/template"
	"strconv"
	"strings"

	"oust/remediate"
)

// maxListed bounds lists that are there to be read: hosts that reappeared,
// exemptions, submissions, days of a milestone that was missed.
const maxListed = 1000

// htmlPage is what the templates see.
type htmlPage struct {
	Snapshot
	Style  template.CSS
	Script template.JS
	Policy string

	Kind     string
	Named    bool // the title does not say the kind
	Asked    []htmlItem
	Gaps     []htmlItem
	Pressing []MilestoneState // late ones, and the next that is due
	Bar      []barPart
	Stands   []standRow
	Burn     *burnChart
	Found    int // products that were found at any time
	Groups   []hostGroup
	Rows     int // of Hosts, in Groups
	Sections []htmlSection
}

// htmlSection is a numbered part of the page after its summary.
type htmlSection struct {
	ID     string
	Title  string
	Number int
}

var kindNames = map[remediate.ReportKind]string{
	remediate.ReportIdentify: "Identification report",
	remediate.ReportPlan:     "Plan of action",
	remediate.ReportStatus:   "Status report",
}

func newHTMLPage(s Snapshot, kit htmlKit) *htmlPage {
	p := &htmlPage{
		Snapshot: s, Style: kit.style, Script: kit.script, Policy: kit.policy,
		Kind: kindNames[s.Report], Bar: standingBar(s.Totals), Stands: standRows(s.Totals), Burn: burnChartOf(s),
	}
	if p.Kind == "" {
		p.Kind = "Report"
	}
	p.Named = !strings.Contains(strings.ToLower(s.Title), strings.ToLower(p.Kind))
	p.Products = foundFirst(s.Products)
	for _, product := range s.Products {
		if product.Found > 0 {
			p.Found++
		}
	}
	p.Groups = groupByStanding(s.Hosts, s.Totals)
	for _, g := range p.Groups {
		p.Rows += len(g.Rows)
	}
	p.press()
	p.number()
	p.ask()
	return p
}

func (p *htmlPage) press() {
	due := false
	for _, m := range p.Milestones {
		if m.State == "late" || m.State == "due" && !due {
			p.Pressing = append(p.Pressing, m)
			due = due || m.State == "due"
		}
	}
}

// number lists the sections that this report has.
func (p *htmlPage) number() {
	status := p.Report == remediate.ReportStatus
	plan := p.Report == remediate.ReportPlan
	for _, s := range []struct {
		id, title string
		shown     bool
	}{
		{"items", "What the mandate asks for", len(p.Items) > 0},
		{"products", "Products", true},
		{"methods", "How hosts were looked at", true},
		{"unseen", "Hosts that were not seen", true},
		{"progress", "Progress", status || p.Burn != nil},
		{"timeline", "Timeline of the removal", plan || status || len(p.Timeline) > 0},
		{"waves", "Waves", len(p.Waves) > 0},
		{"failures", "Failures, and what is being done", status || len(p.Failures) > 0},
		{"exemptions", "Exemptions", true},
		{"reappeared", "Hosts on which a product reappeared", status || len(p.Snapshot.Reappeared) > 0},
		{"left", "Hosts that left the inventory", len(p.Totals.Gone) > 0},
		{"attestation", "Attestation", p.Mandate.Attestation != nil},
		{"submissions", "Reports handed in", true},
		{"mandate", "The mandate", true},
		{"evidence", "Evidence", true},
		{"hosts", "Hosts", true},
	} {
		if s.shown {
			p.Sections = append(p.Sections, htmlSection{ID: s.id, Title: s.title, Number: len(p.Sections) + 1})
		}
	}
}

// itemSections says which section shows what answers an item.
var itemSections = map[remediate.ItemKind]string{
	remediate.ItemProducts: "products", remediate.ItemEndpoints: "products", remediate.ItemEmbedded: "products",
	remediate.ItemMethods: "methods", remediate.ItemUnseen: "unseen", remediate.ItemTimeline: "timeline",
	remediate.ItemProgress: "progress", remediate.ItemFailures: "failures", remediate.ItemExemptions: "exemptions",
	remediate.ItemReappeared: "reappeared", remediate.ItemHosts: "hosts", remediate.ItemAttest: "attestation",
}

// htmlItem is an item in its place.
type htmlItem struct {
	Item
	ID string
	// Lines is its text, without those lines that See, the section that answers
	// it in full, has too; Left counts them.
	Lines []string
	Left  int
	See   *htmlSection
}

// maxLines bounds what an item says in its own place, where a section says all
// of it.
const maxLines = 5

func (p *htmlPage) ask() {
	for i, item := range p.Items {
		it := htmlItem{Item: item, ID: "item-" + strconv.Itoa(i+1), Lines: item.Text, See: p.section(item.ReportItem.Item)}
		if it.See != nil && len(it.Lines) > maxLines {
			it.Lines, it.Left = it.Lines[:maxLines], len(it.Lines)-maxLines
		}
		p.Asked = append(p.Asked, it)
		if item.State == ItemGap {
			p.Gaps = append(p.Gaps, it)
		}
	}
}

// section is the one that shows what answers the item, nil if its text alone
// does.
func (p *htmlPage) section(kind remediate.ItemKind) *htmlSection {
	id := itemSections[kind]
	for i, s := range p.Sections {
		if s.ID == id {
			return &p.Sections[i]
		}
	}
	return nil
}

// foundFirst puts the products that were found before those that were not.
func foundFirst(products []Product) []Product {
	out := make([]Product, 0, len(products))
	for _, found := range []bool{true, false} {
		for _, p := range products {
			if (p.Found > 0) == found {
				out = append(out, p)
			}
		}
	}
	return out
}
