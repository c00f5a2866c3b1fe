// Bench removes a package from forty real sshd hosts with several tools, in
// one run on one machine, and prints a Markdown table of what each took.
// `make bench` builds and runs it; docs/benchmarks.md explains the table.
//
// The work is the same for all: find the package, purge it, check that it is
// gone. Before each measurement the hosts get back the disks they had at
// first; afterwards the benchmark itself asks every host's dpkg. "Nothing to
// do" is the same call on hosts that are clean already.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"oust/transports/transporttest/sshdlab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	hosts, rounds int
	oust, raw     string
	only          string
	timeout       time.Duration
}

func run(ctx context.Context, args []string) error {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.hosts, "hosts", 40, "number of hosts, at most 250")
	flags.IntVar(&s.rounds, "rounds", 5, "measurements of each tool; the table shows medians")
	flags.StringVar(&s.oust, "oust", "", "path of the program oust; without it only the others are measured")
	flags.StringVar(&s.raw, "rawssh", beside("rawssh"), "path of the program rawssh")
	flags.StringVar(&s.only, "only", "", "measure this tool only")
	flags.DurationVar(&s.timeout, "timeout", 2*time.Minute, "most that one measurement may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, path := range []*string{&s.oust, &s.raw} { // the tools run in other folders
		if *path != "" {
			abs, err := filepath.Abs(*path)
			if err != nil {
				return err
			}
			*path = abs
		}
	}
	if s.hosts < 1 || s.rounds < 1 {
		return errors.New("-hosts and -rounds are at least 1")
	}
	if reason := sshdlab.Missing(); reason != "" {
		return errors.New("real hosts: " + reason)
	}
	fleet, err := sshdlab.Open(sshdlab.Options{Hosts: s.hosts})
	if err != nil {
		return err
	}
	results, err := measureAll(ctx, fleet, s)
	if err == nil {
		fmt.Print(report(origin(ctx, results), s, results))
	}
	return errors.Join(err, fleet.Close())
}

// beside is the path of a program in this program's own folder.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
