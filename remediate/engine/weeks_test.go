package engine_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
	"oust/remediate/sqlite"
	"oust/remediate/storetest"
)

// TestWeeks: 2,000 hosts in 90 days, with laptops, windows in five zones, every
// fault of the lab, holds and interruptions. It ends with each host done,
// exempt, or waiting for a person. Under the race detector there are fewer, here
// and in TestWeeksSeeds.
func TestWeeks(t *testing.T) {
	t.Parallel()
	config := weeksConfig{
		seed: 1, linux: 1700, windows: 300, days: 90, late: 60, exempt: 20, orphans: 5, sites: 2,
		limits: remediate.Concurrency{Hosts: 150, PerSite: 40},
		stop: remediate.StopRules{Failed: 0.3, FailedHosts: 90, Unreachable: 1,
			Classes: []remediate.ClassStop{{Class: remediate.ClassStillPresent, Hosts: 4}}},
	}
	if raceDetector {
		config.linux, config.windows, config.late = 80, 30, 15
	}
	runWeeks(t, config, memoryStore)
}

// TestWeeksSeeds: the same with fewer hosts, and more seeds.
func TestWeeksSeeds(t *testing.T) {
	t.Parallel()
	rounds := 2
	if raceDetector {
		rounds = 1
	}
	for seed := range storetest.Rounds(rounds) {
		runWeeks(t, smallWeeks(uint64(seed+10)), memoryStore)
	}
}

// TestWeeksOnDisk: seven weeks with the store that is used in earnest.
func TestWeeksOnDisk(t *testing.T) {
	t.Parallel()
	config := smallWeeks(3)
	config.linux, config.windows, config.days, config.late = 60, 30, 49, 0
	runWeeks(t, config, func(t *testing.T) remediate.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "oust.db"), sqlite.Options{Now: time.Now, Unsigned: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func smallWeeks(seed uint64) weeksConfig {
	config := weeksConfig{
		seed: seed, linux: 120, windows: 40, days: 90, late: 10, exempt: 20, orphans: 2, sites: 1,
		limits: remediate.Concurrency{Hosts: 30, PerSite: 10},
		stop: remediate.StopRules{Failed: 1, FailedHosts: 12, Unreachable: 1,
			Classes: []remediate.ClassStop{{Class: remediate.ClassStillPresent, Hosts: 1}}},
	}
	if raceDetector {
		config.linux, config.windows = 60, 30
	}
	return config
}

func memoryStore(*testing.T) remediate.Store { return storetest.NewMemory(time.Now) }

// runWeeks carries one campaign through.
func runWeeks(t *testing.T, config weeksConfig, open func(*testing.T) remediate.Store) {
	t.Helper()
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		w := newWeeks(t, config, open)
		defer w.close()
		w.live()
		w.settled()
		t.Logf("%+v; holds: %q", w.count, w.reasons)
	})
	t.Logf("seed %d: %v", config.seed, time.Since(began).Round(time.Millisecond))
}

// live is the campaign from its first to its last day.
func (w *weeks) live() {
	for i := range w.config.exempt {
		w.exempts(w.hosts[20+i:21+i], weeksStart.AddDate(0, 0, 20+8*i))
	}
	w.planAndApply(w.hosts)
	end, week := weeksStart.AddDate(0, 0, w.config.days), 0
	for time.Now().Before(end) {
		until := time.Now().Add(12*time.Hour + time.Duration(w.rng.Int64N(int64(4*24*time.Hour))))
		if until.After(end) {
			until = end
		}
		w.serve(until)
		if w.personDue() {
			_, e := w.process()
			w.must(e.Release(w.t.Context()))
		}
		if now := w.day() / 7; now > week {
			week = now
			w.weekly(week)
		}
	}
}

// weekly is what the person does once a week: mend hosts and have them tried
// again, take in new ones, and plan what waits for it.
func (w *weeks) weekly(week int) {
	byClass := map[remediate.Class][]remediate.Host{}
	var plan []remediate.Host
	states := w.states()
	for _, h := range w.outlook().Hosts {
		switch class := states[h.Host].Class; {
		case h.Work == schedule.WorkPlan:
			plan = append(plan, w.byName[h.Host])
		case week <= w.config.days/7-3 && h.Person && class != "" && w.rng.IntN(2) == 0:
			w.must(w.fleet.SetFault(h.Host, ""))
			byClass[class] = append(byClass[class], w.byName[h.Host])
		}
	}
	for _, class := range remediate.Classes() {
		if hosts := byClass[class]; len(hosts) > 0 {
			for _, h := range hosts {
				w.allowed[h.Name]++
			}
			_, e := w.process()
			_, err := e.Serve(w.t.Context(), nil, hosts, engine.ServeOptions{Once: true, Forced: true, Tick: 15 * time.Minute})
			w.must(err)
		}
	}
	if week == 5 {
		plan = append(plan, w.all[len(w.hosts):]...)
		w.hosts = w.all
	}
	if len(plan) > 0 {
		w.planAndApply(plan)
	}
}
