package report

import (
	"io"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// bom tells spreadsheets that UTF-8 follows. Excel reads a CSV file without it
// in the code page of the machine; LibreOffice knows it; Python strips it with
// the encoding utf-8-sig.
const bom = "\ufeff"

// WriteCSV writes one row a host, in the order of their names, below one row of
// headers: first the columns of the mandate's own sheet, if it has one, then
// those of CSVHeader.
//
// It is written as WriteTable does. Times are UTC, as 2026-12-09T04:00:00Z, and
// empty where there is none.
func WriteCSV(w io.Writer, s Snapshot) error {
	sheet := sheetOf(s)
	return WriteTable(w, func(yield func([]string) bool) {
		row := make([]string, 0, len(sheet)+len(csvColumns))
		for _, c := range sheet {
			row = append(row, c.Title)
		}
		for _, c := range csvColumns {
			row = append(row, besides(c.header, sheet))
		}
		for i := 0; yield(row) && i < len(s.Hosts); i++ {
			h := &s.Hosts[i]
			row = row[:0]
			for _, c := range sheet {
				row = append(row, sheetCell(c.Column, h))
			}
			for _, c := range csvColumns {
				row = append(row, c.of(h))
			}
		}
	})
}

// CSVHeader is the header of every CSV file, behind the columns of a mandate's
// own sheet. It does not change; columns may be added at its end.
func CSVHeader() []string {
	out := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		out[i] = c.header
	}
	return out
}

type csvColumn struct {
	header string
	of     func(*HostRow) string
}

var csvColumns = []csvColumn{
	{"host", func(h *HostRow) string { return h.Name }},
	{"address", func(h *HostRow) string { return h.Address }},
	{"site", func(h *HostRow) string { return h.Site }},
	{"owner", func(h *HostRow) string { return h.Owner }},
	{"zone", func(h *HostRow) string { return h.Zone }},
	{"tags", func(h *HostRow) string { return strings.Join(h.Tags, "; ") }},
	{"platform", func(h *HostRow) string { return string(h.Platform) }},
	{"os", func(h *HostRow) string { return h.OS }},
	{"standing", func(h *HostRow) string { return string(h.Standing) }},
	{"exempt", func(h *HostRow) string { return yesNo(h.Exempt) }},
	{"exempt_until", func(h *HostRow) string { return stamp(h.Until) }},
	{"products", func(h *HostRow) string { return things(h.Findings, remediate.FindProduct) }},
	{"residue", func(h *HostRow) string { return things(h.Findings, remediate.FindResidue) }},
	{"embedded", func(h *HostRow) string { return things(h.Findings, remediate.FindEmbedded) }},
	{"found_before", func(h *HostRow) string { return things(h.Before, "") }},
	{"first_found", func(h *HostRow) string { return stamp(h.FoundAt) }},
	{"last_seen", func(h *HostRow) string { return stamp(h.SeenAt) }},
	{"removed_at", func(h *HostRow) string { return stamp(h.RemovedAt) }},
	{"transport", func(h *HostRow) string { return h.Transport }},
	{"probe", func(h *HostRow) string { return h.Probe }},
	{"failure_class", func(h *HostRow) string { return string(h.Class) }},
	{"failure_detail", func(h *HostRow) string { return h.Detail }},
	{"outcome", func(h *HostRow) string { return string(h.Outcome) }},
	{"outcome_at", func(h *HostRow) string { return stamp(h.OutcomeAt) }},
	{"reboots", func(h *HostRow) string { return strconv.Itoa(h.Reboots) }},
	{"unprotected", func(h *HostRow) string { return h.Bare }},
	{"next", func(h *HostRow) string { return h.Next }},
	{"next_at", func(h *HostRow) string { return stamp(h.NextAt) }},
	{"person", func(h *HostRow) string { return yesNo(h.Person) }},
	{"why", func(h *HostRow) string { return h.Why }},
}

// besides is a header of ours that differs from all titles of a mandate's.
func besides(header string, sheet []remediate.SheetColumn) string {
	for _, c := range sheet {
		if strings.EqualFold(c.Title, header) {
			return "oust_" + header
		}
	}
	return header
}

func sheetOf(s Snapshot) []remediate.SheetColumn {
	for _, r := range s.Mandate.Reports {
		if r.Report == s.Report {
			return r.Sheet
		}
	}
	return nil
}

// sheetCell is what a column of a mandate's sheet says of a host.
func sheetCell(c remediate.ColumnKind, h *HostRow) string {
	switch c {
	case remediate.ColumnName:
		return h.Name
	case remediate.ColumnAddress:
		return h.Address
	case remediate.ColumnVersion:
		return versionCell(h)
	case remediate.ColumnOS:
		return h.OS
	case remediate.ColumnEver:
		switch {
		case everFound(h):
			return "Y"
		case h.Standing == remediate.StandUnseen:
			return ""
		}
		return "N"
	case remediate.ColumnStanding:
		return string(h.Standing)
	case remediate.ColumnSite:
		return h.Site
	case remediate.ColumnOwner:
		return h.Owner
	case remediate.ColumnSeen:
		return stamp(h.SeenAt)
	case remediate.ColumnFound:
		return stamp(h.FoundAt)
	case remediate.ColumnRemoved:
		return stamp(h.RemovedAt)
	}
	return ""
}

// versionCell lists the versions that stand on a host, or that stood there
// before.
func versionCell(h *HostRow) string {
	fs := h.Findings
	if len(fs) == 0 {
		fs = h.Before
	}
	var out []string
	for _, f := range fs {
		if f.Version != "" && counted(f) {
			out = append(out, f.Version)
		}
	}
	return strings.Join(out, "; ")
}

// things lists those of a kind, of every kind where it is empty.
func things(fs []FoundThing, kind remediate.FindingKind) string {
	var out []string
	for _, f := range fs {
		if kind == "" || f.Kind == kind {
			out = append(out, strings.TrimSuffix(f.Playbook+" "+f.Version, " "))
		}
	}
	return strings.Join(out, "; ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// stamp is a time for programs, empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
