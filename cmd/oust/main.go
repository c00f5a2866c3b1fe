// Command oust removes banned software from a fleet of hosts, without an
// agent, and proves that it is gone.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // host zones work where the machine has no zone database
)

func main() {
	os.Exit(mainExit())
}

// mainExit does signals, Run and the exit code.
func mainExit() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		<-signals
		close(stop) // no new hosts, running ones finish
		<-signals
		cancel() // running jobs go on on their hosts
	}()
	return Run(ctx, stop, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
