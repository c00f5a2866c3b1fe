package schedule

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"oust/remediate"
)

var (
	removed     = remediate.Outcome{Kind: remediate.OutcomeRemoved}
	failed      = remediate.Failed(remediate.ClassUninstaller, "exit code 1")
	unreachable = remediate.Failed(remediate.ClassUnreachable, "no route")
	first1      = WaveID{"p", 1}
	// none are rules that never fire.
	none = remediate.StopRules{Failed: -1, FailedHosts: -1, Unreachable: -1}
)

// step is count outcomes of one kind; after them the guard must say reason.
type step struct {
	wave, size int // begins a wave if size is set
	outcome    remediate.Outcome
	count      int
	reason     string
}

func run(t *testing.T, rules remediate.StopRules, steps []step) {
	t.Helper()
	g := NewGuard(rules)
	var wave WaveID
	n := 0
	for i, s := range steps {
		if s.size > 0 {
			wave = WaveID{"p", s.wave}
			g.AddWave(wave, s.size)
		}
		for range s.count {
			n++
			g.Record(wave, fmt.Sprint("host", n), s.outcome)
		}
		reason, stopped := g.Stopped()
		if reason != s.reason || stopped != (s.reason != "") {
			t.Fatalf("step %d: stopped %v, %q; want %q", i+1, stopped, reason, s.reason)
		}
	}
}

func TestGuard(t *testing.T) {
	with := func(change func(*remediate.StopRules)) remediate.StopRules {
		r := none
		change(&r)
		return r
	}
	tests := []struct {
		name  string
		rules remediate.StopRules
		steps []step
	}{
		{
			// ansible/ansible#7686, #56265: unreachable hosts are not counted.
			name:  "unreachable hosts stop a run by their own share",
			rules: with(func(r *remediate.StopRules) { r.Unreachable = 0.30 }),
			steps: []step{
				{wave: 1, size: 10, outcome: unreachable, count: 3},
				{outcome: removed, count: 6},
				{outcome: unreachable, count: 1, reason: "4 of the 10 hosts of wave 1 could not be reached, 40%; stop: unreachable allows 30%"},
			},
		},
		{
			name:  "unreachable hosts do not count as failed ones",
			rules: remediate.StopRules{Failed: 0, FailedHosts: 0, Unreachable: 1},
			steps: []step{{wave: 1, size: 10, outcome: unreachable, count: 10}},
		},
		{
			name:  "failed hosts do not count as unreachable ones",
			rules: remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 0},
			steps: []step{{wave: 1, size: 10, outcome: failed, count: 10}},
		},
		{
			// ansible/ansible#76915, #82267: one batch of 30 that fails as a
			// whole ends a run of 4,000 even with a limit of 100%.
			name:  "a limit of 100% never stops, not even a wave that fails as a whole",
			rules: remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 1},
			steps: []step{
				{wave: 1, size: 30, outcome: failed, count: 30},
				{wave: 2, size: 30, outcome: unreachable, count: 30},
				{wave: 3, size: 3940, outcome: failed, count: 3940},
			},
		},
		{
			// ansible/ansible#65881, #33672: an absolute number over the run.
			name:  "a number of failed hosts counts over all waves",
			rules: with(func(r *remediate.StopRules) { r.FailedHosts = 20 }),
			steps: []step{
				{wave: 1, size: 1000, outcome: failed, count: 15},
				{wave: 2, size: 1000, outcome: failed, count: 5},
				{outcome: unreachable, count: 100},
				{outcome: failed, count: 1, reason: "21 hosts of the campaign failed; stop: failed_hosts allows 20"},
			},
		},
		{
			name:  "a share counts within one wave only",
			rules: with(func(r *remediate.StopRules) { r.Failed = 0.05 }),
			steps: []step{
				{wave: 3, size: 100, outcome: failed, count: 5},
				{wave: 4, size: 100, outcome: failed, count: 5},
				{outcome: failed, count: 1, reason: "6 of the 100 hosts of wave 4 failed, 6%; stop: failed allows 5%"},
			},
		},
		{
			name:  "a rule fires when exceeded, not when reached, in binary too",
			rules: with(func(r *remediate.StopRules) { r.Failed = 0.07 }),
			steps: []step{
				{wave: 1, size: 100, outcome: failed, count: 7},
				{outcome: failed, count: 1, reason: "8 of the 100 hosts of wave 1 failed, 8%; stop: failed allows 7%"},
			},
		},
		{
			name:  "it fires before the wave has ended",
			rules: with(func(r *remediate.StopRules) { r.Failed = 0.05 }),
			steps: []step{
				{wave: 1, size: 1000, outcome: failed, count: 50},
				{outcome: failed, count: 1, reason: "51 of the 1000 hosts of wave 1 failed, 5.1%; stop: failed allows 5%"},
			},
		},
		{
			name:  "it stays fired, with its first reason",
			rules: remediate.StopRules{Failed: 0.5, FailedHosts: 1, Unreachable: -1},
			steps: []step{
				{wave: 1, size: 1, outcome: failed, count: 1, reason: "1 of the 1 host of wave 1 failed, 100%; stop: failed allows 50%"},
				{wave: 2, size: 100, outcome: failed, count: 9, reason: "1 of the 1 host of wave 1 failed, 100%; stop: failed allows 50%"},
			},
		},
		{
			name:  "a limit of nothing stops at the first",
			rules: remediate.StopRules{FailedHosts: 0, Failed: 1, Unreachable: 1},
			steps: []step{
				{wave: 1, size: 10, outcome: removed, count: 9},
				{outcome: failed, count: 1, reason: "1 host of the campaign failed; stop: failed_hosts allows 0"},
			},
		},
		{
			name:  "negative numbers are no rules",
			rules: none,
			steps: []step{{wave: 1, size: 2, outcome: failed, count: 2}, {outcome: unreachable, count: 2}},
		},
		{
			name:  "before the first wave only the rule about the run holds",
			rules: remediate.StopRules{Failed: 0, FailedHosts: 2, Unreachable: 0},
			steps: []step{
				{outcome: failed, count: 2},
				{outcome: failed, count: 1, reason: "3 hosts of the campaign failed; stop: failed_hosts allows 2"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { run(t, tt.rules, tt.steps) })
	}
}

