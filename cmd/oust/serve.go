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
	"oust/remediate/campaign"
	"oust/remediate/engine"
	"oust/transports/ssh"
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
	c, err := campaign.Load(dir)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	text, err := unitText(program, dir, writtenKnownHosts(c))
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, text)
	return err
}

// writtenKnownHosts is the folder of the known_hosts file to which new keys are
// added, "" if none are.
func writtenKnownHosts(c remediate.Campaign) string {
	if c.SSH.HostKeys != ssh.HostKeysAcceptNew {
		return ""
	}
	file := campaign.Path(c.Dir, "~/.ssh/known_hosts")
	if len(c.SSH.KnownHosts) > 0 {
		file = c.SSH.KnownHosts[0]
	}
	return filepath.Dir(file)
}

// unitText fills the unit; known is a folder beside the campaign's to which it
// may write, or "". Paths are quoted as systemd.syntax(7) wants them, with the
// specifiers of systemd.unit(5) escaped; a dollar sign counts in arguments alone.
func unitText(program, dir, known string) (string, error) {
	dollar := func(s string) string { return strings.ReplaceAll(s, "$", "$$") }
	t, err := template.New("unit").Funcs(template.FuncMap{"quote": unitQuote, "dollar": dollar}).Parse(unitTemplate)
	if err != nil {
		return "", err
	}
	if known == dir {
		known = ""
	}
	// A backslash at the end of a line would join the next one to it.
	name := strings.NewReplacer("%", "%%", `\`, "/").Replace(filepath.Base(dir))
	var b strings.Builder
	if err = t.Execute(&b, struct{ Program, Dir, Known, Name string }{program, dir, known, name}); err != nil {
		return "", err
	}
	return b.String(), nil
}

func unitQuote(s string) (string, error) {
	if strings.ContainsAny(s, "\n\r") {
		return "", fmt.Errorf("a path with a line break cannot stand in a unit: %q", s)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s) + `"`, nil
}

func (a *app) runServe(ctx context.Context, opt serveOptions) error {
	w, err := a.openMandate()
	if err != nil {
		return err
	}
	if other, err := otherServe(a.dir); err == nil {
		return &errServed{other}
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
