package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

func handedIn(kind remediate.ReportKind, at time.Time) remediate.Submission {
	return remediate.Submission{Report: kind, At: at, To: "DHS"}
}

// at is a moment of a day.
func at(s, clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s+" "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// stateTexts are states as "name state [late] days".
func stateTexts(ms []MilestoneState) []string {
	var out []string
	for _, m := range ms {
		text := fmt.Sprintf("%s %s %d", m.Name, m.State, m.DaysLeft)
		if m.State == StateMet {
			text = m.Name + " met"
			if !m.MetAt.IsZero() {
				text += " " + m.MetAt.Format("2006-01-02")
			}
		}
		if m.State == StateMet && m.Late {
			text += " late"
		}
		out = append(out, text)
	}
	return out
}

func TestMilestoneStates(t *testing.T) {
	t.Parallel()
	bod, pspf := builtIn(t, "bod-17-01"), builtIn(t, "pspf-002-2025")
	issued := day("2026-10-01") // identify 31 Oct, plan 30 Nov, begin and finish 30 Dec
	tests := []struct {
		name    string
		mandate remediate.Mandate
		p       Progress
		want    []string
	}{
		{"the first day", bod, Progress{Issued: issued, Hosts: 9, Open: 9, Now: issued},
			[]string{"identify due 30", "plan due 60", "begin due 90", "finish due 90"}},
		{"the last minute of a day", bod, Progress{Issued: issued, Hosts: 9, Open: 9, Now: at("2026-10-31", "23:59")},
			[]string{"identify due 0", "plan due 30", "begin due 60", "finish due 60"}},
		{"a minute later", bod, Progress{Issued: issued, Hosts: 9, Open: 9, Now: at("2026-11-01", "00:00")},
			[]string{"identify late -1", "plan due 29", "begin due 59", "finish due 59"}},
		{"handed in on the last day, and late", bod, Progress{Issued: issued, Hosts: 9, Open: 2, Now: at("2026-12-05", "12:00"), Submissions: []remediate.Submission{
			handedIn(remediate.ReportIdentify, at("2026-10-31", "23:59")), handedIn(remediate.ReportIdentify, at("2026-11-20", "00:00")),
			handedIn(remediate.ReportPlan, at("2026-12-01", "00:00")), handedIn(remediate.ReportStatus, at("2026-12-02", "00:00"))}},
			[]string{"identify met 2026-10-31", "plan met 2026-12-01 late", "begin due 25", "finish due 25"}},
		{"begun, and finished late", bod, Progress{Issued: issued, Hosts: 9, Now: at("2027-03-01", "12:00"),
			Found: at("2026-10-05", "00:00"), Begun: at("2026-12-20", "22:00"), Finished: at("2027-01-01", "00:00")},
			[]string{"identify late -121", "plan late -91", "begin met 2026-12-20", "finish met 2027-01-01 late"}},
		{"the campaign's own finish", bod, Progress{Issued: issued, Finish: day("2027-06-30"), Hosts: 9, Open: 1, Begun: at("2027-01-02", "00:00"), Now: at("2027-06-01", "00:00")},
			[]string{"identify late -213", "plan late -183", "begin met 2027-01-02 late", "finish due 29"}},
		{"nothing found: there is nothing to begin", bod, Progress{Issued: issued, Hosts: 9, Finished: at("2026-10-08", "00:00"), Now: at("2027-03-01", "12:00")},
			[]string{"identify late -121", "plan late -91", "begin met 2026-10-08", "finish met 2026-10-08"}},
		{"nobody can say since when", bod, Progress{Issued: issued, Hosts: 9, Now: at("2027-03-01", "12:00")},
			[]string{"identify late -121", "plan late -91", "begin met", "finish met"}},
		{"no host is no proof", bod, Progress{Issued: issued, Now: issued},
			[]string{"identify due 30", "plan due 60", "begin due 90", "finish due 90"}},
		// The direction's days end in Sydney, 11 hours before UTC's.
		{"the day ends where the mandate's zone says", pspf, Progress{Issued: day("2025-02-21"), Hosts: 9, Finished: at("2025-04-01", "12:00"), Now: at("2025-04-01", "13:30"),
			Submissions: []remediate.Submission{handedIn(remediate.ReportStatus, at("2025-04-01", "13:10"))}},
			[]string{"finish met 2025-04-01", "report met 2025-04-01 late"}},
		{"reported before the end", pspf, Progress{Issued: day("2025-02-21"), Hosts: 9, Finished: at("2025-03-10", "12:00"), Now: at("2025-03-20", "00:00"),
			Submissions: []remediate.Submission{handedIn(remediate.ReportStatus, at("2025-03-10", "11:59"))}},
			[]string{"finish met 2025-03-10", "report due 12"}},
		{"completed, and then it came back", pspf, Progress{Issued: day("2025-02-21"), Hosts: 9, Open: 1, Now: at("2025-04-20", "00:00"),
			Submissions: []remediate.Submission{handedIn(remediate.ReportStatus, at("2025-03-11", "00:00"))}},
			[]string{"finish late -19", "report late -19"}},
		{"nothing found yet", suppliers, Progress{Issued: day("2026-12-01"), Hosts: 9, Open: 9, Now: at("2026-12-01", "12:00")},
			[]string{"review due 10", "tell waiting 0", "follow waiting 0"}},
		// A report from before the finding does not tell it; the next one does, and the one after it is the follow-up.
		{"one report meets one milestone", suppliers, Progress{Issued: day("2026-12-01"), Hosts: 9, Open: 9, Found: at("2026-12-05", "12:00"), Now: at("2026-12-12", "12:00"),
			Submissions: []remediate.Submission{handedIn(remediate.ReportIdentify, at("2026-12-03", "00:00")), handedIn(remediate.ReportIdentify, at("2026-12-08", "00:00"))}},
			[]string{"tell met 2026-12-08", "review late -1", "follow due 11"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := MilestoneStates(tt.mandate, tt.p)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, stateTexts(got)); d != "" {
				t.Error(d)
			}
			for _, m := range got {
				if m.Why == "" || m.What == "" && tt.mandate.Name != "suppliers" {
					t.Errorf("%s says not why", m.Name)
				}
			}
		})
	}
}

