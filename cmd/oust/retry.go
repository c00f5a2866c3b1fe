package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
)

type retryOptions struct {
	limit, class  string
	ignoreWindows bool
}

func (a *app) retryCommand() *cobra.Command {
	var opt retryOptions
	c := &cobra.Command{
		Use:   "retry",
		Short: "Run now what is due, or a class, or a selection",
		Long: `Does what 'oust serve' would do now, and ends. With --class or --limit the hosts
that these name are taken at once, whatever their pause, and also where they
wait for a person. Hosts that succeed leave the list by themselves.

Only scripts that were applied before are run; change windows hold, and so does
a campaign that is held.`,
		Example: "  oust retry\n  oust retry --class auth\n  oust retry --limit 'site=berlin+class=uninstaller'",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.runRetry(c.Context(), opt) },
	}
	c.Flags().StringVar(&opt.class, "class", "", "only hosts that failed with this class")
	c.Flags().BoolVar(&opt.ignoreWindows, "ignore-windows", false, "change hosts outside their windows too; the record says so")
	addLimit(c, &opt.limit)
	return c
}

func (a *app) runRetry(ctx context.Context, opt retryOptions) error {
	w, err := a.openMandate()
	if err != nil {
		return err
	}
	class := remediate.Class(opt.class)
	if class != "" && !class.Known() {
		return fmt.Errorf("--class %q is no class%s; 'oust status' lists those that hosts have failed with", opt.class, nearClass(opt.class))
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	states, err := w.allStates(ctx)
	if err != nil {
		return err
	}
	hosts, err := w.selectHosts(opt.limit, func() (hostStates, error) { return states, nil })
	if err != nil {
		return err
	}
	if class != "" {
		if hosts = ofClass(hosts, states, class); len(hosts) == 0 {
			_, err := fmt.Fprintf(a.Err, "no host stands failed with class %s\n", class)
			return err
		}
	}
	ui := a.newReporter()
	defer ui.Close()
	e, err := w.ready(ctx, ui)
	if err != nil {
		return err
	}
	serve := engine.ServeOptions{Once: true, IgnoreWindows: opt.ignoreWindows}
	if opt.class != "" || opt.limit != "" {
		serve.Forced, serve.Only = true, make(map[string]bool, len(hosts))
		for _, h := range hosts {
			serve.Only[h.Name] = true
		}
	}
	sum, err := e.Serve(ctx, a.stop, w.hosts, serve)
	ui.Close()
	return a.ended(sum, err)
}

func ofClass(hosts []remediate.Host, states hostStates, class remediate.Class) []remediate.Host {
	var out []remediate.Host
	for _, h := range hosts {
		if states.of(h.Name).Class == class {
			out = append(out, h)
		}
	}
	return out
}

func nearClass(typed string) string {
	var known []string
	for _, c := range remediate.Classes() {
		known = append(known, string(c))
	}
	if near := remediate.Nearest(typed, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}
