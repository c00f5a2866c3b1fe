// Command oust removes banned software from a fleet of hosts, without an
// agent, and proves that it is gone.
package main

import (
	"context"
	"os"
	"os/signal"
	"os/user"
	"runtime"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // host zones work where the machine has no zone database
)

// ballastSize is a heap that is never touched, so it takes no memory, and that
// makes the first collection wait until as much again is in use: collecting a
// heap of a few MiB over and over took a fifth of the time of a small run.
const ballastSize = 24 << 20

// A command that only reads, and ends, lets its heap grow to some eleven times
// the ballast before it is collected; past hurryMost bytes it is collected as it
// must be.
const (
	hurryPercent = 1000
	hurryMost    = 640 << 20
)

// hurry puts off collections until its result is called.
func hurry() (back func()) {
	percent, most := debug.SetGCPercent(hurryPercent), debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(most, hurryMost))
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(most)
	}
}

func main() {
	os.Exit(mainExit())
}

// setHome gives a service manager's process, which may have no HOME, that of its
// user: ~ in campaign.yaml and the default known_hosts are found there.
func setHome() {
	if runtime.GOOS == "windows" || os.Getenv("HOME") != "" {
		return
	}
	if u, err := user.Current(); err == nil && u.HomeDir != "" {
		_ = os.Setenv("HOME", u.HomeDir) // fails for names with a zero or an equals sign alone
	}
}

// mainExit does signals, Run and the exit code.
func mainExit() int {
	setHome()
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
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
