package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/engine"
)

//go:embed oust.service.tmpl
var unitTemplate string

type serveOptions struct{ once, unit bool }

func (a *app) serveCommand() *cobra.Command {
	var opt serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Carry the campaign on: retries, windows, reboots, and looks at what was removed",
		Long: `Does what is due, when it is due, until it is stopped: settles what an
interruption left, looks at hosts that were never seen, watches those that did
not answer and takes them as soon as they do, removes from hosts of plans that
a person has applied, in their windows and wave by wave, restarts hosts where
the campaign allows it, and looks again at what was removed. It runs only
scripts that a person has applied; whatever needs another waits for a person.

One serve for a campaign. Other commands work beside it: it stands back while
they run, and reads campaign.yaml and the inventory again afterwards.

Ctrl-C or SIGTERM once: no new hosts, running ones finish. Twice: end now; jobs
go on on their hosts, and are joined by whatever comes next.`,
		Example: "  oust serve\n  oust serve --once    (from cron)\n  oust -C DIR serve --unit > /etc/systemd/system/oust-NAME.service",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if opt.unit {
				return a.printUnit()
			}
			return a.runServe(c.Context(), opt)
		},
	}
	c.Flags().BoolVar(&opt.once, "once", false, "do what is due now, and end")
	c.Flags().BoolVar(&opt.unit, "unit", false, "print a systemd unit for this campaign, and end")
	return c
}

// printUnit prints a systemd unit for the campaign.
func (a *app) printUnit() error {
	dir, err := filepath.Abs(a.dir)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	text, err := unitText(program, dir)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, text)
	return err
}

// unitText fills the unit. Paths are quoted as systemd.syntax(7) wants them,
// with the specifiers of systemd.unit(5) escaped.
func unitText(program, dir string) (string, error) {
	t, err := template.New("unit").Funcs(template.FuncMap{"quote": unitQuote}).Parse(unitTemplate)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, struct{ Program, Dir, Name string }{program, dir, strings.ReplaceAll(filepath.Base(dir), "%", "%%")})
	return b.String(), err
}

func unitQuote(s string) (string, error) {
	if strings.ContainsAny(s, "\n\r") {
		return "", fmt.Errorf("a path with a line break cannot stand in a unit: %q", s)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(s) + `"`, nil
}

// served is how one stretch of serving ended.
type served struct {
	sum engine.Summary
	err error
}

func (a *app) runServe(ctx context.Context, opt serveOptions) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	if path, err := controlPath(a.dir); err == nil {
		if other, err := askOther(path); err == nil {
			return &errServed{other}
		}
	}
	ui := a.newReporter()
	defer ui.Close()
	if opt.once {
		mark := len(a.closers)
		sum, err := a.serveStretch(ctx, w, ui, engine.ServeOptions{Once: true})
		ui.Close()
		return errors.Join(a.ended(sum, err), a.closeSince(mark))
	}
	sum, err := a.serveOn(ctx, w, ui)
	ui.Close()
	return a.ended(sum, err)
}

// serveStretch opens the store and serves until it is told to end.
func (a *app) serveStretch(ctx context.Context, w *workspace, ui engine.Sink, opt engine.ServeOptions) (engine.Summary, error) {
	if err := w.openStore(ctx); err != nil {
		return engine.Summary{}, err
	}
	e, err := w.engine(ui)
	if err != nil {
		return engine.Summary{}, err
	}
	return e.Serve(ctx, a.stop, w.hosts, opt)
}

// closeSince closes what was opened since, the last first.
func (a *app) closeSince(mark int) error {
	var errs []error
	for len(a.closers) > mark {
		last := len(a.closers) - 1
		errs = append(errs, a.closers[last].Close())
		a.closers = a.closers[:last]
	}
	return errors.Join(errs...)
}

// serveOn serves until a person stops it, and stands back for other commands.
func (a *app) serveOn(ctx context.Context, w *workspace, ui engine.Sink) (sum engine.Summary, err error) {
	// The store first: it tells whoever comes second who has it.
	if err := w.openStore(ctx); err != nil {
		return sum, err
	}
	control, err := listenControl(a.dir, fmt.Sprintf("process %d on %s since %s", os.Getpid(), controllerName(), a.now().UTC().Format("2006-01-02 15:04 UTC")))
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, control.Close()) }()
	if err := w.store.Close(); err != nil {
		return sum, err
	}
	quiet := &stretches{to: ui}
	defer quiet.end()
	for {
		mark := len(a.closers)
		stretch, cancel := context.WithCancel(ctx)
		ended := make(chan served, 1)
		go func() {
			sum, err := a.serveStretch(stretch, w, quiet, engine.ServeOptions{})
			ended <- served{sum, err}
		}()
		select {
		case end := <-ended:
			cancel()
			return end.sum, errors.Join(end.err, a.closeSince(mark))
		case y := <-control.yields:
			cancel()
			end := <-ended
			if err := errors.Join(end.err, a.closeSince(mark)); err != nil && !errors.Is(err, context.Canceled) {
				return end.sum, err
			}
			y.granted()
			fmt.Fprintln(a.Err, "oust: note: another command has the store; serving goes on when it ends")
			select {
			case <-y.gone:
			case <-a.stop:
				return end.sum, nil
			}
		}
		w = a.readAgain(w)
	}
}

// stretches tells of several stretches of serving as of one.
type stretches struct {
	to    engine.Sink
	began bool
	last  engine.RunEnded
}

// Event implements engine.Sink.
func (s *stretches) Event(e engine.Event) {
	switch e := e.(type) {
	case engine.RunStarted:
		if s.began {
			return
		}
		s.began = true
	case engine.RunEnded:
		s.last = e
		return
	}
	s.to.Event(e)
}

// end tells of the end of the last stretch.
func (s *stretches) end() {
	if s.began {
		s.to.Event(s.last)
	}
}

var _ engine.Sink = (*stretches)(nil)

// readAgain reads the campaign anew after another command has run; what cannot
// be read leaves the old settings in force.
func (a *app) readAgain(old *workspace) *workspace {
	w, err := a.openCampaign()
	if err != nil {
		fmt.Fprintf(a.Err, "oust: note: the campaign is served as it was, for it cannot be read now: %v\n", err)
		return old
	}
	return w
}

// openStoreBeside opens the store, if need be by having a serve stand back.
func (w *workspace) openStoreBeside(ctx context.Context) error {
	err := w.openStore(ctx)
	if !errors.Is(err, remediate.ErrStoreHeld) {
		return err
	}
	aside, asking := askYieldOf(ctx, w.campaign.Dir)
	if asking != nil {
		return err // nobody serves: another command has it
	}
	w.a.closers = append(w.a.closers, aside)
	return w.openStore(ctx)
}
