package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"oust/remediate"
)

// TestStayLines: a plan of many hosts that leaves many things alone is still one
// that a person can read.
func TestStayLines(t *testing.T) {
	t.Parallel()
	p := &remediate.Plan{}
	stay := func(playbook, why string) remediate.PlanStay {
		return remediate.PlanStay{Finding: remediate.Finding{Playbook: playbook, Kind: remediate.FindProduct}, Why: why, Manual: "call somebody"}
	}
	for i := range 40 {
		h := remediate.PlanHost{Name: fmt.Sprintf("host%02d", i), Stays: []remediate.PlanStay{stay("acme/widget", "it only reports")}}
		h.Stays = append(h.Stays, stay("acme/gadget", fmt.Sprintf("no step removes the entry %d\x1b[2J", i)))
		p.Hosts = append(p.Hosts, h)
	}
	p.Left = []remediate.PlanLeft{{Name: "left", Reason: remediate.LeftUnsupported, Detail: "said there", Stays: []remediate.PlanStay{stay("acme/widget", "it only reports")}}}
	got := stayLines(stayGroups(p), 100)
	if len(got) > 30 || got[2] != "    acme/widget on 40 hosts: it only reports" || got[3] != "        a person: call somebody" {
		t.Errorf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
	if n := strings.Count(strings.Join(got, "\n"), "call somebody"); n != 2 {
		t.Errorf("what a person has to do is said %d times", n)
	}
	if last := got[len(got)-1]; last != "    and 31 more; --json lists all" {
		t.Errorf("the last line is %q", last)
	}
	if slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "\x1b") }) {
		t.Error("a host's text reaches the terminal as it is")
	}
	if got := stayLines(nil, 100); got != nil {
		t.Errorf("nothing stays: %q", got)
	}
}
