// Scale shows what oust takes for a large fleet: it starts `oust lab` with
// thousands of simulated hosts as one process, and runs the commands of a
// campaign in others. It prints a Markdown table of hosts a second, memory and
// processor time of each command.
//
//	go build -o bin/oust ./cmd/oust
//	go run ./testdata/bench/scale -oust bin/oust -hosts 5000
//	go run ./testdata/bench/scale -oust bin/oust -windows 5000
//
// Windows hosts are served by a process of this program itself.
//
// Both processes share the machine, and a simulated host costs more than its
// look does: the hosts a second are those of the two together. What oust alone
// could do is in the column of its processor time.
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
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	oust string
	// hosts is the number of Linux hosts or, with windows, of Windows hosts.
	hosts   int
	windows bool
	apply   bool
	timeout time.Duration
}

func (s settings) kind() string {
	if s.windows {
		return "simulated Windows hosts (WinRM over TLS, NTLM)"
	}
	return "simulated hosts"
}

func run(ctx context.Context, args []string) error {
	var s settings
	var windows int
	var serve string
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.StringVar(&s.oust, "oust", "bin/oust", "path of the program oust")
	flags.IntVar(&s.hosts, "hosts", 5000, "number of simulated hosts")
	flags.IntVar(&windows, "windows", 0, "number of simulated Windows hosts, in place of the others")
	flags.StringVar(&serve, "serve", "", "only serve the Windows hosts, with a campaign in this folder, until the program is interrupted")
	flags.BoolVar(&s.apply, "apply", false, "remove the products from all hosts too, and verify")
	flags.DurationVar(&s.timeout, "timeout", 20*time.Minute, "most that one command may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.windows = windows != 0; s.windows {
		s.hosts = windows
	}
	if s.hosts < 1 {
		return errors.New("-hosts and -windows are at least 1")
	}
	if serve != "" {
		return serveWindows(ctx, serve, s.hosts)
	}
	program, err := filepath.Abs(s.oust)
	if err != nil {
		return err
	}
	s.oust = program
	dir, err := os.MkdirTemp("", "oust-scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lab, err := startLab(ctx, s, filepath.Join(dir, "fleet"))
	if err != nil {
		return err
	}
	rows, err := campaign(ctx, s, lab)
	use, stopErr := lab.stop()
	if err := errors.Join(err, stopErr); err != nil {
		return err
	}
	fmt.Printf("%d %s in one process, oust in others.\n\n- machine: %s; the hosts share it with oust\n- built with %s\n\n",
		s.hosts, s.kind(), machine.Describe(), runtime.Version())
	fmt.Print(table(s, lab.started, use, rows))
	return nil
}
