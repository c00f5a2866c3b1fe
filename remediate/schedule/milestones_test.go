package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/mandate"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// builtIn is a mandate that is built in.
func builtIn(t interface{ Fatal(...any) }, name string) remediate.Mandate {
	m, err := mandate.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// named gives the milestones as "name date".
func named(ms []remediate.Milestone) []string {
	var out []string
	for _, m := range ms {
		text := m.Name + " waiting"
		if !m.Date.IsZero() {
			text = m.Name + " " + m.Date.Format(time.RFC3339)
		}
		out = append(out, text)
	}
	return out
}

// suppliers is a mandate in business days from a finding.
var suppliers = remediate.Mandate{
	Name: "suppliers", Zone: "America/New_York", Holidays: []time.Time{day("2026-12-25"), day("2027-01-01")},
	Milestones: []remediate.MilestoneRule{
		{Name: "tell", Due: remediate.Due{BusinessDays: 3, From: remediate.FromFound}, Met: remediate.MetReported, Report: remediate.ReportIdentify},
		{Name: "follow", Due: remediate.Due{BusinessDays: 10, From: "tell"}, Met: remediate.MetReported, Report: remediate.ReportIdentify},
		{Name: "review", Due: remediate.Due{Days: 10}, Met: remediate.MetReported, Report: remediate.ReportStatus},
	},
}

func TestMilestones(t *testing.T) {
	t.Parallel()
	newYork := time.FixedZone("EST", -5*3600)
	tests := []struct {
		name                  string
		mandate               remediate.Mandate
		issued, finish, found time.Time
		want                  []string
	}{
		{
			// The directive itself: 13 September 2017.
			name: "the directive", mandate: builtIn(t, "bod-17-01"), issued: day("2017-09-13"),
			want: []string{
				"identify 2017-10-13T00:00:00Z", "plan 2017-11-12T00:00:00Z",
				"begin 2017-12-12T00:00:00Z", "finish 2017-12-12T00:00:00Z",
			},
		},
		{
			name: "a later finish, over a leap day", mandate: builtIn(t, "bod-17-01"), issued: day("2027-12-01"), finish: day("2028-06-30"),
			want: []string{
				"identify 2027-12-31T00:00:00Z", "plan 2028-01-30T00:00:00Z",
				"begin 2028-02-29T00:00:00Z", "finish 2028-06-30T00:00:00Z",
			},
		},
		{
			name: "an earlier finish comes first", mandate: builtIn(t, "bod-17-01"), issued: day("2026-10-01"), finish: day("2026-11-15"),
			want: []string{
				"identify 2026-10-31T00:00:00Z", "finish 2026-11-15T00:00:00Z",
				"plan 2026-11-30T00:00:00Z", "begin 2026-12-30T00:00:00Z",
			},
		},
		{
			name:   "the date counts, not the hour or the zone",
			issued: time.Date(2026, 10, 1, 23, 59, 59, 0, newYork), finish: time.Date(2027, 1, 1, 23, 0, 0, 0, newYork),
			mandate: builtIn(t, "bod-17-01"),
			want: []string{
				"identify 2026-10-31T00:00:00Z", "plan 2026-11-30T00:00:00Z",
				"begin 2026-12-30T00:00:00Z", "finish 2027-01-01T00:00:00Z",
			},
		},
		{
			name: "days from the last of a month", mandate: builtIn(t, "m-23-13"), issued: day("2027-01-30"),
			want: []string{"finish 2027-03-01T00:00:00Z"},
		},
		{
			name: "fixed days", mandate: builtIn(t, "pspf-002-2025"), issued: day("2026-10-01"),
			want: []string{"finish 2025-04-01T00:00:00Z", "report 2025-04-01T00:00:00Z"},
		},
		{
			name: "fixed days, but the campaign's own", mandate: builtIn(t, "ed-21-01"), issued: day("2020-12-13"), finish: day("2021-01-31"),
			want: []string{"report 2020-12-14T00:00:00Z", "finish 2021-01-31T00:00:00Z"},
		},
		{
			name: "nothing found yet", mandate: suppliers, issued: day("2026-12-01"),
			want: []string{"review 2026-12-11T00:00:00Z", "tell waiting", "follow waiting"},
		},
		{
			// 01:00 UTC is still Wednesday, the 23rd, in New York; the 25th is off.
			name: "business days over holidays", mandate: suppliers, issued: day("2026-12-01"), found: day("2026-12-24").Add(time.Hour),
			want: []string{"review 2026-12-11T00:00:00Z", "tell 2026-12-29T00:00:00Z", "follow 2027-01-13T00:00:00Z"},
		},
		{
			name: "found on a Saturday", mandate: suppliers, issued: day("2026-12-01"), found: day("2026-12-05").Add(12 * time.Hour),
			want: []string{"tell 2026-12-09T00:00:00Z", "review 2026-12-11T00:00:00Z", "follow 2026-12-23T00:00:00Z"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Milestones(tt.mandate, tt.issued, tt.finish, tt.found)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, named(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMilestonesRefuse(t *testing.T) {
	t.Parallel()
	bod := builtIn(t, "bod-17-01")
	broken := remediate.Mandate{Name: "broken", Milestones: []remediate.MilestoneRule{{Name: "a", Due: remediate.Due{From: "b"}}}}
	nowhere := remediate.Mandate{Name: "nowhere", Zone: "Mars/Olympus"}
	tests := []struct {
		name           string
		mandate        remediate.Mandate
		issued, finish time.Time
		want           string
	}{
		{"no issue", bod, time.Time{}, time.Time{}, "the mandate has no date of issue"},
		{"a finish before the issue", bod, day("2026-10-01"), day("2026-09-30"), "the finish date 2026-09-30 is before the issue, 2026-10-01"},
		{"a finish that is not the campaign's to set", builtIn(t, "pspf-002-2025"), day("2025-02-21"), day("2025-04-01"),
			"mandate pspf-002-2025 sets its last day itself; take the finish date 2025-04-01 out"},
		{"a trigger that is not there", broken, day("2026-10-01"), time.Time{}, `mandate broken: milestone a counts from "b", which is no milestone before it`},
		{"an unknown zone", nowhere, day("2026-10-01"), time.Time{}, "mandate nowhere: unknown time zone Mars/Olympus"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Milestones(tt.mandate, tt.issued, tt.finish, time.Time{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v, error %v; want %q", got, err, tt.want)
			}
		})
	}
}

// Business days are counted as one would on a calendar: each of them, and no
// other day, takes one.
func TestBusinessDaysCounted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := day("2024-02-20").AddDate(0, 0, rapid.IntRange(0, 2000).Draw(t, "from"))
		n := rapid.IntRange(1, 60).Draw(t, "n")
		var holidays []time.Time
		for _, k := range rapid.SliceOfN(rapid.IntRange(-5, 90), 0, 8).Draw(t, "holidays") {
			holidays = append(holidays, from.AddDate(0, 0, k))
		}
		business := func(d time.Time) bool {
			for _, h := range holidays {
				if h.Equal(d) {
					return false
				}
			}
			return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
		}
		got := businessDay(from, n, holidays)
		if !business(got) {
			t.Fatalf("%s is no business day", got)
		}
		count := 0
		for d := from.AddDate(0, 0, 1); !d.After(got); d = d.AddDate(0, 0, 1) {
			if business(d) {
				count++
			}
		}
		if count != n {
			t.Fatalf("%d business days from %s to %s, want %d", count, from, got, n)
		}
	})
}
