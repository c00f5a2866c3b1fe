package engine_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports"
	"oust/transports/lab"
)

// breaking is a connection that breaks off each launch before it begins.
type breaking struct {
	transports.Conn
	launches *atomic.Int32
}

func (c breaking) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	if !bytes.Contains(cmd.Stdin, []byte("stage_files")) {
		return c.Conn.Run(ctx, cmd)
	}
	c.launches.Add(1)
	return transports.Result{}, &transports.Error{Class: transports.LostContact, Host: "h", Op: "run", Err: errors.New("broken off")}
}

// TestLaunchesThatBreakOff: a host that answers every question and breaks off
// every launch does not keep a run from ending.
func TestLaunchesThatBreakOff(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 1, Seed: 9})
	r.scan(t)
	plan, dial := r.plan(t), r.dialer
	var launches atomic.Int32
	r.dialer = transports.DialerFunc(func(ctx context.Context, target transports.Target) (transports.Conn, error) {
		conn, err := dial.Dial(ctx, target)
		return breaking{conn, &launches}, err
	})
	r.newEngine(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sum, err := r.engine.Apply(ctx, nil, plan, r.hosts, engine.ApplyOptions{})
	if err != nil || sum.Failed[remediate.ClassLostContact] != 1 || launches.Load() != 3 {
		t.Errorf("%+v, %v after %d launches", sum, err, launches.Load())
	}
	for host, o := range r.ended {
		if !strings.Contains(o.Detail, "nothing was started in 3 launches: run: broken off") {
			t.Errorf("%s: %s", host, o.Detail)
		}
	}
	if open, err := r.store.OpenAttempts(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("open attempts: %+v, %v", open, err)
	}
}

// interruptedApply applies until a number of jobs have been launched, and dies.
func (r *labRig) interruptedApply(t *testing.T, plan *remediate.Plan, writes int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	store := &mortal{Store: r.store, die: cancel, left: writes, after: true}
	r.newEngineOver(t, store)
	_, _ = r.engine.Apply(ctx, nil, plan, r.hosts, engine.ApplyOptions{})
	if !store.ended {
		t.Fatal("the apply was not interrupted")
	}
	r.newEngine(t)
}

// TestResumeAsksNoOtherMachine: a host whose address has changed since its job
// was launched is not judged by what stands at the new address.
func TestResumeAsksNoOtherMachine(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 2, Seed: 9})
	r.scan(t)
	plan := r.plan(t)
	r.interruptedApply(t, plan, 4) // the run, two intents, and the end of one job
	r.hosts[0].Port, r.hosts[1].Port = r.hosts[1].Port, r.hosts[0].Port
	sum := r.apply(t, plan)
	if sum.Failed[remediate.ClassLostContact] != 2 || sum.Outcomes[remediate.OutcomeRemoved] != 0 {
		t.Errorf("%+v %+v", sum, r.ended)
	}
	for host, o := range r.ended {
		if !strings.Contains(o.Detail, "another machine is not asked") || !strings.Contains(o.Detail, "another address") {
			t.Errorf("%s: %s", host, o.Detail)
		}
	}
}

// TestEarlierAsksNoOtherMachine: nor is one whose job an earlier run launched,
// of another plan.
func TestEarlierAsksNoOtherMachine(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 2, Seed: 9})
	r.scan(t)
	r.interruptedApply(t, r.plan(t), 4) // the run, two intents, and the end of one job
	open, err := r.store.OpenAttempts(t.Context())
	if err != nil || len(open) != 2 || open[0].Address == "" {
		t.Fatalf("open attempts: %+v, %v", open, err)
	}
	r.hosts[0].Port, r.hosts[1].Port = r.hosts[1].Port, r.hosts[0].Port
	r.apply(t, r.plan(t))
	for _, at := range open {
		for got, err := range r.store.HostAttempts(t.Context(), at.Host) {
			if err != nil {
				t.Fatal(err)
			}
			if got.ID == at.ID && (got.Outcome.Class != remediate.ClassLostContact || !strings.Contains(got.Outcome.Detail, "it was begun at "+at.Address)) {
				t.Errorf("%s: %+v", at.Host, got.Outcome)
			}
		}
	}
}

// TestResumeOverALimit: a limit that was passed before the interruption keeps
// new hosts away; the jobs that were under way are joined all the same.
func TestResumeOverALimit(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 4, Seed: 9})
	r.scan(t)
	plan := r.plan(t)
	r.interruptedApply(t, plan, 6) // the run, four intents, and the end of one job
	pending, err := r.store.OpenAttempts(t.Context())
	if err != nil || len(pending) != 4 {
		t.Fatalf("open attempts: %d, %v", len(pending), err)
	}
	first := pending[0]
	first.Phase, first.Outcome = remediate.PhaseClosed, remediate.Failed(remediate.ClassUninstaller, "it failed")
	if err := r.store.CloseAttempt(t.Context(), first, nil); err != nil {
		t.Fatal(err)
	}
	r.engine.Campaign.Stop = remediate.StopRules{Failed: 1, FailedHosts: 0, Unreachable: 1}
	sum := r.apply(t, plan)
	if sum.ExitCode() != engine.ExitStopped || sum.Outcomes[remediate.OutcomeRemoved] != 3 ||
		sum.Outcomes[remediate.OutcomeFailed] != 1 || sum.Outcomes[remediate.OutcomeNotStarted] != 0 || sum.Open != 0 {
		t.Errorf("%+v %+v", sum, r.ended)
	}
}

// TestRebootPendingAfterAResume: the reasons for a reboot that were there
// before the job are known after an interruption, too.
func TestRebootPendingAfterAResume(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 1, Seed: 8, Faults: lab.FaultMix{{Fault: "reboot-needed", Share: 1}}})
	r.scan(t)
	plan := r.plan(t)
	r.interruptedApply(t, plan, 3) // the run, the intent, the end of the job
	if sum := r.apply(t, plan); sum.Outcomes[remediate.OutcomeRebootPending] != 1 {
		t.Errorf("%+v %+v", sum, r.ended)
	}
}
