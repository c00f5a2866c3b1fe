package mandate

import (
	"time"

	"oust/remediate"
)

// format is the version of the files that are read.
const format = 1

// file is a mandate as it is written.
type file struct {
	Format      int              `yaml:"format"`
	Mandate     string           `yaml:"mandate"`
	Title       string           `yaml:"title"`
	Issuer      string           `yaml:"issuer"`
	Issued      string           `yaml:"issued"`
	Zone        string           `yaml:"zone"`
	Sources     []string         `yaml:"sources"`
	Covers      []string         `yaml:"covers"`
	Excludes    []string         `yaml:"excludes"`
	Embedded    string           `yaml:"embedded"`
	Milestones  []milestone      `yaml:"milestones"`
	Holidays    []string         `yaml:"holidays"`
	Duties      []duty           `yaml:"duties"`
	Reports     []reportRule     `yaml:"reports"`
	Exemptions  exemptionRule    `yaml:"exemptions"`
	Attestation *attestationRule `yaml:"attestation"`
}

type milestone struct {
	Name     string `yaml:"name"`
	What     string `yaml:"what"`
	Due      due    `yaml:"due"`
	Met      string `yaml:"met"`
	Report   string `yaml:"report"`
	Campaign bool   `yaml:"campaign"`
}

type due struct {
	Days         *int   `yaml:"days"`
	BusinessDays *int   `yaml:"business_days"`
	From         string `yaml:"from"`
	Date         string `yaml:"date"`
}

type duty struct {
	Name   string `yaml:"name"`
	What   string `yaml:"what"`
	Report string `yaml:"report"`
	After  string `yaml:"after"`
	Every  every  `yaml:"every"`
	Until  string `yaml:"until"`
}

type every struct {
	Days         *int `yaml:"days"`
	BusinessDays *int `yaml:"business_days"`
}

type reportRule struct {
	Report string   `yaml:"report"`
	Title  string   `yaml:"title"`
	Items  []item   `yaml:"items"`
	Sheet  []column `yaml:"sheet"`
}

type item struct {
	Ref   string `yaml:"ref"`
	Item  string `yaml:"item"`
	Title string `yaml:"title"`
	Field string `yaml:"field"`
}

type column struct {
	Column string `yaml:"column"`
	Title  string `yaml:"title"`
}

type exemptionRule struct {
	None        bool     `yaml:"none"`
	Grounds     []ground `yaml:"grounds"`
	MaxDays     *int     `yaml:"max_days"`
	Mitigations bool     `yaml:"mitigations"`
}

type ground struct {
	Name string `yaml:"name"`
	What string `yaml:"what"`
}

type attestationRule struct {
	By        string `yaml:"by"`
	Statement string `yaml:"statement"`
}

// mandate brings a file that was checked into the domain's form.
func (f *file) mandate(digest string) remediate.Mandate {
	m := remediate.Mandate{
		Name: f.Mandate, Title: f.Title, Issuer: f.Issuer, Digest: digest, Issued: day(f.Issued), Zone: f.Zone,
		Sources: f.Sources, Covers: f.Covers, Excludes: f.Excludes, Embedded: f.Embedded == included,
	}
	for _, one := range f.Milestones {
		m.Milestones = append(m.Milestones, remediate.MilestoneRule{
			Name: one.Name, What: one.What, Met: remediate.MetBy(one.Met), Report: remediate.ReportKind(one.Report), Campaign: one.Campaign,
			Due: remediate.Due{Days: number(one.Due.Days), BusinessDays: number(one.Due.BusinessDays), From: one.Due.From, Date: day(one.Due.Date)},
		})
	}
	for _, h := range f.Holidays {
		m.Holidays = append(m.Holidays, day(h))
	}
	for _, one := range f.Duties {
		m.Duties = append(m.Duties, remediate.Duty{
			Name: one.Name, What: one.What, Report: remediate.ReportKind(one.Report), After: one.After,
			EveryDays: number(one.Every.Days) + number(one.Every.BusinessDays), BusinessDays: one.Every.BusinessDays != nil,
			Until: remediate.MetBy(one.Until),
		})
	}
	for _, one := range f.Reports {
		m.Reports = append(m.Reports, one.rule())
	}
	m.Exemptions = remediate.ExemptionRule{None: f.Exemptions.None, MaxDays: number(f.Exemptions.MaxDays), Mitigations: f.Exemptions.Mitigations}
	for _, g := range f.Exemptions.Grounds {
		m.Exemptions.Grounds = append(m.Exemptions.Grounds, remediate.Ground(g))
	}
	if f.Attestation != nil {
		m.Attestation = &remediate.Attestation{By: f.Attestation.By, Statement: f.Attestation.Statement}
	}
	return m
}

func (r reportRule) rule() remediate.ReportRule {
	out := remediate.ReportRule{Report: remediate.ReportKind(r.Report), Title: r.Title}
	for _, i := range r.Items {
		out.Items = append(out.Items, remediate.ReportItem{Ref: i.Ref, Item: remediate.ItemKind(i.Item), Title: i.Title, Field: i.Field})
	}
	for _, c := range r.Sheet {
		out.Sheet = append(out.Sheet, remediate.SheetColumn{Column: remediate.ColumnKind(c.Column), Title: c.Title})
	}
	return out
}

func number(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// day is a date that was checked, zero for none.
func day(text string) time.Time {
	d, err := parseDay(text)
	if err != nil {
		return time.Time{}
	}
	return d
}
