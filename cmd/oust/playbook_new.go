package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oust/playbooks"
)

// drafting is what 'playbook new' was asked for.
type drafting struct {
	host, from, product, output string
}

func (a *app) playbookNewCommand() *cobra.Command {
	var d drafting
	c := &cobra.Command{
		Use:   "new --product NAME (--host HOST | --from FILE) [-o FILE]",
		Short: "Draft a playbook from a host that was scanned",
		Long: `Drafts a playbook from the last look at a host (see -C), or from a look that was kept
in a file: what carries the product's name, as a name or a publisher, becomes its
signs, and steps that fit what is there. With -o the file is written, with two cases
beside it; without, the draft is printed.

A draft loads, and is no playbook yet: what a person has to find out stands in it as
FILL IN, of which 'oust playbook lint' warns. docs/authoring.md goes on from there.`,
		Example: "  oust playbook new --product widget --host ws01 -o own/widget.yaml\n  oust playbook lint own && oust playbook test own",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case d.product == "":
				return errors.New("say which product: --product NAME, a part of its name")
			case (d.host == "") == (d.from == ""):
				return errors.New("say where the look comes from: --host HOST or --from FILE")
			}
			return a.runPlaybookNew(c.Context(), d)
		},
	}
	f := c.Flags()
	f.StringVar(&d.product, "product", "", "a part of the product's or its publisher's name")
	f.StringVar(&d.host, "host", "", "a host of the campaign that was scanned")
	f.StringVar(&d.from, "from", "", "a file with a look that was kept, '-' for standard input")
	f.StringVarP(&d.output, "output", "o", "", "write the playbook to this file, which must not be there, and its cases beside it")
	return c
}

// draftedPlaybook is what 'playbook new --json' prints.
type draftedPlaybook struct {
	Type  string            `json:"type"`
	Name  string            `json:"name"`
	Text  string            `json:"text"`
	Cases map[string]string `json:"cases"`
	Files []string          `json:"files,omitempty"`
	Known []string          `json:"known,omitempty"`
}

func (a *app) runPlaybookNew(ctx context.Context, d drafting) error {
	raw, _, err := a.keptLook(ctx, rendering{host: d.host, facts: d.from})
	if err != nil {
		return err
	}
	facts, err := readLook(raw, d.from, d.host)
	if err != nil {
		return err
	}
	lib, err := playbooks.Embedded()
	if err != nil {
		return err
	}
	seen := "seen on " + d.host
	if d.host == "" {
		seen = "seen in the look " + filepath.Base(d.from)
	}
	if !facts.HostTime.IsZero() {
		seen += " on " + facts.HostTime.UTC().Format("2006-01-02")
	}
	draft, err := lib.NewDraft(playbooks.DraftInput{Facts: facts, Product: d.product, Seen: seen})
	if err != nil {
		return err
	}
	var files []string
	if d.output != "" {
		if files, err = writeDraft(draft, d.output); err != nil {
			return err
		}
	}
	return a.sayDraft(draft, files, d.output)
}

// writeDraft writes files that were not there before.
func writeDraft(draft *playbooks.Draft, output string) (files []string, err error) {
	_, product, _ := strings.Cut(draft.Name, "/")
	cases := filepath.Join(filepath.Dir(output), "cases", product)
	texts := map[string][]byte{output: draft.Text}
	for name, text := range draft.Cases {
		texts[filepath.Join(cases, name)] = text
	}
	files = slices.Sorted(maps.Keys(texts))
	for _, file := range files {
		if _, err := os.Lstat(file); err == nil {
			return nil, fmt.Errorf("write the draft: %s is there already; name another file with -o, or take it away", file)
		}
	}
	if err := os.MkdirAll(cases, 0o755); err != nil {
		return nil, fmt.Errorf("write the draft: %w", err)
	}
	for _, file := range files {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, fmt.Errorf("write the draft: %w", err)
		}
		_, err = f.Write(texts[file])
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("write the draft: %w", err)
		}
	}
	return files, nil
}

func (a *app) sayDraft(draft *playbooks.Draft, files []string, output string) error {
	if a.json {
		cases := map[string]string{}
		for name, text := range draft.Cases {
			cases[name] = string(text)
		}
		return a.printJSON(draftedPlaybook{Type: "draft", Name: draft.Name, Text: string(draft.Text), Cases: cases, Files: files, Known: draft.Known})
	}
	if len(draft.Known) > 0 {
		known := strings.Join(draft.Known, ", ")
		if _, err := fmt.Fprintf(a.Err, "oust: note: the library knows what was drafted: %s; 'oust playbook show' has its text\n", known); err != nil {
			return err
		}
	}
	if output == "" {
		_, err := a.Out.Write(draft.Text)
		return err
	}
	out := []string{"wrote " + strings.Join(files, ", "), "Next:",
		"  oust playbook lint " + output + "            what is still to be filled in",
		"  oust playbook test " + output + " --update   write what its cases give, and read it"}
	return lines(a.Out, out)
}
