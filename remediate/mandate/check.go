package mandate

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

// Limits of a mandate, in characters, entries and days. The schema has the
// same.
const (
	maxLine     = 300
	maxText     = 4000
	maxEntries  = 200
	maxHolidays = 2000
	maxDays     = 3650
)

// What embedded says.
const (
	included = "included"
	excluded = "excluded"
)

var (
	namePattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)
	fieldPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// problem is what is wrong with one key, named by its path.
type problem struct{ key, text string }

type problems struct{ list []problem }

func (p *problems) add(key, format string, args ...any) {
	p.list = append(p.list, problem{key, fmt.Sprintf(format, args...)})
}

// check lists everything that is wrong with the values, in the file's order.
func (f *file) check() []problem {
	var p problems
	if f.Format != format {
		p.add("format", "want %d", format)
	}
	p.name("mandate", f.Mandate)
	p.text("title", f.Title, maxLine)
	p.text("issuer", f.Issuer, maxLine)
	if f.Issued != "" {
		p.day("issued", f.Issued)
	}
	if _, err := time.LoadLocation(f.Zone); err != nil || f.Zone == "Local" {
		p.add("zone", "%q is not a time zone such as America/New_York", f.Zone)
	}
	p.texts("sources", f.Sources, true)
	for i, s := range f.Sources {
		p.source(fmt.Sprintf("sources[%d]", i), s)
	}
	p.texts("covers", f.Covers, true)
	p.texts("excludes", f.Excludes, false)
	p.oneOf("embedded", f.Embedded, excluded, included)
	f.checkMilestones(&p)
	p.count("holidays", len(f.Holidays), 0, maxHolidays)
	for i, h := range f.Holidays {
		p.day(fmt.Sprintf("holidays[%d]", i), h)
	}
	f.checkDuties(&p)
	f.checkReports(&p)
	f.checkExemptions(&p)
	if a := f.Attestation; a != nil {
		p.text("attestation.by", a.By, maxLine)
		p.text("attestation.statement", a.Statement, maxText)
	}
	return p.list
}

func (f *file) checkMilestones(p *problems) {
	p.count("milestones", len(f.Milestones), 1, maxEntries)
	var before []string
	own := 0
	for i, m := range f.Milestones {
		at := fmt.Sprintf("milestones[%d].", i)
		p.name(at+"name", m.Name)
		if m.Name == remediate.FromFound || slices.Contains(before, m.Name) {
			p.add(at+"name", "%q is taken", m.Name)
		}
		p.text(at+"what", m.What, maxLine)
		p.due(at+"due", m.Due, before)
		p.oneOf(at+"met", m.Met, texts(remediate.MetKinds())...)
		reports := m.Met == string(remediate.MetReported) || m.Met == string(remediate.MetCompleted)
		switch {
		case reports:
			p.oneOf(at+"report", m.Report, texts(remediate.ReportKinds())...)
		case m.Report != "":
			p.add(at+"report", "only what is met by reported or completed has a report")
		}
		if m.Campaign {
			if own++; own > 1 {
				p.add(at+"campaign", "a campaign has one finish date; only one milestone can be its own")
			}
		}
		before = append(before, m.Name)
	}
}

// due checks when a milestone is due; before are the names of those before it.
func (p *problems) due(at string, d due, before []string) {
	ways := 0
	for _, set := range []bool{d.Days != nil, d.BusinessDays != nil, d.Date != ""} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		p.add(at, "say one of days, business_days and date")
	}
	p.between(at+".days", d.Days, 0, maxDays)
	p.between(at+".business_days", d.BusinessDays, 1, maxDays)
	if d.Date != "" {
		p.day(at+".date", d.Date)
		if d.From != "" {
			p.add(at+".from", "a fixed date counts from nothing")
		}
		return
	}
	known := append([]string{remediate.FromFound}, before...)
	if d.From != "" && !slices.Contains(known, d.From) {
		p.add(at+".from", "%q is no milestone before this one; known here: %s%s", d.From, strings.Join(known, ", "), meant(d.From, known))
	}
}

func (f *file) checkDuties(p *problems) {
	p.count("duties", len(f.Duties), 0, maxEntries)
	var names, milestones []string
	for _, m := range f.Milestones {
		milestones = append(milestones, m.Name)
	}
	for i, d := range f.Duties {
		at := fmt.Sprintf("duties[%d].", i)
		p.name(at+"name", d.Name)
		if slices.Contains(names, d.Name) {
			p.add(at+"name", "%q is taken", d.Name)
		}
		p.text(at+"what", d.What, maxLine)
		p.oneOf(at+"report", d.Report, texts(remediate.ReportKinds())...)
		if !slices.Contains(milestones, d.After) {
			p.add(at+"after", "%q is no milestone%s", d.After, meant(d.After, milestones))
		}
		if (d.Every.Days == nil) == (d.Every.BusinessDays == nil) {
			p.add(at+"every", "say one of days and business_days")
		}
		p.between(at+"every.days", d.Every.Days, 1, maxDays)
		p.between(at+"every.business_days", d.Every.BusinessDays, 1, maxDays)
		p.oneOf(at+"until", d.Until, string(remediate.MetFinished), string(remediate.MetCompleted))
		names = append(names, d.Name)
	}
}

