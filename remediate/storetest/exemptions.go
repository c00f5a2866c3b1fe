package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func exemption(host string, from, until int) remediate.Exemption {
	return remediate.Exemption{
		Host: host, Reason: "needed until the migration", Approver: "Kim", Until: at(until), At: at(from), By: "kim@desk",
	}
}

// endedAt is the exemption as it stands after its end.
func endedAt(e remediate.Exemption, n int) remediate.Exemption {
	e.Ended = at(n)
	return e
}

func testExemptions(t *testing.T, open Open) {
	t.Run("one in force for a host", func(t *testing.T) {
		f := begin(t, open)
		f.holdsExemptions()
		first, other, second := exemption("web1", 1, 100), exemption("web2", 2, 50), exemption("web1", 5, 60)
		f.ok(f.SaveExemption(f.ctx, first))
		f.ok(f.SaveExemption(f.ctx, other))
		f.holdsExemptions(first, other)
		f.ok(f.SaveExemption(f.ctx, second))
		f.holdsExemptions(endedAt(first, 5), other, second)
		// One that has ended by its own date stays as it is.
		third := exemption("web1", 60, 90)
		f.ok(f.SaveExemption(f.ctx, third))
		f.holdsExemptions(endedAt(first, 5), other, second, third)
		f.holdsState(remediate.HostState{Host: "web1", Standing: remediate.StandUnseen})
	})
	t.Run("oldest first", func(t *testing.T) {
		f := begin(t, open)
		late, early, same := exemption("web1", 5, 9), exemption("web2", 1, 9), exemption("a", 5, 9)
		for _, e := range []remediate.Exemption{late, early, same} {
			f.ok(f.SaveExemption(f.ctx, e))
		}
		f.holdsExemptions(early, late, same)
	})
	t.Run("are taken back", testTakenBack(open))
	t.Run("hold when they are saved", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveExemption(f.ctx, endedAt(exemption("web1", 1, 9), 2)))
		f.holdsExemptions(exemption("web1", 1, 9))
	})
	t.Run("get the clock's time where they have none", func(t *testing.T) {
		f := begin(t, open)
		e := exemption("web1", 0, 0)
		e.At, e.Until = time.Time{}, time.Date(2200, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
		f.ok(f.SaveExemption(f.ctx, e))
		f.ok(f.EndExemption(f.ctx, "web1", time.Time{}))
		got, err := f.Exemptions(f.ctx)
		f.ok(err)
		if len(got) != 1 || got[0].At.IsZero() || got[0].Ended.IsZero() || got[0].Until != e.Until.UTC() {
			t.Errorf("exemptions are %+v", got)
		}
	})
	t.Run("are refused if they make no sense", func(t *testing.T) {
		f := begin(t, open)
		kept := exemption("web1", 1, 100)
		f.ok(f.SaveExemption(f.ctx, kept))
		for name, spoil := range map[string]func(*remediate.Exemption){
			"no host":              func(e *remediate.Exemption) { e.Host = "" },
			"a long host":          func(e *remediate.Exemption) { e.Host = strings.Repeat("n", remediate.MaxName+1) },
			"no end":               func(e *remediate.Exemption) { e.Until = time.Time{} },
			"an end at its start":  func(e *remediate.Exemption) { e.Until = e.At },
			"an end that is over":  func(e *remediate.Exemption) { e.Until = at(1) },
			"an end in its moment": func(e *remediate.Exemption) { e.Until = e.At.Add(time.Nanosecond) },
		} {
			e := exemption("web1", 5, 60)
			spoil(&e)
			f.refused("an exemption with "+name, f.SaveExemption(f.ctx, e))
		}
		f.holdsExemptions(kept)
	})
	t.Run("are bounded", func(t *testing.T) {
		f := begin(t, open)
		long := strings.Repeat("ü", remediate.MaxText)
		e := exemption("web1", 1, 9)
		e.Reason, e.Approver, e.By = long, long, long
		f.ok(f.SaveExemption(f.ctx, e))
		e.Reason, e.Approver, e.By = remediate.ClipText(long), remediate.ClipText(long), remediate.ClipText(long)
		f.holdsExemptions(e)
	})
}

func testTakenBack(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		endNone := func(host string, n int) {
			t.Helper()
			if err := f.EndExemption(f.ctx, host, at(n)); !errors.Is(err, remediate.ErrNotFound) {
				t.Errorf("end of an exemption of %q at %d: %v, not ErrNotFound", host, n, err)
			}
		}
		endNone("web1", 1)
		first, other := exemption("web1", 1, 10), exemption("web2", 1, 20)
		f.ok(f.SaveExemption(f.ctx, first))
		f.ok(f.SaveExemption(f.ctx, other))
		endNone("web1", 10) // over by its own date
		endNone("", 5)
		f.holdsExemptions(first, other)
		f.ok(f.EndExemption(f.ctx, "web1", at(9)))
		endNone("web1", 9)
		f.holdsExemptions(endedAt(first, 9), other)
		again := exemption("web1", 12, 20)
		f.ok(f.SaveExemption(f.ctx, again))
		f.ok(f.EndExemption(f.ctx, "web1", at(13)))
		f.holdsExemptions(endedAt(first, 9), other, endedAt(again, 13))
	}
}

func (f fixture) holdsExemptions(want ...remediate.Exemption) {
	f.Helper()
	got, err := f.Exemptions(f.ctx)
	f.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("exemptions (-want +got):\n%s", diff)
	}
}
