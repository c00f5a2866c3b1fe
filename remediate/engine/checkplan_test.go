package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/storetest"
	"oust/transports"
)

// deskEngine is an engine that can plan, and reaches no host.
func deskEngine(t *testing.T, store remediate.Store, now func() time.Time) *Engine {
	t.Helper()
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{
		Store: store, Library: lib, Now: now,
		Dialer: transports.DialerFunc(func(_ context.Context, target transports.Target) (transports.Conn, error) {
			t.Errorf("host %s was dialled", target.Host)
			return nil, errors.New("no host can be reached here")
		}),
		Target:   func(h remediate.Host) (transports.Target, error) { return transports.Target{Host: h.Name}, nil },
		Campaign: remediate.Campaign{Name: "test", Timing: remediate.Timing{PlanExpiry: time.Hour}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestCheckPlan: a plan is applied only as it was made, where it was made, in
// its time, and with its playbooks; else no host is dialled.
func TestCheckPlan(t *testing.T) {
	made := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	clock := made
	now := func() time.Time { return clock }
	store := storetest.NewMemory(now)
	e := deskEngine(t, store, now)
	plan, err := e.Plan(t.Context(), []remediate.Host{{Name: "unseen"}})
	if err != nil {
		t.Fatal(err)
	}
	forge := func(change func(*remediate.Plan)) *remediate.Plan {
		forged := *plan
		change(&forged)
		if forged.Digest, err = PlanDigest(&forged); err != nil {
			t.Fatal(err)
		}
		return &forged
	}
	altered := *plan
	altered.Waves = []int{7}
	tests := map[string]struct {
		plan *remediate.Plan
		at   time.Time
		with *Engine
		want string // "" accepts
	}{
		"as it was made":           {plan: plan},
		"at its last moment":       {plan: plan, at: made.Add(time.Hour)},
		"expired":                  {plan: plan, at: made.Add(time.Hour + time.Nanosecond), want: "it expired on 2026-10-01T13:00:00Z"},
		"altered":                  {plan: &altered, want: "altered"},
		"altered, with its digest": {plan: forge(func(p *remediate.Plan) { p.Expires = made.Add(9000 * time.Hour) }), want: "not the plan that was made under this id"},
		"an id of its own":         {plan: forge(func(p *remediate.Plan) { p.ID = remediate.NewID(made) }), want: "does not know it"},
		"of another campaign":      {plan: plan, with: deskEngine(t, storetest.NewMemory(now), now), want: "made for another campaign"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			clock = made
			if !tt.at.IsZero() {
				clock = tt.at
			}
			with := e
			if tt.with != nil {
				with = tt.with
			}
			_, err := with.Apply(t.Context(), nil, tt.plan, []remediate.Host{{Name: "unseen"}}, ApplyOptions{})
			refused, ok := errors.AsType[*RefusedError](err)
			switch {
			case tt.want == "" && err == nil:
			case tt.want == "" || !ok || !strings.Contains(refused.Reason, tt.want) || refused.Advice == "":
				t.Errorf("%v; want a refusal with %q", err, tt.want)
			}
		})
	}
}

// TestPlanLeavesUnseenHosts: a host that was never looked at is in no wave, and
// is named with what to do.
func TestPlanLeavesUnseenHosts(t *testing.T) {
	store := storetest.NewMemory(time.Now)
	plan, err := deskEngine(t, store, time.Now).Plan(t.Context(), []remediate.Host{{Name: "a"}, {Name: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Hosts) != 0 || len(plan.Left) != 2 || plan.Left[0].Reason != remediate.LeftUnseen || plan.Left[0].Detail == "" {
		t.Errorf("%+v", plan)
	}
}
