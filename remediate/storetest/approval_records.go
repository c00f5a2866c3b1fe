package storetest

import (
	"testing"

	"oust/remediate"
	"oust/remediate/ledger"
)

// testApprovalRecords: each approval is found in the ledger, and what it names
// follows it.
func testApprovalRecords(t *testing.T, open Open) {
	f := begin(t, open)
	if got, err := f.ApprovalRecords(f.ctx); err != nil || len(got) != 0 {
		t.Errorf("before an approval: %v, %v", got, err)
	}
	for i, plan := range []string{"first", "second", "first"} { // the last one changes nothing
		err := f.Approve(f.ctx, remediate.Approval{Plan: plan, At: at(i), By: "ann", Scripts: []string{"sha256:" + plan},
			Hosts: []remediate.Planned{{Host: "web01", Wave: 1}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	firsts, err := f.ApprovalRecords(f.ctx)
	if err != nil || len(firsts) != 2 {
		t.Fatalf("%v, %v", firsts, err)
	}
	for i, plan := range []string{"first", "second"} {
		var kinds []remediate.RecordKind
		for e, err := range f.Ledger(f.ctx, firsts[i]) {
			if err != nil {
				t.Fatal(err)
			}
			_, r, err := ledger.Decode(e.Text)
			if err != nil {
				t.Fatal(err)
			}
			if b, ok := r.Body.(remediate.ApprovalGiven); ok && b.Plan != plan {
				break
			}
			kinds = append(kinds, r.Kind)
		}
		if len(kinds) != 3 || kinds[0] != remediate.RecordApproval {
			t.Errorf("%s: %v", plan, kinds)
		}
	}
}
