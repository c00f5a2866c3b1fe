package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/sourcegraph/conc/stream"
	"github.com/spf13/cobra"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
)

// matching is what 'playbook match' was asked for.
type matching struct {
	playbooks []string
	facts     []string // files with kept looks
	allHosts  bool
	limit     string
}

func (a *app) playbookMatchCommand() *cobra.Command {
	var m matching
	c := &cobra.Command{
		Use:   "match [PLAYBOOK...] (--all-hosts | --limit EXPR | --facts FILE...)",
		Short: "Show what playbooks find in looks that are kept",
		Long: `Matches playbooks against what the last looks found: of all hosts of a campaign (see
-C), of some, or of looks kept in files (see 'oust playbook render --save'). No host
is touched and nothing is recorded: a playbook written today is tried on the looks
of last week. Without a name, a campaign's own playbooks are matched; with --facts, or
where the campaign names none, all that ship.

Where a playbook asks about a path or key that a look was not asked about, the host
is counted as not asked: scan it with this playbook to know.`,
		RunE: func(c *cobra.Command, args []string) error {
			m.playbooks = args
			if stored := m.allHosts || m.limit != ""; stored == (len(m.facts) > 0) || m.allHosts && m.limit != "" {
				return errors.New("say where the looks come from: --all-hosts, --limit EXPR or --facts FILE")
			}
			return a.runPlaybookMatch(c.Context(), m)
		},
	}
	f := c.Flags()
	f.BoolVar(&m.allHosts, "all-hosts", false, "the last look at every host of the campaign")
	f.StringArrayVar(&m.facts, "facts", nil, "a file with a look that was kept, '-' for standard input; may be repeated")
	addLimit(c, &m.limit)
	return c
}

// lookFound is what playbooks find in one look.
type lookFound struct {
	Type string `json:"type"`
	// Host is a host's name, or the file of the look.
	Host     string              `json:"host"`
	Findings []remediate.Finding `json:"findings"`
	// NotAsked are paths and keys that the look was not asked about.
	NotAsked []string `json:"not_asked,omitempty"`
	Unseen   bool     `json:"unseen,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// matchEnd is the last line of 'playbook match --json'.
type matchEnd struct {
	Type     string         `json:"type"`
	Hosts    int            `json:"hosts"`
	Found    int            `json:"found"`
	NotAsked int            `json:"not_asked"`
	Unseen   int            `json:"unseen"`
	Failed   int            `json:"failed"`
	Products map[string]int `json:"products"`
}

// keptLookOf reads one look; nil where there is none.
type keptLookOf struct {
	name string
	read func() ([]byte, error)
}

func (a *app) runPlaybookMatch(ctx context.Context, m matching) error {
	lib, looks, err := a.looksFor(ctx, m)
	if err != nil {
		return err
	}
	end := matchEnd{Type: "matched", Products: map[string]int{}}
	s := stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	var failed error
	for _, l := range looks {
		s.Go(func() stream.Callback {
			if ctx.Err() != nil {
				return func() { failed = ctx.Err() }
			}
			found := matchLook(lib, l)
			return func() {
				end.count(found)
				if failed == nil {
					failed = a.sayMatch(found)
				}
			}
		})
	}
	s.Wait()
	if failed != nil {
		return failed
	}
	if err := a.sayMatchEnd(lib, end); err != nil {
		return err
	}
	if end.Failed > 0 {
		return &exitError{exitUsage}
	}
	return nil
}

// looksFor finds the playbooks and the looks that were asked for.
func (a *app) looksFor(ctx context.Context, m matching) (*playbooks.Library, []keptLookOf, error) {
	if len(m.facts) > 0 {
		lib, err := pickPlaybooks(m.playbooks)
		var out []keptLookOf
		for _, file := range m.facts {
			out = append(out, keptLookOf{file, func() ([]byte, error) {
				if file == "-" {
					return readAllBounded(a.In, "standard input")
				}
				return readBounded(file)
			}})
		}
		return lib, out, err
	}
	w, err := a.openCampaign()
	if err != nil {
		return nil, nil, err
	}
	lib := w.library
	if len(m.playbooks) > 0 || len(w.campaign.Playbooks) == 0 {
		if lib, err = pickPlaybooks(m.playbooks); err != nil {
			return nil, nil, err
		}
		lib = lib.CountEmbedded(w.campaign.Terms.Embedded)
	}
	if err := w.openStoreToRead(ctx); err != nil {
		return nil, nil, err
	}
	states, err := w.allStates(ctx)
	if err != nil {
		return nil, nil, err
	}
	hosts, err := w.selectHosts(m.limit, func() (hostStates, error) { return states, nil })
	if err != nil {
		return nil, nil, err
	}
	out := make([]keptLookOf, 0, len(hosts))
	for _, h := range hosts {
		digest := states[h.Name].RawDigest
		out = append(out, keptLookOf{h.Name, func() ([]byte, error) {
			if digest == "" {
				return nil, nil
			}
			return w.store.Raw(ctx, digest)
		}})
	}
	return lib, out, nil
}

func matchLook(lib *playbooks.Library, l keptLookOf) lookFound {
	out := lookFound{Type: "match", Host: l.name, Findings: []remediate.Finding{}}
	raw, err := l.read()
	if err == nil && raw == nil {
		out.Unseen = true
		return out
	}
	var facts *remediate.Facts
	if err == nil {
		facts, err = probe.Reparse(raw)
	}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Findings = append(out.Findings, lib.Match(facts)...)
	out.NotAsked = lib.Unanswered(facts)
	return out
}

func (e *matchEnd) count(l lookFound) {
	e.Hosts++
	for _, f := range l.Findings {
		e.Products[productOf(f)]++
	}
	for _, c := range []struct {
		is bool
		n  *int
	}{{len(l.Findings) > 0, &e.Found}, {len(l.NotAsked) > 0, &e.NotAsked}, {l.Unseen, &e.Unseen}, {l.Error != "", &e.Failed}} {
		if c.is {
			*c.n++
		}
	}
}

// productOf is a finding's playbook, and its kind where it is no product.
func productOf(f remediate.Finding) string {
	if f.Kind == remediate.FindProduct {
		return f.Playbook
	}
	return f.Playbook + " (" + string(f.Kind) + ")"
}

// sayMatch prints a look in which something was found, or that failed.
func (a *app) sayMatch(l lookFound) error {
	switch {
	case a.json:
		return a.printJSON(l)
	case l.Error != "":
		return lines(a.Out, []string{printable(l.Host + ": failed: " + l.Error)})
	case len(l.Findings) == 0:
		return nil
	}
	return lines(a.Out, []string{printable(l.Host) + ": " + findingsText(l.Findings)})
}

func (a *app) sayMatchEnd(lib *playbooks.Library, end matchEnd) error {
	if a.json {
		return a.printJSON(end)
	}
	out := []string{fmt.Sprintf("%s, %s matched: something found on %s", plural(end.Hosts, "look"), plural(len(lib.List()), "playbook"), thousands(end.Found))}
	for _, name := range slices.Sorted(maps.Keys(end.Products)) {
		out = append(out, fmt.Sprintf("  %s: %s", name, plural(end.Products[name], "host")))
	}
	for _, n := range []struct {
		n    int
		what string
	}{
		{end.NotAsked, "not asked about all that these playbooks want to know: scan with them to be sure"},
		{end.Unseen, "never seen"}, {end.Failed, "could not be read"},
	} {
		if n.n > 0 {
			out = append(out, fmt.Sprintf("%s %s", plural(n.n, "look"), n.what))
		}
	}
	return lines(a.Out, out)
}
