package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
)

// rendering is what 'playbook render' was asked for.
type rendering struct {
	playbook string
	facts    string         // a file with a kept look, or "-"
	host     string         // a host whose last look is taken from the store
	save     string         // where to keep that look
	busyWait *time.Duration // nil: the campaign's, or defaultBusyWait
}

// defaultBusyWait is that of a campaign that does not say.
const defaultBusyWait = time.Minute

func (a *app) playbookRenderCommand() *cobra.Command {
	var r rendering
	var busyWait time.Duration
	c := &cobra.Command{
		Use:   "render PLAYBOOK (--host HOST | --facts FILE)",
		Short: "Show what a playbook finds in a look, and its script",
		Long: `Matches a playbook against what a host's last look found and prints the exact
script. What was found goes to standard error. No host is touched.

--host takes the look from the campaign's store (see -C), so that a playbook can be
tried on hosts that were scanned before it was written; --save keeps that look in a
file, which --facts reads again, without a campaign.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r.playbook = args[0]
			if c.Flags().Changed("busy-wait") {
				r.busyWait = &busyWait
			}
			switch {
			case (r.host == "") == (r.facts == ""):
				return errors.New("say where the look comes from: --host HOST or --facts FILE")
			case r.save != "" && r.host == "":
				return errors.New("--save keeps a look that --host has; --facts is a file already")
			}
			return a.runPlaybookRender(c.Context(), r)
		},
	}
	f := c.Flags()
	f.StringVar(&r.host, "host", "", "a host of the campaign that was scanned")
	f.StringVar(&r.facts, "facts", "", "a file with a look that was kept, '-' for standard input")
	f.StringVar(&r.save, "save", "", "with --host: keep the look in this file")
	f.DurationVar(&busyWait, "busy-wait", defaultBusyWait, "how long the script waits for another package manager; with --host as the campaign says")
	return c
}

// rendered is what 'playbook render --json' prints.
type rendered struct {
	Type     string              `json:"type"`
	Findings []remediate.Finding `json:"findings"`
	// Unanswered are paths that the playbook asks about and the look did not.
	Unanswered []string `json:"unanswered,omitempty"`
	Digest     string   `json:"digest,omitempty"`
	Script     string   `json:"script,omitempty"`
}

func (a *app) runPlaybookRender(ctx context.Context, r rendering) error {
	lib, err := pickPlaybooks([]string{r.playbook})
	if err != nil {
		return err
	}
	raw, busyWait, err := a.keptLook(ctx, r)
	if err != nil {
		return err
	}
	if r.busyWait != nil {
		busyWait = *r.busyWait
	}
	facts, err := readLook(raw, r.facts, r.host)
	if err != nil {
		return err
	}
	out := rendered{Type: "rendered", Findings: lib.Match(facts), Unanswered: lib.Unanswered(facts)}
	var script remediate.Script
	if len(out.Findings) > 0 {
		script, err = lib.Render(playbooks.RenderInput{Facts: facts, Findings: out.Findings, BusyWait: busyWait})
		if err != nil {
			return err
		}
		out.Digest, out.Script = script.Digest, script.Text
	}
	if a.json {
		out.Findings = append([]remediate.Finding{}, out.Findings...)
		return a.printJSON(out)
	}
	if err := lines(a.Err, renderedLines(out)); err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, script.Text)
	return err
}

// readLook reads a look from a file, or that of a host.
func readLook(raw []byte, file, host string) (*remediate.Facts, error) {
	facts, err := probe.Reparse(raw)
	if err != nil && file != "" {
		return nil, fmt.Errorf("%s: %w; is it a file that 'oust playbook render --host HOST --save FILE' has written?", file, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	return facts, nil
}

// renderedLines say what was found, and what cannot be known.
func renderedLines(r rendered) []string {
	var out []string
	for _, f := range r.Findings {
		for _, ev := range f.Evidence {
			out = append(out, fmt.Sprintf("# %s: found the %s: %s %s", f.Playbook, f.Kind, ev.Kind, printable(ev.Value)))
		}
	}
	if len(r.Findings) == 0 {
		out = append(out, "# nothing was found in this look: there is nothing to render")
	}
	if n := len(r.Unanswered); n > 0 {
		out = append(out, fmt.Sprintf("# this look was not asked about %s; scan with this playbook to know: %s",
			plural(n, "path"), few(r.Unanswered, 100)))
	}
	return out
}

// keptLook is the text of a look, from a file or from the store, and how long
// a script waits for another package manager there.
func (a *app) keptLook(ctx context.Context, r rendering) (raw []byte, busyWait time.Duration, err error) {
	switch r.facts {
	case "":
		return a.storedLook(ctx, r)
	case "-":
		raw, err = readAllBounded(a.In, "standard input")
	default:
		raw, err = readBounded(r.facts)
	}
	return raw, defaultBusyWait, err
}

func (a *app) storedLook(ctx context.Context, r rendering) ([]byte, time.Duration, error) {
	w, err := a.openCampaign()
	if err != nil {
		return nil, 0, err
	}
	if _, err := w.hostNamed(r.host); err != nil {
		return nil, 0, err
	}
	if err := w.openStoreToRead(ctx); err != nil {
		return nil, 0, err
	}
	state, err := w.store.HostState(ctx, r.host)
	if err != nil {
		return nil, 0, fmt.Errorf("read the store: %w", err)
	}
	if state.RawDigest == "" {
		return nil, 0, fmt.Errorf("%s was never seen; run 'oust scan --limit %s'", r.host, r.host)
	}
	raw, err := w.store.Raw(ctx, state.RawDigest)
	if err != nil {
		return nil, 0, fmt.Errorf("read the store: %w", err)
	}
	return raw, w.campaign.Timing.BusyWait, saveLook(r.save, raw)
}

// saveLook keeps a look in a file that was not there before: it says much
// about a host, so that only its owner can read it.
func saveLook(file string, raw []byte) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keep the look: %w", err)
	}
	_, err = io.Copy(f, strings.NewReader(string(raw)))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep the look: %w", err)
	}
	return nil
}