func (f *file) checkReports(p *problems) {
	p.count("reports", len(f.Reports), 0, len(remediate.ReportKinds()))
	var kinds []string
	for i, r := range f.Reports {
		at := fmt.Sprintf("reports[%d].", i)
		p.oneOf(at+"report", r.Report, texts(remediate.ReportKinds())...)
		if slices.Contains(kinds, r.Report) {
			p.add(at+"report", "%q is there already", r.Report)
		}
		kinds = append(kinds, r.Report)
		p.text(at+"title", r.Title, maxLine)
		p.count(at+"items", len(r.Items), 1, maxEntries)
		for k, one := range r.Items {
			f.checkItem(p, fmt.Sprintf("%sitems[%d].", at, k), one)
		}
		p.count(at+"sheet", len(r.Sheet), 0, maxEntries)
		for k, one := range r.Sheet {
			below := fmt.Sprintf("%ssheet[%d].", at, k)
			p.oneOf(below+"column", one.Column, texts(remediate.ColumnKinds())...)
			p.text(below+"title", one.Title, maxLine)
		}
	}
}

func (f *file) checkItem(p *problems, at string, one item) {
	if one.Ref != "" {
		p.text(at+"ref", one.Ref, maxLine)
	}
	p.oneOf(at+"item", one.Item, texts(remediate.ItemKinds())...)
	p.text(at+"title", one.Title, maxLine)
	switch {
	case one.Item == string(remediate.ItemField):
		if !fieldPattern.MatchString(one.Field) {
			p.add(at+"field", "%q is not a name of small letters, digits and _ that begins with a letter", one.Field)
		}
	case one.Field != "":
		p.add(at+"field", "only the item field has one")
	case one.Item == string(remediate.ItemAttest) && f.Attestation == nil:
		p.add(at+"item", "there is no attestation; say by and statement under attestation")
	}
}

func (f *file) checkExemptions(p *problems) {
	e := f.Exemptions
	if e.None && (len(e.Grounds) > 0 || e.MaxDays != nil || e.Mitigations) {
		p.add("exemptions.none", "where there are no exemptions, nothing else is said of them")
	}
	p.count("exemptions.grounds", len(e.Grounds), 0, maxEntries)
	p.between("exemptions.max_days", e.MaxDays, 1, maxDays)
	var names []string
	for i, g := range e.Grounds {
		at := fmt.Sprintf("exemptions.grounds[%d].", i)
		p.name(at+"name", g.Name)
		if slices.Contains(names, g.Name) {
			p.add(at+"name", "%q is taken", g.Name)
		}
		names = append(names, g.Name)
		p.text(at+"what", g.What, maxLine)
	}
}

func (p *problems) name(key, value string) {
	if !namePattern.MatchString(value) {
		p.add(key, "%q is not a name of small letters, digits, - and .", remediate.ClipText(value))
	}
}

// text checks one line of text.
func (p *problems) text(key, value string, most int) {
	switch {
	case strings.Trim(value, " ") == "":
		p.add(key, "missing")
	case utf8.RuneCountInString(value) > most || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		p.add(key, "at most %d characters, on one line", most)
	}
}

func (p *problems) texts(key string, values []string, needed bool) {
	least := 0
	if needed {
		least = 1
	}
	p.count(key, len(values), least, maxEntries)
	for i, v := range values {
		p.text(fmt.Sprintf("%s[%d]", key, i), v, maxLine)
	}
}

// source checks that a source can be looked up: it has an address of the web.
func (p *problems) source(key, value string) {
	for _, word := range strings.Fields(value) {
		u, err := url.Parse(word)
		if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			return
		}
	}
	p.add(key, "names no address such as https://www.example.org/directive")
}

func (p *problems) count(key string, n, least, most int) {
	switch {
	case n < least:
		p.add(key, "missing; at least %d", least)
	case n > most:
		p.add(key, "at most %d", most)
	}
}

func (p *problems) between(key string, n *int, from, to int) {
	if n != nil && (*n < from || *n > to) {
		p.add(key, "%d is not a number from %d to %d", *n, from, to)
	}
}

func (p *problems) oneOf(key, value string, known ...string) {
	if !slices.Contains(known, value) {
		p.add(key, "%q is not known; want %s%s", remediate.ClipText(value), strings.Join(known, ", "), meant(value, known))
	}
}

func (p *problems) day(key, value string) {
	if _, err := parseDay(value); err != nil {
		p.add(key, "%v", err)
	}
}

func parseDay(text string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil || d.Year() < 1990 || d.Year() > 9990 {
		return time.Time{}, fmt.Errorf("%q is not a date such as 2026-10-01", remediate.ClipText(text))
	}
	return d, nil
}

func meant(typed string, known []string) string {
	if near := remediate.Nearest(typed, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// texts are names as text.
func texts[T ~string](names []T) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
