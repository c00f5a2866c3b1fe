package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// testStanding tells how looks move the state of a host.
func testStanding(t *testing.T, open Open) {
	t.Run("a host that was never seen", func(t *testing.T) {
		f := begin(t, open)
		got := f.state("web1")
		if got.Host != "web1" || got.Standing != remediate.StandUnseen {
			t.Errorf("state is %+v", got)
		}
		if all := all(f, f.HostStates(f.ctx)); len(all) > 0 {
			t.Errorf("asking for a host recorded it: %v", all)
		}
	})
	t.Run("scan and verify move it", testMoves(open))
	t.Run("a precheck does not", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(1), kesl("12.1"))))
		clean := look("web1", remediate.LookPrecheck, at(2))
		f.ok(f.SaveLook(f.ctx, clean))
		f.holdsState(stateAfter(clean, remediate.StandPresent, at(1)))
		other := look("web1", remediate.LookPrecheck, at(3), kesl("12.2"))
		f.ok(f.SaveLook(f.ctx, other))
		f.holdsState(stateAfter(other, remediate.StandPresent, at(1)))
		first := look("web2", remediate.LookPrecheck, at(3), kesl("12.2"))
		f.ok(f.SaveLook(f.ctx, first))
		f.holdsState(stateAfter(first, remediate.StandUnseen, at(3)))
	})
	t.Run("an incomplete look that found nothing keeps the findings", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(1), kesl("12.1"))))
		partial := look("web1", remediate.LookScan, at(2))
		partial.Complete = false
		f.ok(f.SaveLook(f.ctx, partial))
		want := stateAfter(partial, remediate.StandPresent, at(1))
		want.Findings = []remediate.Finding{kesl("12.1")}
		f.holdsState(want)
	})
	t.Run("an incomplete look that found something counts", func(t *testing.T) {
		f := begin(t, open)
		partial := look("web1", remediate.LookScan, at(2), kesl("12.1"))
		partial.Complete = false
		f.ok(f.SaveLook(f.ctx, partial))
		f.holdsState(stateAfter(partial, remediate.StandPresent, at(2)))
	})
	t.Run("a failed look keeps what was known", func(t *testing.T) {
		f := begin(t, open)
		seen := look("web1", remediate.LookScan, at(1), kesl("12.1"))
		f.ok(f.SaveLook(f.ctx, seen))
		f.ok(f.SaveLook(f.ctx, failedLook("web1", at(2), remediate.ClassTimeout, "silent for 30s")))
		want := stateAfter(seen, remediate.StandPresent, at(1))
		want.Class, want.Detail, want.Tries, want.FailedAt = remediate.ClassTimeout, "silent for 30s", 1, at(2)
		f.holdsState(want)
	})
}

// testMoves takes a host through every standing, by Standing.Next.
func testMoves(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		var since, foundAt time.Time
		var moves []remediate.Move
		last := remediate.StandUnseen
		for i, step := range []struct {
			found bool
			want  remediate.Standing
		}{
			{false, remediate.StandClear},
			{true, remediate.StandPresent},
			{true, remediate.StandPresent},
			{false, remediate.StandRemoved},
			{false, remediate.StandRemoved},
			{true, remediate.StandReappeared},
			{true, remediate.StandReappeared},
			{false, remediate.StandRemoved},
		} {
			kind := remediate.LookScan
			if i%2 == 1 {
				kind = remediate.LookVerify
			}
			l := look("web1", kind, at(i))
			if step.found {
				l.Findings = []remediate.Finding{kesl("12.1")}
			}
			if step.found && foundAt.IsZero() {
				foundAt = l.At
			}
			f.ok(f.SaveLook(f.ctx, l))
			want := stateAfter(l, step.want, foundAt)
			switch {
			case step.want != remediate.StandRemoved:
				since = time.Time{}
			case since.IsZero():
				since = l.At
			}
			want.RemovedAt = since
			f.holdsState(want)
			if step.want != last {
				moves = append(moves, remediate.Move{Host: "web1", At: l.At, From: last, To: step.want})
				last = step.want
			}
		}
		latest := all(f, f.LatestMoves(f.ctx))
		slices.Reverse(latest)
		if diff := cmp.Diff(moves, latest); diff != "" {
			t.Errorf("newest first (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(moves, all(f, f.Moves(f.ctx))); diff != "" {
			t.Errorf("moves (-want +got):\n%s", diff)
		}
	}
}

// testNoted: what the mandate does not count is recorded, and changes no
// standing.
func testNoted(t *testing.T, open Open) {
	f := begin(t, open)
	embedded := kesl("")
	embedded.Kind = remediate.FindEmbedded
	for i, c := range []struct {
		findings []remediate.Finding
		want     remediate.Standing
	}{
		{[]remediate.Finding{embedded}, remediate.StandClear},
		{[]remediate.Finding{embedded, kesl("12.1")}, remediate.StandPresent},
		{[]remediate.Finding{embedded}, remediate.StandRemoved},
	} {
		l := look("web1", remediate.LookScan, at(i), c.findings...)
		f.ok(f.SaveLook(f.ctx, l))
		foundAt := time.Time{}
		if i > 0 {
			foundAt = at(1)
		}
		want := stateAfter(l, c.want, foundAt)
		if c.want == remediate.StandRemoved {
			want.RemovedAt = l.At
		}
		f.holdsState(want)
	}
}

