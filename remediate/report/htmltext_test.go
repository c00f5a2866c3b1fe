package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

func TestShare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, all int
		want   string
	}{
		{0, 0, "–"}, {0, 7, "0%"}, {7, 7, "100%"}, {1, 3, "33.3%"}, {1, 100_000, "<0.1%"}, {99_999, 100_000, ">99.9%"},
		{49, 100_000, "<0.1%"}, {50, 100_000, "0.1%"}, {99_949, 100_000, "99.9%"},
	} {
		if got := share(c.n, c.all); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.n, c.all, got, c.want)
		}
	}
}

func TestHTMLTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{clip("short"), "short"},
		{clip(strings.Repeat("é", 300)), strings.Repeat("é", 300)},
		{clip(strings.Repeat("é", 301)), strings.Repeat("é", 300) + "… (shortened; the JSON has all of it)"},
		{itemRef("a"), "(a)"}, {itemRef("2(b)"), "2(b)"}, {itemRef(""), ""}, {itemRef("4.1"), "4.1"},
		{capital("ähnlich"), "Ähnlich"}, {capital(""), ""},
		{MilestoneState{State: "met"}.Words(), "met"},
		{MilestoneState{State: "met", Late: true}.Words(), "met late"},
		{MilestoneState{State: "due", DaysLeft: 12}.Words(), "due in 12 days"},
		{MilestoneState{State: "due", DaysLeft: 1}.Words(), "due in 1 day"},
		{MilestoneState{State: "due"}.Words(), "due today"},
		{MilestoneState{State: "late", DaysLeft: -1}.Words(), "late by 1 day"},
		{MilestoneState{State: "late"}.Words(), "late"},
		{MilestoneState{State: "met", MetAt: time.Date(2025, 4, 1, 13, 10, 0, 0, time.UTC)}.MetOn("Australia/Sydney"), "2025-04-02"},
		{MilestoneState{State: "met", MetAt: time.Date(2025, 4, 1, 13, 10, 0, 0, time.UTC)}.MetOn(""), "2025-04-01"},
		{MilestoneState{State: "met"}.MetOn(""), ""},
		{MilestoneState{State: "due", MetAt: time.Date(2025, 4, 1, 13, 10, 0, 0, time.UTC)}.MetOn(""), ""},
		{grounds(remediate.ExemptionRule{}), ""},
		{grounds(remediate.ExemptionRule{None: true}), "The mandate knows no exemptions."},
		{
			grounds(remediate.ExemptionRule{Grounds: []remediate.Ground{{Name: "law"}, {Name: "research"}}, MaxDays: 365, Mitigations: true}),
			"The mandate allows exemptions only for law, research, for at most 365 days a host, renewals included, with a statement of what is done instead.",
		},
		{platformName(remediate.PlatformUnknown), "not known"}, {platformName("plan9"), "plan9"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestShowControls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"plain, ünïcode, 日本\n\t", "plain, ünïcode, 日本\n\t"},
		{"a\u202etxt.exe\u202c", `a\u202etxt.exe\u202c`},
		{"\x1b[31m\x00\x7f\u0085", `\u001b[31m\u0000\u007f\u0085`},
		{"\xff\xfe|\xe2\x80", `\xff\xfe|\xe2\x80`},
		{"\uFFFD", "\uFFFD"},
	} {
		var b bytes.Buffer
		if n, err := (visible{&b}).Write([]byte(c.in)); err != nil || n != len(c.in) || b.String() != c.want {
			t.Errorf("%q: %q (%d, %v), want %q", c.in, b.String(), n, err, c.want)
		}
	}
}

func TestPieces(t *testing.T) {
	t.Parallel()
	want := []piece{{"from ", false}, {"2026-10-01 07:00 UTC", true}, {" to ", false}, {"2026-10-02", true}, {".", false}}
	if diff := cmp.Diff(want, pieces("from 2026-10-01 07:00 UTC to 2026-10-02.")); diff != "" {
		t.Error(diff)
	}
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.StringMatching(`([a-z ]|2026-1[0-2]-[0-3][0-9]( 1[0-9]:00)?)*`).Draw(r, "s")
		var back strings.Builder
		for _, p := range pieces(s) {
			back.WriteString(p.Text)
		}
		if back.String() != s {
			r.Fatalf("%q became %q", s, back.String())
		}
	})
}

func TestMoreVersions(t *testing.T) {
	t.Parallel()
	vs := make([]Version, 15)
	for i := range vs {
		vs[i].Hosts = 15 - i
	}
	if got := moreVersions(vs); got != "3 more versions on 6 hosts" || len(shownVersions(vs)) != 12 {
		t.Errorf("%s, and %d", got, len(shownVersions(vs)))
	}
	if got := moreVersions(vs[:12]); got != "" {
		t.Error(got)
	}
}

