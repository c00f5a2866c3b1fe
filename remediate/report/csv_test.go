package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

func asCSV(t testing.TB, s report.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteCSV(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readCSV reads as a strict reader does that knows the byte order mark.
func readCSV(t rapid.TB, text []byte) [][]string {
	t.Helper()
	text, marked := bytes.CutPrefix(text, []byte("\ufeff"))
	if !marked {
		t.Error("there is no byte order mark")
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for name, s := range samples() {
		text := asCSV(t, s)
		if s.Report == remediate.ReportStatus { // the others have the same hosts
			golden(t, name+".csv", text)
		}
		rows := readCSV(t, text)
		if len(rows) != len(s.Hosts)+1 {
			t.Fatalf("%s: %d rows for %d hosts", name, len(rows), len(s.Hosts))
		}
		if diff := cmp.Diff(report.CSVHeader(), rows[0][len(rows[0])-len(report.CSVHeader()):]); diff != "" {
			t.Errorf("%s: header (-want +got):\n%s", name, diff)
		}
		checkLines(t, name, text, len(rows))
	}
}

// checkLines: each row is one line that ends in CR LF.
func checkLines(t *testing.T, name string, text []byte, rows int) {
	t.Helper()
	if n := bytes.Count(text, []byte("\r\n")); n != rows || bytes.Count(text, []byte("\n")) != rows || bytes.Count(text, []byte("\r")) != rows {
		t.Errorf("%s: %d CR LF, %d LF, %d CR for %d rows", name, n, bytes.Count(text, []byte("\n")), bytes.Count(text, []byte("\r")), rows)
	}
}

// cellWith is what the column says of a host with this detail.
func cellWith(t *testing.T, detail string) string {
	t.Helper()
	in := report.Input{Report: remediate.ReportStatus, Now: reporttest.Now, Hosts: []report.HostInput{{
		Host:  remediate.Host{Name: "h"},
		State: remediate.HostState{Standing: remediate.StandUnseen, Class: remediate.ClassInternal, Detail: detail},
	}}}
	s, err := report.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	rows := readCSV(t, asCSV(t, s))
	for i, name := range rows[0] {
		if name == "failure_detail" {
			return rows[1][i]
		}
	}
	t.Fatal("no column failure_detail")
	return ""
}

func TestCell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"exit code 1603", "exit code 1603"},
		{`say "hi", then; go`, `say "hi", then; go`},
		{"Лаборатория Касперского 製品", "Лаборатория Касперского 製品"},
		{"=1+1", "'=1+1"},
		{"+1-202-555-0100", "'+1-202-555-0100"},
		{"-2", "'-2"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1+1", "'\t'=1+1"},
		{"\r=1+1", "' =1+1"},
		{"\n=1+1", "' =1+1"},
		{"  =1+1", "'  =1+1"},
		{"＝1+1", "'＝1+1"},
		{"ok;=1+1", "ok;'=1+1"},
		{"ok; \"@SUM(A1);-2", "ok; \"'@SUM(A1);'-2"},
		{"ok\t+1", "ok\t'+1"},
		{"ok;\n＝1", "ok; '＝1"},
		{"=1;=2", "'=1;'=2"},
		{"one\r\ntwo\nthree\rfour", "one two three four"},
		{"bell \x07 nul \x00 esc \x1b[31m", "bell \ufffd nul \ufffd esc \ufffd[31m"},
		{"half \xff\xfe", "half \ufffd"},
		{"\ufeffmark", "\ufffdmark"},
		{strings.Repeat("x", report.MaxCell+1), strings.Repeat("x", report.MaxCell-3) + "..."},
		{strings.Repeat("é", report.MaxCell+1), strings.Repeat("é", report.MaxCell-3) + "..."},
	} {
		if got := cellWith(t, c.text); got != c.want {
			t.Errorf("%.40q: %.60q, want %.60q", c.text, got, c.want)
		}
	}
}

// TestCellHarmless: no text becomes a formula, a second row, or unreadable.
func TestCellHarmless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.String().Draw(r, "text")
		if rapid.Bool().Draw(r, "begins") {
			text = rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "ok;=", "ok\t;\"-", "\xff", "\x00="}).Draw(r, "start") + text
		}
		got := cellWith(t, text)
		if strings.ContainsAny(strings.TrimLeft(got, " ")[:min(1, len(strings.TrimLeft(got, " ")))], "=+-@\t\r\n") {
			r.Fatalf("%q is taken for a formula", got)
		}
		for _, part := range strings.FieldsFunc(got, func(r rune) bool { return r == ';' || r == '\t' }) {
			if part = strings.TrimLeft(part, " \""); part != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(part)[0]) {
				r.Fatalf("%q has a formula where semicolons or tabs part cells", got)
			}
		}
		if strings.ContainsAny(got, "\r\n\x00") || !utf8.ValidString(got) || utf8.RuneCountInString(got) > report.MaxCell {
			r.Fatalf("%q does not fit a cell", got)
		}
	})
}

