package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"oust/remediate"
	"oust/remediate/report"
)

// notInReports are what no report of a lab can have, each with the reason.
var notInReports = map[string]string{
	"outcome deferred": "is not recorded: it says nothing about the host, whose next removal waits for its window",
	"outcome exempt":   "is not recorded: the exemption itself stands in the report",
	"outcome ready":    "only a dry run ends so, which records nothing",
	"class internal":   "is a defect of oust itself, which no fault of a host brings about",
}

// TestLabReportsShowAll: the golden reports of the lab have every standing,
// outcome and class of failure that there is, and what each stands for.
func TestLabReportsShowAll(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for name := range labReports {
		text, err := os.ReadFile(filepath.Join(goldenReports, "lab-"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var s report.Snapshot
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		for what := range shownIn(s) {
			shown[what] = true
		}
	}
	for _, what := range wantShown() {
		switch reason, excused := notInReports[what]; {
		case !shown[what] && !excused:
			t.Errorf("no golden report of the lab has: %s", what)
		case shown[what] && excused:
			t.Errorf("a golden report of the lab has %s, which %s", what, reason)
		}
	}
}

// wantShown names all that reports can tell of hosts, exemptions, milestones
// and the campaign.
func wantShown() []string {
	out := []string{
		"exempt", "held", "gone", "reappeared", "unprotected", "restarted", "residue", "waits for its window", "waits for a person", "never looked at",
		"exemption holds", "exemption over", "exemption taken-back", "milestone met", "milestone met late", "milestone due", "milestone late",
		"item answered", "item gap",
	}
	for _, s := range remediate.Standings() {
		out = append(out, "standing "+string(s))
	}
	for _, o := range remediate.Outcomes() {
		out = append(out, "outcome "+string(o))
	}
	for _, c := range remediate.Classes() {
		out = append(out, "class "+string(c))
	}
	return out
}

// shownIn names what a report tells.
func shownIn(s report.Snapshot) map[string]bool {
	shown := map[string]bool{
		"held": s.Held != nil, "gone": len(s.Totals.Gone) > 0, "reappeared": len(s.Reappeared) > 0,
	}
	for _, h := range s.Hosts {
		for what, is := range map[string]bool{
			"standing " + string(h.Standing): true,
			"outcome " + string(h.Outcome):   true,
			"class " + string(h.Class):       true,
			"exempt":                         h.Exempt,
			"unprotected":                    h.Bare != "",
			"restarted":                      h.Reboots > 0,
			"waits for its window":           h.Next == "remove" && h.Outcome == "" && h.NextAt.After(s.At),
			"waits for a person":             h.Person,
			"never looked at":                h.Standing == remediate.StandUnseen && h.Class == "",
		} {
			shown[what] = shown[what] || is
		}
		for _, f := range h.Findings {
			shown[string(f.Kind)] = true
		}
	}
	for _, e := range s.Exemptions {
		shown["exemption "+e.State] = true
	}
	for _, m := range s.Milestones {
		if m.Late && m.State == "met" {
			shown["milestone met late"] = true
			continue
		}
		shown["milestone "+m.State] = true
	}
	for _, it := range s.Items {
		shown["item "+string(it.State)] = true
	}
	maps.DeleteFunc(shown, func(_ string, is bool) bool { return !is })
	return shown
}