// TestStandingBar: every standing that has hosts can be seen, none stands on
// another, and more hosts are never drawn shorter.
func TestStandingBar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 1_000_000))
		totals := Totals{Standing: map[remediate.Standing]int{}, Exempt: n.Draw(r, "exempt")}
		totals.Hosts = totals.Exempt
		for _, s := range remediate.Standings() {
			totals.Standing[s] = n.Draw(r, string(s))
			totals.Hosts += totals.Standing[s]
		}
		parts := standingBar(totals)
		x := 0
		for i, p := range parts {
			if p.X != x || p.W < barLeast || p.Hosts == 0 {
				r.Fatalf("%+v", parts)
			}
			x = p.X + p.W + barGap
			for _, q := range parts[:i] {
				if p.Hosts > q.Hosts && p.W < q.W {
					r.Fatalf("%d hosts are drawn shorter than %d: %+v", p.Hosts, q.Hosts, parts)
				}
			}
		}
		if x > barWidth+barGap || len(parts) > 0 && x < barWidth-len(parts) {
			r.Fatalf("the bar ends at %d", x)
		}
	})
}

// TestWaveBar: the parts lie side by side, and fill what is not waiting.
func TestWaveBar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 5000)
		w := Wave{Done: n.Draw(r, "done"), Failed: n.Draw(r, "failed"), Unreachable: n.Draw(r, "unreachable"), Other: n.Draw(r, "other"), Waiting: n.Draw(r, "waiting")}
		ended := w.Done + w.Failed + w.Unreachable + w.Other
		w.Hosts = ended + w.Waiting
		x := 0
		for _, p := range waveBarOf(w).Parts {
			if p.X != x || p.W <= 0 {
				r.Fatalf("%+v", p)
			}
			x += p.W
		}
		if want := waveWidth * ended / max(w.Hosts, 1); x != want {
			r.Fatalf("it is filled to %d, want %d", x, want)
		}
	})
}

func burnOf(first string, open []int, marks ...string) *burnChart {
	at, _ := time.Parse(time.DateOnly, first)
	s := Snapshot{}
	for i, n := range open {
		s.At = at.AddDate(0, 0, i).Add(15 * time.Hour)
		s.Burndown = append(s.Burndown, Day{Date: s.At.Format(time.DateOnly), Standing: map[remediate.Standing]int{remediate.StandUnseen: n}})
	}
	for _, m := range marks {
		s.Milestones = append(s.Milestones, MilestoneState{Name: "a-milestone", Date: m})
	}
	return burnChartOf(s)
}

func TestBurnChart(t *testing.T) {
	t.Parallel()
	if c := burnOf("2026-10-01", []int{5}); c != nil {
		t.Errorf("one day is drawn: %+v", c)
	}
	if c := burnChartOf(Snapshot{Burndown: []Day{{Date: "soon"}, {Date: "2026-10-01"}, {Date: "2026-10-01"}}}); c != nil {
		t.Errorf("no two days are drawn: %+v", c)
	}
	// Ten days, from 10 hosts to 1, and a milestone ten days after the last.
	c := burnOf("2026-10-01", []int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "2026-10-19")
	middle := (c.Left + c.Right) / 2
	points := strings.Fields(c.Line)
	if points[0] != "58.0,24.0" || points[9] != "391.0,218.4" || middle != 391 {
		t.Errorf("the line is %s, the middle %v", c.Line, middle)
	}
	if got, want := c.Ticks, 6; len(got) != want || got[5].Label != "10" || got[5].At != c.Top {
		t.Errorf("the ticks are %v", got)
	}
	if len(c.Marks) != 2 || c.Marks[0].X != c.Right || c.Marks[0].Anchor != "end" || !c.Marks[1].Today || c.Marks[1].X != middle {
		t.Errorf("the marks are %+v", c.Marks)
	}
	// One of years ago would leave no room for the days.
	if c := burnOf("2026-10-01", []int{1, 0}, "2021-01-15", "2031-01-15"); len(c.Marks) != 1 || c.Dates[0].Label != "2026-10-01" {
		t.Errorf("the marks are %+v, from %s", c.Marks, c.Dates[0].Label)
	}
}

// TestBurnMarks: labels of milestones do not stand on each other,
// nor outside of the chart.
func TestBurnMarks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var marks []string
		for range rapid.IntRange(0, 8).Draw(r, "marks") {
			marks = append(marks, time.Date(2026, 10, 1+rapid.IntRange(0, 120).Draw(r, "day"), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		}
		c := burnOf("2026-10-01", make([]int, rapid.IntRange(2, 120).Draw(r, "days")), marks...)
		span := func(m burnMark) (from, to float64) {
			wide := markLetter * float64(len(m.Label))
			if m.Anchor == "end" {
				return m.X - wide, m.X
			}
			return m.X, m.X + wide
		}
		for i, m := range c.Marks {
			from, to := span(m)
			if from < 0 || to > burnWidth || m.Y < 12 {
				r.Fatalf("outside: %+v", m)
			}
			for _, o := range c.Marks[:i] {
				if f, t := span(o); o.Y == m.Y && from < t && to > f {
					r.Fatalf("%+v and %+v", m, o)
				}
			}
		}
	})
}

func TestTickStep(t *testing.T) {
	t.Parallel()
	for most := 1; most < 300_000; most += 1 + most/7 {
		step := tickStep(most)
		if steps := (most + step - 1) / step; steps < 1 || steps > 5 || most > 2 && steps < 2 {
			t.Errorf("%d in steps of %d", most, step)
		}
	}
}