// TestSheet: the columns of a mandate's own sheet come first.
func TestSheet(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportStatus)
	in.Campaign.Terms.Reports = []remediate.ReportRule{{Report: remediate.ReportStatus, Sheet: []remediate.SheetColumn{
		{Column: remediate.ColumnName, Title: "Host"}, {Column: remediate.ColumnVersion, Title: "=Version"}, {Column: remediate.ColumnEver, Title: "Ever?"},
	}}}
	s, err := report.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	rows := readCSV(t, asCSV(t, s))
	if diff := cmp.Diff([]string{"Host", "'=Version", "Ever?", "oust_host"}, rows[0][:4]); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	got := map[string][]string{}
	for _, row := range rows[1:] {
		got[row[0]] = row[1:3]
	}
	for host, want := range map[string][]string{
		"web01": {"", "N"}, "app15": {"12.1.0-1508; 15.1.0.20748", "Y"}, "app24": {"11.3.0-7441", "Y"}, "app23": {"12.1.0-1600", "Y"}, "lap46": {"", ""},
	} {
		if diff := cmp.Diff(want, got[host]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", host, diff)
		}
	}
	for k := range remediate.ColumnKinds() {
		kind := remediate.ColumnKinds()[k]
		in.Campaign.Terms.Reports[0].Sheet = []remediate.SheetColumn{{Column: kind, Title: "x"}}
		if s, err = report.Build(in); err != nil {
			t.Fatal(err)
		}
		filled := 0
		for _, row := range readCSV(t, asCSV(t, s))[1:] {
			if row[0] != "" {
				filled++
			}
		}
		if filled == 0 {
			t.Errorf("the column %s says nothing of any host", kind)
		}
	}
}

const python = `
import csv, json, sys
with open(sys.argv[1], encoding="utf-8-sig", newline="") as f:
    json.dump(list(csv.reader(f, strict=True)), sys.stdout)
`

// TestCSVPython: Python's reader reads, cell by cell, what Go's does.
func TestCSVPython(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("OUST_NO_SKIP") != "" {
			t.Fatal(err)
		}
		t.Skip("no python3 here")
	}
	in := reporttest.SampleInput(remediate.ReportStatus)
	for i, text := range []string{
		`"`, `""`, `","`, "a\"b,c", "\"\r\n\"", "=cmd|' /C calc'!A0", "\u202e", "\u2028", "\x00", "\x1a", "\x85", "🙂", "'", " ", "\t", `\"`, "\xc3(", strings.Repeat(`",`, 40_000),
	} {
		in.Hosts[i].State.Detail, in.Hosts[i].State.OS, in.Hosts[i].Host.Owner = text, text, text
	}
	s, err := report.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	text := asCSV(t, s)
	file := filepath.Join(t.TempDir(), "hosts.csv")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-c", python, file)
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	var got [][]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := readCSV(t, text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells (-Go +Python):\n%.2000s", diff)
	}
}

// TestWriteTable: cells of any table are as harmless as those of hosts.
func TestWriteTable(t *testing.T) {
	t.Parallel()
	row := make([]string, 2)
	var b bytes.Buffer
	err := report.WriteTable(&b, func(yield func([]string) bool) {
		for _, text := range []string{"name", "=1+1", "a\r\nb"} {
			row[0], row[1] = text, "x"
			if !yield(row) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"name", "x"}, {"'=1+1", "x"}, {"a b", "x"}}, readCSV(t, b.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
