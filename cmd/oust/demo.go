package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/lab"
)

type demoOptions struct {
	hosts, windows int
	seed           uint64
	keep           string
}

func (a *app) demoCommand() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "A whole campaign on a simulated fleet, explained",
		Long: `Serves a simulated fleet with every fault there is, and runs a whole campaign on
it, from scan to status: the very commands that you would type. In the end it
compares what oust has recorded with what has really happened on the hosts.
Nothing but loopback is touched, and nothing stays unless --keep says so.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runDemo(c.Context(), o) },
	}
	f := c.Flags()
	f.IntVar(&o.hosts, "hosts", 36, "how many Linux hosts; at least one for each fault")
	f.IntVar(&o.windows, "windows", 28, "how many Windows hosts; at least one for each fault")
	f.Uint64Var(&o.seed, "seed", 17, "equal seeds give equal fleets")
	f.StringVar(&o.keep, "keep", "", "keep the campaign folder here (the hosts end with the demo)")
	return c
}

// demoFleet makes a fleet with one host for each fault, and some clean hosts.
func (a *app) demoFleet(ctx context.Context, o demoOptions) (*lab.Fleet, error) {
	const speed, clean = 20, 0.2
	mix, windows := oneOfEach(lab.Faults()), oneOfEach(lab.WindowsFaults())
	if o.hosts < len(mix) {
		return nil, fmt.Errorf("--hosts %d: want %d or more, one for each fault", o.hosts, len(mix))
	}
	if o.windows < len(windows) {
		return nil, fmt.Errorf("--windows %d: want %d or more, one for each fault", o.windows, len(windows))
	}
	return lab.Start(ctx, lab.Config{
		Hosts: o.hosts, Windows: o.windows, Seed: o.seed, Faults: mix, WindowsFaults: windows, Clean: clean, Speed: speed,
		Logger: a.logger.Named("lab"),
	})
}

func oneOfEach(faults []lab.Fault) lab.FaultMix {
	var mix lab.FaultMix
	for _, f := range faults {
		mix = append(mix, lab.FaultShare{Fault: f.Name, Hosts: 1})
	}
	return mix
}

// demoFolder is where the demo's campaign stands, and what takes it away.
func demoFolder(keep string) (dir string, done func(), err error) {
	if keep != "" {
		return keep, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", "oust-demo-"); err != nil {
		return "", nil, fmt.Errorf("make the demo's folder: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

func (a *app) runDemo(ctx context.Context, o demoOptions) error {
	fleet, err := a.demoFleet(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = fleet.Close() }()
	dir, done, err := demoFolder(o.keep)
	if err != nil {
		return err
	}
	defer done()
	if err := fleet.WriteCampaign(dir); err != nil {
		return err
	}
	d := &demo{a: a, ctx: ctx, fleet: fleet, dir: dir}
	if err := d.play(o); err != nil {
		return err
	}
	if o.keep != "" {
		return d.say("The campaign is kept in %s; try 'oust -C %[1]s status HOST'.", o.keep)
	}
	return nil
}

// demo tells a campaign as a story. The first error ends it.
type demo struct {
	a     *app
	ctx   context.Context
	fleet *lab.Fleet
	dir   string
	err   error
}

func (d *demo) play(o demoOptions) error {
	plan := filepath.Join(d.dir, "plan.json")
	liar := d.hostWith("lies")
	d.tell("%s on loopback, with real SSH and WinRM on the wire: Debian, Ubuntu, RHEL, SLES, Alpine and Windows, some with the "+
		"banned product, its agent or both, some clean, and one host for each of these faults:", plural(o.hosts+o.windows, "simulated host"))
	d.faults()

	d.tell("IDENTIFY. One look at every host, all at once; nothing is changed. Hosts that cannot be looked at are " +
		"counted, and never taken for clean: the exit code is 2.")
	d.run(engine.ExitFailed, "scan")
	d.tell("PLAN. The very script for each host is rendered and saved. Hosts with equal scripts stand together.")
	d.run(engine.ExitOK, "plan", "-o", plan)
	d.tell("LOOK. What will run on one of them, to the letter (the first lines):")
	d.excerpt(12, "plan", "show", plan, liar)
	d.tell("REHEARSE. Every host of the plan is reached; rights, disk, locks and drift are checked; nothing is changed.")
	d.run(engine.ExitOK, "apply", plan, "--dry-run")
	d.tell("REMOVE, in waves of 1, 5, 25%% and all. Each removal runs detached on its host, and counts only when a " +
		"second look, in a new session, finds nothing. The faulty hosts end in their own classes.")
	d.run(engine.ExitFailed, "apply", plan)
	d.tell("WHERE IT STANDS, against the mandate's milestones:")
	d.run(engine.ExitOK, "status")
	d.tell("ONE HOST. Its uninstaller said that all went well; the second look knew better:")
	d.run(engine.ExitOK, "status", liar)
	d.tell("REPORT. What the mandate asks for, from one snapshot in every format: a page that prints, CSV, JSON and OSCAL. Here " +
		"its text (the first lines):")
	d.run(engine.ExitOK, "report", "status", "-o", filepath.Join(d.dir, "status.html"), "-o", filepath.Join(d.dir, "status.csv"))
	d.excerpt(14, "report", "status")
	d.tell("THE PROOF. All of it stands in a log that cannot be changed unseen, signed with the campaign's key. It is checked " +
		"offline; 'audit --bundle' exports it for somebody who does not trust oust:")
	d.run(engine.ExitOK, "audit")
	d.tell("THE TRUTH. The simulated hosts know what has really happened to them:")
	d.truth()
	return d.err
}

func (d *demo) hostWith(fault string) string {
	for _, h := range d.fleet.Hosts() {
		if h.Fault == fault {
			return h.Name
		}
	}
	return ""
}

func (d *demo) say(format string, args ...any) error {
	_, err := fmt.Fprintf(d.a.Out, format+"\n", args...)
	return err
}

// tell prints a paragraph of the story.
func (d *demo) tell(format string, args ...any) {
	const width = 80
	if d.err == nil {
		d.err = lines(d.a.Out, append([]string{""}, wrap("── "+fmt.Sprintf(format, args...), width)...))
	}
}

func (d *demo) faults() {
	for _, h := range d.fleet.Hosts() {
		faults := lab.Faults()
		if strings.HasPrefix(h.Name, "win-") {
			faults = lab.WindowsFaults()
		}
		for _, f := range faults {
			if d.err == nil && f.Name == h.Fault {
				d.err = d.say("   %-9s  %-18s %s", h.Name, f.Name, f.Meaning)
			}
		}
	}
}

// run types one command, and expects its exit code.
func (d *demo) run(want int, args ...string) {
	d.typed(args)
	if d.err == nil {
		d.expect(want, args, Run(d.ctx, d.a.stop, d.full(args), d.a.Streams))
	}
}

// excerpt types a command and shows the first lines of what it prints.
func (d *demo) excerpt(most int, args ...string) {
	d.typed(args)
	if d.err != nil {
		return
	}
	var out strings.Builder
	code := Run(d.ctx, d.a.stop, d.full(args), Streams{In: d.a.In, Out: &out, Err: d.a.Err})
	all := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	shown := all[:min(most, len(all))]
	if d.err = lines(d.a.Out, shown); d.err == nil && len(all) > most {
		d.err = d.say("   (and %s more)", plural(len(all)-most, "line"))
	}
	d.expect(engine.ExitOK, args, code)
}

func (d *demo) full(args []string) []string { return append([]string{"-C", d.dir}, args...) }

func (d *demo) typed(args []string) {
	if d.err == nil {
		d.err = d.say("\n$ oust %s", strings.ReplaceAll(strings.Join(args, " "), d.dir+string(filepath.Separator), ""))
	}
}

// expect ends the demo if a command ended in another way than it must.
func (d *demo) expect(want int, args []string, got int) {
	switch {
	case d.err != nil || got == want:
	case d.ctx.Err() != nil || stopRequested(d.a.stop):
		d.err = &exitError{engine.ExitInterrupted}
	default:
		d.err = fmt.Errorf("demo: 'oust %s' ended with exit code %d, not %d; please report it", strings.Join(args, " "), got, want)
	}
}

func stopRequested(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// truth compares the store with what the hosts know of themselves.
func (d *demo) truth() {
	if d.err != nil {
		return
	}
	states, err := d.recorded()
	if err != nil {
		d.err = err
		return
	}
	clean, dirty, twice, wrong := 0, 0, 0, 0
	for _, h := range d.fleet.Hosts() {
		truth, err := d.fleet.State(h.Name)
		if err != nil {
			d.err = err
			return
		}
		gone := len(truth.Installed) == 0 && len(truth.Files) == 0
		if gone {
			clean++
		} else {
			dirty++
		}
		if s := states.of(h.Name).Standing; !gone && (s == remediate.StandRemoved || s == remediate.StandClear) {
			wrong++
		}
		if ranTwice(truth.Starts) {
			twice++
		}
	}
	d.err = errors.Join(
		d.say("   %s without a trace of the products, %d with some", plural(clean, "host"), dirty),
		d.say("   %s that oust calls removed or clear and that are not", plural(wrong, "host")),
		d.say("   %s on which an uninstaller ran twice", plural(twice, "host")),
	)
	if d.err == nil && wrong+twice > 0 {
		d.err = errors.New("demo: the record differs from the truth; please report it")
	}
}

// ranTwice reports whether a product's uninstaller was started twice.
func ranTwice(starts []lab.Uninstall) bool {
	seen := map[string]bool{}
	for _, s := range starts {
		if seen[s.Product] {
			return true
		}
		seen[s.Product] = true
	}
	return false
}

// recorded reads where the hosts stand.
func (d *demo) recorded() (hostStates, error) {
	a := &app{Streams: d.a.Streams, stop: d.a.stop, now: d.a.now, logger: d.a.logger, dir: d.dir}
	w, err := a.openCampaign()
	if err != nil {
		return nil, err
	}
	if err := w.openStoreToRead(d.ctx); err != nil {
		return nil, err
	}
	defer func() { _ = w.store.Close() }()
	return w.allStates(d.ctx)
}
