package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/campaign"
	"oust/remediate/mandate"
	"oust/remediate/schedule"
)

func (a *app) initCommand() *cobra.Command {
	var name, issued string
	c := &cobra.Command{
		Use:   "init DIR --mandate bod-17-01 --issued DATE",
		Short: "Write a commented campaign.yaml and an empty hosts.csv",
		Long: `Makes the folder of a new campaign: a commented campaign.yaml and an empty
hosts.csv. Nothing that is there already is overwritten.`,
		Example: "  oust init kaspersky-2026 --mandate bod-17-01 --issued 2026-10-01",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runInit(args[0], name, issued)
		},
	}
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long += "\n\nMandates that are built in:\n" + builtinLines() + "\nA mandate of your own is a YAML file; give its path (docs/mandates.md)."
		c.Parent().HelpFunc()(c, args)
	})
	c.Flags().StringVar(&name, "mandate", "bod-17-01", "the mandate whose milestones count: one that is built in, or a path")
	c.Flags().StringVar(&issued, "issued", "", "the day on which it was issued, YYYY-MM-DD: day 0 of the milestones (default: today; for a mandate with fixed days, the day of its own issue)")
	return c
}

// builtinLines names the mandates that are built in.
func builtinLines() string {
	var b strings.Builder
	for _, name := range mandate.Builtin() {
		m, err := mandate.Named(name)
		if err != nil {
			m.Title = err.Error() // not reached: all of them are tested
		}
		fmt.Fprintf(&b, "  %-14s %s\n", name, m.Title)
	}
	return b.String()
}

func (a *app) runInit(dir, name, issued string) error {
	terms, name, err := chosenMandate(dir, name)
	if err != nil {
		return fmt.Errorf("--mandate: %w", err)
	}
	day := a.now().UTC().Truncate(24 * time.Hour)
	if !terms.Issued.IsZero() && slices.ContainsFunc(terms.Milestones, func(r remediate.MilestoneRule) bool { return !r.Due.Date.IsZero() }) {
		day = terms.Issued
	}
	if issued != "" {
		if day, err = time.Parse(time.DateOnly, issued); err != nil {
			return fmt.Errorf("--issued %q: want a date such as 2026-10-01", issued)
		}
	}
	if _, err := schedule.Milestones(terms, day, time.Time{}, time.Time{}); err != nil {
		return fmt.Errorf("--mandate: %w", err)
	}
	if err = campaign.Init(dir, name, day); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, `Made the campaign folder %[1]s:
  campaign.yaml  what goes, how to log in, how fast
  hosts.csv      the hosts; only the column name is required
Next: fill both in, then
  oust -C %[1]s hosts    to see the inventory as oust reads it
  oust -C %[1]s scan     to look at every host
`, dir)
	return err
}

// chosenMandate reads the mandate of a new campaign, and says how its file names
// it: the path of a file is written as seen from the campaign folder.
func chosenMandate(dir, name string) (remediate.Mandate, string, error) {
	if !mandate.IsFile(name) {
		m, err := mandate.Named(name)
		return m, name, err
	}
	m, err := mandate.File(name)
	if err != nil || filepath.IsAbs(name) {
		return m, name, err
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return m, "", err
	}
	to, err := filepath.Abs(name)
	if err != nil {
		return m, "", err
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return m, to, nil //nolint:nilerr // on another drive: only the whole path leads there
	}
	if !strings.HasPrefix(rel, "..") {
		rel = "./" + rel
	}
	return m, filepath.ToSlash(rel), nil
}
