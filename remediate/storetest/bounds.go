package storetest

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"oust/remediate"
)

func testBounds(t *testing.T, open Open) {
	t.Run("raw text", func(t *testing.T) {
		f := begin(t, open)
		l := look("web1", remediate.LookScan, at(1))
		l.Raw = noise(remediate.MaxRaw)
		l.RawDigest = remediate.Digest(l.Raw)
		f.ok(f.SaveLook(f.ctx, l))
		got, err := f.Raw(f.ctx, l.RawDigest)
		f.ok(err)
		if !bytes.Equal(got, l.Raw) {
			t.Error("the longest raw text came back altered")
		}
		l.Host, l.Raw, l.RawDigest = "web2", append(l.Raw, 0), ""
		f.refused("a longer raw text", f.SaveLook(f.ctx, l))
		f.refused("a longer raw text at a close", f.CloseAttempt(f.ctx, closed(intent("a1", "web2", at(1)), at(2), removed), &l))
		if n := len(all(f, f.HostStates(f.ctx))); n != 1 {
			t.Errorf("%d hosts, not 1: a refused look was recorded", n)
		}
	})
	t.Run("findings", func(t *testing.T) {
		f := begin(t, open)
		long := kesl(strings.Repeat("1", remediate.MaxFindings))
		f.refused("findings without bound", f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(1), long)))
	})
	t.Run("log and result", func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		a.Phase, a.Log = remediate.PhaseEnded, noise(remediate.MaxLog)
		a.Result = strings.Repeat("step\n", remediate.MaxResult/5)
		f.ok(f.SaveAttempt(f.ctx, a))
		if !reflect.DeepEqual(a, f.attempt("web1", "a1")) { // cmp takes seconds for a million bytes
			t.Error("the longest log and result came back altered")
		}
		a.Log = append(a.Log, noise(1000)...)
		a.Result += "one too many\n"
		f.ok(f.SaveAttempt(f.ctx, a))
		got := f.attempt("web1", "a1")
		if !bytes.Equal(got.Log, remediate.ClipLog(a.Log)) || len(got.Log) != remediate.MaxLog {
			t.Errorf("a log that is too long is kept with %d bytes", len(got.Log))
		}
		if got.Result != remediate.ClipResult(a.Result) || len(got.Result) > remediate.MaxResult {
			t.Errorf("a result that is too long is kept with %d bytes", len(got.Result))
		}
		a.Log = []byte{}
		f.ok(f.SaveAttempt(f.ctx, a))
		if got := f.attempt("web1", "a1"); len(got.Log) > 0 {
			t.Error("an empty log did not replace the one before")
		}
	})
	t.Run("other text", func(t *testing.T) {
		f := begin(t, open)
		long := strings.Repeat("ü", remediate.MaxText)
		f.ok(f.SaveLook(f.ctx, failedLook("web1", at(1), remediate.ClassTimeout, long)))
		if got := f.state("web1").Detail; got != remediate.ClipText(long) {
			t.Errorf("a detail that is too long is kept with %d bytes", len(got))
		}
		o := remediate.Failed(remediate.ClassTimeout, long)
		f.ok(f.CloseAttempt(f.ctx, closed(intent("a1", "web1", at(1)), at(1), o), nil))
		if got := f.attempt("web1", "a1").Outcome.Detail; got != remediate.ClipText(long) {
			t.Errorf("an outcome's detail that is too long is kept with %d bytes", len(got))
		}
		name := strings.Repeat("n", remediate.MaxName)
		f.ok(f.BeginAttempt(f.ctx, intent(name, name, at(1))))
		f.refused("an id that is too long", f.BeginAttempt(f.ctx, intent(name+"n", "web1", at(1))))
		f.refused("a host that is too long", f.BeginAttempt(f.ctx, intent("a2", name+"n", at(1))))
		f.refused("a run that is too long", f.BeginRun(f.ctx, remediate.Run{ID: name + "n"}))
		f.refused("a plan that is too long", f.SavePlan(f.ctx, name+"n", "x", at(1)))
	})
}

// noise is bytes that do not compress, the same at each call.
func noise(n int) []byte {
	var seed [32]byte
	out := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(out) // never fails
	return out
}
