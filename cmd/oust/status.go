package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
)

func (a *app) statusCommand() *cobra.Command {
	var limit string
	var full bool
	c := &cobra.Command{
		Use:   "status [HOST]",
		Short: "Counts by standing and class, against the milestones",
		Long: `Shows where the campaign stands: hosts by standing, failures by class, and
which of the mandate's milestones are met, due or late. Every host of the
inventory counts; one that was never seen counts as unseen, never as clean.

With a host, tells its story: what was seen, approved, run, printed and found
afterwards, in UTC and in the host's own time zone. #N is the number of the
record in the ledger that says so; 'oust audit' proves it.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.runHostStatus(c.Context(), args[0], full)
			}
			return a.runStatus(c.Context(), limit)
		},
	}
	addLimit(c, &limit)
	c.Flags().BoolVar(&full, "full", false, "with a host: all that its uninstallers printed, not the end alone")
	return c
}

// statusMessage is what 'status --json' prints, in one object.
type statusMessage struct {
	Type     string                     `json:"type"`
	Campaign string                     `json:"campaign"`
	Hosts    int                        `json:"hosts"`
	Standing map[remediate.Standing]int `json:"standing"`
	Exempt   int                        `json:"exempt"`
	Failed   map[remediate.Class]int    `json:"failed"`
	// Milestones and Duties are of the whole campaign, whatever hosts were asked
	// for.
	Milestones []schedule.MilestoneState `json:"milestones"`
	Duties     []schedule.DutyState      `json:"duties,omitempty"`
	zone       *time.Location            // of the mandate's days
	// Held is the hold in force.
	Held  *remediate.Hold      `json:"held,omitempty"`
	Waves []engine.WaveOutlook `json:"waves,omitempty"`
	// Next counts the hosts by their next work; waiting for a person come first.
	Next []nextLine `json:"next,omitempty"`
	// Bare names hosts that nothing protects after a removal.
	Bare []string `json:"bare,omitempty"`
	// Unasked are hosts whose standings do not tell of all playbooks, nil if all do.
	Unasked *unaskedLine `json:"unasked,omitempty"`
}

// nextLine is hosts that need the same next.
type nextLine struct {
	Work   schedule.Work `json:"work"`
	Person bool          `json:"person,omitempty"`
	Hosts  int           `json:"hosts"`
	// From is when the first of them is due; zero for what waits for a person.
	From time.Time `json:"from,omitzero"`
	// Why is that of all of them, empty where they differ.
	Why string `json:"why,omitempty"`
}

func (a *app) runStatus(ctx context.Context, limit string) error {
	defer hurry()()
	w, e, records, err := a.openRecords(ctx)
	if err != nil {
		return err
	}
	if len(w.campaign.Playbooks) == 0 {
		fmt.Fprintln(a.Err, "oust: note: no playbooks are named, so hosts stay unseen whatever was looked at: 'oust software' lists what is installed")
	}
	hosts, err := w.selectHosts(limit, func() (hostStates, error) { return statesOf(records), nil })
	if err != nil {
		return err
	}
	m := statusMessage{
		Type: "status", Campaign: w.campaign.Name, Hosts: len(hosts),
		Standing: map[remediate.Standing]int{}, Failed: map[remediate.Class]int{},
	}
	for _, s := range remediate.Standings() {
		m.Standing[s] = 0
	}
	for _, c := range remediate.Classes() {
		m.Failed[c] = 0
	}
	outlook, err := e.OutlookOf(ctx, records, hosts, w.hosts)
	if err != nil {
		return err
	}
	m.Held, m.Waves, m.Next = outlook.Held, outlook.Waves, nextLines(outlook.Hosts)
	for i, h := range hosts {
		st := outlook.Hosts[i].State
		if st.Bare != "" {
			m.Bare = append(m.Bare, h.Name)
		}
		if outlook.Hosts[i].Work == schedule.WorkExempt {
			m.Exempt++ // counted apart
			continue
		}
		m.Standing[st.Standing]++
		if st.Class != "" {
			m.Failed[st.Class]++
		}
	}
	if m.Unasked, err = w.unasked(ctx, outlook.Hosts); err != nil {
		return err
	}
	all := outlook.Hosts
	if len(hosts) < len(w.hosts) {
		whole, err := e.OutlookOf(ctx, records, w.hosts, w.hosts)
		if err != nil {
			return err
		}
		all = whole.Hosts
	}
	var seen everSeen
	for st := range records.States {
		seen.add(st)
	}
	reckoned, err := w.milestones(ctx, all, &seen)
	if err != nil {
		return err
	}
	m.Milestones, m.Duties = reckoned.days, reckoned.duties
	if m.zone, err = time.LoadLocation(w.campaign.Terms.Zone); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(m)
	}
	return lines(a.Out, statusLines(m))
}

func statusLines(m statusMessage) []string {
	out := []string{fmt.Sprintf("%s: %s", printable(m.Campaign), plural(m.Hosts, "host"))}
	for _, s := range remediate.Standings() {
		out = append(out, fmt.Sprintf("  %-12s %7s  %s", s, thousands(m.Standing[s]), bar(m.Standing[s], m.Hosts)))
	}
	if m.Exempt > 0 {
		out = append(out, fmt.Sprintf("  %-12s %7s", "exempt", thousands(m.Exempt)))
	}
	if m.Unasked != nil {
		out = append(out, "", m.Unasked.String())
	}
	failed := 0
	for _, n := range m.Failed {
		failed += n
	}
	if failed > 0 {
		out = append(out, "", fmt.Sprintf("%s with a failure that nothing better has followed", plural(failed, "host")))
		for _, c := range remediate.Classes() {
			if n := m.Failed[c]; n > 0 {
				out = append(out, fmt.Sprintf("  %-13s %6s  %s", c, thousands(n), c.Advice()))
			}
		}
	}
	out = append(out, heldLines(m)...)
	out = append(out, nextTexts(m.Next)...)
	if len(m.Bare) > 0 {
		out = append(out, "", fmt.Sprintf("nothing protects %s from which a product was removed", plural(len(m.Bare), "host")), "  "+few(m.Bare, 90))
	}
	return append(out, milestoneTexts(m.Milestones, m.Duties, m.zone)...)
}

// bar draws a share of all hosts, 30 columns at most.
func bar(n, all int) string {
	const columns = 30
	if all == 0 || n == 0 {
		return ""
	}
	return strings.Repeat("█", max(1, n*columns/all))
}
