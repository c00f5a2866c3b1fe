package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"oust/remediate"
	"oust/testdata/bench/timing"
)

// work is one thing that is measured.
type work struct {
	name    string
	command []string
	floor   bool
}

// works are the floors, then what oust does. All that only reads a campaign
// belongs here.
func works(s settings) ([]work, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	out := []work{
		{name: "lines of the inventory, counted", command: []string{self, "-dir", s.dir, "-child", floorLines}, floor: true},
		{name: "rows of the hosts, from a file with a line for each", command: []string{self, "-dir", s.dir, "-child", floorRows}, floor: true},
	}
	commands := [][]string{{"status"}, {"status", "--json"}}
	if s.reports {
		for _, kind := range remediate.ReportKinds() {
			for _, format := range []string{"html", "csv", "json", "oscal"} {
				commands = append(commands, []string{"report", string(kind), "--format", format})
			}
		}
	}
	for _, args := range commands {
		out = append(out, work{name: "oust " + strings.Join(args, " "), command: append([]string{s.oust, "-C", s.dir}, args...)})
	}
	return out, nil
}

// measured is a work with what its rounds took.
type measured struct {
	work
	samples []timing.Sample
}

// measure runs everything round by round, so that what else the machine does
// falls on all alike. A round before the others fills the system's cache of
// files and is not counted.
func measure(ctx context.Context, s settings) ([]measured, error) {
	list, err := works(s)
	if err != nil {
		return nil, err
	}
	out := make([]measured, len(list))
	for round := range s.rounds + 1 {
		for i, w := range list {
			sample, err := timing.Run(ctx, s.dir, s.timeout, nil, w.command)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			out[i].work = w
			if round > 0 {
				out[i].samples = append(out[i].samples, sample)
			}
		}
	}
	return out, nil
}
