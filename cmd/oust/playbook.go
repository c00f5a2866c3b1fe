package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"oust/playbooks"
	"oust/remediate"
)

func (a *app) playbookCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "playbook",
		Short: "The library of playbooks, and your own",
		Long: `A playbook is what is known about removing one product: how it is recognised, the
steps that remove it, what it leaves behind, and where each claim comes from.

A PLAYBOOK is a name of the library (kaspersky/kesl), a vendor of it (kaspersky),
or a path of your own (./own, ./own/widget.yaml). docs/playbooks.md has the format.`,
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownSubcommand(c, args[0])
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list [PLAYBOOK...]", Short: "The playbooks of the library, or those named",
			RunE: func(_ *cobra.Command, args []string) error { return a.runPlaybookList(args) },
		},
		&cobra.Command{
			Use: "show PLAYBOOK", Short: "A playbook's text, with its digest", Args: cobra.ExactArgs(1),
			Long: `Prints a playbook's text as it is: 'oust playbook show kaspersky/kesl >my.yaml' is a
start for one of your own. Name, digest and file go to standard error.`,
			RunE: func(_ *cobra.Command, args []string) error { return a.runPlaybookShow(args[0]) },
		},
		a.playbookLintCommand(), a.playbookRenderCommand(), a.playbookTestCommand(), a.playbookMatchCommand(), a.playbookSchemaCommand(), a.playbookNewCommand(),
	)
	return c
}

// unknownSubcommand is what was typed in the place of one of c's commands.
func unknownSubcommand(c *cobra.Command, typed string) error {
	var names []string
	for _, s := range c.Commands() {
		names = append(names, s.Name())
	}
	if near := remediate.Nearest(typed, names); near != "" {
		return fmt.Errorf("%s has no command %q; did you mean %s?", c.CommandPath(), typed, near)
	}
	return fmt.Errorf("%s has no command %q; there are %s", c.CommandPath(), typed, strings.Join(names, ", "))
}

// pickPlaybooks finds playbooks by name, or those of a path of one's own. A
// path may be written without ./ where no playbook has that name.
func pickPlaybooks(names []string) (*playbooks.Library, error) {
	lib, err := playbooks.Embedded()
	if err != nil || len(names) == 0 {
		return lib, err
	}
	var picked []string
	for _, n := range names {
		if _, err := os.Stat(n); err == nil && !ships(lib, n) && !filepath.IsAbs(n) {
			n = "." + string(filepath.Separator) + n
		}
		picked = append(picked, n)
	}
	return lib.Select(".", picked)
}

// ships reports whether a name is one of the library's, or a vendor of it.
func ships(lib *playbooks.Library, name string) bool {
	for _, n := range lib.Names() {
		if n == name || strings.HasPrefix(n, name+"/") {
			return true
		}
	}
	return false
}

type playbookLine struct {
	Type       string               `json:"type"`
	Name       string               `json:"name"`
	Title      string               `json:"title"`
	Kind       string               `json:"kind"`
	Platforms  []remediate.Platform `json:"platforms"`
	After      []string             `json:"after,omitempty"`
	Secrets    []string             `json:"secrets,omitempty"`
	First      string               `json:"first,omitempty"`
	Confidence string               `json:"confidence"`
	ReportOnly bool                 `json:"report_only"`
	RemovesOn  []remediate.Platform `json:"removes_on,omitempty"`
	File       string               `json:"file"`
	Digest     string               `json:"digest"`
}

func (a *app) runPlaybookList(names []string) error {
	lib, err := pickPlaybooks(names)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(a.Out, 0, 4, 1, ' ', 0)
	if !a.json {
		fmt.Fprintln(t, "PLAYBOOK\tON\tCONFIDENCE\tPRODUCT")
	}
	for _, p := range lib.List() {
		if !a.json {
			fmt.Fprintln(t, playbookRow(p))
			continue
		}
		line := playbookLine{Type: "playbook", Name: p.Name, Title: p.Title, Kind: cmp.Or(p.Kind, playbooks.KindProduct),
			Platforms: p.Platforms, After: p.After, First: strings.TrimSpace(p.First), Confidence: p.Confidence, ReportOnly: p.ReportOnly(), RemovesOn: p.RemovesOn(), File: p.File(), Digest: p.Digest()}
		for _, s := range p.Secrets {
			line.Secrets = append(line.Secrets, s.Name)
		}
		if err := a.printJSON(line); err != nil {
			return err
		}
	}
	return t.Flush()
}

// playbookRow is a line of the list. The product stands last, so that a narrow
// terminal breaks nothing but it.
func playbookRow(p *playbooks.Playbook) string {
	platforms := make([]string, len(p.Platforms))
	for i, pl := range p.Platforms {
		platforms[i] = string(pl)
	}
	product := p.Title
	switch {
	case p.Is(playbooks.KindEmbedded):
		product += " (inside other products: reported, not removed)"
	case p.ReportOnly():
		product += " (reported, not removed)"
	default:
		left := slices.DeleteFunc(slices.Clone(platforms), func(x string) bool { return slices.Contains(p.RemovesOn(), remediate.Platform(x)) })
		if len(left) > 0 {
			product += " (on " + strings.Join(left, " and ") + " reported, not removed)"
		}
	}
	return strings.Join([]string{p.Name, strings.Join(platforms, ","), p.Confidence, product}, "\t")
}

type playbookText struct {
	Type   string `json:"type"`
	Name   string `json:"name"`
	Digest string `json:"digest"`
	File   string `json:"file"`
	Text   string `json:"text"`
}

func (a *app) runPlaybookShow(name string) error {
	lib, err := pickPlaybooks([]string{name})
	if err != nil {
		return err
	}
	for i, p := range lib.List() {
		if a.json {
			err = a.printJSON(playbookText{Type: "playbook_text", Name: p.Name, Digest: p.Digest(), File: p.File(), Text: string(p.Text())})
		} else {
			err = a.showPlaybook(p, i == 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// showPlaybook prints a text byte for byte, so that it can be kept in a file
// with the same digest; several are parted as documents of YAML are.
func (a *app) showPlaybook(p *playbooks.Playbook, first bool) error {
	parted := ""
	if !first {
		parted = "---\n"
	}
	fmt.Fprintf(a.Err, "# %s  %s\n# %s\n%s", p.Name, p.Digest(), p.File(), orderLine(p))
	if first := strings.Join(strings.Fields(p.First), " "); first != "" {
		fmt.Fprintf(a.Err, "# before the removal: %s\n", printable(first))
	}
	_, err := fmt.Fprintf(a.Out, "%s%s", parted, p.Text())
	return err
}
