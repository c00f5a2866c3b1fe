package storetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"oust/remediate"
)

func testLists(t *testing.T, open Open) {
	t.Run("open attempts, oldest first", func(t *testing.T) {
		f := begin(t, open)
		for _, a := range []remediate.Attempt{
			intent("young", "web3", at(9)), intent("old", "web1", at(1)), intent("same", "web1", at(1)), intent("mid", "web2", at(5)),
		} {
			f.ok(f.BeginAttempt(f.ctx, a))
		}
		a := intent("mid", "web2", at(5))
		a.Phase, a.Log = remediate.PhaseEnded, []byte("long")
		f.ok(f.SaveAttempt(f.ctx, a))
		f.holdsOpen("old", "same", "mid", "young")
		f.ok(f.CloseAttempt(f.ctx, closed(a, at(6), removed), nil))
		f.holdsOpen("old", "same", "mid", "young")
		a = closed(a, at(7), removed)
		a.Phase = remediate.PhaseCleaned
		f.ok(f.SaveAttempt(f.ctx, a))
		f.holdsOpen("old", "same", "young")
	})
	t.Run("attempts of a run and of a host", func(t *testing.T) {
		f := begin(t, open)
		for i := range 6 {
			a := intent(fmt.Sprint("a", i), fmt.Sprint("web", i%2), at(-i))
			a.Run = fmt.Sprint("run", i%3)
			f.ok(f.BeginAttempt(f.ctx, a))
		}
		f.holdsAttempts(f.RunAttempts(f.ctx, "run1"), "a4", "a1")
		f.holdsAttempts(f.HostAttempts(f.ctx, "web0"), "a4", "a2", "a0")
		f.holdsAttempts(f.RunAttempts(f.ctx, "run9"))
		f.holdsAttempts(f.HostAttempts(f.ctx, "web9"))
	})
	t.Run("hosts by name, each once", testHosts(open))
	t.Run("are complete when they are long", testLong(open))
	t.Run("may be left early and read again", func(t *testing.T) {
		f := begin(t, open)
		fill(f, 3)
		leaveEarly(f, "states", f.HostStates(f.ctx))
		leaveEarly(f, "looks", f.HostLooks(f.ctx, "host0001"))
		leaveEarly(f, "attempts of a host", f.HostAttempts(f.ctx, "host0001"))
		leaveEarly(f, "attempts of a run", f.RunAttempts(f.ctx, "run1"))
	})
	t.Run("let the loop write", func(t *testing.T) {
		f := begin(t, open)
		fill(f, 600) // more than a store reads at once
		n := 0
		for s, err := range f.HostStates(f.ctx) {
			f.ok(err)
			f.ok(f.SaveLook(f.ctx, look(s.Host, remediate.LookVerify, at(50))))
			n++
		}
		if n != 600 {
			t.Errorf("saw %d hosts, not 600", n)
		}
	})
}

// holdsOpen compares the ids of the open attempts.
func (f fixture) holdsOpen(want ...string) {
	f.Helper()
	list, err := f.OpenAttempts(f.ctx)
	f.ok(err)
	var got []string
	for _, a := range list {
		got = append(got, a.ID)
		if a.Log != nil {
			f.Errorf("open attempt %s has its log with it", a.ID)
		}
	}
	if !slices.Equal(got, want) {
		f.Errorf("open attempts are %v, not %v", got, want)
	}
}

func (f fixture) holdsAttempts(seq iter.Seq2[remediate.Attempt, error], want ...string) {
	f.Helper()
	var got []string
	for _, a := range all(f, seq) {
		got = append(got, a.ID)
	}
	if !slices.Equal(got, want) {
		f.Errorf("attempts are %v, not %v", got, want)
	}
}