func TestDutyStates(t *testing.T) {
	t.Parallel()
	bod := builtIn(t, "bod-17-01") // issued 1 Oct: begin 30 Dec; status 29 Jan, 28 Feb, 30 Mar, 29 Apr
	weekly := suppliers
	weekly.Duties = []remediate.Duty{{Name: "status", Report: remediate.ReportStatus, After: "follow", EveryDays: 5, BusinessDays: true, Until: remediate.MetCompleted}}
	issued := day("2026-10-01")
	status := func(days ...string) (out []remediate.Submission) {
		for _, d := range days {
			out = append(out, handedIn(remediate.ReportStatus, at(d, "12:00")))
		}
		return append(out, handedIn(remediate.ReportPlan, at("2027-02-10", "12:00")))
	}
	tests := []struct {
		name    string
		mandate remediate.Mandate
		p       Progress
		want    DutyState
	}{
		{"before it begins", bod, Progress{Hosts: 9, Open: 9, Now: issued}, DutyState{Next: "2027-01-29", DaysLeft: 120}},
		{"a report from before counts not", bod, Progress{Hosts: 9, Open: 9, Now: at("2027-01-29", "23:00"), Submissions: status("2026-12-30")},
			DutyState{Next: "2027-01-29"}},
		{"missed", bod, Progress{Hosts: 9, Open: 9, Now: at("2027-01-30", "00:00")}, DutyState{Next: "2027-02-28", DaysLeft: 29, Missed: []string{"2027-01-29"}}},
		{"done early, then late", bod, Progress{Hosts: 9, Open: 9, Now: at("2027-03-02", "00:00"), Submissions: status("2027-01-10", "2027-03-01")},
			DutyState{Next: "2027-04-29", DaysLeft: 58, Missed: []string{"2027-02-28"}, Done: 2}},
		{"twice in one period is once", bod, Progress{Hosts: 9, Open: 9, Now: at("2027-02-01", "00:00"), Submissions: status("2027-01-10", "2027-01-29")},
			DutyState{Next: "2027-02-28", DaysLeft: 27, Done: 1}},
		{"finished: nothing more is due", bod, Progress{Hosts: 9, Now: at("2027-09-01", "00:00"), Finished: at("2027-02-20", "00:00"), Submissions: status("2027-01-10")},
			DutyState{Done: 1, Ended: true}},
		{"finished on the day", bod, Progress{Hosts: 9, Now: at("2027-09-01", "00:00"), Finished: at("2027-02-28", "10:00")},
			DutyState{Missed: []string{"2027-01-29"}, Ended: true}},
		{"the last report counts", bod, Progress{Hosts: 9, Now: at("2027-09-01", "00:00"), Finished: at("2027-02-20", "00:00"), Submissions: status("2027-01-10", "2027-02-21")},
			DutyState{Done: 2, Ended: true}},
		{"finished before it began", bod, Progress{Hosts: 9, Now: at("2027-09-01", "00:00"), Finished: at("2026-10-20", "00:00")}, DutyState{Ended: true}},
		{"finished, nobody can say when", bod, Progress{Hosts: 9, Now: at("2027-02-05", "00:00")}, DutyState{Missed: []string{"2027-01-29"}, Ended: true}},
		{"the campaign's finish moves it not", bod, Progress{Finish: day("2027-12-01"), Hosts: 9, Open: 9, Now: issued}, DutyState{Next: "2027-01-29", DaysLeft: 120}},
		{"it waits for a finding", weekly, Progress{Hosts: 9, Open: 9, Now: issued}, DutyState{}},
		// follow is 21 Oct; five business days after it is 28 Oct.
		{"business days", weekly, Progress{Hosts: 9, Open: 9, Found: at("2026-10-02", "16:00"), Now: at("2026-10-29", "12:00")},
			DutyState{Next: "2026-11-04", DaysLeft: 6, Missed: []string{"2026-10-28"}}},
		{"it goes on until completion is reported", weekly, Progress{Hosts: 9, Found: at("2026-10-02", "16:00"), Finished: at("2026-10-27", "12:00"), Now: at("2026-10-29", "12:00")},
			DutyState{Next: "2026-11-04", DaysLeft: 6, Missed: []string{"2026-10-28"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.p.Issued = issued
			got, err := DutyStates(tt.mandate, tt.p)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Name, tt.want.What = "status", tt.mandate.Duties[0].What
			if d := cmp.Diff([]DutyState{tt.want}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Whatever is handed in and whenever one looks: each day of a duty up to today
// is done, missed or next, and more reports never make it worse.
func TestDutiesAddUp(t *testing.T) {
	t.Parallel()
	bod := builtIn(t, "bod-17-01")
	rapid.Check(t, func(t *rapid.T) {
		issued := day("2026-01-01")
		begin := issued.AddDate(0, 0, 90)
		p := Progress{Issued: issued, Hosts: 9, Open: 1, Now: issued.AddDate(0, 0, rapid.IntRange(0, 900).Draw(t, "now")).Add(13 * time.Hour)}
		for _, d := range rapid.SliceOfN(rapid.IntRange(0, 900), 0, 20).Draw(t, "reports") {
			if sent := issued.AddDate(0, 0, d); !sent.After(p.Now) {
				p.Submissions = append(p.Submissions, handedIn(remediate.ReportStatus, sent))
			}
		}
		got, err := DutyStates(bod, p)
		if err != nil {
			t.Fatal(err)
		}
		s := got[0]
		next, err := time.Parse(time.DateOnly, s.Next)
		if err != nil {
			t.Fatalf("an open duty has no next day: %+v", s)
		}
		if n := daysBetween(begin, next)/30 - 1; n != s.Done+len(s.Missed) {
			t.Fatalf("%d days before %s, but %d done and %d missed", n, s.Next, s.Done, len(s.Missed))
		}
		if s.DaysLeft < 0 || s.DaysLeft != daysBetween(date(p.Now), next) {
			t.Fatalf("%d days left to %s on %s", s.DaysLeft, s.Next, p.Now)
		}
		more := p
		more.Submissions = append(more.Submissions[:len(more.Submissions):len(more.Submissions)], handedIn(remediate.ReportStatus, p.Now))
		again, err := DutyStates(bod, more)
		if err != nil {
			t.Fatal(err)
		}
		if again[0].Done < s.Done || len(again[0].Missed) != len(s.Missed) {
			t.Fatalf("one report more: %+v after %+v", again[0], s)
		}
	})
}

// On its day a milestone is as many days away as its rule says, and each
// midnight takes one; it is late as soon as none is left, and only then.
func TestDaysLeftCountCalendarDays(t *testing.T) {
	t.Parallel()
	bod := builtIn(t, "bod-17-01")
	rapid.Check(t, func(t *rapid.T) {
		issued := day("2000-01-01").AddDate(0, 0, rapid.IntRange(0, 60_000).Draw(t, "issued"))
		passed := rapid.IntRange(-500, 500).Draw(t, "passed")
		hour := time.Duration(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "hour"))
		ms, err := MilestoneStates(bod, Progress{Issued: issued, Hosts: 1, Open: 1, Now: issued.AddDate(0, 0, passed).Add(hour)})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{30, 60, 90, 90} {
			if got := ms[i]; got.DaysLeft != want-passed || got.Late != (passed > want) || (got.State == StateLate) != got.Late {
				t.Fatalf("%s: %+v after %d days, want %d left", got.Name, got, passed, want-passed)
			}
		}
	})
}

// TestExemptTold: exempt hosts do not keep a mandate from being finished, and
// nobody may read that nothing is left on them.
func TestExemptTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p    Progress
		want string
	}{
		{Progress{Hosts: 9}, "no host is unseen, present or reappeared"},
		{Progress{Hosts: 9, Exempt: 1}, "no host is unseen, present or reappeared, but for 1 that is exempt"},
		{Progress{Hosts: 9, Open: 2, Exempt: 3}, "2 of 9 hosts are unseen, present or reappeared, not counting 3 that are exempt"},
		{Progress{Hosts: 9, Open: 2, Left: []string{"old1"}}, "2 of 9 hosts are unseen, present or reappeared; " +
			"1 host has left the inventory that had it when it was last seen, and nobody has said where to: old1"},
		{Progress{Hosts: 9, Exempt: 1, Left: []string{"a", "b", "c", "d", "e"}}, "no host of the inventory is unseen, present or reappeared, but for 1 that is exempt; " +
			"5 hosts have left the inventory that had it when they were last seen, and nobody has said where to: a, b, c and 2 more"},
	} {
		if got := c.p.finished().why; got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
	if got, want := (Progress{Hosts: 2, Exempt: 2}).begun().why, "nothing was found, so there is nothing to remove, not counting 2 that are exempt"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
