package main

import (
	"context"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
)

func (a *app) scanCommand() *cobra.Command {
	var limit string
	c := &cobra.Command{
		Use:   "scan",
		Short: "Identify: look at every host, record facts and findings",
		Long: `Looks at every host once, all at the same time within the campaign's limits,
and records what was found. Nothing is changed on any host.

Where campaign.yaml names no playbooks, the looks are an inventory of software (see
'oust software'): no host is told clear, for nothing was looked for.

Ctrl-C once: no new hosts, running looks finish. Twice: end now.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.runLooks(c.Context(), a.openCampaign, limit, (*engine.Engine).Scan)
		},
	}
	addLimit(c, &limit)
	return c
}

func (a *app) verifyCommand() *cobra.Command {
	var limit string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Look again; find what came back",
		Long: `Looks at every host again, in new sessions, and records where each stands now.
Ends with exit code 2 if a host could not be looked at or is not clean.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.runLooks(c.Context(), a.openMandate, limit, (*engine.Engine).Verify)
		},
	}
	addLimit(c, &limit)
	return c
}

type lookFunc func(*engine.Engine, context.Context, <-chan struct{}, []remediate.Host) (engine.Summary, error)

// runLooks is scan and verify.
func (a *app) runLooks(ctx context.Context, open func() (*workspace, error), limit string, look lookFunc) error {
	w, err := open()
	if err != nil {
		return err
	}
	if err := w.sayOrder(); err != nil {
		return err
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	hosts, err := w.selectHosts(limit, func() (hostStates, error) { return w.allStates(ctx) })
	if err != nil {
		return err
	}
	ui := a.newReporter()
	defer ui.Close()
	e, err := w.ready(ctx, ui)
	if err != nil {
		return err
	}
	sum, err := look(e, ctx, a.stop, hosts)
	ui.Close()
	return a.ended(sum, err)
}

// ended turns a run's end into the program's.
func (a *app) ended(sum engine.Summary, err error) error {
	if err != nil {
		return err
	}
	if code := sum.ExitCode(); code != engine.ExitOK {
		return &exitError{code}
	}
	return nil
}
