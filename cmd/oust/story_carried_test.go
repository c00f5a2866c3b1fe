package main

import (
	"strings"
	"testing"

	"oust/remediate"
)

// TestNamelessApproval: an approval of before there was a ledger has no name.
func TestNamelessApproval(t *testing.T) {
	t.Parallel()
	r := remediate.Record{Kind: remediate.RecordApprovedHosts, Body: remediate.ApprovedHosts{Plan: "p", Wave: 1, Hosts: []string{"h"}}}
	told := storyteller{}.tell(r)
	if len(told) != 1 || !strings.HasSuffix(told[0].Text, "by somebody whose name was not recorded") {
		t.Errorf("told %+v", told)
	}
	r.By = "ops@adm"
	if told = (storyteller{}).tell(r); !strings.HasSuffix(told[0].Text, ", by ops@adm") {
		t.Errorf("told %+v", told)
	}
}
