package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"oust/remediate"
)

// callers is how many goroutines use a store at once.
const callers = 100

func testConcurrency(t *testing.T, open Open) {
	t.Run("hosts at work", testManyHosts(open))
	t.Run("one winner of a begin", func(t *testing.T) {
		f := begin(t, open)
		var won atomic.Int32
		together(func(int) {
			if f.BeginAttempt(f.ctx, intent("a1", "web1", at(1))) == nil {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Errorf("%d callers began one attempt", won.Load())
		}
	})
	t.Run("one outcome of a close", func(t *testing.T) {
		f := begin(t, open)
		kinds := []remediate.OutcomeKind{remediate.OutcomeRemoved, remediate.OutcomeNothingToDo, remediate.OutcomeStale}
		var won [3]atomic.Int32
		together(func(i int) {
			a := closed(intent("a1", "web1", at(1)), at(2), remediate.Outcome{Kind: kinds[i%3]})
			if f.CloseAttempt(f.ctx, a, nil) == nil {
				won[i%3].Add(1)
			}
		})
		kept := slices.Index(kinds, f.attempt("web1", "a1").Outcome.Kind)
		for i := range won {
			if n := won[i].Load(); (n > 0) != (i == kept) {
				t.Errorf("%d closes as %s were taken; kept is %s", n, kinds[i], kinds[kept])
			}
		}
	})
	t.Run("a refused write spoils no other", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.BeginAttempt(f.ctx, intent("taken", "web1", at(1))))
		var wrong atomic.Int32
		together(func(i int) {
			a := intent("taken", "web1", at(1))
			if i%2 == 0 {
				a.ID = fmt.Sprint("a", i)
			}
			if err := f.BeginAttempt(f.ctx, a); (err == nil) != (i%2 == 0) {
				wrong.Add(1)
			}
		})
		list, err := f.OpenAttempts(f.ctx)
		f.ok(err)
		if wrong.Load() > 0 || len(list) != 1+callers/2 {
			t.Errorf("%d wrong answers, %d attempts", wrong.Load(), len(list))
		}
	})
}

// together runs f in many goroutines at once and waits for them.
func together(f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func testManyHosts(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.BeginRun(f.ctx, remediate.Run{ID: "run1", Kind: "apply", Plan: "plan1", Started: at(0)}))
		errs := make([]error, callers)
		together(func(i int) { errs[i] = f.work(fmt.Sprintf("web%03d", i)) })
		f.ok(errors.Join(errs...))
		n := 0
		for s, err := range f.HostStates(f.ctx) {
			f.ok(err)
			n++
			if s.Standing != remediate.StandRemoved || s.Last != removed || s.Class != "" {
				t.Errorf("state is %+v", s)
			}
		}
		if n != callers || len(all(f, f.RunAttempts(f.ctx, "run1"))) != callers {
			t.Errorf("%d hosts, not %d with an attempt each", n, callers)
		}
		f.holdsOpen()
	}
}

// work takes one host through an apply, and reads on the way.
func (f fixture) work(host string) error {
	a := intent(host, host, at(1))
	verify := look(host, remediate.LookVerify, at(5))
	errs := []error{
		f.SaveLook(f.ctx, look(host, remediate.LookScan, at(0), kesl("12.1"))),
		f.SaveLook(f.ctx, look(host, remediate.LookPrecheck, at(0), kesl("12.1"))),
		f.BeginAttempt(f.ctx, a),
	}
	a.Phase = remediate.PhaseLaunched
	errs = append(errs, f.SaveAttempt(f.ctx, a))
	a.Phase, a.Log = remediate.PhaseEnded, []byte("removing\n")
	errs = append(errs, f.SaveAttempt(f.ctx, a))
	for s, err := range f.HostStates(f.ctx) {
		errs = append(errs, err)
		if s.Host == host && s.Standing != remediate.StandPresent {
			errs = append(errs, fmt.Errorf("%s is %s before its removal", host, s.Standing))
		}
	}
	a = closed(a, at(6), removed)
	errs = append(errs, f.CloseAttempt(f.ctx, a, &verify))
	a.Phase = remediate.PhaseCleaned
	errs = append(errs, f.SaveAttempt(f.ctx, a))
	s, err := f.HostState(f.ctx, host)
	if err == nil && s.Standing != remediate.StandRemoved {
		err = fmt.Errorf("%s is %s after its removal", host, s.Standing)
	}
	return errors.Join(append(errs, err)...)
}
