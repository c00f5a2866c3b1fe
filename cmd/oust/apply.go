package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
)

func (a *app) applyCommand() *cobra.Command {
	var opt engine.ApplyOptions
	c := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Run a saved plan, exactly",
		Long: `Runs the scripts of a saved plan, wave by wave. Each host is looked at first: one
whose findings differ from the plan ends as stale, untouched. The removal runs
detached on the host, and counts only when a second look in a new session finds
nothing. A plan that was altered, has expired or belongs to another campaign is
refused. Applying a plan is a person's yes to its scripts: 'oust serve' and 'oust
retry' run them again where that is due, and no others.

A host whose change window is not open is deferred, and later waves wait: the
same command, or 'oust serve', goes on when it opens. A campaign that a stop rule
holds goes on with --resume, after a person has looked; without a plan, --resume
only lets 'oust serve' and 'oust retry' go on.

With --dry-run every host is reached and nothing is changed on it: rights, disk,
locks, pending reboots and drift are checked.

Ctrl-C once: no new hosts, running ones finish. Twice: end now; jobs go on on
their hosts. The same command again takes up an interrupted run: nothing runs
twice.`,
		Example: "  oust apply plan.json --dry-run\n  oust apply plan.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 1:
				return a.runApply(c.Context(), args[0], opt)
			case opt == engine.ApplyOptions{Resume: true}:
				return a.runResume(c.Context())
			}
			return fmt.Errorf("name the plan; usage: %s", c.UseLine())
		},
	}
	c.Flags().BoolVar(&opt.DryRun, "dry-run", false, "reach every host and change nothing")
	c.Flags().BoolVar(&opt.Resume, "resume", false, "go on although a stop rule holds the campaign")
	c.Flags().BoolVar(&opt.IgnoreWindows, "ignore-windows", false, "change hosts outside their windows too; the record says so")
	return c
}

func (a *app) runApply(ctx context.Context, file string, opt engine.ApplyOptions) error {
	plan, err := readPlanFile(file)
	if err != nil {
		return err
	}
	w, err := a.openMandate()
	if err != nil {
		return err
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	ui := a.newReporter()
	defer ui.Close()
	e, err := w.ready(ctx, ui)
	if err != nil {
		return err
	}
	sum, err := e.Apply(ctx, a.stop, plan, w.hosts, opt)
	ui.Close()
	return a.ended(sum, err)
}

// runResume releases the hold and does nothing else.
func (a *app) runResume(ctx context.Context) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	err = w.store.ReleaseHold(ctx, a.now().UTC(), operator())
	if errors.Is(err, remediate.ErrNotFound) {
		return a.said(nil, resumedMessage{Type: "resumed"}, "the campaign is not held\n")
	}
	return a.said(err, resumedMessage{"resumed", true}, "the campaign goes on: failures from now on count anew\n")
}

// resumedMessage says whether a hold was released.
type resumedMessage struct {
	Type string `json:"type"`
	Held bool   `json:"held"`
}

func readPlanFile(file string) (*remediate.Plan, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the plan: %w", err)
	}
	defer func() { _ = f.Close() }()
	return engine.ReadPlan(f)
}
