package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"oust/testdata/bench/timing"
	"oust/transports/transporttest/sshdlab"
)

// result is all samples of one tool.
type result struct {
	tool          tool
	work, nothing []timing.Sample
}

func measureAll(ctx context.Context, fleet *sshdlab.Fleet, s settings) ([]result, error) {
	var results []result
	for _, t := range tools(s) {
		if s.only != "" && s.only != t.name {
			continue
		}
		if _, err := exec.LookPath(t.program); err != nil {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", t.name, err)
			continue
		}
		results = append(results, result{tool: t})
	}
	for round := range s.rounds {
		for i := range results {
			// Each round begins with another tool.
			r := &results[(i+round)%len(results)]
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.rounds, r.tool.name)
			if err := r.measure(ctx, fleet, s); err != nil {
				return nil, fmt.Errorf("%s: %w", r.tool.name, err)
			}
		}
	}
	return results, nil
}

// measure takes one sample with work to do and one without.
func (r *result) measure(ctx context.Context, fleet *sshdlab.Fleet, s settings) error {
	if err := fleet.Reset(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "oust-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWork(dir, fleet)
	if err != nil {
		return err
	}
	if err := runUntimed(ctx, w, s, r.tool.before); err != nil {
		return err
	}
	work, err := timed(ctx, w, s, r.tool.work(w))
	if err != nil {
		return err
	}
	if err := allClean(fleet); err != nil {
		return err
	}
	// A restart ends connections that a tool may have left open.
	for i := range fleet.Hosts {
		if err := fleet.Restart(i); err != nil {
			return err
		}
	}
	nothing, err := timed(ctx, w, s, r.tool.nothing(w))
	if err != nil {
		return err
	}
	r.work, r.nothing = append(r.work, work), append(r.nothing, nothing)
	return nil
}

func runUntimed(ctx context.Context, w work, s settings, before func(work) [][]string) error {
	if before == nil {
		return nil
	}
	for _, command := range before(w) {
		if _, err := timed(ctx, w, s, command); err != nil {
			return err
		}
	}
	return nil
}

// timed measures one command of a tool.
func timed(ctx context.Context, w work, s settings, command []string) (timing.Sample, error) {
	return timing.Run(ctx, w.dir, s.timeout, []string{"ANSIBLE_CONFIG=" + w.ansibleConfig, "LC_ALL=C.UTF-8"}, command)
}

// allClean asks each host's own dpkg: no tool is believed.
func allClean(fleet *sshdlab.Fleet) error {
	for i, h := range fleet.Hosts {
		installed, err := fleet.Installed(i, "kesl")
		if err != nil {
			return err
		}
		runs, err := fleet.Uninstalls(i)
		if err != nil {
			return err
		}
		if installed || runs != 1 {
			return fmt.Errorf("%s: installed %v, %d uninstallers ran; want false, 1", h.Name, installed, runs)
		}
	}
	return nil
}
