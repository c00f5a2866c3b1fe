package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"oust/playbooks"
)

func (a *app) playbookLintCommand() *cobra.Command {
	var rules bool
	c := &cobra.Command{
		Use: "lint PATH...", Short: "Check playbooks of your own",
		Long: `Checks playbook files, and those below folders, each by itself and all together,
and shows every problem with file, line, column and the place. Warnings are no
errors: such a playbook loads, and somebody should look. Ends with exit code 1 if
one does not load. --rules lists what is checked.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if rules {
				return a.runPlaybookRules()
			}
			if len(args) == 0 {
				return fmt.Errorf("name the files or folders to check")
			}
			return a.runPlaybookLint(args)
		},
	}
	c.Flags().BoolVar(&rules, "rules", false, "list the rules instead")
	return c
}

type lintLine struct {
	Type string `json:"type"`
	playbooks.Problem
}

// lintEnd is the last line of 'playbook lint --json'.
type lintEnd struct {
	Type     string `json:"type"`
	Files    int    `json:"files"`
	Errors   int    `json:"errors"`
	Warnings int    `json:"warnings"`
}

func (a *app) runPlaybookLint(paths []string) error {
	files, err := playbookFiles(paths)
	if err != nil {
		return err
	}
	lib, err := playbooks.Embedded()
	if err != nil {
		return err
	}
	end := lintEnd{Type: "linted", Files: len(files)}
	for _, p := range lib.LintFiles(files) {
		if p.Severity == playbooks.SeverityError {
			end.Errors++
		} else {
			end.Warnings++
		}
		if a.json {
			err = a.printJSON(lintLine{Type: "problem", Problem: p})
		} else {
			err = lines(a.Out, problemLines(p))
		}
		if err != nil {
			return err
		}
	}
	if a.json {
		err = a.printJSON(end)
	} else {
		_, err = fmt.Fprintf(a.Out, "%s: %s, %s\n", plural(end.Files, "file"), plural(end.Errors, "error"), plural(end.Warnings, "warning"))
	}
	if err == nil && end.Errors > 0 {
		return &exitError{exitUsage}
	}
	return err
}

// problemLines is a problem as compilers print it, which editors can follow,
// and its place.
func problemLines(p playbooks.Problem) []string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	out := []string{printable(fmt.Sprintf("%s: %s: %s [%s]", where, p.Severity, p.Message, p.Rule))}
	for _, l := range p.Shown() {
		out = append(out, printable(l))
	}
	return out
}

// playbookFiles reads the files named, and the playbooks below folders named.
func playbookFiles(paths []string) ([]playbooks.File, error) {
	var out []playbooks.File
	add := func(name string) error {
		data, err := readBounded(name)
		if err == nil {
			out = append(out, playbooks.File{Name: name, Data: data})
		}
		return err
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			err = playbooks.WalkDir(p, add)
		default:
			err = add(p)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

type ruleLine struct {
	Type string `json:"type"`
	playbooks.Rule
}

func (a *app) runPlaybookRules() error {
	t := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	for _, r := range playbooks.Rules() {
		if a.json {
			if err := a.printJSON(ruleLine{Type: "rule", Rule: r}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", r.Severity, r.Name, r.Meaning)
	}
	return t.Flush()
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
