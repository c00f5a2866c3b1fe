package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"oust/remediate"
)

type exemptOptions struct {
	reason, approver, until string
	ground, mitigation      string
	end, against, retired   bool
}

func (a *app) exemptCommand() *cobra.Command {
	var opt exemptOptions
	c := &cobra.Command{
		Use:   "exempt [HOST]",
		Short: "Exempt a host until a day, or list who is exempt",
		Long: `Takes a host out of plans, retries and counts of what is left, until the end of a
day in the host's own time zone. It comes back by itself. With --end it comes
back now. Without a host, lists all exemptions, and what the mandate allows.

What the mandate does not allow is refused: a ground that it does not name, a
longer term, no word of what is done instead. The term is one for all exemptions
of a host: a renewal adds to the days that it has had. With --against-mandate it
is recorded all the same, and its reason says so, here and in every report.

A host that had the product when it was last seen, and has left the inventory,
keeps the campaign from being finished. With --retired it is recorded where it
went. It exempts nothing: a host that comes back is planned as any other.`,
		Example: "  oust exempt db01 --reason 'frozen for the audit' --approver 'J. Doe, CISO' --until 2026-12-31\n  oust exempt db01 --ground regulatory --mitigation 'no network' --reason 'case 7' --approver 'J. Doe, CISO' --until 2026-12-31\n  oust exempt db01 --end\n  oust exempt old7 --retired --reason 'scrapped, ticket 4711' --approver 'J. Doe, CISO'\n  oust exempt",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && opt == exemptOptions{}:
				return a.listExemptions(c.Context())
			case len(args) == 0:
				return fmt.Errorf("name the host; usage: %s", c.UseLine())
			case opt.end && opt != exemptOptions{end: true}:
				return errors.New("--end goes without the other flags")
			}
			return a.runExempt(c.Context(), args[0], opt)
		},
	}
	c.Flags().StringVar(&opt.reason, "reason", "", "why")
	c.Flags().StringVar(&opt.approver, "approver", "", "who has approved it, with title")
	c.Flags().StringVar(&opt.until, "until", "", "the last day, YYYY-MM-DD")
	c.Flags().StringVar(&opt.ground, "ground", "", "the mandate's name for the reason, such as national-security")
	c.Flags().StringVar(&opt.mitigation, "mitigation", "", "what is done instead")
	c.Flags().BoolVar(&opt.against, "against-mandate", false, "record it although the mandate does not allow it")
	c.Flags().BoolVar(&opt.retired, "retired", false, "the host has left the inventory for good: say where it went")
	c.Flags().BoolVar(&opt.end, "end", false, "end the host's exemption now")
	return c
}

func (a *app) runExempt(ctx context.Context, host string, opt exemptOptions) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	if opt.end {
		return a.endExemption(ctx, w, host)
	}
	if opt.retired {
		return a.retire(ctx, w, host, opt)
	}
	h, err := w.hostNamed(host)
	if err != nil {
		return a.mayHaveLeft(ctx, w, host, err)
	}
	now := a.now()
	until, err := opt.check(h, now)
	if err != nil {
		return err
	}
	x := remediate.Exemption{
		Host: h.Name, Reason: opt.reason, Approver: opt.approver, Ground: opt.ground, Mitigation: opt.mitigation,
		Until: until.UTC(), At: now.UTC(), By: operator(),
	}
	if _, err = allowed(w.campaign.Terms, x, nil, until.Location(), opt.against); err != nil {
		return err // before anything is written
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	before, err := w.exemptionsOf(ctx, h.Name)
	if err != nil {
		return err
	}
	if x.Reason, err = allowed(w.campaign.Terms, x, before, until.Location(), opt.against); err != nil {
		return err
	}
	m := exemptionMessage{Type: "exemption", Exemption: x, Holds: true, Against: w.campaign.Terms.Exemptions.Against(x, before, until.Location())}
	m.renewed(before, until.Location())
	return a.said(w.store.SaveExemption(ctx, x), m, "%s is exempt until %s: %s (%s)%s\n",
		printable(h.Name), until.Format("2006-01-02 15:04 MST"), printable(x.Reason), printable(x.Approver), m.renewal())
}

// endExemption takes an exemption back, also that of a host which has left the
// inventory.
func (a *app) endExemption(ctx context.Context, w *workspace, host string) error {
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	err := w.store.EndExemption(ctx, host, a.now().UTC())
	if errors.Is(err, remediate.ErrNotFound) {
		if _, err := w.hostNamed(host); err != nil {
			return err
		}
		return fmt.Errorf("host %s is not exempt now", host)
	}
	return a.said(err, exemptionEnded{"exemption_ended", host}, "%s is not exempt any more\n", printable(host))
}

type exemptionEnded struct {
	Type string `json:"type"`
	Host string `json:"host"`
}

// said prints a result for a program or a person, or returns the error that
// came in its place.
func (a *app) said(err error, message any, format string, args ...any) error {
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(message)
	}
	_, err = fmt.Fprintf(a.Out, format, args...)
	return err
}

// lastYear is the last that RFC 3339, and so JSON, can tell.
const lastYear = 9999

type flagValue struct{ name, value string }

// checkTexts holds that what is needed is there, and not too long.
func (o exemptOptions) checkTexts(more ...flagValue) error {
	var missing []string
	for _, f := range append([]flagValue{{"--reason", o.reason}, {"--approver", o.approver}}, more...) {
		if strings.TrimSpace(f.value) == "" {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("an exemption needs %s", strings.Join(missing, ", "))
	}
	const most = 500
	if len(o.reason) > most || len(o.approver) > most || len(o.ground) > most || len(o.mitigation) > most {
		return fmt.Errorf("--reason, --approver, --ground and --mitigation: at most %d bytes each", most)
	}
	return nil
}

// check returns the first moment at which the host is planned again.
func (o exemptOptions) check(h remediate.Host, now time.Time) (time.Time, error) {
	if err := o.checkTexts(flagValue{"--until", o.until}); err != nil {
		return time.Time{}, err
	}
	if o.ground == remediate.GroundRetired {
		return time.Time{}, fmt.Errorf("--ground %s: no mandate has such a ground", o.ground)
	}
	zone := time.UTC
	if h.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(h.Zone); err != nil {
			return time.Time{}, fmt.Errorf("%s: host %s: %w", h.Origin, h.Name, err)
		}
	}
	day, err := time.ParseInLocation(time.DateOnly, o.until, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("--until %q is not a date such as 2026-12-31", o.until)
	}
	until := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone)
	if until.Year() > lastYear {
		return time.Time{}, fmt.Errorf("--until %q: the year is at most %d", o.until, lastYear-1)
	}
	if !until.After(now) {
		return time.Time{}, fmt.Errorf("--until %s is over in %s, the time zone of host %s", o.until, zone, h.Name)
	}
	return until, nil
}
