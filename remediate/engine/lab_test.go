package engine_test

import (
	"testing"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/lab"
)

func TestLabFleetRemoved(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 20, Seed: 4, Clean: 0.2})
	r.scan(t)
	with, kinds := 0, map[string]int{}
	for _, h := range r.fleet.Hosts() {
		kinds[h.OS]++
		want := remediate.StandPresent
		if len(h.Products) == 0 {
			want = remediate.StandClear
		} else {
			with++
		}
		if got := r.looked[h.Name]; got.Standing != want {
			t.Errorf("%s (%s): standing %s (%s %s), want %s", h.Name, h.OS, got.Standing, got.Class, got.Detail, want)
		}
	}
	if len(kinds) != 5 || with != 16 {
		t.Errorf("the fleet has %v, %d hosts with a product; want 5 kinds and 16", kinds, with)
	}
	plan := r.plan(t)
	if len(plan.Hosts) != with {
		t.Fatalf("the plan has %d hosts, want %d", len(plan.Hosts), with)
	}
	if sum := r.apply(t, plan); sum.Outcomes[remediate.OutcomeRemoved] != with || sum.ExitCode() != engine.ExitOK {
		t.Errorf("apply: %+v %+v", sum, r.failures())
	}
	for _, h := range r.fleet.Hosts() {
		r.gone(t, h)
	}
	if sum := r.apply(t, plan); sum.Outcomes[remediate.OutcomeNothingToDo] != with {
		t.Errorf("second apply: %+v", sum)
	}
	sum, err := r.engine.Verify(t.Context(), nil, r.hosts)
	if err != nil || sum.Standings[remediate.StandRemoved] != with || sum.ExitCode() != engine.ExitOK {
		t.Errorf("verify: %+v, %v", sum, err)
	}
	for _, h := range r.fleet.Hosts() {
		r.gone(t, h)
	}
}
