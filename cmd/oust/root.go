package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"oust/remediate/engine"
	"oust/transports"
)

// Streams are where a command reads and writes. Results go to Out, progress
// and logs to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit codes beyond those of the engine.
const (
	exitUsage = 1 // usage, configuration or internal error
)

const exitCodesHelp = `Exit codes:
  0    all well
  1    usage, configuration or internal error
  2    some hosts failed, or are not clean
  3    stopped by a threshold
  4    the plan was refused
  130  interrupted`

// exitError ends the program with a code and no further message: what there
// was to say has been said.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// app is what every command works with.
type app struct {
	Streams
	stop <-chan struct{}
	now  func() time.Time

	dir      string
	json     bool
	logLevel string
	logFile  string

	logger  hclog.Logger
	closers []io.Closer
	// reach, where there is one, reaches all hosts in place of SSH and WinRM:
	// those of a lab without a wire.
	reach transports.Dialer
}

// Run carries out one command line and returns the exit code. Closing stop
// means "no new hosts, running ones finish"; cancelling ctx means "end now".
func Run(ctx context.Context, stop <-chan struct{}, args []string, s Streams) int {
	a := &app{Streams: s, stop: stop, now: time.Now, logger: hclog.NewNullLogger()}
	return a.run(ctx, args)
}

// run is Run for an app that was made before; one carries out one command line.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	err := root.ExecuteContext(ctx)
	// The last first: what was made later may still need what was made before.
	for _, c := range slices.Backward(a.closers) {
		err = errors.Join(err, c.Close())
	}
	return a.exitCode(err)
}

// exitCode is the one place that turns an error into an exit code.
func (a *app) exitCode(err error) int {
	if err == nil {
		return engine.ExitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	fmt.Fprintf(a.Err, "oust: %v\n", err)
	if _, ok := errors.AsType[*engine.RefusedError](err); ok {
		return engine.ExitRefused
	}
	if _, ok := errors.AsType[*engine.HeldError](err); ok {
		return engine.ExitStopped
	}
	return exitUsage
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "oust",
		Short: "Remove banned software from a fleet, without an agent, and prove that it is gone",
		Long: `oust removes banned software from a fleet of hosts, without an agent, and proves
that it is gone: it scans hosts for products, saves a plan with the very script
for each host, applies exactly that plan, and looks again in a new session.

A campaign is a folder with a campaign.yaml. Start one with 'oust init', or see
everything at work on simulated hosts with 'oust demo'.

` + exitCodesHelp,
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.openLog() },
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.dir, "dir", "C", ".", "the campaign folder")
	f.BoolVar(&a.json, "json", false, "print one typed JSON object a line")
	f.StringVar(&a.logLevel, "log-level", "", "log at this level: trace, debug, info, warn or error (default: no log, warn with --log-file)")
	f.StringVar(&a.logFile, "log-file", "", "write the log to this file, as JSON lines")
	root.AddCommand(
		a.initCommand(), a.hostsCommand(), a.scanCommand(), a.planCommand(), a.applyCommand(),
		a.verifyCommand(), a.retryCommand(), a.serveCommand(), a.exemptCommand(), a.statusCommand(), a.reportCommand(), a.auditCommand(), a.softwareCommand(), a.playbookCommand(), a.labCommand(), a.demoCommand(),
	)
	for _, c := range root.Commands() {
		if c.Long != "" && !strings.Contains(c.Long, "Exit codes:") {
			c.Long += "\n\n" + exitCodesHelp
		}
	}
	sayUsage(root)
	return root
}

// sayUsage lets a wrong number of words be answered with what the command wants.
func sayUsage(c *cobra.Command) {
	for _, below := range c.Commands() {
		sayUsage(below)
	}
	check := c.Args
	if check == nil {
		return
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return fmt.Errorf("%w; usage: %s", err, c.UseLine())
		}
		return nil
	}
}

// openLog makes the logger that the flags ask for.
func (a *app) openLog() error {
	level := hclog.Off
	if a.logFile != "" {
		level = hclog.Warn
	}
	if a.logLevel != "" {
		if level = hclog.LevelFromString(a.logLevel); level == hclog.NoLevel {
			return fmt.Errorf("--log-level %q: want trace, debug, info, warn or error", a.logLevel)
		}
	}
	opts := &hclog.LoggerOptions{Name: "oust", Level: level, Output: a.Err}
	if a.logFile != "" {
		f, err := os.OpenFile(a.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open the log: %w", err)
		}
		a.closers = append(a.closers, f)
		opts.Output, opts.JSONFormat = f, true
	}
	a.logger = hclog.New(opts)
	return nil
}
