package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
)

func (a *app) playbookCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "playbook",
		Short: "The library of playbooks, and your own",
		Long: `A playbook is what is known about removing one product: how it is recognised, the
steps that remove it, what it leaves behind, and where each claim comes from.`,
	}
	var facts string
	var busyWait time.Duration
	render := &cobra.Command{
		Use:   "render PLAYBOOK --facts FILE",
		Short: "Show the script that a playbook gives for facts",
		Long: `Matches a playbook against a kept look (--facts, the framed text that a look
printed) and prints the findings and the exact script.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runPlaybookRender(args[0], facts, busyWait) },
	}
	render.Flags().StringVar(&facts, "facts", "", "file with what a look printed, '-' for standard input")
	render.Flags().DurationVar(&busyWait, "busy-wait", time.Minute, "how long the script waits for another package manager")
	_ = render.MarkFlagRequired("facts")
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "All playbooks of the library", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return a.runPlaybookList() },
		},
		&cobra.Command{
			Use: "show PLAYBOOK", Short: "A playbook's text, with its digest", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return a.runPlaybookShow(args[0]) },
		},
		&cobra.Command{
			Use: "lint FILE...", Short: "Check playbooks of your own", Args: cobra.MinimumNArgs(1),
			Long: "Checks playbook files and folders, and shows every problem with file, line and\ncolumn. Ends with exit code 1 if one does not load.",
			RunE: func(_ *cobra.Command, args []string) error { return a.runPlaybookLint(args) },
		},
		render,
	)
	return c
}

// pickPlaybooks finds a playbook by name, or those of a path of one's own.
func pickPlaybooks(name string) (*playbooks.Library, error) {
	lib, err := playbooks.Embedded()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(name); err == nil && strings.HasSuffix(name, ".yaml") && !filepath.IsAbs(name) && !strings.HasPrefix(name, ".") {
		name = "./" + name
	}
	return lib.Select(".", []string{name})
}

type playbookLine struct {
	Type       string               `json:"type"`
	Name       string               `json:"name"`
	Title      string               `json:"title"`
	Platforms  []remediate.Platform `json:"platforms"`
	Confidence string               `json:"confidence"`
	ReportOnly bool                 `json:"report_only"`
	Digest     string               `json:"digest"`
}

func (a *app) runPlaybookList() error {
	lib, err := playbooks.Embedded()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	if !a.json {
		fmt.Fprintln(t, "PLAYBOOK\tPRODUCT\tPLATFORMS\tCONFIDENCE\tDIGEST")
	}
	for _, p := range lib.List() {
		if a.json {
			if err := a.printJSON(playbookLine{Type: "playbook", Name: p.Name, Title: p.Title, Platforms: p.Platforms,
				Confidence: p.Confidence, ReportOnly: p.ReportOnly(), Digest: p.Digest()}); err != nil {
				return err
			}
			continue
		}
		platforms := make([]string, len(p.Platforms))
		for i, pl := range p.Platforms {
			platforms[i] = string(pl)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.Title, strings.Join(platforms, " "), p.Confidence, shortDigest(p.Digest()))
	}
	return t.Flush()
}

type playbookText struct {
	Type   string `json:"type"`
	Name   string `json:"name"`
	Digest string `json:"digest"`
	File   string `json:"file"`
	Text   string `json:"text"`
}

func (a *app) runPlaybookShow(name string) error {
	lib, err := pickPlaybooks(name)
	if err != nil {
		return err
	}
	for _, p := range lib.List() {
		if a.json {
			if err := a.printJSON(playbookText{Type: "playbook_text", Name: p.Name, Digest: p.Digest(), File: p.File(), Text: string(p.Text())}); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(a.Out, "# %s, %s\n# %s\n%s", p.Name, p.Digest(), p.File(), p.Text()); err != nil {
			return err
		}
	}
	return nil
}

type lintLine struct {
	Type string `json:"type"`
	playbooks.Problem
}

func (a *app) runPlaybookLint(paths []string) error {
	files, err := playbookFiles(paths)
	if err != nil {
		return err
	}
	bad := 0
	for _, file := range files {
		data, err := readBounded(file)
		if err != nil {
			return err
		}
		for _, p := range playbooks.Lint(file, data) {
			if p.Severity == playbooks.SeverityError {
				bad++
			}
			if a.json {
				err = a.printJSON(lintLine{Type: "problem", Problem: p})
			} else {
				_, err = fmt.Fprintf(a.Out, "%s: %s\n", p.Severity, p)
			}
			if err != nil {
				return err
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%s in %s", plural(bad, "error"), plural(len(files), "file"))
	}
	if a.json {
		return nil
	}
	_, err = fmt.Fprintf(a.Out, "%s: no errors\n", plural(len(files), "file"))
	return err
}

// playbookFiles are the files named, and the .yaml files below folders named.
func playbookFiles(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, p)
			continue
		}
		err = filepath.WalkDir(p, func(name string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) {
				out = append(out, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no .yaml file there")
	}
	return out, nil
}

// maxInput bounds a file that a command reads whole, in bytes.
const maxInput = 8 << 20

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readAllBounded(f, file)
}

func readAllBounded(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("%s: larger than %d MiB", name, maxInput>>20)
	}
	return data, err
}

func (a *app) runPlaybookRender(name, factsFile string, busyWait time.Duration) error {
	lib, err := pickPlaybooks(name)
	if err != nil {
		return err
	}
	var raw []byte
	if factsFile == "-" {
		raw, err = readAllBounded(a.In, "standard input")
	} else {
		raw, err = readBounded(factsFile)
	}
	if err != nil {
		return err
	}
	facts, err := probe.Reparse(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", factsFile, err)
	}
	findings := lib.Match(facts)
	if len(findings) == 0 {
		_, err := fmt.Fprintln(a.Err, "nothing found in these facts: there is nothing to render")
		return err
	}
	for _, f := range findings {
		for _, ev := range f.Evidence {
			fmt.Fprintf(a.Err, "# found %s: %s %s\n", f.Playbook, ev.Kind, printable(ev.Value))
		}
	}
	script, err := lib.Render(playbooks.RenderInput{Facts: facts, Findings: findings, BusyWait: busyWait})
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, script.Text)
	return err
}
