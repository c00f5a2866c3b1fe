// Winbench looks at simulated Windows hosts over WinRM with several tools, and
// removes the products from them, in one run on one machine. It prints
// Markdown tables of what each took. `make bench` builds and runs it;
// docs/benchmarks.md explains the tables.
//
// The work is the same for all: list what is installed and the services; for
// a removal, start msiexec detached from the connection, wait for its end, and
// list again. Afterwards the benchmark itself asks every host.
//
// Two things are measured: the TCP connections and HTTP requests for one host,
// which do not depend on the machine; and the time for many hosts.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "winbench:", err)
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	hosts, rounds, forks int
	speed                float64
	oust, only           string
	timeout              time.Duration
}

func run(ctx context.Context, args []string) error {
	var s settings
	flags := flag.NewFlagSet("winbench", flag.ContinueOnError)
	flags.IntVar(&s.hosts, "hosts", 200, "number of simulated hosts")
	flags.IntVar(&s.rounds, "rounds", 3, "measurements of each tool; the table shows medians. 0: requests are counted only")
	flags.IntVar(&s.forks, "forks", 40, "hosts at work at once, for each tool")
	flags.Float64Var(&s.speed, "speed", 20, "how much faster than real time uninstallers run")
	flags.StringVar(&s.oust, "oust", "", "path of the program oust; without it only the others are measured")
	flags.StringVar(&s.only, "only", "", "measure this tool only")
	flags.DurationVar(&s.timeout, "timeout", 20*time.Minute, "most that one measurement may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.oust != "" { // the tools run in other folders
		abs, err := filepath.Abs(s.oust)
		if err != nil {
			return err
		}
		s.oust = abs
	}
	if s.hosts < 1 || s.rounds < 0 || s.forks < 1 {
		return errors.New("-hosts and -forks are at least 1, -rounds is at least 0")
	}
	results, err := measureAll(ctx, s)
	if err != nil {
		return err
	}
	fmt.Print(report(origin(ctx, results), s, results))
	return nil
}