// stateAfter is the state of a host that nothing but the look says.
func stateAfter(l remediate.Look, standing remediate.Standing, foundAt time.Time) remediate.HostState {
	return remediate.HostState{
		Host: l.Host, Standing: standing, Platform: l.Platform, OS: l.OS,
		Findings: l.Findings, RawDigest: l.RawDigest, SeenAt: l.At, BootID: l.BootID,
		Transport: l.Transport, Probe: l.Probe, Run: l.Run, FoundAt: foundAt,
	}
}

// testFailures tells which failure stands in the state of a host.
func testFailures(t *testing.T, open Open) {
	const host = "web1"
	var (
		failed = func(n int, class remediate.Class) event {
			return event{look: failedLook(host, at(n), class, string(class)+" look")}
		}
		seen = func(n int, kind remediate.LookKind, found ...remediate.Finding) event {
			return event{look: look(host, kind, at(n), found...)}
		}
		ended = func(kind remediate.OutcomeKind, class remediate.Class) event {
			o := remediate.Outcome{Kind: kind, Class: class}
			if class != "" {
				o.Detail = string(class) + " attempt"
			}
			return event{outcome: o}
		}
		uninstaller = ended(remediate.OutcomeFailed, remediate.ClassUninstaller)
		unreachable = ended(remediate.OutcomeFailed, remediate.ClassUnreachable)
	)
	for name, c := range map[string]struct {
		events []event
		want   string
	}{
		"a failed look":                        {[]event{failed(1, remediate.ClassAuth)}, "auth look"},
		"the last of two":                      {[]event{failed(1, remediate.ClassAuth), failed(2, remediate.ClassBusy)}, "busy look"},
		"seen again":                           {[]event{failed(1, remediate.ClassAuth), seen(2, remediate.LookScan, kesl("1"))}, ""},
		"seen again by a precheck":             {[]event{failed(1, remediate.ClassAuth), seen(2, remediate.LookPrecheck)}, ""},
		"a failed attempt":                     {[]event{uninstaller}, "uninstaller attempt"},
		"still there after it":                 {[]event{uninstaller, seen(1, remediate.LookScan, kesl("1"))}, "uninstaller attempt"},
		"a clean precheck after it":            {[]event{uninstaller, seen(1, remediate.LookPrecheck)}, "uninstaller attempt"},
		"clean after it":                       {[]event{uninstaller, seen(1, remediate.LookScan)}, ""},
		"clean but incomplete after it":        {[]event{uninstaller, {look: incomplete(host, at(1))}}, "uninstaller attempt"},
		"a failed look after it":               {[]event{uninstaller, failed(1, remediate.ClassAuth)}, "auth look"},
		"seen after both":                      {[]event{uninstaller, failed(1, remediate.ClassAuth), seen(2, remediate.LookScan, kesl("1"))}, "uninstaller attempt"},
		"not reached":                          {[]event{unreachable}, "unreachable attempt"},
		"not reached, then seen":               {[]event{unreachable, seen(1, remediate.LookScan, kesl("1"))}, ""},
		"removed after it":                     {[]event{uninstaller, ended(remediate.OutcomeRemoved, "")}, ""},
		"removed after a failed look":          {[]event{failed(1, remediate.ClassAuth), ended(remediate.OutcomeRemoved, "")}, ""},
		"nothing to do after it":               {[]event{uninstaller, ended(remediate.OutcomeNothingToDo, "")}, ""},
		"reboot pending after it":              {[]event{uninstaller, ended(remediate.OutcomeRebootPending, "")}, ""},
		"stale after it":                       {[]event{uninstaller, ended(remediate.OutcomeStale, "")}, "uninstaller attempt"},
		"deferred after it":                    {[]event{uninstaller, ended(remediate.OutcomeDeferred, "")}, "uninstaller attempt"},
		"exempt after it":                      {[]event{uninstaller, ended(remediate.OutcomeExempt, "")}, "uninstaller attempt"},
		"ready after it":                       {[]event{uninstaller, ended(remediate.OutcomeReady, "")}, "uninstaller attempt"},
		"not started after it":                 {[]event{uninstaller, ended(remediate.OutcomeNotStarted, "")}, "uninstaller attempt"},
		"not started after a failed look":      {[]event{failed(1, remediate.ClassAuth), ended(remediate.OutcomeNotStarted, "")}, "auth look"},
		"another failed attempt after it":      {[]event{uninstaller, ended(remediate.OutcomeFailed, remediate.ClassBusy)}, "busy attempt"},
		"answered, then a look fails and ends": {[]event{uninstaller, ended(remediate.OutcomeRemoved, ""), failed(1, remediate.ClassAuth), seen(2, remediate.LookScan)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := begin(t, open)
			for i, e := range c.events {
				e.play(f, host, i)
			}
			got := f.state(host)
			if got.Detail != c.want || (got.Class == "") != (c.want == "") {
				t.Errorf("state shows %q %q, want %q", got.Class, got.Detail, c.want)
			}
		})
	}
}

func incomplete(host string, when time.Time) remediate.Look {
	l := look(host, remediate.LookScan, when)
	l.Complete = false
	return l
}

// event is a look, or the end of an attempt.
type event struct {
	look    remediate.Look
	outcome remediate.Outcome
}

func (e event) play(f fixture, host string, n int) {
	f.Helper()
	if e.outcome.Kind == "" {
		f.ok(f.SaveLook(f.ctx, e.look))
		return
	}
	a := closed(intent(remediate.NewID(at(n)), host, at(n)), at(n), e.outcome)
	f.ok(f.CloseAttempt(f.ctx, a, nil))
	if got := f.state(host); got.Last != e.outcome || !got.LastAt.Equal(at(n)) {
		f.Errorf("last outcome is %+v at %v, want %+v", got.Last, got.LastAt, e.outcome)
	}
}
