// Records shows what the records of a large campaign cost: how long the
// commands take that only read them, and how many bytes of the store a host
// takes. It makes a campaign folder with 100,000 hosts in all standings, most
// of them in an approved plan, through the store that oust itself writes, and
// runs the program oust on it.
//
//	go build -o bin/oust ./cmd/oust
//	go run ./testdata/bench/records -oust bin/oust
//
// Beside each command stand two floors, measured in the same rounds by
// processes of this program: counting the lines of the inventory, and reading
// the rows that the store has of all hosts from a file with a line for each,
// which is what could be done without a database. Only the ratios say
// anything about another machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"oust/testdata/bench/machine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "records:", err)
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	oust          string
	hosts, rounds int
	// reports: each report in each format is measured too.
	reports bool
	// dir keeps the campaign; one that is there already is taken as it is.
	dir     string
	timeout time.Duration
}

func run(ctx context.Context, args []string) error {
	var s settings
	var child string
	flags := flag.NewFlagSet("records", flag.ContinueOnError)
	flags.StringVar(&s.oust, "oust", "bin/oust", "path of the program oust")
	flags.IntVar(&s.hosts, "hosts", 100_000, "number of hosts in the campaign")
	flags.IntVar(&s.rounds, "rounds", 15, "measurements of each command; the table shows medians")
	flags.BoolVar(&s.reports, "reports", false, "measure each report in each format too")
	flags.StringVar(&s.dir, "dir", "", "keep the campaign in this folder; one that is there already is measured as it is")
	flags.StringVar(&child, "child", "", "only do this for the campaign in -dir, and end: make, lines or rows")
	flags.DurationVar(&s.timeout, "timeout", time.Minute, "most that one command may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.hosts < 1000 || s.rounds < 1 {
		return errors.New("-hosts is at least 1000, and -rounds at least 1")
	}
	if child != "" {
		return runChild(ctx, child, s)
	}
	var err error
	if s.oust, err = filepath.Abs(s.oust); err != nil {
		return err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "oust-records-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.dir)
	}
	if err := ensureCampaign(ctx, s); err != nil {
		return err
	}
	rows, err := measure(ctx, s)
	if err != nil {
		return err
	}
	size, err := storeSize(s.dir)
	if err != nil {
		return err
	}
	fmt.Printf("A campaign of %d hosts.\n\n- machine: %s\n- built with %s\n\n", s.hosts, machine.Describe(), runtime.Version())
	fmt.Print(table(s, rows, size))
	return nil
}

// runChild is the work of a process of its own, so that this one stays small:
// a process counts the memory of the one that has started it as its own.
func runChild(ctx context.Context, work string, s settings) error {
	switch work {
	case childMake:
		return makeCampaign(ctx, s)
	case floorLines:
		return countLines(filepath.Join(s.dir, hostsFile))
	case floorRows:
		return readRows(filepath.Join(s.dir, rowsFile))
	}
	return fmt.Errorf("-child %q: want %s, %s or %s", work, childMake, floorLines, floorRows)
}
