package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"oust/remediate/campaign"
	"oust/remediate/schedule"
)

func (a *app) initCommand() *cobra.Command {
	var mandate, issued string
	c := &cobra.Command{
		Use:   "init DIR --mandate bod-17-01 --issued DATE",
		Short: "Write a commented campaign.yaml and an empty hosts.csv",
		Long: `Makes the folder of a new campaign: a commented campaign.yaml and an empty
hosts.csv. Nothing that is there already is overwritten.`,
		Example: "  oust init kaspersky-2026 --mandate bod-17-01 --issued 2026-10-01",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runInit(args[0], mandate, issued)
		},
	}
	c.Flags().StringVar(&mandate, "mandate", "bod-17-01", "the mandate whose milestones count")
	c.Flags().StringVar(&issued, "issued", "", "the day on which it was issued, YYYY-MM-DD: day 0 of the milestones (default: today)")
	return c
}

func (a *app) runInit(dir, mandate, issued string) error {
	day := a.now().UTC().Truncate(24 * time.Hour)
	if issued != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, issued); err != nil {
			return fmt.Errorf("--issued %q: want a date such as 2026-10-01", issued)
		}
	}
	if _, err := schedule.Milestones(mandate, day, time.Time{}); err != nil {
		return fmt.Errorf("--mandate: %w", err)
	}
	if err := campaign.Init(dir, mandate, day); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Out, `Made the campaign folder %[1]s:
  campaign.yaml  what goes, how to log in, how fast
  hosts.csv      the hosts; only the column name is required
Next: fill both in, then
  oust -C %[1]s hosts    to see the inventory as oust reads it
  oust -C %[1]s scan     to look at every host
`, dir)
	return err
}