func TestGuardCountsEveryClassAsOneOfTheTwo(t *testing.T) {
	for _, c := range remediate.Classes() {
		g := NewGuard(remediate.StopRules{Failed: 0, FailedHosts: -1, Unreachable: -1})
		g.AddWave(first1, 100)
		g.Record(first1, "h", remediate.Failed(c, ""))
		if _, stopped := g.Stopped(); stopped != (c != remediate.ClassUnreachable) {
			t.Errorf("%s: stopped %v", c, stopped)
		}
	}
}

func TestGuardPassesOverWhatIsNoFailure(t *testing.T) {
	for _, kind := range remediate.Outcomes() {
		g := NewGuard(remediate.StopRules{})
		g.AddWave(first1, 1)
		g.Record(first1, "h", remediate.Outcome{Kind: kind})
		if reason, stopped := g.Stopped(); stopped != (kind == remediate.OutcomeFailed) {
			t.Errorf("%s: %q", kind, reason)
		}
	}
}

// The guard must agree with counting in whole numbers.
func TestGuardFiresExactlyWhenAPercentageIsExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		size := rapid.IntRange(1, 400).Draw(t, "size")
		g := NewGuard(remediate.StopRules{Failed: float64(percent) / 100, FailedHosts: -1, Unreachable: -1})
		g.AddWave(first1, size)
		for n := 1; n <= size; n++ {
			g.Record(first1, fmt.Sprint(n), failed)
			if _, stopped := g.Stopped(); stopped != (n*100 > percent*size) {
				t.Fatalf("%d of %d with %d%% allowed: stopped %v", n, size, percent, stopped)
			}
		}
	})
}

// TestGuardCountsAHostOnce: ansible/ansible#77534 and #64564, a list of failed
// hosts that never shrinks.
func TestGuardCountsAHostOnce(t *testing.T) {
	one := 1
	g := NewGuard(remediate.StopRules{
		Failed: -1, FailedHosts: 2, Unreachable: -1, Bare: &one,
		Classes: []remediate.ClassStop{{Class: remediate.ClassProtected, Hosts: 1}, {Class: remediate.ClassBusy, Share: 0.5}},
	})
	g.AddWave(first1, 4)
	quiet := func(what string) {
		t.Helper()
		if reason, stopped := g.Stopped(); stopped {
			t.Fatalf("%s: %s", what, reason)
		}
	}
	for range 5 {
		g.Record(first1, "a", failed)
		g.Record(first1, "b", failed)
		g.Record(first1, "b", remediate.Outcome{Kind: remediate.OutcomeStale}) // says nothing
	}
	quiet("two hosts that fail again and again")
	g.Record(first1, "a", removed)
	g.Record(first1, "c", remediate.Failed(remediate.ClassProtected, ""))
	quiet("one has come through, another has failed")
	g.Record(first1, "b", removed)
	g.Record(first1, "c", remediate.Failed(remediate.ClassBusy, ""))
	g.Record(first1, "d", remediate.Failed(remediate.ClassBusy, ""))
	quiet("half of them are busy")
	g.RecordBare("a", true)
	g.RecordBare("a", true)
	g.RecordBare("b", true)
	if reason, _ := g.Stopped(); reason != "nothing protects 2 hosts from which a product was removed; stop: bare_hosts allows 1" {
		t.Error(reason)
	}
}

func TestGuardByClass(t *testing.T) {
	g := NewGuard(remediate.StopRules{
		Failed: -1, FailedHosts: -1, Unreachable: -1, Classes: []remediate.ClassStop{{Class: remediate.ClassResidue, Share: 0.02}},
	})
	g.AddWave(WaveID{"p", 1}, 40)
	g.AddWave(WaveID{"p", 2}, 60)
	for i := range 3 {
		g.Record(first1, fmt.Sprint(i), remediate.Failed(remediate.ClassResidue, ""))
	}
	if reason, _ := g.Stopped(); reason != "3 of the 100 hosts that were planned failed as residue, 3%; stop: classes: residue allows 2%" {
		t.Error(reason)
	}
	if g.Wave() != first1 {
		t.Error(g.Wave())
	}
}
