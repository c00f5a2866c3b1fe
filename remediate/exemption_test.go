package remediate_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func TestExemptionRule(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		when, err := time.Parse("2006-01-02 15:04 -0700", s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	grounds := []remediate.Ground{{Name: "national-security"}, {Name: "regulatory"}}
	year := remediate.Exemption{At: at("2026-11-29 10:00 +0000"), Until: at("2027-11-30 00:00 +0000")}
	grounded := remediate.Exemption{Ground: "regulatory", Mitigation: "no network"}
	tests := []struct {
		name   string
		rule   remediate.ExemptionRule
		e      remediate.Exemption
		zone   *time.Location
		want   []string
		allows string
	}{
		{"no rule", remediate.ExemptionRule{}, remediate.Exemption{}, nil, nil, ""},
		{"none", remediate.ExemptionRule{None: true}, grounded, nil, []string{"there are no exemptions"}, "no exemptions"},
		{"a ground", remediate.ExemptionRule{Grounds: grounds, Mitigations: true}, grounded, nil, nil,
			"exemptions only on the grounds national-security, regulatory, with what is done instead"},
		{"neither", remediate.ExemptionRule{Grounds: grounds, Mitigations: true}, remediate.Exemption{Mitigation: " "}, nil,
			[]string{"it names no ground", "it does not say what is done instead"}, "exemptions only on the grounds national-security, regulatory, with what is done instead"},
		{"another ground", remediate.ExemptionRule{Grounds: grounds}, remediate.Exemption{Ground: "costs"}, nil,
			[]string{`"costs" is no ground`}, "exemptions only on the grounds national-security, regulatory"},
		{"its last day", remediate.ExemptionRule{MaxDays: 365}, year, nil, nil, "exemptions for at most 365 days a host, renewals included"},
		{"a day more", remediate.ExemptionRule{MaxDays: 364}, year, nil, []string{"its term is 365 days"}, "exemptions for at most 364 days a host, renewals included"},
		{"the days are the host's, over a change of clocks", remediate.ExemptionRule{MaxDays: 30},
			remediate.Exemption{At: at("2026-09-20 23:50 +1000"), Until: at("2026-10-21 00:00 +1100")}, sydney, nil, "exemptions for at most 30 days a host, renewals included"},
		{"which are others than UTC's", remediate.ExemptionRule{MaxDays: 30},
			remediate.Exemption{At: at("2026-09-20 23:50 +1000"), Until: at("2026-10-22 00:00 +1100")}, sydney, []string{"its term is 31 days"}, "exemptions for at most 30 days a host, renewals included"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, tt.rule.Against(tt.e, nil, tt.zone)); d != "" {
				t.Error(d)
			}
			if got := tt.rule.Allows(); got != tt.allows {
				t.Errorf("allows %q, want %q", got, tt.allows)
			}
		})
	}
}

// TestExemptDays: renewing an exemption does not begin its days anew, and
// neither does leaving some days between.
func TestExemptDays(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	// from day a, at ten, to the end of day b
	of := func(a, b int) remediate.Exemption {
		return remediate.Exemption{At: day(a).Add(10 * time.Hour), Until: day(b + 1)}
	}
	ended := func(e remediate.Exemption, n int) remediate.Exemption {
		e.Ended = day(n).Add(12 * time.Hour)
		return e
	}
	var daily []remediate.Exemption
	for n := range 30 {
		daily = append(daily, of(n, n))
	}
	tests := []struct {
		name   string
		e      remediate.Exemption
		before []remediate.Exemption
		want   int
	}{
		{"alone", of(0, 90), nil, 90},
		{"for the day on which it is recorded", of(3, 3), nil, 0},
		{"renewed on its last day", of(90, 180), []remediate.Exemption{of(0, 90)}, 180},
		{"renewed on the day after", of(91, 180), []remediate.Exemption{of(0, 90)}, 180},
		{"renewed early", of(10, 180), []remediate.Exemption{of(0, 90)}, 180},
		{"made shorter", of(10, 20), []remediate.Exemption{of(0, 90)}, 20},
		{"after days without one", of(100, 190), []remediate.Exemption{of(0, 90)}, 181},
		{"after one that was taken back", of(100, 190), []remediate.Exemption{ended(of(0, 90), 30)}, 121},
		{"taken back before it was renewed", of(30, 60), []remediate.Exemption{ended(of(0, 90), 30)}, 60},
		{"in another order", of(100, 110), []remediate.Exemption{of(50, 60), of(0, 10)}, 32},
		{"day by day", of(30, 30), daily, 30},
	}
	rule := remediate.ExemptionRule{MaxDays: 90}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := remediate.ExemptDays(tt.e, tt.before, nil); got != tt.want {
				t.Errorf("%d days, want %d", got, tt.want)
			}
			if against := rule.Against(tt.e, tt.before, nil); (len(against) > 0) != (tt.want > 90) {
				t.Errorf("%d days of at most 90: against the rule is %q", tt.want, against)
			}
		})
	}
	want := []string{"with the 1 before it, the host is exempt for 181 days"}
	if d := cmp.Diff(want, rule.Against(of(100, 190), []remediate.Exemption{of(0, 90)}, nil)); d != "" {
		t.Error(d)
	}
}

// TestRetired: that a host was retired exempts nothing, whatever the mandate
// allows.
func TestRetired(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	e := remediate.Exemption{Ground: remediate.GroundRetired, At: now, Until: now.AddDate(900, 0, 0)}
	if e.Holds(now) || !e.InForce(now) || !e.Retires(now) {
		t.Error("it exempts its host")
	}
	if got := (remediate.ExemptionRule{None: true, MaxDays: 1}).Against(e, nil, nil); got != nil {
		t.Errorf("it goes against a mandate: %q", got)
	}
	if e.Ended = now; e.Retires(now) {
		t.Error("it retires its host after it was taken back")
	}
}
