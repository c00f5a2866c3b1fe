package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/report"
)

type reportOptions struct {
	outputs []string
	format  string
	plan    string
	submit  string
	force   bool
}

func (a *app) reportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "What the mandate asks for: identify, plan or status, in HTML, CSV, JSON or OSCAL",
		Long: `Makes a report with exactly the items that the mandate asks for, from what is
recorded. What nobody has said yet is shown as a gap, with the key of
campaign.yaml that fills it. Hosts that were not seen are counted and named as
such, never as clean. No host is reached. Without -o and --format it is printed
in words.

The format is that of --format, or of a file's name: .html, .csv (one row a
host), .json, .oscal.json (an OSCAL plan of action and milestones). Several -o in
one run show the same moment. Hosts that failed do not make a report fail.

Once a report is handed in, record that with --submit: it is what meets a
milestone. With the names of files and without -o, no report is made: those
files, such as signed ones, are recorded.`,
		Example: `  oust report identify
  oust report status -o status.html -o status.csv -o status.oscal.json
  oust report identify -o identify.html --submit 'DHS, by mail'
  oust report identify --submit 'DHS, by mail' identify-signed.pdf`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	short := map[remediate.ReportKind]string{
		remediate.ReportIdentify: "What was found, on how many hosts, and how it was looked for",
		remediate.ReportPlan:     "How and when it will be removed",
		remediate.ReportStatus:   "How far the removal has come",
	}
	for _, kind := range remediate.ReportKinds() {
		c.AddCommand(a.oneReportCommand(kind, short[kind]))
	}
	return c
}

func (a *app) oneReportCommand(kind remediate.ReportKind, short string) *cobra.Command {
	var opt reportOptions
	c := &cobra.Command{
		Use:   string(kind) + " [FILE...]",
		Short: short,
		Long:  short + ". See 'oust report --help'.\n\n" + exitCodesHelp,
		RunE: func(c *cobra.Command, files []string) error {
			if err := opt.check(files); err != nil {
				return err
			}
			if len(files) > 0 {
				return a.runSubmit(c.Context(), kind, opt.submit, files)
			}
			return a.runReport(c.Context(), kind, opt)
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&opt.outputs, "output", "o", nil, "write the report to this file; may be given more than once")
	f.StringVar(&opt.format, "format", "", "text, html, csv, json or oscal")
	f.StringVar(&opt.plan, "plan", "", "take the timeline from this plan file; default the approved plans, or the newest plan file of the folder")
	f.StringVar(&opt.submit, "submit", "", "record that the files were handed in, and to whom")
	f.BoolVar(&opt.force, "force", false, "write over files that are there")
	return c
}

// check refuses what would be half understood.
func (o reportOptions) check(files []string) error {
	const most = 500
	switch {
	case len(files) > 0 && o.submit == "":
		return errors.New("files are named to record that they were handed in: say to whom with --submit, or write a report with -o")
	case len(files) > 0 && (len(o.outputs) > 0 || o.format != "" || o.plan != "" || o.force):
		return errors.New("with files that are there already, --submit stands alone; to make a report and record it, name its files with -o")
	case len(files) == 0 && o.submit != "" && len(o.outputs) == 0:
		return errors.New("--submit: name the files that were handed in, or those to write with -o")
	case len(o.submit) > most:
		return fmt.Errorf("--submit: at most %d bytes", most)
	case max(len(files), len(o.outputs)) > remediate.MaxSubmitted:
		return fmt.Errorf("at most %d files", remediate.MaxSubmitted)
	case o.format != "" && len(o.outputs) > 1:
		return errors.New("--format is for one file; with several, their names say the formats")
	}
	return nil
}

func (a *app) runReport(ctx context.Context, kind remediate.ReportKind, opt reportOptions) error {
	outs, err := planOutputs(opt)
	if err != nil {
		return err
	}
	w, err := a.openMandate()
	if err != nil {
		return err
	}
	if err := w.spareOwn(outs); err != nil {
		return err
	}
	s, err := w.snapshot(ctx, kind, opt.plan)
	if err != nil {
		return err
	}
	if len(outs) == 0 {
		return a.printReport(s, opt.format)
	}
	written, err := writeReports(outs, s)
	if err != nil {
		return err
	}
	if err := a.tellWritten(s, written); err != nil || opt.submit == "" {
		return err
	}
	return a.submit(ctx, w, kind, opt.submit, written)
}

// reportFormat is a format of reports.
type reportFormat struct {
	name string
	// endings of files that have it, in lower case.
	endings []string
	write   func(io.Writer, report.Snapshot) error
}

// reportFormats lists the formats; the endings of one that comes earlier go
// first.
func reportFormats() []reportFormat {
	return []reportFormat{
		{"oscal", []string{".oscal.json", ".oscal"}, report.WriteOSCAL},
		{"json", []string{".json"}, report.WriteJSON},
		{"csv", []string{".csv"}, report.WriteCSV},
		{"html", []string{".html", ".htm"}, report.WriteHTML},
		{"text", []string{".txt"}, writeReportText},
	}
}

func formatNamed(name string) (reportFormat, error) {
	var known []string
	for _, f := range reportFormats() {
		if f.name == name {
			return f, nil
		}
		known = append(known, f.name)
	}
	slices.Sort(known)
	return reportFormat{}, fmt.Errorf("--format %q: want %s", name, strings.Join(known, ", "))
}

func formatOf(file string) (reportFormat, error) {
	for _, f := range reportFormats() {
		for _, e := range f.endings {
			if strings.HasSuffix(strings.ToLower(file), e) {
				return f, nil
			}
		}
	}
	return reportFormat{}, fmt.Errorf("-o %s: its name does not say the format: end it in .html, .csv, .json, .oscal.json or .txt, or give --format", file)
}

// printReport prints a report to standard output.
func (a *app) printReport(s report.Snapshot, format string) error {
	if a.json && format == "" {
		return a.printJSON(reportMessage{Type: "report", Snapshot: s})
	}
	if format == "" {
		format = "text"
	}
	f, err := formatNamed(format)
	if err != nil {
		return err
	}
	return f.write(a.Out, s)
}

// reportMessage is a report as 'report --json' prints it, in one object.
type reportMessage struct {
	Type string `json:"type"`
	report.Snapshot
}
