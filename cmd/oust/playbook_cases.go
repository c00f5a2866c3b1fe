package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"oust/playbooks"
	"oust/remediate/probe"
)

func (a *app) playbookTestCommand() *cobra.Command {
	var update bool
	c := &cobra.Command{
		Use:   "test [PLAYBOOK...]",
		Short: "Run the cases of playbooks",
		Long: `Runs the cases of playbooks: facts in, findings and the script out. Every playbook of
the library is matched against every case, so that one that finds what is not its
own shows itself. No host is touched. Without a name, all that ship are tested.

The cases of a playbook stand beside it, in cases/PRODUCT/NAME.yaml, and what each
must give in NAME.golden. --update writes those anew: look at what has changed
before you keep it. Ends with exit code 1 if a case fails.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runPlaybookTest(args, update) },
	}
	c.Flags().BoolVar(&update, "update", false, "write what the cases give to their golden files")
	return c
}

// caseLine is what 'playbook test --json' prints of a case.
type caseLine struct {
	Type     string   `json:"type"`
	Playbook string   `json:"playbook"`
	Case     string   `json:"case"`
	Kind     string   `json:"kind"`
	File     string   `json:"file"`
	OK       bool     `json:"ok"`
	Problems []string `json:"problems,omitempty"`
	Diff     string   `json:"diff,omitempty"`
}

// casesEnd is its last line.
type casesEnd struct {
	Type      string   `json:"type"`
	Playbooks int      `json:"playbooks"`
	Cases     int      `json:"cases"`
	Failed    int      `json:"failed"`
	Missing   []string `json:"missing,omitempty"`
}

func (a *app) runPlaybookTest(names []string, update bool) error {
	picked, err := pickPlaybooks(names)
	if err != nil {
		return err
	}
	shipped, err := playbooks.Embedded()
	if err != nil {
		return err
	}
	all, err := picked.Over(shipped)
	if err != nil {
		return err
	}
	end := casesEnd{Type: "tested", Playbooks: len(picked.List())}
	for _, p := range picked.List() {
		if update && p.Ships() {
			return fmt.Errorf("%s ships with oust: --update writes beside a file of your own; name it by its path", p.Name)
		}
		cases, err := p.Cases(p.Folder())
		if err != nil {
			return err
		}
		for _, missing := range playbooks.MissingCases(cases) {
			end.Missing = append(end.Missing, p.Name+" has no case of kind "+missing)
		}
		for _, c := range cases {
			line, err := runCase(all, p, c, update)
			if err != nil {
				return err
			}
			end.Cases++
			if !line.OK {
				end.Failed++
			}
			if err := a.sayCase(line); err != nil {
				return err
			}
		}
	}
	return a.sayCasesEnd(end)
}

// runCase runs one case. Its golden file is compared, or written.
func runCase(all *playbooks.Library, p *playbooks.Playbook, c *playbooks.Case, update bool) (caseLine, error) {
	line := caseLine{Type: "case", Playbook: p.Name, Case: c.Title, Kind: c.Kind, File: filepath.Join(filepath.Dir(p.File()), c.File())}
	r, err := all.RunCase(c, probe.Reparse)
	if err != nil {
		return line, err
	}
	line.Problems = r.Problems
	golden := filepath.Join(filepath.Dir(p.File()), c.GoldenFile())
	switch got := []byte(r.Golden); {
	case bytes.Equal(got, c.Golden()):
	case update:
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			return line, fmt.Errorf("keep what the case gives: %w", err)
		}
	case c.Golden() == nil:
		line.Problems = append(line.Problems, "there is no "+golden+"; --update writes it")
	default:
		line.Diff = string(diff.Diff(golden, c.Golden(), "now", got))
	}
	line.OK = len(line.Problems) == 0 && line.Diff == ""
	return line, nil
}

func (a *app) sayCase(l caseLine) error {
	if a.json {
		return a.printJSON(l)
	}
	word := "ok  "
	if !l.OK {
		word = "FAIL"
	}
	out := []string{fmt.Sprintf("%s  %s  %s: %s", word, l.Playbook, strings.TrimSuffix(filepath.Base(l.File), filepath.Ext(l.File)), printable(l.Case))}
	for _, p := range l.Problems {
		out = append(out, "      "+printable(p))
	}
	if l.Diff != "" {
		for d := range strings.Lines(l.Diff) {
			out = append(out, "      "+printable(strings.TrimRight(d, "\n")))
		}
	}
	return lines(a.Out, out)
}

func (a *app) sayCasesEnd(end casesEnd) error {
	var err error
	if a.json {
		err = a.printJSON(end)
	} else {
		var out []string
		for _, m := range end.Missing {
			out = append(out, "note: "+m)
		}
		out = append(out, fmt.Sprintf("%s of %s: %s failed", plural(end.Cases, "case"), plural(end.Playbooks, "playbook"), thousands(end.Failed)))
		err = lines(a.Out, out)
	}
	switch {
	case err != nil:
		return err
	case end.Failed > 0:
		return &exitError{exitUsage}
	case end.Cases == 0:
		return errors.New("no case was found; they stand beside the playbook, in cases/PRODUCT/NAME.yaml")
	}
	return nil
}
