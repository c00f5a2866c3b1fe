package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sourcegraph/conc/panics"
)

// fakeTask takes a number of steps, waiting between them.
type fakeTask struct {
	name, at string
	steps    int
	wait     time.Duration
	work     time.Duration
	watch    *watch
	onStep   func()
	panics   bool
	started  bool
	recover  *panics.Recovered
}

// watch holds what limits were seen.
type watch struct {
	mu                 sync.Mutex
	inFlight, maxSeen  int
	active, maxActive  int
	bySite, maxOfSite  map[string]int
	startedBy, endedBy []string
}

func newWatch() *watch { return &watch{bySite: map[string]int{}, maxOfSite: map[string]int{}} }

func (t *fakeTask) site() string { return t.at }

func (t *fakeTask) step(ctx context.Context) (time.Duration, bool) {
	w := t.watch
	w.mu.Lock()
	if !t.started {
		t.started = true
		w.startedBy = append(w.startedBy, t.name)
		w.inFlight++
		w.bySite[t.at]++
		w.maxSeen = max(w.maxSeen, w.inFlight)
		w.maxOfSite[t.at] = max(w.maxOfSite[t.at], w.bySite[t.at])
	}
	w.active++
	w.maxActive = max(w.maxActive, w.active)
	w.mu.Unlock()
	if t.onStep != nil {
		t.onStep()
	}
	select {
	case <-time.After(t.work):
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active--
	t.steps--
	if t.panics {
		panic("boom " + t.name)
	}
	if t.steps > 0 && ctx.Err() == nil {
		return t.wait, true
	}
	w.inFlight--
	w.bySite[t.at]--
	w.endedBy = append(w.endedBy, t.name)
	return 0, false
}

func (t *fakeTask) panicked(_ context.Context, p *panics.Recovered) { t.recover = p }

func fakeTasks(w *watch, n, steps int, site func(i int) string) []task {
	out := make([]task, n)
	for i := range out {
		out[i] = &fakeTask{name: fmt.Sprintf("h%03d", i), at: site(i), steps: steps, wait: time.Minute, work: time.Second, watch: w}
	}
	return out
}

func oneSite(int) string { return "" }

func TestExecutorLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		site := func(i int) string { return []string{"big", "big", "big", "small"}[i%4] }
		x := executor{hosts: 10, perSite: 6, active: 4}
		left, dropped := x.run(t.Context(), nil, fakeTasks(w, 100, 3, site))
		if len(left)+len(dropped) != 0 || len(w.endedBy) != 100 {
			t.Fatalf("left %d, dropped %d, ended %d; want all 100 ended", len(left), len(dropped), len(w.endedBy))
		}
		if w.maxSeen != 10 || w.maxActive != 4 || w.maxOfSite["big"] != 6 {
			t.Errorf("at most %d in flight, %d active, %d of one site; want 10, 4, 6", w.maxSeen, w.maxActive, w.maxOfSite["big"])
		}
	})
}

func TestExecutorFullSiteDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		site := func(i int) string {
			if i < 50 {
				return "full"
			}
			return "other"
		}
		tasks := fakeTasks(w, 52, 2, site)
		x := executor{hosts: 10, perSite: 1, active: 10}
		x.run(t.Context(), nil, tasks)
		for i, name := range w.startedBy {
			if name == "h050" && i > 2 {
				t.Errorf("the other site's first host was started as number %d", i+1)
			}
		}
	})
}

func TestExecutorWaitingTaskHoldsNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		start := time.Now()
		// 50 tasks of two 1 s steps with a minute between: one worker is enough
		// for all of them to wait at the same time.
		x := executor{hosts: 50, perSite: 50, active: 1}
		x.run(t.Context(), nil, fakeTasks(w, 50, 2, oneSite))
		if took := time.Since(start); took > 3*time.Minute {
			t.Errorf("took %s: waiting tasks held the worker", took)
		}
	})
}

func TestExecutorStopLetsRunningFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		tasks := fakeTasks(w, 20, 3, oneSite)
		stop := make(chan struct{})
		var once sync.Once
		tasks[0].(*fakeTask).onStep = func() { once.Do(func() { close(stop) }) }
		x := executor{hosts: 5, perSite: 5, active: 5}
		left, dropped := x.run(t.Context(), stop, tasks)
		if len(dropped) != 0 || len(left) != 15 || len(w.endedBy) != 5 {
			t.Errorf("left %d, dropped %d, ended %d; want 15, 0, 5", len(left), len(dropped), len(w.endedBy))
		}
	})
}

func TestExecutorHaltEndsAdmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		halted := func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.endedBy) >= 3
		}
		x := executor{hosts: 1, perSite: 1, active: 1, halted: halted}
		left, _ := x.run(t.Context(), nil, fakeTasks(w, 10, 1, oneSite))
		if len(w.endedBy) != 3 || len(left) != 7 {
			t.Errorf("ended %d, left %d; want 3 and 7", len(w.endedBy), len(left))
		}
	})
}

func TestExecutorCancelDropsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		ctx, cancel := context.WithCancel(t.Context())
		tasks := fakeTasks(w, 20, 2, oneSite)
		time.AfterFunc(30*time.Second, cancel) // all of the first five wait then
		x := executor{hosts: 5, perSite: 5, active: 5}
		left, dropped := x.run(ctx, nil, tasks)
		if len(left) != 15 || len(dropped) != 5 || len(w.startedBy) != 5 {
			t.Errorf("left %d, dropped %d, started %d; want 15, 5, 5", len(left), len(dropped), len(w.startedBy))
		}
	})
}

func TestExecutorCancelledBeforeStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWatch()
	x := executor{hosts: 5, perSite: 5, active: 5}
	left, _ := x.run(ctx, nil, fakeTasks(w, 20, 2, oneSite))
	if len(left) != 20 || len(w.startedBy) != 0 {
		t.Errorf("left %d, started %d; a cancelled run must start nothing", len(left), len(w.startedBy))
	}
}

func TestExecutorPanicIsOneTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		tasks := fakeTasks(w, 5, 1, oneSite)
		bad := tasks[2].(*fakeTask)
		bad.panics = true
		x := executor{hosts: 2, perSite: 2, active: 2}
		x.run(t.Context(), nil, tasks)
		if bad.recover == nil || len(w.endedBy) != 4 {
			t.Errorf("panic seen: %v; %d others ended, want 4", bad.recover != nil, len(w.endedBy))
		}
	})
}
