package storetest

import (
	"context"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// sightings is the part of remediate.EvidenceStore that is tested here.
type sightings interface {
	Sightings(ctx context.Context) iter.Seq2[remediate.Sighting, error]
}

// testSightings: what looks found is kept, also after it is gone.
func testSightings(t *testing.T, open Open) {
	f := begin(t, open)
	s, is := f.Store.(sightings)
	if !is {
		t.Fatal("the store does not tell what looks found")
	}
	noted := kesl("noted")
	noted.Kind = remediate.FindEmbedded
	var want []remediate.Sighting
	for i, c := range []struct {
		host     string
		kind     remediate.LookKind
		findings []remediate.Finding
	}{
		{"web1", remediate.LookScan, []remediate.Finding{kesl("12.1")}},
		{"web2", remediate.LookScan, nil},
		{"web1", remediate.LookPrecheck, []remediate.Finding{kesl("12.2")}},
		{"web1", remediate.LookVerify, nil},
		{"web2", remediate.LookVerify, []remediate.Finding{noted}},
	} {
		l := look(c.host, c.kind, at(10-i), c.findings...)
		f.ok(f.SaveLook(f.ctx, l))
		if len(c.findings) > 0 {
			want = append(want, remediate.Sighting{Host: c.host, At: l.At, Findings: c.findings})
		}
	}
	f.ok(f.SaveLook(f.ctx, failedLook("web3", at(20), remediate.ClassUnreachable, "no route")))
	for range 2 {
		var got []remediate.Sighting
		for x, err := range s.Sightings(f.ctx) {
			f.ok(err)
			got = append(got, x)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sightings (-want +got):\n%s", diff)
		}
	}
	for _, err := range s.Sightings(f.ctx) {
		f.ok(err)
		break
	}
}
