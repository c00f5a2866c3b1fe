package campaign

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

// bare is a campaign that says nothing of windows, retries and restarts.
var bare = strings.Replace(whole, "stop: {failed: 2.5%, failed_hosts: 0, unreachable: 100%}\n", "", 1)

// weeks is what a campaign says that runs for weeks.
const weeks = `windows:
  - {days: [sat, sun], start: "22:00", length: 6h, sites: [berlin, oslo], tags: servers}
  - days: mon-fri
    start: 01:30
    length: 90m
  - {start: "00:00", length: 7d}
blackouts:
  - {from: 2026-12-20, to: 2027-01-03, why: year-end freeze, sites: [berlin], tags: [a, b]}
  - {from: "2026-11-26"}
retry:
  busy: {tries: 30, pause: 5m, max_pause: 2h}
  uninstaller: {tries: 3, pause: 1h}
  unreachable: {tries: -1, pause: 30d}
  auth: person
  protected: {tries: 0}
watch: {every: 5m, per_site: 0.5}
reboot: {policy: in-window, delay: 15m, message: "Neustart für das Update", budget: 3, wait: 1h}
reverify: [7d, 1d, 24h]
stop: {failed: 5%, bare_hosts: 0, classes: {residue: 2%, protected: 10}}
`

func TestWeeks(t *testing.T) {
	t.Parallel()
	got, err := parse("/c", "/c/campaign.yaml", []byte(bare+weeks))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	none := 0
	want := remediate.Campaign{
		Windows: []remediate.Window{
			{
				Days: []time.Weekday{time.Sunday, time.Saturday}, Start: 22 * time.Hour, Length: 6 * time.Hour,
				Sites: []string{"berlin", "oslo"}, Tags: []string{"servers"},
			},
			{Days: []time.Weekday{1, 2, 3, 4, 5}, Start: 90 * time.Minute, Length: 90 * time.Minute},
			{Length: 7 * 24 * time.Hour},
		},
		Blackouts: []remediate.Blackout{
			{From: day("2026-12-20"), To: day("2027-01-03"), Why: "year-end freeze", Sites: []string{"berlin"}, Tags: []string{"a", "b"}},
			{From: day("2026-11-26"), To: day("2026-11-26")},
		},
		Retry: map[remediate.Class]remediate.RetryRule{
			remediate.ClassBusy:        {Tries: 30, Pause: 5 * time.Minute, MaxPause: 2 * time.Hour},
			remediate.ClassUninstaller: {Tries: 3, Pause: time.Hour, MaxPause: 8 * time.Hour},
			remediate.ClassUnreachable: {Tries: -1, Pause: 30 * 24 * time.Hour, MaxPause: 90 * 24 * time.Hour},
			remediate.ClassAuth:        {},
			remediate.ClassProtected:   {},
		},
		Watch: remediate.WatchSettings{Every: 5 * time.Minute, PerSite: 0.5},
		Reboot: remediate.RebootSettings{
			Policy: remediate.RebootInWindow, Delay: 15 * time.Minute, Message: "Neustart für das Update", Budget: 3, Wait: time.Hour,
		},
		Reverify: []time.Duration{24 * time.Hour, 7 * 24 * time.Hour},
		Stop: remediate.StopRules{
			Failed: 0.05, FailedHosts: 20, Unreachable: 0.3, Bare: &none,
			Classes: []remediate.ClassStop{{Class: remediate.ClassProtected, Hosts: 10}, {Class: remediate.ClassResidue, Share: 0.02}},
		},
	}
	told := remediate.Campaign{
		Windows: got.Windows, Blackouts: got.Blackouts, Retry: got.Retry, Watch: got.Watch, Reboot: got.Reboot, Reverify: got.Reverify, Stop: got.Stop,
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
}

func TestWeeksRefuses(t *testing.T) {
	t.Parallel()
	one := func(keys string) string { return "windows: [{start: \"22:00\", length: 6h, " + keys + "}]\n" }
	tests := []struct{ name, text, want string }{
		{"unknown key of a window", one("lengths: 1h"), `campaign.yaml:18:40: unknown key "lengths"; did you mean "length"?`},
		{"an unknown day", "windows:\n  - start: \"22:00\"\n    length: 1h\n    days: [mon, tus]\n", `campaign.yaml:21: windows: entry 1: days: "tus" is not a day; there are mon, tue, wed, thu, fri, sat, sun, weekdays, weekend, daily, and ranges such as mon-fri; did you mean "tue"?`},
		{"half a range", one("days: mon-"), `entry 1: days: "mon-" is not a day`},
		{"a range of a name for several", one("days: mon-weekend"), `"mon-weekend" is not a day`},
		{"no days", one("days: []"), "entry 1: days: names no day; leave it out for every day"},
		{"no start", "windows:\n  - {length: 6h}\n  -\n    length: 6h\n", "campaign.yaml:19: windows: entry 1: start: missing"},
		{"no start, further down", "windows:\n  - {length: 6h}\n  -\n    length: 6h\n", "campaign.yaml:21: windows: entry 2: start: missing"},
		{"no length", "windows: [{start: \"22:00\"}]\n", "campaign.yaml:18: windows: entry 1: length: missing"},
		{"an empty window", "windows: [{}]\n", "campaign.yaml:18: windows: entry 1: start: missing"},
		{"start with one digit", "windows: [{start: \"8:00\", length: 6h}]\n", `start: "8:00" is not a time of the day such as "22:00"`},
		{"start beyond the day", "windows: [{start: \"24:00\", length: 6h}]\n", `start: "24:00" is not a time of the day`},
		{"start with seconds", "windows: [{start: \"22:00:00\", length: 6h}]\n", `start: "22:00:00" is not a time of the day`},
		{"too long", "windows: [{start: \"22:00\", length: 8d}]\n", `entry 1: length: "8d" is not a time from 1m to 7d`},
		{"too short", "windows: [{start: \"22:00\", length: 59s}]\n", `entry 1: length: "59s" is not a time from 1m to 7d`},
		{"no length at all", "windows: [{start: \"22:00\", length: 6}]\n", `entry 1: length: "6" is not a time such as 30s`},
		{"no site", one("sites: []"), "entry 1: sites: names nothing; leave it out where every host is meant"},
		{"an empty tag", one("tags: [a, '']"), "entry 1: tags: a name has 1 to 253 bytes"},
		{"a window that is a word", "windows: [sat]\n", "campaign.yaml:18:"},
		{"windows that are no list", "windows: daily\n", "want a list"},

		{"no first day", "blackouts: [{to: 2026-12-20}]\n", "campaign.yaml:18: blackouts: entry 1: from: missing; the first day"},
		{"bad day", "blackouts:\n  - {from: 2026-12-20}\n  - {from: 20.12.2026}\n", `campaign.yaml:20: blackouts: entry 2: from: "20.12.2026" is not a date`},
		{"days in the wrong order", "blackouts: [{from: 2026-12-20, to: 2026-12-19}]\n", "blackouts: entry 1: to: is before from"},
		{"a reason of two lines", "blackouts: [{from: 2026-12-20, why: \"a\\nb\"}]\n", "entry 1: why: at most 100 bytes, on one line"},

		{"an unknown class", "retry:\n  auth: person\n  bussy: person\n", `campaign.yaml:20: retry.bussy: there is no class of that name; there are unreachable, auth`},
		{"the class that was meant", "retry: {bussy: person}\n", `did you mean "busy"?`},
		{"nobody", "retry: {busy: persn}\n", `retry.busy: want person, or {tries: 3, pause: 1h, max_pause: 1d}; did you mean "person"?`},
		{"nothing", "retry:\n  busy:\n", "campaign.yaml:19: retry.busy: want person, or {"},
		{"a list", "retry: {busy: [1]}\n", "retry.busy: want person, or {"},
		{"an unknown key of a rule", "retry:\n  busy:\n    tries: 3\n    pause: 5m\n    max-pause: 1h\n", `campaign.yaml:22: retry.busy.max-pause: unknown key "max-pause"; there are tries, pause, max_pause; did you mean "max_pause"?`},
		{"no tries", "retry: {busy: {pause: 5m}}\n", "retry.busy.tries: missing"},
		{"no pause", "retry: {busy: {tries: 5}}\n", "retry.busy.pause: missing"},
		{"half a try", "retry: {busy: {tries: 1.5, pause: 5m}}\n", "retry.busy.tries: 1.5 is not a number from 0 to 1000, or -1"},
		{"too many tries", "retry: {busy: {tries: 1001, pause: 5m}}\n", "retry.busy.tries: 1001 is not a number"},
		{"a pause without a unit", "retry: {busy: {tries: 1, pause: 5}}\n", `retry.busy.pause: "5" is not a time such as 30s`},
		{"a pause too short", "retry: {busy: {tries: 1, pause: 9s}}\n", `retry.busy.pause: "9s" is not a time from 10s to 90d`},
		{"a pause too long", "retry: {busy: {tries: 1, pause: 5m, max_pause: 91d}}\n", `retry.busy.max_pause: "91d" is not a time from 10s to 90d`},
		{"pauses that shrink", "retry: {busy: {tries: 1, pause: 5m, max_pause: 4m}}\n", "retry.busy.max_pause: is shorter than pause"},
		{"logins without end", "retry: {auth: {tries: -1, pause: 5m}}\n", "retry.auth.tries: a refused login is not repeated without end"},

		{"knocks too often", "watch: {every: 1s}\n", `campaign.yaml:18: watch.every: "1s" is not a time from 10s to 7d`},
		{"no knocks", "watch: {per_site: 0}\n", `watch.per_site: "0" is not a number of connections a second`},
		{"knocks without a number", "watch: {per_site: NaN}\n", `watch.per_site: "NaN" is not a number`},
		{"an unknown policy", "reboot: {policy: in-windows}\n", `reboot.policy: "in-windows" is not known; want never or in-window or always; did you mean "in-window"?`},
		{"a long delay", "reboot: {delay: 25h}\n", `reboot.delay: "25h" is not a time from 1s to 1d`},
		{"a warning of two lines", "reboot: {message: \"a\\nb\"}\n", "reboot.message: at most 500 bytes, on one line"},
		{"a long warning", "reboot: {message: " + strings.Repeat("x", 501) + "}\n", "reboot.message: at most 500 bytes"},
		{"no budget", "reboot: {budget: 0}\n", "reboot.budget: 0 is not a number from 1 to 100"},
		{"no wait", "reboot: {wait: 1s}\n", `reboot.wait: "1s" is not a time from 1m to 7d`},
		{"a warning that outlasts the windows", one("") + "reboot: {policy: in-window, delay: 361m}\n", "reboot.delay: 361m is longer than every window"},
		{"the built-in warning outlasts them", "windows: [{start: \"22:00\", length: 9m}]\nreboot: {policy: always}\n", "reboot.delay: 10m is longer than every window"},
		{"a look too soon", "reverify: [1d, 59m]\n", `campaign.yaml:18: reverify: "59m" is not a time from 1h to 365d`},
		{"none and some", "reverify: [none, 1d]\n", "reverify: none stands alone"},
		{"a class without rules", "stop:\n  classes:\n    residu: 2%\n", `campaign.yaml:20: stop.classes.residu: there is no class of that name`},
		{"a share too large", "stop: {classes: {residue: 101%}}\n", `stop.classes.residue: "101%" is not a share`},
		{"a number too small", "stop: {classes: {residue: -1}}\n", `stop.classes.residue: "-1" is not a number of hosts, or a share`},
		{"bare hosts", "stop: {bare_hosts: -1}\n", "stop.bare_hosts: -1 is not a number from 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("/c", "/c/campaign.yaml", []byte(bare+tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("parse: %v; want %q", err, tt.want)
			}
		})
	}
}

