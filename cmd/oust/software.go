package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/sourcegraph/conc/stream"
	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/probe"
	"oust/remediate/software"
)

// stocktaking is what 'software' was asked for.
type stocktaking struct {
	limit, format, output string
}

func (a *app) softwareCommand() *cobra.Command {
	var s stocktaking
	c := &cobra.Command{
		Use:   "software [--limit EXPR] [--format text|csv|json] [-o FILE]",
		Short: "What is installed on the fleet: name, publisher, version, hosts",
		Long: `Lists what the last looks found installed, whatever the playbooks: packages of dpkg,
rpm and apk, applications and receipts of macOS, Windows' list of programs (of the
machine and of its users) and MSIX packages, where look.powershell is on. Equal names
of one publisher and manager stand together, their versions below. No host is touched.

A campaign without playbooks is enough: 'oust scan' then takes stock and nothing else.

csv has a row a version; json a line a product, with the names of its hosts.`,
		Example: "  oust software -o software.csv\n  oust software --limit 'site=berlin' --format json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.runSoftware(c.Context(), s) },
	}
	addLimit(c, &s.limit)
	f := c.Flags()
	f.StringVar(&s.format, "format", "", "text, csv or json (default: as FILE ends, else text)")
	f.StringVarP(&s.output, "output", "o", "", "write to this file, which must not be there")
	return c
}

// stock is what was counted.
type stock struct {
	counter software.Counter
	// names of the hosts whose looks were read, by their numbers.
	names []string
	end   softwareEnd
}

// softwareEnd is the last line of 'software --json'.
type softwareEnd struct {
	Type     string `json:"type"`
	Hosts    int    `json:"hosts"`
	Unseen   int    `json:"unseen"`
	Failed   int    `json:"failed"` // hosts whose kept look cannot be read
	Products int    `json:"products"`
	// NoMSIX are hosts of Windows that were not asked for MSIX packages.
	NoMSIX int `json:"no_msix"`
	// Left were not counted: there were too many versions.
	Left int `json:"left"`
	// Oldest and Newest are of the looks.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
}

func (a *app) runSoftware(ctx context.Context, s stocktaking) error {
	write, err := softwareWriter(s, a.json)
	if err != nil {
		return err
	}
	if s.output != "" {
		if err := (reportOutput{path: s.output}).free(); err != nil {
			return err
		}
	}
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	st, err := w.takeStock(ctx, s.limit)
	if err != nil {
		return err
	}
	products := st.counter.Products()
	st.end.Products = len(products)
	put := func(to io.Writer) error { return write(to, st, products) }
	if s.output != "" {
		err = writeSoftware(s.output, put)
	} else {
		out := bufio.NewWriterSize(a.Out, 1<<16)
		err = errors.Join(put(out), out.Flush())
	}
	if err != nil {
		return err
	}
	if err := lines(a.Err, st.end.notes()); err != nil {
		return err
	}
	if st.end.Failed > 0 {
		return &exitError{exitUsage}
	}
	return nil
}

// sameLook are hosts whose last looks are equal.
type sameLook struct {
	digest string
	first  int // the number of the first of them
	hosts  int
}

// takeStock reads the last look at each host, equal ones once.
func (w *workspace) takeStock(ctx context.Context, limit string) (*stock, error) {
	if err := w.openStoreToRead(ctx); err != nil {
		return nil, err
	}
	states, err := w.allStates(ctx)
	if err != nil {
		return nil, err
	}
	hosts, err := w.selectHosts(limit, func() (hostStates, error) { return states, nil })
	if err != nil {
		return nil, err
	}
	st := &stock{end: softwareEnd{Type: "software_end", Hosts: len(hosts)}}
	looks := st.number(hosts, states)
	s := stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	var failed error
	for _, l := range looks {
		s.Go(func() stream.Callback {
			if ctx.Err() != nil {
				return func() { failed = ctx.Err() }
			}
			has, noMSIX, err := w.installed(ctx, l.digest)
			return func() {
				if err != nil {
					st.end.Failed += l.hosts
					fmt.Fprintf(w.a.Err, "oust: note: the look at %s cannot be read: %s\n", printable(st.names[l.first]), printable(err.Error()))
					return
				}
				st.counter.Add(l.first, l.hosts, has)
				if noMSIX {
					st.end.NoMSIX += l.hosts
				}
			}
		})
	}
	s.Wait()
	st.end.Left = st.counter.Left
	return st, failed
}

// number gives the hosts that were seen their numbers: those with equal looks
// are neighbours.
func (st *stock) number(hosts []remediate.Host, states hostStates) []sameLook {
	var seen []remediate.HostState
	for _, h := range hosts {
		s := states.of(h.Name)
		if s.RawDigest == "" {
			st.end.Unseen++
			continue
		}
		seen = append(seen, s)
		if at := s.SeenAt.UTC(); st.end.Oldest.IsZero() || at.Before(st.end.Oldest) {
			st.end.Oldest = at
		}
		if at := s.SeenAt.UTC(); at.After(st.end.Newest) {
			st.end.Newest = at
		}
	}
	slices.SortFunc(seen, func(a, b remediate.HostState) int {
		return cmp.Or(cmp.Compare(a.RawDigest, b.RawDigest), cmp.Compare(a.Host, b.Host))
	})
	var out []sameLook
	for i, s := range seen {
		st.names = append(st.names, s.Host)
		if n := len(out); n > 0 && out[n-1].digest == s.RawDigest {
			out[n-1].hosts++
			continue
		}
		out = append(out, sameLook{s.RawDigest, i, 1})
	}
	return out
}

// installed reads what a look found, and whether it is of a Windows host that
// was not asked for MSIX packages.
func (w *workspace) installed(ctx context.Context, digest string) (has []software.Installed, noMSIX bool, err error) {
	raw, err := w.store.Raw(ctx, digest)
	if err != nil {
		return nil, false, err
	}
	facts, err := probe.Reparse(raw)
	if err != nil {
		return nil, false, err
	}
	return software.Of(facts), facts.Windows != nil && !slices.Contains(facts.Windows.Answered, "appx"), nil
}

// notes say what the list does not hold.
func (e softwareEnd) notes() []string {
	var out []string
	for _, n := range []struct {
		n    int
		what string
	}{
		{e.Unseen, "never seen: run 'oust scan'"},
		{e.Failed, "left out: what is kept of them cannot be read"},
		{e.NoMSIX, "not asked for MSIX packages: see look.powershell in docs/campaign.md"},
	} {
		if n.n > 0 {
			out = append(out, fmt.Sprintf("oust: note: %s %s", plural(n.n, "host"), n.what))
		}
	}
	if e.Left > 0 {
		out = append(out, fmt.Sprintf("oust: note: more than %s versions: what came after them is left out; use --limit", thousands(software.MaxVersions)))
	}
	return out
}
