package main

import (
	"testing"
	"testing/synctest"

	"oust/remediate"
)

// TestLabReports plays a campaign with every standing and every outcome there
// is, and holds the reports that are handed in on its way to the golden ones,
// to their schemas, and to each other.
func TestLabReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newLabStory(t)
		defer func() {
			if err := s.fleet.Close(); err != nil {
				t.Error(err)
			}
		}()
		s.identified()
		s.piloted()
		s.carriedOut()
		s.stopped()
		s.reported()
		s.oust(0, "audit")
	})
}

// identified: what is there is looked for, and handed in in time.
func (s *labStory) identified() {
	s.t.Helper()
	s.tag("pilot", s.with("residue", "hangs", "uninstaller-fails", "lock-held", "wrong-password", "no-scheduler", "reboot-needed")...)
	s.tag("pilot", s.linux[0], s.linux[1], s.linux[2], s.with("lies")[0])
	s.tag("rest", s.with("lies")[1], s.linux[6], s.windows[0])
	s.tag("late", s.with("wrong-host-key")...)
	s.roles[s.linux[3]].credential = "guest"
	s.roles[s.linux[4]].site, s.roles[s.linux[5]].site = "branch", "branch"
	s.inventory()
	s.at("2026-10-12 09:00")
	s.oust(2, "scan")
	s.exempt(s.linux[6], "2026-11-30", "quarter-end closing")
	s.exempt(s.linux[7], "2027-03-31", "vendor support call open")
	s.exempt(s.with("refused")[0], "2027-01-31", "in the store of the legal department")
	s.exempt(s.windows[3], "2027-03-31", "medical device, removed with its replacement", "--mitigation", "isolated VLAN, no route to the internet")
	s.at("2026-10-19 09:00")
	s.oust(2, "scan", "--limit", "standing=unseen")
	s.at("2026-10-27 09:00")
	s.report("identify", remediate.ReportIdentify, "DHS, by mail")
}

// piloted: a part goes first, with all that can go wrong on a host.
func (s *labStory) piloted() {
	s.t.Helper()
	s.at("2026-11-05 09:00")
	s.fault(s.with("wrong-host-key")[0], "") // its new key was known to somebody
	s.oust(2, "scan", "--limit", "standing=unseen")
	s.at("2026-11-20 14:00")
	s.oust(0, "exempt", s.linux[7], "--end")
	s.oust(0, "plan", "-o", s.file("pilot.json"), "--limit", "tag=pilot")
	for _, saturday := range []string{"2026-11-22 03:05", "2026-11-29 03:05"} { // 22:05 in New York
		s.at(saturday)
		s.oust(2, "apply", s.file("pilot.json"))
		if err := s.fleet.Reboot(s.with("hangs")[0]); err != nil {
			s.t.Error(err)
		}
	}
	s.at("2026-12-03 10:00")
	s.report("plan", remediate.ReportPlan, "DHS, by mail")
}

// carriedOut: most of the fleet, of which some is deferred, one host does not
// come back from its restart, and on one the product does.
func (s *labStory) carriedOut() {
	s.t.Helper()
	s.at("2026-12-11 15:00")
	s.set("waves: [1, 5, 100%]", "waves: [1, 6, 100%]")
	s.oust(0, "plan", "-o", s.file("main.json"), "--limit", "tag=main")
	s.exempt(s.windows[1], "2027-02-28", "controls the press until its overhaul")
	s.set("policy: never", "policy: in-window")
	s.at("2026-12-13 03:05")
	s.oust(2, "apply", s.file("main.json"))
	s.set("policy: in-window", "policy: never")
	s.at("2026-12-16 15:00")
	s.oust(2, "verify", "--limit", "standing=removed")
}

// stopped: a limit stops the rest after its second wave.
func (s *labStory) stopped() {
	s.t.Helper()
	s.at("2026-12-18 15:00")
	s.set("waves: [1, 6, 100%]", "waves: [1, 1, 100%]")
	s.oust(0, "plan", "-o", s.file("rest.json"), "--limit", "tag=rest")
	s.set("unreachable: 100%}", "unreachable: 100%, classes: {still-present: 1}}")
	s.at("2026-12-20 03:05")
	s.oust(3, "apply", s.file("rest.json"))
	s.at("2026-12-21 09:00")
	s.report("held", remediate.ReportStatus, "DHS, by mail")
}

// reported: after the last day of the mandate.
func (s *labStory) reported() {
	s.t.Helper()
	s.at("2027-01-07 10:00")
	s.oust(0, "apply", "--resume")
	s.roles[s.linux[0]].gone = true
	s.inventory("new-0001,198.18.1.1,22,linux,ssh,linux,hq,America/New_York,hq-ops@example.gov,main")
	s.at("2027-01-08 10:00")
	s.report("status", remediate.ReportStatus, "DHS, by mail")
}
