package campaign

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

// Limits of what a campaign says of itself in reports, in bytes and entries.
const (
	maxLine    = 300
	maxPara    = 4000
	maxEntries = 1000
)

// form is what reports say of a campaign that no host can tell.
type form struct {
	Agency       string            `yaml:"agency"`
	Contact      contact           `yaml:"contact"`
	Components   words             `yaml:"components"`
	Mission      string            `yaml:"mission"`
	Contracts    words             `yaml:"contracts"`
	Requirements map[string]string `yaml:"requirements"`
	Replacement  string            `yaml:"replacement"`
	ReplaceBy    string            `yaml:"replacement_timeline"`
	Challenges   words             `yaml:"challenges"`
	Costs        []cost            `yaml:"costs"`
	Attestation  *attested         `yaml:"attestation"`
	Fields       map[string]string `yaml:"fields"`
	SystemID     string            `yaml:"system_id"`
	SystemScheme string            `yaml:"system_id_scheme"`
}

type contact struct {
	Name  string `yaml:"name"`
	Phone string `yaml:"phone"`
	Mail  string `yaml:"mail"`
}

type cost struct {
	What   word `yaml:"what"`
	Amount word `yaml:"amount"`
}

type attested struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	Date  date   `yaml:"date"`
}

type ledgerSettings struct {
	Key        string `yaml:"key"`
	Passphrase string `yaml:"passphrase"`
	Identity   string `yaml:"identity"`
}

var mailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)

func (f *file) checkForm(p *problems) {
	r := f.Report
	p.paragraph("report.agency", r.Agency, maxLine)
	p.paragraph("report.contact.name", r.Contact.Name, maxLine)
	p.paragraph("report.contact.phone", r.Contact.Phone, maxLine)
	if m := r.Contact.Mail; m != "" && (!mailForm.MatchString(m) || len(m) > maxLine) {
		p.add("report.contact.mail", "%q is not an address such as it@example.org", remediate.ClipText(m))
	}
	if r.Contact.Name == "" && r.Contact != (contact{}) {
		p.add("report.contact", "has no name")
	}
	p.paragraphs("report.components", r.Components)
	p.paragraph("report.mission", r.Mission, maxPara)
	p.paragraphs("report.contracts", r.Contracts)
	p.answers("report.requirements", r.Requirements)
	p.paragraph("report.replacement", r.Replacement, maxPara)
	p.paragraph("report.replacement_timeline", r.ReplaceBy, maxPara)
	p.paragraphs("report.challenges", r.Challenges)
	r.checkCosts(p)
	if a := r.Attestation; a != nil {
		p.need("report.attestation", a.Name, "who signs (name)")
		p.need("report.attestation", a.Title, "the title of who signs (title)")
		if a.Date.IsZero() {
			p.add("report.attestation", "missing; the day on which it is signed (date)")
		}
		p.paragraph("report.attestation.name", a.Name, maxLine)
		p.paragraph("report.attestation.title", a.Title, maxLine)
	}
	p.answers("report.fields", r.Fields)
	p.paragraph("report.system_id", r.SystemID, maxLine)
	if s := r.SystemScheme; s != "" {
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || len(s) > maxLine {
			p.add("report.system_id_scheme", "%q is not a URI such as https://ietf.org/rfc/rfc4122", remediate.ClipText(s))
		}
		if r.SystemID == "" {
			p.add("report.system_id_scheme", "there is no report.system_id that it would be of")
		}
	}
}

func (r form) checkCosts(p *problems) {
	if len(r.Costs) > maxEntries {
		p.add("report.costs", "at most %d", maxEntries)
		return
	}
	for i, c := range r.Costs {
		at := entry("report.costs", i, c.What.line, c.Amount.line)
		if p.line(at.below("what"), c.What, maxLine) == "" {
			at.below("what").add(p, 0, "missing; what is paid for, such as licences")
		}
		if p.line(at.below("amount"), c.Amount, maxLine) == "" {
			at.below("amount").add(p, 0, "missing; how much, with its currency")
		}
	}
}

// paragraph checks text of a report: on one line where it is short.
func (p *problems) paragraph(key, text string, most int) {
	odd := func(r rune) bool { return r < ' ' && (most == maxLine || r != '\n' && r != '\t') || r == 0x7f }
	if len(text) > most || strings.ContainsFunc(text, odd) {
		where := ""
		if most == maxLine {
			where = ", on one line"
		}
		p.add(key, "at most %d bytes%s, without control characters", most, where)
	}
}

func (p *problems) paragraphs(key string, texts []string) {
	if len(texts) > maxEntries {
		p.add(key, "at most %d", maxEntries)
		return
	}
	for _, text := range texts {
		p.paragraph(key, text, maxPara)
		if strings.TrimSpace(text) == "" {
			p.add(key, "has an entry that says nothing")
		}
	}
}

// answers checks texts by name.
func (p *problems) answers(key string, texts map[string]string) {
	if len(texts) > maxEntries {
		p.add(key, "at most %d", maxEntries)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if name == "" || len(name) > maxName {
			p.add(key, "a name has 1 to %d bytes", maxName)
			continue
		}
		p.paragraph(key+"."+name, texts[name], maxPara)
	}
}

func (f *file) checkLedger(p *problems) {
	p.reference("ledger.passphrase", f.Ledger.Passphrase)
	if f.Ledger.Passphrase != "" && f.Ledger.Identity != "" {
		p.add("ledger.identity", "the key is opened by passphrase or by identity, not by both; take one out")
	}
}

// domain brings the form into the domain's shape.
func (r form) domain() remediate.Form {
	out := remediate.Form{
		Agency: r.Agency, Contact: remediate.Contact(r.Contact), Components: r.Components, Mission: r.Mission, Contracts: r.Contracts,
		Requirements: r.Requirements, Replacement: r.Replacement, ReplaceBy: r.ReplaceBy, Challenges: r.Challenges,
		Fields: r.Fields, SystemID: r.SystemID, SystemIDScheme: r.SystemScheme,
	}
	for _, c := range r.Costs {
		out.Costs = append(out.Costs, remediate.Cost{What: c.What.text, Amount: c.Amount.text})
	}
	if a := r.Attestation; a != nil {
		out.Attest = &remediate.Attested{Name: a.Name, Title: a.Title, Date: a.Date.Time}
	}
	return out
}

func (l ledgerSettings) domain(dir string) remediate.LedgerSettings {
	return remediate.LedgerSettings{Key: Path(dir, l.Key), Passphrase: l.Passphrase, Identity: Path(dir, l.Identity)}
}
