package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func testLooks(t *testing.T, open Open) {
	t.Run("come back whole, oldest first", func(t *testing.T) {
		f := begin(t, open)
		later := look("web1", remediate.LookVerify, at(5))
		first := look("web1", remediate.LookScan, at(1), kesl("12.1"), kesl("11.4"))
		failed := failedLook("web1", at(3), remediate.ClassAuth, "no key is accepted\tü\x00")
		partial := look("web1", remediate.LookPrecheck, at(4))
		partial.Complete = false
		for _, l := range []remediate.Look{later, first, look("web2", remediate.LookScan, at(2)), failed, partial} {
			f.ok(f.SaveLook(f.ctx, l))
		}
		want := []remediate.Look{first, failed, partial, later}
		if diff := cmp.Diff(want, all(f, f.HostLooks(f.ctx, "web1"))); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}
		if got := all(f, f.HostLooks(f.ctx, "web3")); len(got) > 0 {
			t.Errorf("a host that was never seen has looks: %v", got)
		}
	})
	t.Run("of one moment keep their order", func(t *testing.T) {
		f := begin(t, open)
		var want []string
		for _, detail := range []string{"c", "a", "b"} {
			f.ok(f.SaveLook(f.ctx, failedLook("web1", at(1), remediate.ClassTimeout, detail)))
			want = append(want, detail)
		}
		var got []string
		for _, l := range all(f, f.HostLooks(f.ctx, "web1")) {
			got = append(got, l.Detail)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order is %v, not %v", got, want)
		}
	})
	t.Run("get the clock's time and the digest where they have none", func(t *testing.T) {
		f := begin(t, open)
		l := look("web1", remediate.LookScan, at(0))
		digest := l.RawDigest
		l.RawDigest, l.At = "", time.Time{}
		f.ok(f.SaveLook(f.ctx, l))
		if got := f.state("web1"); got.RawDigest != digest || got.SeenAt.IsZero() {
			t.Errorf("state is %+v, want digest %s and a time", got, digest)
		}
	})
	t.Run("give their raw text by digest", func(t *testing.T) {
		f := begin(t, open)
		one, two := look("web1", remediate.LookScan, at(1)), look("web2", remediate.LookScan, at(2))
		two.Raw, two.RawDigest = one.Raw, one.RawDigest
		f.ok(f.SaveLook(f.ctx, one))
		f.ok(f.SaveLook(f.ctx, two))
		got, err := f.Raw(f.ctx, one.RawDigest)
		f.ok(err)
		if !slices.Equal(got, one.Raw) {
			t.Errorf("raw text is %q, not %q", got, one.Raw)
		}
		for _, digest := range []string{remediate.Digest([]byte("other")), "", "nonsense"} {
			if _, err := f.Raw(f.ctx, digest); !errors.Is(err, remediate.ErrNotFound) {
				t.Errorf("Raw(%q) is %v, not ErrNotFound", digest, err)
			}
		}
	})
	t.Run("are not the caller's memory", func(t *testing.T) {
		f := begin(t, open)
		l := look("web1", remediate.LookScan, at(1), kesl("12.1"))
		f.ok(f.SaveLook(f.ctx, l))
		l.Raw[0], l.Findings[0].Evidence[0].Value = 'X', "altered"
		got := all(f, f.HostLooks(f.ctx, "web1"))[0]
		got.Raw[1], got.Findings[0].Evidence[1].Value = 'X', "altered"
		again := all(f, f.HostLooks(f.ctx, "web1"))[0]
		if diff := cmp.Diff(look("web1", remediate.LookScan, at(1), kesl("12.1")), again); diff != "" {
			t.Errorf("look (-want +got):\n%s", diff)
		}
	})
	t.Run("are refused if they make no sense", testBadLooks(open))
}

func testBadLooks(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		for name, spoil := range map[string]func(*remediate.Look){
			"no host":        func(l *remediate.Look) { l.Host = "" },
			"a long host":    func(l *remediate.Look) { l.Host = string(make([]byte, remediate.MaxName+1)) },
			"no kind":        func(l *remediate.Look) { l.Kind = "" },
			"an odd class":   func(l *remediate.Look) { l.Class = "tired" },
			"another digest": func(l *remediate.Look) { l.RawDigest = remediate.Digest([]byte("other")) },
			"an odd digest":  func(l *remediate.Look) { l.Raw, l.RawDigest = nil, "md5:00" },
		} {
			l := look("web1", remediate.LookScan, at(1))
			spoil(&l)
			f.refused("a look with "+name, f.SaveLook(f.ctx, l))
		}
		if got := all(f, f.HostStates(f.ctx)); len(got) > 0 {
			t.Errorf("refused looks left %v", got)
		}
	}
}
