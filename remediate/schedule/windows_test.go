package schedule

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

const (
	sun = time.Sunday
	mon = time.Monday
	tue = time.Tuesday
	fri = time.Friday
	sat = time.Saturday
)

// window is one at a wall-clock time such as 22:00.
func window(start string, length time.Duration, days ...time.Weekday) remediate.Window {
	at, err := time.Parse("15:04", start)
	if err != nil {
		panic(err)
	}
	return remediate.Window{Days: days, Start: time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, Length: length}
}

func blackout(from, to string) remediate.Blackout {
	return remediate.Blackout{From: day(from), To: day(to), Why: "freeze"}
}

func ask(t *testing.T, c *Calendar, h remediate.Host, now time.Time, need time.Duration) Opening {
	t.Helper()
	o, err := c.At(h, now, need)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// found walks through the openings of a host from midnight of one local day to
// that of another, and gives them as the host's clocks show them.
func found(t *testing.T, c *Calendar, h remediate.Host, from, to string) []string {
	t.Helper()
	loc, err := time.LoadLocation(h.Zone)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	at, end := first(loc, day(from)), first(loc, day(to))
	for at.Before(end) {
		o := ask(t, c, h, at, 0)
		if !o.Open {
			if o.Never {
				break
			}
			at = o.Next
			continue
		}
		if o.Until.IsZero() {
			return append(out, clock(at)+" for ever")
		}
		out = append(out, clock(at)+" to "+clock(o.Until))
		at = o.Until
	}
	return out
}

func clock(t time.Time) string { return t.Format("01-02 15:04 -0700") }

func TestWindows(t *testing.T) {
	type windows = []remediate.Window
	type blackouts = []remediate.Blackout
	tests := []struct {
		name, zone, from, to string
		windows              windows
		blackouts            blackouts
		want                 []string
	}{
		{
			name: "across midnight", zone: "", from: "2026-11-25", to: "2026-12-06",
			windows: windows{window("22:00", 6*time.Hour, sat)},
			want:    []string{"11-28 22:00 +0000 to 11-29 04:00 +0000", "12-05 22:00 +0000 to 12-06 04:00 +0000"},
		},
		{
			name: "windows that touch are one", zone: "Asia/Tokyo", from: "2026-11-25", to: "2026-12-02",
			windows: windows{window("00:00", 24*time.Hour, sat), window("00:00", 24*time.Hour, sun), window("00:00", 2*time.Hour, mon)},
			want:    []string{"11-28 00:00 +0900 to 11-30 02:00 +0900"},
		},
		{
			name: "windows that overlap are one, and one lies in another", zone: "", from: "2026-11-27", to: "2026-11-30",
			windows: windows{window("20:00", 8*time.Hour, fri), window("22:00", time.Hour, fri), window("03:00", 3*time.Hour, sat)},
			want:    []string{"11-27 20:00 +0000 to 11-28 06:00 +0000"},
		},
		{
			name: "several in a day", zone: "", from: "2026-11-24", to: "2026-11-25",
			windows: windows{window("12:00", time.Hour), window("01:00", time.Hour)},
			want:    []string{"11-24 01:00 +0000 to 11-24 02:00 +0000", "11-24 12:00 +0000 to 11-24 13:00 +0000"},
		},
		{
			name: "every day, all day", zone: "Europe/Berlin", from: "2026-11-24", to: "2026-12-01",
			windows: windows{window("00:00", 25*time.Hour)},
			want:    []string{"11-24 00:00 +0100 for ever"},
		},
		{
			name: "the longest window", zone: "", from: "2026-11-24", to: "2026-12-07",
			windows: windows{window("00:00", 30*24*time.Hour, mon)},
			want:    []string{"11-24 00:00 +0000 for ever"},
		},
		{
			name: "a window that is never open", zone: "", from: "2026-11-24", to: "2026-12-01",
			windows: windows{window("00:00", 0), window("00:00", -time.Hour)},
		},

		// Blackouts.
		{
			name: "a blackout ends an opening, and lets it go on", zone: "America/New_York", from: "2026-11-23", to: "2026-11-27",
			windows: windows{window("22:00", 32*time.Hour)}, blackouts: blackouts{blackout("2026-11-25", "2026-11-25")},
			want: []string{"11-23 00:00 -0500 to 11-25 00:00 -0500", "11-26 00:00 -0500 for ever"},
		},
		{
			name: "two blackouts in one long window", zone: "", from: "2026-11-23", to: "2026-12-01",
			windows:   windows{window("00:00", 7*24*time.Hour, mon), window("12:00", 36*time.Hour, fri)},
			blackouts: blackouts{blackout("2026-11-24", "2026-11-25"), blackout("2026-11-24", "2026-11-24"), blackout("2026-11-27", "2026-11-28")},
			want: []string{
				"11-23 00:00 +0000 to 11-24 00:00 +0000", "11-26 00:00 +0000 to 11-27 00:00 +0000", "11-29 00:00 +0000 for ever",
			},
		},
		{
			name: "no windows but a blackout", zone: "Asia/Kolkata", from: "2026-11-23", to: "2026-12-01",
			blackouts: blackouts{blackout("2026-11-25", "2026-11-26")},
			want:      []string{"11-23 00:00 +0530 to 11-25 00:00 +0530", "11-27 00:00 +0530 for ever"},
		},
		{
			name: "a blackout whose last day is missing", zone: "", from: "2026-11-23", to: "2026-12-01",
			blackouts: blackouts{{From: day("2026-11-25")}},
			want:      []string{"11-23 00:00 +0000 to 11-25 00:00 +0000", "11-26 00:00 +0000 for ever"},
		},
		{
			name: "of a blackout's days only the date counts", zone: "", from: "2026-11-23", to: "2026-12-01",
			blackouts: blackouts{{From: time.Date(2026, 11, 25, 23, 0, 0, 0, time.FixedZone("", -9*3600)), To: day("2026-11-25")}},
			want:      []string{"11-23 00:00 +0000 to 11-25 00:00 +0000", "11-26 00:00 +0000 for ever"},
		},
		{name: "neither", zone: "", from: "2026-11-23", to: "2026-12-01", want: []string{"11-23 00:00 +0000 for ever"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := found(t, NewCalendar(tt.windows, tt.blackouts), remediate.Host{Zone: tt.zone}, tt.from, tt.to)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWindowsChooseHosts(t *testing.T) {
	w := func(start string, sites, tags []string) remediate.Window {
		w := window(start, time.Hour)
		w.Sites, w.Tags = sites, tags
		return w
	}
	freeze := blackout("2026-11-26", "2026-11-26")
	freeze.Sites = []string{"oslo"}
	c := NewCalendar([]remediate.Window{
		w("01:00", []string{"berlin", "oslo"}, nil), w("03:00", nil, []string{"servers"}), w("05:00", []string{"oslo"}, []string{"servers", "lab"}),
	}, []remediate.Blackout{freeze})
	tests := []struct {
		name string
		host remediate.Host
		want string
	}{
		{"a site", remediate.Host{Site: "berlin"}, "25/01 26/01"},
		{"a site in two windows, and in the blackout", remediate.Host{Site: "oslo"}, "25/01 25/05"},
		{"a tag in two windows", remediate.Host{Tags: []string{"x", "servers", "lab"}}, "25/03 25/05 26/03 26/05"},
		{"a site and a tag add up", remediate.Host{Site: "berlin", Tags: []string{"servers"}}, "25/01 25/03 25/05 26/01 26/03 26/05"},
		{"of neither", remediate.Host{Site: "Berlin", Tags: []string{"oslo"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range found(t, c, tt.host, "2026-11-25", "2026-11-27") {
				got = append(got, s[3:5]+"/"+s[6:8])
			}
			if g := strings.Join(got, " "); g != tt.want {
				t.Errorf("opens at %q, want %q", g, tt.want)
			}
		})
	}
}

func TestOpeningFits(t *testing.T) {
	year := remediate.Blackout{From: day("2026-11-20"), To: day("2028-11-19"), Why: "year-long freeze", Sites: []string{"lab"}}
	late := remediate.Blackout{From: day("2026-11-30"), To: day("2028-11-19"), Sites: []string{"late"}}
	c := NewCalendar([]remediate.Window{
		window("22:00", 6*time.Hour, sat), window("12:00", 2*time.Hour, mon, tue),
	}, []remediate.Blackout{blackout("2026-12-06", "2026-12-08"), year, late})
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := []struct {
		name, now, site string
		need            time.Duration
		want            Opening
	}{
		{"open", "2026-11-28 22:00", "", 6 * time.Hour, Opening{Open: true, Until: at("2026-11-29 04:00")}},
		{"not yet", "2026-11-28 21:59", "", 6 * time.Hour, Opening{Next: at("2026-11-28 22:00"), Why: "no window is open; the next is sat 22:00 +6h"}},
		{"too late by a minute", "2026-11-28 22:01", "", 6 * time.Hour, Opening{
			Next: at("2026-12-12 22:00"), Why: "window sat 22:00 +6h ends at Sun 2026-11-29 04:00 UTC, 1m before it would be done",
		}},
		{"the next is shorter, and long enough", "2026-11-29 03:00", "", 100 * time.Minute, Opening{
			Next: at("2026-11-30 12:00"), Why: "window sat 22:00 +6h ends at Sun 2026-11-29 04:00 UTC, 40m before it would be done",
		}},
		{"the end itself is not open", "2026-11-29 04:00", "", 0, Opening{Next: at("2026-11-30 12:00"), Why: "no window is open; the next is mon,tue 12:00 +2h"}},
		{"short ones are passed over", "2026-11-29 04:00", "", 3*time.Hour + time.Second, Opening{
			Next: at("2026-12-12 22:00"), Why: "no window as long as the 3h1m that it needs is open; the next is sat 22:00 +6h",
		}},
		{"before a blackout", "2026-12-05 23:00", "", 100 * time.Minute, Opening{
			Next: at("2026-12-12 22:00"), Why: "blackout freeze begins at Sun 2026-12-06 00:00 UTC, 40m before it would be done",
		}},
		{"it fits before the blackout", "2026-12-05 23:00", "", time.Hour, Opening{Open: true, Until: at("2026-12-06 00:00")}},
		{"in a blackout", "2026-12-06 01:00", "", time.Hour, Opening{Next: at("2026-12-12 22:00"), Why: "blackout freeze until 2026-12-08"}},
		{"too long for any", "2026-11-24 01:00", "", 7 * time.Hour, Opening{Never: true, Why: "no window is as long as the 7h that it needs"}},
		{"always black", "2026-11-24 01:00", "lab", time.Hour, Opening{
			Never: true, Why: "blackout year-long freeze until 2028-11-19; in the next 400 days there is no time for the 1h that it needs",
		}},
		{"soon black", "2026-11-29 05:00", "late", time.Hour, Opening{
			Never: true, Why: "blackouts leave no time for the 1h that it needs in the next 400 days",
		}},
		{"too long, black or not", "2026-11-24 01:00", "lab", 7 * time.Hour, Opening{Never: true, Why: "no window is as long as the 7h that it needs"}},
		{"a need below zero", "2026-11-28 22:00", "", -time.Hour, Opening{Open: true, Until: at("2026-11-29 04:00")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, ask(t, c, remediate.Host{Site: tt.site}, at(tt.now), tt.need)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestLongWindowsAreKnownAtTheirEnd asks nothing before the last minute of a
// window that opened a week ago, in zones on either side of the date line.
func TestLongWindowsAreKnownAtTheirEnd(t *testing.T) {
	w := window("23:30", 7*24*time.Hour-2*time.Hour, mon)
	for _, zone := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		c := NewCalendar([]remediate.Window{w}, nil)
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		end := time.Date(2026, 11, 30, 21, 30, 0, 0, loc)
		if o := ask(t, c, remediate.Host{Zone: zone}, end.Add(-time.Minute), 0); !o.Open || !o.Until.Equal(end) {
			t.Errorf("%s: %+v, want open until %s", zone, o, end)
		}
	}
}

// TestHostsOfOneCalendarKeepTheirZones: and what is told is in their zone.
func TestHostsOfOneCalendarKeepTheirZones(t *testing.T) {
	c := NewCalendar([]remediate.Window{window("22:00", time.Hour)}, nil)
	for range 2 {
		for zone, want := range map[string]string{
			"": "11-24 22:00 +0000", "Asia/Tokyo": "11-24 22:00 +0900", "America/New_York": "11-24 22:00 -0500",
		} {
			if o := ask(t, c, remediate.Host{Zone: zone}, day("2026-11-24").Add(12*time.Hour), 0); clock(o.Next) != want {
				t.Errorf("%q: %s, want %s", zone, clock(o.Next), want)
			}
		}
	}
}

func TestOpeningAtTheHorizon(t *testing.T) {
	now := day("2026-01-01")
	c := NewCalendar(nil, []remediate.Blackout{{From: now.AddDate(0, 0, 399), To: now.AddDate(0, 0, 399)}})
	if o := ask(t, c, remediate.Host{}, now, 0); !o.Open || !o.Until.Equal(now.AddDate(0, 0, 399)) {
		t.Errorf("%+v", o)
	}
	if o := ask(t, c, remediate.Host{}, now.AddDate(0, 0, -1), 0); !o.Open || !o.Until.IsZero() {
		t.Errorf("400 days away: %+v", o)
	}
	if o := ask(t, c, remediate.Host{}, now, 4000*24*time.Hour); o.Open || !o.Next.Equal(now.AddDate(0, 0, 400)) {
		t.Errorf("a need beyond the horizon: %+v", o)
	}
}

func TestCalendarRefusesUnknownZones(t *testing.T) {
	c := NewCalendar(nil, nil)
	for _, zone := range []string{"Europe/Gotham", "Local", "../etc", strings.Repeat("x", 1<<20)} {
		for range 2 {
			_, err := c.At(remediate.Host{Zone: zone}, day("2026-11-24"), 0)
			if err == nil || !strings.Contains(err.Error(), "is not a time zone") || len(err.Error()) > 10_000 {
				t.Errorf("%.20q: %v", zone, err)
			}
		}
	}
	o := ask(t, NewCalendar([]remediate.Window{{Length: time.Hour, Sites: []string{"a"}}}, nil), remediate.Host{}, day("2026-11-24"), 0)
	if want := (Opening{Never: true, Why: "no window is written for its site and tags"}); o != want {
		t.Errorf("%+v, want %+v", o, want)
	}
}

func TestWindowNames(t *testing.T) {
	tests := []struct {
		window remediate.Window
		want   string
	}{
		{window("22:00", 6*time.Hour, sun, sat), "sat,sun 22:00 +6h"},
		{window("00:30", 90*time.Minute), "daily 00:30 +1h30m"},
		{window("07:00", 48*time.Hour, mon, tue, 3, 4, fri), "mon-fri 07:00 +2d"},
		{window("07:00", 20*time.Minute, mon, 3, 4, fri, sun), "mon,wed-fri,sun 07:00 +20m"},
		{window("07:00", time.Second, sun, mon, tue, 3, 4, fri, sat), "daily 07:00 +1m"},
	}
	for _, tt := range tests {
		if got := windowName(tt.window); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
