package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// named gives the milestones as "name date".
func named(ms []remediate.Milestone) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Name+" "+m.Date.Format(time.RFC3339))
	}
	return out
}

func TestMilestones(t *testing.T) {
	newYork := time.FixedZone("EST", -5*3600)
	tests := []struct {
		name           string
		issued, finish time.Time
		want           []string
	}{
		{
			// The directive itself: 13 September 2017.
			name: "the directive", issued: day("2017-09-13"),
			want: []string{
				"identify 2017-10-13T00:00:00Z", "plan 2017-11-12T00:00:00Z",
				"begin 2017-12-12T00:00:00Z", "finish 2017-12-12T00:00:00Z",
			},
		},
		{
			name: "a later finish, over a leap day", issued: day("2027-12-01"), finish: day("2028-06-30"),
			want: []string{
				"identify 2027-12-31T00:00:00Z", "plan 2028-01-30T00:00:00Z",
				"begin 2028-02-29T00:00:00Z", "finish 2028-06-30T00:00:00Z",
			},
		},
		{
			name: "an earlier finish comes first", issued: day("2026-10-01"), finish: day("2026-11-15"),
			want: []string{
				"identify 2026-10-31T00:00:00Z", "finish 2026-11-15T00:00:00Z",
				"plan 2026-11-30T00:00:00Z", "begin 2026-12-30T00:00:00Z",
			},
		},
		{
			name:   "the date counts, not the hour or the zone",
			issued: time.Date(2026, 10, 1, 23, 59, 59, 0, newYork), finish: time.Date(2027, 1, 1, 23, 0, 0, 0, newYork),
			want: []string{
				"identify 2026-10-31T00:00:00Z", "plan 2026-11-30T00:00:00Z",
				"begin 2026-12-30T00:00:00Z", "finish 2027-01-01T00:00:00Z",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Milestones("bod-17-01", tt.issued, tt.finish)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, named(got)); d != "" {
				t.Error(d)
			}
			for _, m := range got {
				if m.What == "" {
					t.Errorf("%s says not what it is", m.Name)
				}
			}
		})
	}
}

func TestMilestonesRefuse(t *testing.T) {
	tests := []struct {
		name, mandate  string
		issued, finish time.Time
		want           string
	}{
		{"a slip", "bod-17-1", day("2026-10-01"), time.Time{}, `unknown mandate "bod-17-1": did you mean "bod-17-01"? (known: bod-17-01)`},
		{"another", "ed-21-01 solarwinds", day("2026-10-01"), time.Time{}, `unknown mandate "ed-21-01 solarwinds" (known: bod-17-01)`},
		{"nothing", "", day("2026-10-01"), time.Time{}, `unknown mandate "" (known: bod-17-01)`},
		{"no issue", "bod-17-01", time.Time{}, time.Time{}, "the mandate has no date of issue"},
		{"a finish before the issue", "bod-17-01", day("2026-10-01"), day("2026-09-30"), "the finish date 2026-09-30 is before the issue, 2026-10-01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Milestones(tt.mandate, tt.issued, tt.finish)
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v, error %v; want %q", got, err, tt.want)
			}
		})
	}
	_, err := Milestones(strings.Repeat("x", 1<<20), day("2026-10-01"), time.Time{})
	if err == nil || len(err.Error()) > 8<<10 {
		t.Error("a huge name makes a huge error")
	}
}

func TestDaysLeft(t *testing.T) {
	m := remediate.Milestone{Date: day("2026-12-30")}
	tests := []struct {
		now  time.Time
		want int
	}{
		{day("2026-12-30"), 0},
		{day("2026-12-30").Add(24*time.Hour - 1), 0},
		{day("2026-12-31"), -1},
		{day("2026-12-30").Add(-1), 1},
		{day("2026-10-01"), 90},
		// 20:00 on the 30th in New York is the 31st in UTC.
		{time.Date(2026, 12, 30, 20, 0, 0, 0, time.FixedZone("EST", -5*3600)), -1},
	}
	for _, tt := range tests {
		if got := DaysLeft(m, tt.now); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.now, got, tt.want)
		}
	}
}

// Whatever the day of the issue, on it each milestone is its own number of
// days away, and each midnight takes one.
func TestDaysLeftCountsCalendarDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		issued := day("2000-01-01").AddDate(0, 0, rapid.IntRange(0, 60_000).Draw(t, "issued"))
		passed := rapid.IntRange(-500, 500).Draw(t, "passed")
		hour := time.Duration(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "hour"))
		ms, err := Milestones("bod-17-01", issued, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{30, 60, 90, 90} {
			if got := DaysLeft(ms[i], issued.AddDate(0, 0, passed).Add(hour)); got != want-passed {
				t.Fatalf("%s: %d days left after %d days, want %d", ms[i].Name, got, passed, want-passed)
			}
		}
	})
}
