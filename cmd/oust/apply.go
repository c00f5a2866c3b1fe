package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
)

func (a *app) applyCommand() *cobra.Command {
	var opt engine.ApplyOptions
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Run a saved plan, exactly",
		Long: `Runs the scripts of a saved plan, wave by wave. Each host is looked at first: one
whose findings differ from the plan ends as stale, untouched. The removal runs
detached on the host, and counts only when a second look in a new session finds
nothing. A plan that was altered, has expired or belongs to another campaign is
refused.

With --dry-run every host is reached and nothing is changed on it: rights, disk,
locks, pending reboots and drift are checked.

Ctrl-C once: no new hosts, running ones finish. Twice: end now; jobs go on on
their hosts. The same command again takes up an interrupted run: nothing runs
twice.`,
		Example: "  oust apply plan.json --dry-run\n  oust apply plan.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.runApply(c.Context(), args[0], opt)
		},
	}
	c.Flags().BoolVar(&opt.DryRun, "dry-run", false, "reach every host and change nothing")
	return c
}

func (a *app) runApply(ctx context.Context, file string, opt engine.ApplyOptions) error {
	plan, err := readPlanFile(file)
	if err != nil {
		return err
	}
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	if err := w.openStore(ctx); err != nil {
		return err
	}
	ui := a.newReporter()
	defer ui.Close()
	e, err := w.engine(ui)
	if err != nil {
		return err
	}
	sum, err := e.Apply(ctx, a.stop, plan, w.hosts, opt)
	ui.Close()
	return a.ended(sum, err)
}

func readPlanFile(file string) (*remediate.Plan, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the plan: %w", err)
	}
	defer func() { _ = f.Close() }()
	return engine.ReadPlan(f)
}
