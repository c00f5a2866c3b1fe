package ledger_test

import (
	"fmt"
	"testing"

	"oust/remediate/ledger"
)

func TestPlace(t *testing.T) {
	t.Parallel()
	tree, err := ledger.NewTree(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(300) {
		for level, stored := range tree.Append([]byte(fmt.Sprint(n))) {
			record, at, err := ledger.Place(stored.Index)
			if err != nil || record != n || at != level {
				t.Fatalf("index %d is of record %d, level %d, %v; want %d, %d", stored.Index, record, at, err, n, level)
			}
		}
	}
	if _, _, err := ledger.Place(-1); err == nil {
		t.Error("an index below 0 has a place")
	}
}
