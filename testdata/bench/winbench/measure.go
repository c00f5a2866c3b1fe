package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"oust/testdata/bench/timing"
)

// counts is what went over the wire.
type counts struct{ connections, requests int64 }

func (c counts) less(before counts) counts {
	return counts{c.connections - before.connections, c.requests - before.requests}
}

// result is all that was measured of one tool.
type result struct {
	tool         tool
	look, remove []timing.Sample
	// One host's traffic.
	lookCounts, removeCounts counts
}

func measureAll(ctx context.Context, s settings) ([]result, error) {
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
	for i := range results {
		r := &results[i]
		if r.tool.atOnce > 0 { // one host is one host
			continue
		}
		fmt.Fprintf(os.Stderr, "requests: %s\n", r.tool.name)
		if err := r.count(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", r.tool.name, err)
		}
	}
	for round := range s.rounds {
		for i := range results {
			// Each round begins with another tool.
			r := &results[(i+round)%len(results)]
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.rounds, r.tool.name)
			if err := r.measure(ctx, s); err != nil {
				return nil, fmt.Errorf("%s: %w", r.tool.name, err)
			}
		}
	}
	return results, nil
}

// count has the work done on one host, and counts.
func (r *result) count(ctx context.Context, s settings) error {
	return onFleet(ctx, s, true, func(w *work) error {
		if _, err := timed(ctx, w, s, r.tool.look(w)); err != nil {
			return err
		}
		r.lookCounts = w.counter.counts()
		if err := w.check(false); err != nil {
			return err
		}
		if err := runUntimed(ctx, w, s, r.tool.before); err != nil {
			return err
		}
		before := w.counter.counts()
		if _, err := r.timedRemoval(ctx, w, s); err != nil {
			return err
		}
		r.removeCounts = w.counter.counts().less(before)
		return w.check(true)
	})
}

// measure takes one sample of each kind, on two fleets that are new.
func (r *result) measure(ctx context.Context, s settings) error {
	if r.tool.atOnce > 0 {
		s.forks = r.tool.atOnce
	}
	err := onFleet(ctx, s, false, func(w *work) error {
		sample, err := timed(ctx, w, s, r.tool.look(w))
		if err != nil {
			return err
		}
		r.look = append(r.look, sample)
		return w.check(false)
	})
	if err != nil {
		return err
	}
	return onFleet(ctx, s, false, func(w *work) error {
		if err := runUntimed(ctx, w, s, r.tool.before); err != nil {
			return err
		}
		sample, err := r.timedRemoval(ctx, w, s)
		if err != nil {
			return err
		}
		r.remove = append(r.remove, sample)
		return w.check(true)
	})
}

// onFleet starts hosts for one measurement, and ends them after it.
func onFleet(ctx context.Context, s settings, counted bool, measure func(*work) error) error {
	dir, err := os.MkdirTemp("", "oust-winbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWork(ctx, dir, s, counted)
	if err != nil {
		return err
	}
	return errors.Join(measure(w), w.close())
}

func runUntimed(ctx context.Context, w *work, s settings, before func(*work) [][]string) error {
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

func timed(ctx context.Context, w *work, s settings, command []string) (timing.Sample, error) {
	return timing.Run(ctx, w.dir, s.timeout, w.env(), command)
}

// timedRemoval is timed for a removal. The hosts' drivers stay in memory until
// their restart, which is no failure.
func (r *result) timedRemoval(ctx context.Context, w *work, s settings) (timing.Sample, error) {
	sample, err := timed(ctx, w, s, r.tool.remove(w))
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && r.tool.pending != 0 && exit.ExitCode() == r.tool.pending {
		err = nil
	}
	return sample, err
}
