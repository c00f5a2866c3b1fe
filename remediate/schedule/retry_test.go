package schedule

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oust/remediate"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestEveryClassHasARule(t *testing.T) {
	var have []remediate.Class
	for _, info := range RetryTable() {
		have = append(have, info.Class)
	}
	if !slices.Equal(have, remediate.Classes()) {
		t.Errorf("rules for %v; classes are %v", have, remediate.Classes())
	}
}

// TestWhoWaitsForAPerson: a wrong password stops, a busy installer waits.
func TestWhoWaitsForAPerson(t *testing.T) {
	rules := RetryRules(nil, remediate.WatchSettings{})
	for _, c := range remediate.Classes() {
		_, person := rules.Due(c, 1, noon, noon, "h")
		want := slices.Contains([]remediate.Class{
			remediate.ClassAuth, remediate.ClassUntrusted, remediate.ClassProtected, remediate.ClassPrivilege, remediate.ClassUnsupported,
		}, c)
		if person != want {
			t.Errorf("%s: waits for a person: %v", c, person)
		}
	}
	for class, most := range map[remediate.Class]int{remediate.ClassUninstaller: 3, remediate.ClassStillPresent: 3, remediate.ClassTimeout: 4} {
		if _, person := rules.Due(class, most-1, noon, noon, "h"); person {
			t.Errorf("%s waits for a person after %d tries", class, most-1)
		}
		if _, person := rules.Due(class, most, noon, noon, "h"); !person {
			t.Errorf("%s is tried again after %d tries", class, most)
		}
	}
	if _, person := rules.Due("no-such-class", 1, noon, noon, "h"); !person {
		t.Error("an unknown class is tried again")
	}
}

func TestDueProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := RetryRules(nil, remediate.WatchSettings{Every: time.Duration(rapid.IntRange(1, 3600).Draw(t, "watch")) * time.Second})
		class := rapid.SampledFrom(remediate.Classes()).Draw(t, "class")
		tries := rapid.IntRange(1, 60).Draw(t, "tries")
		now := noon.Add(time.Duration(rapid.IntRange(-1e6, 1e6).Draw(t, "clock")) * time.Second)
		host := rapid.StringN(1, 8, -1).Draw(t, "host")
		rule := rules[class]
		at, person := rules.Due(class, tries, noon, now, host)
		again, _ := rules.Due(class, tries, noon, now, host)
		switch {
		case person != (rule.Tries == 0 || rule.Tries > 0 && tries >= rule.Tries):
			t.Fatalf("%+v after %d tries: person %v", rule, tries, person)
		case person:
			return
		case !at.Equal(again):
			t.Fatal("not the same twice")
		case at.Before(minTime(noon, now).Add(rule.Pause)):
			t.Fatalf("earlier than its pause: %v", at)
		case at.After(minTime(noon, now).Add(rule.MaxPause + rule.MaxPause/10)):
			t.Fatalf("later than its longest pause: %v", at)
		}
		next, person := rules.Due(class, tries+1, noon, now, host)
		if !person && next.Sub(at) < -rule.MaxPause/10 {
			t.Fatalf("the pause shrinks: %v, then %v", at, next)
		}
	})
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// TestHostsDoNotComeBackTogether: 500 hosts that failed in one second are
// spread over a tenth of their pause.
func TestHostsDoNotComeBackTogether(t *testing.T) {
	rules := RetryRules(nil, remediate.WatchSettings{})
	minutes := map[int64]int{}
	for i := range 500 {
		at, _ := rules.Due(remediate.ClassUninstaller, 1, noon, noon, fmt.Sprint("host", i))
		minutes[int64(at.Sub(noon)/time.Minute)]++
	}
	if len(minutes) < 6 {
		t.Errorf("they come back in %d minutes only: %v", len(minutes), minutes)
	}
	for m, n := range minutes {
		if n > 170 {
			t.Errorf("%d hosts in minute %d", n, m)
		}
	}
}

func TestOwnRules(t *testing.T) {
	rules := RetryRules(map[remediate.Class]remediate.RetryRule{
		remediate.ClassUnreachable: {Tries: -1, Pause: time.Hour},
		remediate.ClassAuth:        {Tries: 2, Pause: time.Minute},
		remediate.ClassBusy:        {},
	}, remediate.WatchSettings{Every: 7 * time.Minute})
	if r := rules[remediate.ClassUnreachable]; !r.Watch || r.MaxPause != time.Hour {
		t.Errorf("%+v", r)
	}
	if r := rules[remediate.ClassLostContact]; r.Pause != 7*time.Minute {
		t.Errorf("%+v", r)
	}
	if _, person := rules.Due(remediate.ClassAuth, 1, noon, noon, "h"); person {
		t.Error("the campaign's own rule does not hold")
	}
	if _, person := rules.Due(remediate.ClassBusy, 1, noon, noon, "h"); !person {
		t.Error("a rule of no tries does not wait for a person")
	}
}

// TestRetryDocs holds the documents to the table.
func TestRetryDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/how-it-works.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range RetryRows() {
		if !strings.Contains(string(text), row) {
			t.Errorf("how-it-works.md has no row %s", row)
		}
	}
}
