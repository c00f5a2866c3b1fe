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
		{"its last day", remediate.ExemptionRule{MaxDays: 365}, year, nil, nil, "exemptions for at most 365 days"},
		{"a day more", remediate.ExemptionRule{MaxDays: 364}, year, nil, []string{"its term is 365 days"}, "exemptions for at most 364 days"},
		{"the days are the host's, over a change of clocks", remediate.ExemptionRule{MaxDays: 30},
			remediate.Exemption{At: at("2026-09-20 23:50 +1000"), Until: at("2026-10-21 00:00 +1100")}, sydney, nil, "exemptions for at most 30 days"},
		{"which are others than UTC's", remediate.ExemptionRule{MaxDays: 30},
			remediate.Exemption{At: at("2026-09-20 23:50 +1000"), Until: at("2026-10-22 00:00 +1100")}, sydney, []string{"its term is 31 days"}, "exemptions for at most 30 days"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, tt.rule.Against(tt.e, tt.zone)); d != "" {
				t.Error(d)
			}
			if got := tt.rule.Allows(); got != tt.allows {
				t.Errorf("allows %q, want %q", got, tt.allows)
			}
		})
	}
}