// TestWeeksProblemsAtOnce: one slip in each of the keys, and all are told.
func TestWeeksProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse("/c", "/c/campaign.yaml", []byte(bare+`windows:
  - {days: [mno], start: "25:00", length: 9d}
  - {start: "01:00", length: 1h, sites: []}
blackouts: [{from: x}]
retry: {busy: {tries: x, pause: y, max_pause: z, q: 1}, nobody: person}
watch: {every: x, per_site: x}
reboot: {policy: x, delay: x, wait: x}
reverify: [x, y]
stop: {classes: {residue: x}}
`))
	if err == nil {
		t.Fatal("all is well")
	}
	for n, want := range map[int]string{
		19: `entry 1: days: "mno"`, 20: "entry 2: sites: ", 21: "entry 1: from: ", 22: "retry.busy.tries: ", 24: "reboot.policy: ", 26: `stop.classes.residue: "x"`,
	} {
		at := "campaign.yaml:" + strconv.Itoa(n) + ": "
		if !slices.ContainsFunc(strings.Split(err.Error(), "\n"), func(line string) bool {
			return strings.Contains(line, at) && strings.Contains(line, want)
		}) {
			t.Errorf("no %q with %q in\n%v", at, want, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 18 {
		t.Errorf("%d problems, want 18:\n%v", got, err)
	}
}

func TestWeeksAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		holds      func(remediate.Campaign) bool
	}{
		{"no windows", "windows: []\nblackouts: []\n", func(c remediate.Campaign) bool { return c.Windows == nil && c.Blackouts == nil }},
		{"nothing of it", "", func(c remediate.Campaign) bool {
			return c.Retry == nil && c.Reverify == nil && c.Stop.Bare == nil && c.Stop.Classes == nil && c.Reboot.Policy == remediate.RebootNever && c.Reboot.Budget == 2
		}},
		{"no later looks", "reverify: none\n", func(c remediate.Campaign) bool { return c.Reverify != nil && len(c.Reverify) == 0 }},
		{"one later look", "reverify: 2d\n", func(c remediate.Campaign) bool { return len(c.Reverify) == 1 && c.Reverify[0] == 48*time.Hour }},
		{"a long warning where nothing restarts", "windows: [{start: \"22:00\", length: 5m}]\n", func(c remediate.Campaign) bool { return len(c.Windows) == 1 }},
		{"a warning as long as a window", "windows: [{start: \"22:00\", length: 10m}]\nreboot: {policy: in-window}\n", func(c remediate.Campaign) bool { return c.Reboot.Policy == remediate.RebootInWindow }},
		{"a share of none", "stop: {classes: {residue: 0%}}\n", func(c remediate.Campaign) bool {
			return c.Stop.Classes[0] == remediate.ClassStop{Class: remediate.ClassResidue}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parse("/c", "/c/campaign.yaml", []byte(bare+tt.text))
			if err != nil || !tt.holds(c) {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}

func TestExpected(t *testing.T) {
	t.Parallel()
	edit := func(now string) string { return strings.Replace(whole, "connect: 5s", now, 1) }
	if c, err := parse("/c", "/c/campaign.yaml", []byte(edit("expected: 25m"))); err != nil || c.Timing.Expected != 25*time.Minute {
		t.Errorf("%+v, %v", c.Timing, err)
	}
	if _, err := parse("/c", "/c/campaign.yaml", []byte(edit("expected: 8d"))); err == nil || !strings.Contains(err.Error(), "timing.expected: 8d is longer than a window can be, 7d") {
		t.Errorf("%v", err)
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	const sun, mon, tue, wed, thu, fri, sat = time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday
	for text, want := range map[string][]time.Weekday{
		"weekdays": {mon, tue, wed, thu, fri}, "weekend": {sun, sat}, "daily": nil, "[mon-thu, fri-sun]": nil,
		"fri-mon": {sun, mon, fri, sat}, "[Sat, sat, SUN]": {sun, sat}, "wed-wed": {wed}, "[weekend, tue]": {sun, tue, sat}, "thu": {thu},
	} {
		c, err := parse("/c", "/c/campaign.yaml", []byte(bare+"windows: [{days: "+text+", start: \"22:00\", length: 6h}]\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff(want, c.Windows[0].Days); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

// TestEveryProblemOfAWindowHasItsLine: wherever a wrong window stands, the
// problem names the line of the key that is wrong.
func TestEveryProblemOfAWindowHasItsLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "windows")
		bad := rapid.IntRange(1, n).Draw(t, "the wrong one")
		text, line := bare+"windows:\n", strings.Count(bare, "\n")+1
		want := ""
		for i := 1; i <= n; i++ {
			keys := rapid.Permutation([]string{"days: weekend", "start: \"22:00\"", "length: 6h", "sites: [a]"}).Draw(t, "keys")
			wrong := rapid.IntRange(0, len(keys)-1).Draw(t, "the wrong key")
			for k, key := range keys {
				name, _, _ := strings.Cut(key, ":")
				if i == bad && k == wrong {
					key = name + ": [\"\"]"
					if name == "start" || name == "length" {
						key = name + ": x"
					}
					want = "campaign.yaml:" + strconv.Itoa(line+1) + ": windows: entry " + strconv.Itoa(i) + ": " + name + ": "
				}
				text += map[bool]string{true: "  - ", false: "    "}[k == 0] + key + "\n"
				line++
			}
		}
		_, err := parse("/c", "/c/campaign.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("%v; want %q alone", err, want)
		}
	})
}
