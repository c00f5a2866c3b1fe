package report

import (
	"cmp"
	"strings"
)

// The roles of parties, as OSCAL names them.
const (
	rolePreparedBy  = "prepared-by"
	rolePreparedFor = "prepared-for"
	roleContact     = "contact"
	roleApprover    = "content-approver"
)

// metadata says what the document is, and who is behind it.
func (p *poam) metadata() oscalMetadata {
	s := p.s
	m := oscalMetadata{
		Title:        oscalLine(s.Title),
		LastModified: oscalWhen(s.At),
		Version:      oscalLine(string(s.Report) + " " + oscalWhen(s.At)),
		OSCALVersion: OSCALVersion,
		DocumentIDs:  []oscalDocumentID{{Scheme: oscalNS + "/campaign", Identifier: oscalLine(s.CampaignID)}},
		Props:        own("campaign", s.Campaign, "mandate", s.Mandate.Name, "issued", s.Issued, "report", string(s.Report)),
		Remarks:      p.gaps(),
	}
	p.parties(&m)
	return m
}

// parties are the agency, its contact, who signs, who made the report, and
// who gave the mandate; those that nobody has named are left out.
func (p *poam) parties(m *oscalMetadata) {
	form := p.s.Form
	add := func(role, title string, party oscalParty) {
		m.Roles = append(m.Roles, oscalRole{ID: role, Title: title})
		m.Parties = append(m.Parties, party)
		m.ResponsibleParties = append(m.ResponsibleParties, oscalResponsible{Role: role, Parties: []string{party.UUID}})
	}
	var agency []string
	if form.Agency != "" {
		party := oscalParty{UUID: p.id("party", "agency", form.Agency), Type: "organization", Name: oscalLine(form.Agency)}
		agency = []string{party.UUID}
		m.Parties = append(m.Parties, party)
	}
	maker := oscalParty{UUID: p.id("party", "maker", p.s.By), Type: "person", Name: oscalLine(cmp.Or(p.s.By, "unknown")), Members: agency}
	add(rolePreparedBy, "Made the report", maker)
	if issuer := p.s.Mandate.Issuer; issuer != "" {
		add(rolePreparedFor, "Gave the mandate", oscalParty{UUID: p.id("party", "issuer", issuer), Type: "organization", Name: oscalLine(issuer)})
	}
	if form.Contact.Name != "" || form.Contact.Mail != "" || form.Contact.Phone != "" {
		add(roleContact, "Point of contact", p.contact(agency))
	}
	if a := form.Attest; a != nil {
		signer := oscalParty{UUID: p.id("party", "signer", a.Name), Type: "person", Name: oscalLine(a.Name), Members: agency}
		if a.Title != "" {
			signer.Props = []oscalProp{{Name: "job-title", Value: oscalLine(a.Title)}}
		}
		add(roleApprover, "Attests the report", signer)
	}
}

func (p *poam) contact(agency []string) oscalParty {
	c := p.s.Form.Contact
	party := oscalParty{
		UUID: p.id("party", "contact", c.Name), Type: "person", Name: oscalLine(cmp.Or(c.Name, c.Mail, c.Phone)), Members: agency,
	}
	if c.Phone != "" {
		party.Phones = []oscalPhone{{Number: oscalNumber(c.Phone)}}
	}
	switch {
	case oscalMail(c.Mail):
		party.Mails = []string{c.Mail}
	case c.Mail != "":
		party.Remarks = "Mail: " + oscalQuote(oscalLine(c.Mail))
	}
	return party
}

// systemID is that of the system's security plan. Where the campaign does not
// say it, the campaign stands for the system, and the metadata says so.
func (p *poam) systemID() oscalSystemID {
	form := p.s.Form
	if strings.TrimSpace(form.SystemID) == "" {
		return oscalSystemID{Type: oscalNS + "/campaign", ID: oscalLine(p.s.CampaignID)}
	}
	id := oscalSystemID{ID: oscalLine(form.SystemID)}
	if oscalURI(form.SystemIDScheme) {
		id.Type = form.SystemIDScheme
	}
	return id
}

// gaps says what nobody has answered yet.
func (p *poam) gaps() string {
	var out []string
	if strings.TrimSpace(p.s.Form.SystemID) == "" {
		out = append(out, "- No security plan is named (report: system_id in campaign.yaml): the campaign's id stands for the system.")
	}
	if p.s.Form.Agency == "" {
		out = append(out, "- No agency is named (report: agency in campaign.yaml).")
	}
	if p.s.Ledger.Size <= 0 {
		out = append(out, "- There is no ledger yet that the numbers could be checked against.")
	}
	for _, item := range p.s.Items {
		if item.State == ItemGap {
			out = append(out, "- Not answered yet: "+oscalQuote(oscalLine(item.Title)))
		}
	}
	return strings.Join(out, "\n")
}
