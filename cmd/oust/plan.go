package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
)

func (a *app) planCommand() *cobra.Command {
	var out, limit string
	c := &cobra.Command{
		Use:   "plan",
		Short: "Preview what apply would do, and save it",
		Long: `Makes a plan from what the last looks found: the very script for each host, cut
into waves. Hosts with equal scripts are shown together. No host is touched.
The plan file is what 'oust apply' runs, exactly, or refuses.`,
		Example: "  oust plan -o plan.json\n  oust plan show plan.json web01",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.runPlan(c.Context(), out, limit) },
	}
	c.Flags().StringVarP(&out, "output", "o", "plan.json", "write the plan to this file")
	addLimit(c, &limit)
	c.AddCommand(a.planShowCommand())
	return c
}

func (a *app) planShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show PLAN [HOST]",
		Short: "Show a saved plan, or the exact script for a host",
		Long: `Shows a saved plan as 'oust plan' did. With a host, prints what was found there
and the exact script that apply will run. Secrets are not part of a script: it
reads them on the host, so there is nothing to mask.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			plan, err := readPlanFile(args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.showPlan(plan)
			}
			return a.showPlanHost(plan, args[1])
		},
	}
}

func (a *app) runPlan(ctx context.Context, out, limit string) error {
	w, err := a.openMandate()
	if err != nil {
		return err
	}
	if err := w.written(); err != nil {
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
	e, err := w.ready(ctx, engine.SinkFunc(func(engine.Event) {}))
	if err != nil {
		return err
	}
	plan, err := e.Plan(ctx, hosts)
	if err != nil {
		return err
	}
	if err := writeFileAtomic(out, func(f io.Writer) error { return engine.WritePlan(f, plan) }); err != nil {
		return err
	}
	if err := a.showPlan(plan); err != nil {
		return err
	}
	if a.json {
		return nil
	}
	if err := lines(a.Out, firstLines(w.library, plan)); err != nil {
		return err
	}
	gate, err := e.NewGate(ctx, false)
	if err != nil {
		return err
	}
	windows, err := windowLines(plan, w.hosts, gate, a.now(), 100)
	if err != nil {
		return err
	}
	if err := lines(a.Out, windows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "\nSaved as %[1]s. Next:\n  oust%[2]s plan show %[1]s HOST     the exact script for a host\n"+
		"  oust%[2]s apply %[1]s --dry-run    reach every host, change nothing\n  oust%[2]s apply %[1]s              run it\n", out, a.dirFlag())
	return err
}

// dirFlag repeats -C in commands that we tell people to type.
func (a *app) dirFlag() string {
	if a.dir == "." {
		return ""
	}
	return " -C " + a.dir
}

// writeFileAtomic writes a file whole or not at all, readable by its owner.
func writeFileAtomic(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// planGroup is the hosts of a plan that get the same script for the same
// products.
type planGroup struct {
	Script   string   `json:"script"`
	Products string   `json:"products"`
	Hosts    []string `json:"hosts"`
}

func groupPlan(p *remediate.Plan) []planGroup {
	type key struct{ script, products string }
	at := map[key]int{}
	var out []planGroup
	for _, h := range p.Hosts {
		k := key{h.Script, findingsText(h.Goes())}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, planGroup{Script: k.script, Products: k.products})
		}
		out[i].Hosts = append(out[i].Hosts, h.Name)
	}
	slices.SortStableFunc(out, func(a, b planGroup) int {
		return cmp.Or(-cmp.Compare(len(a.Hosts), len(b.Hosts)), cmp.Compare(a.Products, b.Products))
	})
	return out
}

type planMessage struct {
	Type   string               `json:"type"`
	ID     string               `json:"id"`
	Digest string               `json:"digest"`
	Hosts  int                  `json:"hosts"`
	Waves  []int                `json:"waves"`
	Groups []planGroup          `json:"groups"`
	Stays  []stayGroup          `json:"stays,omitempty"`
	Left   []remediate.PlanLeft `json:"left,omitempty"`
}

func (a *app) showPlan(p *remediate.Plan) error {
	groups, stays := groupPlan(p), stayGroups(p)
	if a.json {
		return a.printJSON(planMessage{Type: "plan", ID: p.ID, Digest: p.Digest, Hosts: len(p.Hosts), Waves: p.Waves, Groups: groups, Stays: stays, Left: p.Left})
	}
	const width = 100
	out := []string{
		fmt.Sprintf("Plan for %s, made %s, expires %s", printable(p.Campaign),
			p.Created.UTC().Format("2006-01-02 15:04 UTC"), p.Expires.UTC().Format("2006-01-02 15:04 UTC")),
		fmt.Sprintf("%s to change, in %s: %s", plural(len(p.Hosts), "host"), plural(len(p.Waves), "wave"), numbers(p.Waves)),
	}
	for _, g := range groups {
		out = append(out, "", fmt.Sprintf("%s  script %s  %s", plural(len(g.Hosts), "host"), shortDigest(g.Script), g.Products),
			"    "+few(g.Hosts, width-4))
	}
	out = append(out, stayLines(stays, width)...)
	out = append(out, leftLines(p.Left, width)...)
	return lines(a.Out, out)
}

// leftLines groups the hosts that a plan leaves alone.
func leftLines(left []remediate.PlanLeft, width int) []string {
	const mostDetails = 10
	text := map[string]string{
		remediate.LeftUnseen:      "unseen, so not in this plan",
		remediate.LeftUnsupported: "found, and oust cannot remove it there: a person has to",
		remediate.LeftExempt:      "exempt",
		remediate.LeftClean:       "clean: nothing found at the last look",
	}
	var out []string
	for _, reason := range []string{remediate.LeftUnsupported, remediate.LeftUnseen, remediate.LeftExempt, remediate.LeftClean} {
		names := []string{}
		details := map[string][]string{}
		var order []string
		for _, l := range left {
			if l.Reason != reason {
				continue
			}
			names = append(names, l.Name)
			if details[l.Detail] == nil {
				order = append(order, l.Detail)
			}
			details[l.Detail] = append(details[l.Detail], l.Name)
		}
		if len(names) == 0 {
			continue
		}
		out = append(out, "", fmt.Sprintf("%s %s", plural(len(names), "host"), text[reason]))
		if reason == remediate.LeftClean {
			out = append(out, "    "+few(names, width-4))
			continue
		}
		for i, d := range order {
			if i == mostDetails {
				out = append(out, fmt.Sprintf("    and %s more reasons; --json lists all", thousands(len(order)-i)))
				break
			}
			out = append(out, fmt.Sprintf("    %s: %s", few(details[d], width/2), printable(d)))
		}
	}
	return out
}

func numbers(ns []int) string {
	if len(ns) == 0 {
		return "none"
	}
	parts := make([]string, len(ns))
	for i, n := range ns {
		parts[i] = thousands(n)
	}
	return strings.Join(parts, " + ")
}

func shortDigest(d string) string {
	d = strings.TrimPrefix(d, "sha256:")
	return d[:min(12, len(d))]
}

type planHostMessage struct {
	Type string `json:"type"`
	remediate.PlanHost
	Text string `json:"text"`
}

func (a *app) showPlanHost(p *remediate.Plan, name string) error {
	names := make([]string, 0, len(p.Hosts))
	for _, h := range p.Hosts {
		names = append(names, h.Name)
		if h.Name != name {
			continue
		}
		text, _ := p.ScriptText(h.Script)
		if a.json {
			return a.printJSON(planHostMessage{Type: "plan_host", PlanHost: h, Text: text})
		}
		fmt.Fprintf(a.Err, "# host %s, wave %d of %d, script %s\n", printable(h.Name), h.Wave, len(p.Waves), h.Script)
		for _, f := range h.Findings {
			if err := lines(a.Err, evidenceLines(f)); err != nil {
				return err
			}
		}
		if err := lines(a.Err, hostStayLines(h.Stays, h.Findings)); err != nil {
			return err
		}
		_, err := io.WriteString(a.Out, text)
		return err
	}
	for _, l := range p.Left {
		if l.Name == name {
			if err := lines(a.Err, hostStayLines(l.Stays, nil)); err != nil {
				return err
			}
			return fmt.Errorf("the plan leaves host %s alone: %s: %s", name, l.Reason, printable(l.Detail))
		}
	}
	hint := ""
	if near := remediate.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Errorf("host %q is not in the plan%s", name, hint)
}