func testHosts(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		names := []string{"b", "a", "B", "a.example", "a-1", "ü", "a1", "a10", "a2", "\"'%_", "host with space"}
		for i, name := range names {
			switch i % 4 {
			case 0:
				f.ok(f.SaveLook(f.ctx, look(name, remediate.LookScan, at(i))))
			case 1:
				f.ok(f.TrustHostKey(f.ctx, name, "10.0.0.1:22", "SHA256:x", at(i)))
				f.ok(f.TrustHostKey(f.ctx, name, "10.0.0.1:22", "SHA256:x", at(i)))
				f.ok(f.TrustHostKey(f.ctx, name, "10.0.0.1:22", "SHA256:y", at(i)))
			case 2:
				f.ok(f.BeginAttempt(f.ctx, intent(name, name, at(i))))
			default:
				f.ok(f.CloseAttempt(f.ctx, closed(intent(name, name, at(i)), at(i), removed), nil))
			}
		}
		f.refused("a key without a host", f.TrustHostKey(f.ctx, "", "10.0.0.1:22", "SHA256:x", at(1)))
		var got []string
		for _, s := range all(f, f.HostStates(f.ctx)) {
			got = append(got, s.Host)
		}
		slices.Sort(names)
		if !slices.Equal(got, names) {
			t.Errorf("hosts are %q, not %q", got, names)
		}
	}
}

// fill records n hosts, each with a look and an attempt of run1; the first
// three have three of each.
func fill(f fixture, n int) {
	f.Helper()
	errs := make(chan error)
	for i := range n {
		go func() {
			host := fmt.Sprintf("host%04d", i)
			var all []error
			for k := range 3 {
				if k > 0 && i > 2 {
					break
				}
				all = append(all, f.SaveLook(f.ctx, look(host, remediate.LookScan, at(k), kesl("12.1"))),
					f.BeginAttempt(f.ctx, intent(fmt.Sprint(host, "-", k), host, at(k))))
			}
			errs <- errors.Join(all...)
		}()
	}
	var all []error
	for range n {
		all = append(all, <-errs)
	}
	f.ok(errors.Join(all...))
}

func testLong(open Open) func(*testing.T) {
	return func(t *testing.T) {
		const n, failures = 1100, 530 // more than a store reads at once, twice and once
		f := begin(t, open)
		fill(f, n)
		for i := range failures {
			f.ok(f.SaveLook(f.ctx, failedLook("host0000", at(1), remediate.ClassBusy, fmt.Sprint(i))))
		}
		if got := all(f, f.HostStates(f.ctx)); len(got) != n || !slices.IsSortedFunc(got, func(a, b remediate.HostState) int {
			if a.Host < b.Host {
				return -1
			}
			return 1
		}) {
			t.Errorf("%d hosts, not %d in order", len(got), n)
		}
		seen := map[string]bool{}
		for _, a := range all(f, f.RunAttempts(f.ctx, "run1")) {
			seen[a.ID] = true
		}
		if len(seen) != n+6 {
			t.Errorf("the run has %d attempts, not %d", len(seen), n+6)
		}
		list, err := f.OpenAttempts(f.ctx)
		f.ok(err)
		if len(list) != n+6 {
			t.Errorf("%d attempts are open, not %d", len(list), n+6)
		}
		looks := all(f, f.HostLooks(f.ctx, "host0000"))
		// The look of the last minute stands behind those of the first.
		if len(looks) != 3+failures || looks[1+failures].Detail != fmt.Sprint(failures-1) {
			t.Errorf("%d looks, not %d in order", len(looks), 3+failures)
		}
	}
}

// leaveEarly reads one element, then all, twice: a sequence is no one-way street.
func leaveEarly[T any](f fixture, what string, seq iter.Seq2[T, error]) {
	f.Helper()
	for _, err := range seq {
		f.ok(err)
		break
	}
	if first, again := len(all(f, seq)), len(all(f, seq)); first != again || first < 3 {
		f.Errorf("%s: read %d, then %d", what, first, again)
	}
}

// last is the error that a sequence ends with.
func last[T any](seq iter.Seq2[T, error]) error {
	var last error
	for _, err := range seq {
		last = err
	}
	return last
}
