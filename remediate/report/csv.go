package report

import (
	"encoding/csv"
	"fmt"
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
// It is UTF-8 with a byte order mark and CR LF (RFC 4180). Times are UTC, as
// 2026-12-09T04:00:00Z, and empty where there is none. A text that a
// spreadsheet could take for a formula has an apostrophe before it, also in the
// middle of a text behind a semicolon or a tab
// (owasp.org/www-community/attacks/CSV_Injection); line breaks are spaces, and
// a text of more than MaxCell characters is cut.
func WriteCSV(w io.Writer, s Snapshot) error {
	if _, err := io.WriteString(w, bom); err != nil {
		return fmt.Errorf("write the CSV file: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	sheet := sheetOf(s)
	row := make([]string, 0, len(sheet)+len(csvColumns))
	for _, c := range sheet {
		row = append(row, cell(c.Title))
	}
	for _, c := range csvColumns {
		row = append(row, besides(c.header, sheet))
	}
	err := out.Write(row)
	for i := 0; i < len(s.Hosts) && err == nil; i++ {
		h := &s.Hosts[i]
		row = row[:0]
		for _, c := range sheet {
			row = append(row, cell(sheetCell(c.Column, h)))
		}
		for _, c := range csvColumns {
			row = append(row, cell(c.of(h)))
		}
		err = out.Write(row)
	}
	if out.Flush(); err == nil {
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("write the CSV file: %w", err)
	}
	return nil
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
