package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// Build makes the snapshot. It is pure: equal inputs give equal snapshots. Its
// slices are never nil.
func Build(in Input) (Snapshot, error) {
	if !slices.Contains(remediate.ReportKinds(), in.Report) {
		return Snapshot{}, fmt.Errorf("build the report: unknown kind %q", in.Report)
	}
	b := &builder{in: in, now: in.Now.UTC()}
	if err := b.readHosts(); err != nil {
		return Snapshot{}, fmt.Errorf("build the %s report: %w", in.Report, err)
	}
	c := in.Campaign
	b.s = Snapshot{
		Format: Format, Report: in.Report, Title: title(in), At: b.now, By: in.By,
		Campaign: c.Name, CampaignID: in.CampaignID, Issued: c.Issued.Format(time.DateOnly),
		Mandate: wholeMandate(c.Terms), Form: c.Form, Ledger: in.Ledger,
		Milestones: orEmpty(in.Milestones), Duties: orEmpty(in.Duties), Waves: orEmpty(in.Waves), Timeline: orEmpty(in.Timeline),
		Submissions: wholeSubmissions(in.Submissions), Held: in.Held, Hosts: b.rows,
	}
	if in.Report == remediate.ReportIdentify {
		b.s.Timeline = []Stage{}
	}
	b.s.Totals = b.totals()
	b.s.Products, b.s.Methods, b.s.Unseen = b.products(), b.methods(), b.unseen()
	b.s.Failures, b.s.Exemptions, b.s.Reappeared = b.failures(), b.exemptions(), b.reappeared()
	b.s.Burndown = b.burndown()
	b.s.Statement = b.statement()
	b.s.Items = b.items()
	return b.s, nil
}

// builder carries one Build.
type builder struct {
	in  Input
	now time.Time
	// hosts are in.Hosts by name; rows stand beside them.
	hosts []*HostInput
	rows  []HostRow
	index map[string]int // of rows, by name
	// exempt is the end of the exemption that holds now, by host.
	exempt map[string]time.Time
	s      Snapshot
}

func (b *builder) readHosts() error {
	b.hosts = make([]*HostInput, len(b.in.Hosts))
	for i := range b.in.Hosts {
		b.hosts[i] = &b.in.Hosts[i]
	}
	slices.SortFunc(b.hosts, func(x, y *HostInput) int { return strings.Compare(x.Host.Name, y.Host.Name) })
	b.exempt = map[string]time.Time{}
	for _, e := range b.in.Exemptions {
		if e.Holds(b.now) && !e.At.After(b.now) {
			b.exempt[e.Host] = e.Until.UTC()
		}
	}
	b.rows, b.index = make([]HostRow, len(b.hosts)), make(map[string]int, len(b.hosts))
	for i := range b.hosts {
		if i > 0 && b.hosts[i].Host.Name == b.hosts[i-1].Host.Name {
			return fmt.Errorf("host %s is there twice", b.hosts[i].Host.Name)
		}
		b.index[b.hosts[i].Host.Name] = i
		b.row(i)
	}
	return nil
}

// row fills the row of a host.
func (b *builder) row(i int) {
	x := b.hosts[i]
	h, st := &x.Host, &x.State
	r := &b.rows[i]
	*r = HostRow{
		Name: h.Name, Address: h.DialAddress(), Site: h.Site, Owner: h.Owner, Zone: h.Zone, Tags: h.Tags,
		Platform: cmp.Or(st.Platform, h.Platform), OS: st.OS, Standing: cmp.Or(st.Standing, remediate.StandUnseen),
		Class: st.Class, Detail: st.Detail, Findings: foundThings(st.Findings),
		SeenAt: utc(st.SeenAt), Transport: cmp.Or(st.Transport, h.Transport), Probe: st.Probe,
		FoundAt: utc(st.FoundAt), RemovedAt: utc(st.RemovedAt),
		Outcome: st.Last.Kind, OutcomeAt: utc(st.LastAt), Reboots: st.Reboots, Bare: st.Bare,
		Next: x.Next.Work, NextAt: utc(x.Next.At), Person: x.Next.Person, Why: x.Next.Why,
	}
	r.Before = before(x.Ever, r.Findings)
	r.Until, r.Exempt = b.exempt[h.Name], !b.exempt[h.Name].IsZero()
}

func foundThings(fs []remediate.Finding) []FoundThing {
	if len(fs) == 0 {
		return nil
	}
	out := make([]FoundThing, len(fs))
	for i, f := range fs {
		out[i] = FoundThing{Playbook: f.Playbook, Title: f.Product, Version: f.Version, Kind: f.Kind}
	}
	return out
}

// before is what of ever does not stand in now: equal playbook, version and
// kind are one thing.
func before(ever, now []FoundThing) []FoundThing {
	same := func(x, y FoundThing) int {
		return cmp.Or(cmp.Compare(x.Playbook, y.Playbook), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Version, y.Version))
	}
	var out []FoundThing
	for _, e := range ever {
		if !slices.ContainsFunc(now, func(n FoundThing) bool { return same(e, n) == 0 }) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(x, y FoundThing) int { return cmp.Or(same(x, y), cmp.Compare(x.Title, y.Title)) })
	return slices.CompactFunc(out, func(x, y FoundThing) bool { return same(x, y) == 0 })
}

// utc is t in UTC; the zero time stays what it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// wholeMandate has no list that is nil where it must be there.
func wholeMandate(m remediate.Mandate) remediate.Mandate {
	m.Sources, m.Covers = orEmpty(m.Sources), orEmpty(m.Covers)
	m.Milestones, m.Reports = orEmpty(m.Milestones), slices.Clone(orEmpty(m.Reports))
	for i := range m.Reports {
		m.Reports[i].Items = orEmpty(m.Reports[i].Items)
	}
	return m
}

func wholeSubmissions(ss []remediate.Submission) []remediate.Submission {
	out := make([]remediate.Submission, len(ss))
	for i, s := range ss {
		s.Files = orEmpty(s.Files)
		out[i] = s
	}
	return out
}

// orEmpty is s, and an empty slice for nil.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// counted reports whether a thing is one of those that must go.
func counted(f FoundThing) bool { return f.Kind != remediate.FindEmbedded }

// everFound reports whether anything that counts was ever found on a host.
func everFound(r *HostRow) bool {
	switch r.Standing {
	case remediate.StandPresent, remediate.StandRemoved, remediate.StandReappeared:
		return true
	}
	return !r.FoundAt.IsZero() || slices.ContainsFunc(r.Findings, counted) || slices.ContainsFunc(r.Before, counted)
}

// hasNow reports whether something is on a host as far as is known.
func hasNow(r *HostRow) bool {
	return r.Standing == remediate.StandPresent || r.Standing == remediate.StandReappeared
}
