package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// TestWindowsWhileClocksAreSet: the days are those of the zone database.
func TestWindowsWhileClocksAreSet(t *testing.T) {
	type windows = []remediate.Window
	type blackouts = []remediate.Blackout
	night := func(days ...time.Weekday) windows { return windows{window("22:00", 6*time.Hour, days...)} }
	tests := []struct {
		name, zone, from, to string
		windows              windows
		blackouts            blackouts
		want                 []string
	}{
		// Europe/Berlin: forward at 02:00 on 29 March, back at 03:00 on 25 October.
		{
			name: "Berlin, forward: six hours that pass", zone: "Europe/Berlin", from: "2026-03-28", to: "2026-03-30",
			windows: night(sat), want: []string{"03-28 22:00 +0100 to 03-29 05:00 +0200"},
		},
		{
			name: "Berlin, forward: a time that is not", zone: "Europe/Berlin", from: "2026-03-28", to: "2026-03-30",
			windows: windows{window("02:30", time.Hour, sat, sun)},
			want:    []string{"03-28 02:30 +0100 to 03-28 03:30 +0100", "03-29 03:00 +0200 to 03-29 04:00 +0200"},
		},
		{
			name: "Berlin, back: six hours that pass", zone: "Europe/Berlin", from: "2026-10-24", to: "2026-10-26",
			windows: night(sat), want: []string{"10-24 22:00 +0200 to 10-25 03:00 +0100"},
		},
		{
			name: "Berlin, back: a time that is twice", zone: "Europe/Berlin", from: "2026-10-25", to: "2026-10-26",
			windows: windows{window("02:30", 30*time.Minute)}, want: []string{"10-25 02:30 +0200 to 10-25 02:00 +0100"},
		},
		{
			name: "Berlin, back: the hour after", zone: "Europe/Berlin", from: "2026-10-25", to: "2026-10-26",
			windows: windows{window("03:00", time.Hour)}, want: []string{"10-25 03:00 +0100 to 10-25 04:00 +0100"},
		},
		{
			name: "Berlin, back: a blackout of 25 hours", zone: "Europe/Berlin", from: "2026-10-24", to: "2026-10-27",
			blackouts: blackouts{blackout("2026-10-25", "2026-10-25")},
			want:      []string{"10-24 00:00 +0200 to 10-25 00:00 +0200", "10-26 00:00 +0100 for ever"},
		},

		// America/New_York: forward at 02:00 on 8 March, back at 02:00 on 1 November.
		{
			name: "New York, forward", zone: "America/New_York", from: "2026-03-07", to: "2026-03-09",
			windows: append(night(sat), window("02:00", 4*time.Hour, sun)),
			want:    []string{"03-07 22:00 -0500 to 03-08 07:00 -0400"},
		},
		{
			name: "New York, back", zone: "America/New_York", from: "2026-10-31", to: "2026-11-02",
			windows: append(night(sat), window("01:59", time.Minute, sun)),
			want:    []string{"10-31 22:00 -0400 to 11-01 03:00 -0500"},
		},
		{
			name: "New York, back: the second 01:30 opens nothing", zone: "America/New_York", from: "2026-11-01", to: "2026-11-02",
			windows: windows{window("01:30", 10*time.Minute)},
			want:    []string{"11-01 01:30 -0400 to 11-01 01:40 -0400"},
		},

		// Australia/Lord_Howe: half an hour; back at 02:00 on 5 April, forward at 02:00 on 4 October.
		{
			name: "Lord Howe, back", zone: "Australia/Lord_Howe", from: "2026-04-04", to: "2026-04-06",
			windows: append(night(sat), window("01:45", 10*time.Minute, sun)),
			want:    []string{"04-04 22:00 +1100 to 04-05 03:30 +1030"},
		},
		{
			name: "Lord Howe, back: a time that is twice", zone: "Australia/Lord_Howe", from: "2026-04-05", to: "2026-04-06",
			windows: windows{window("01:45", 10*time.Minute, sun)},
			want:    []string{"04-05 01:45 +1100 to 04-05 01:55 +1100"},
		},
		{
			name: "Lord Howe, forward", zone: "Australia/Lord_Howe", from: "2026-10-03", to: "2026-10-05",
			windows: windows{window("02:15", time.Hour)},
			want:    []string{"10-03 02:15 +1030 to 10-03 03:15 +1030", "10-04 02:30 +1100 to 10-04 03:30 +1100"},
		},

		// Midnights that are not: Cairo on 24 April 2026, Beirut on 29 March 2026, São Paulo on 4 November 2018.
		{
			name: "Cairo, forward at midnight", zone: "Africa/Cairo", from: "2026-04-23", to: "2026-04-25",
			windows: windows{window("00:00", time.Hour)},
			want:    []string{"04-23 00:00 +0200 to 04-23 01:00 +0200", "04-24 01:00 +0300 to 04-24 02:00 +0300"},
		},
		{
			name: "Cairo, forward at midnight: a blackout", zone: "Africa/Cairo", from: "2026-04-23", to: "2026-04-26",
			blackouts: blackouts{blackout("2026-04-24", "2026-04-24")},
			want:      []string{"04-23 00:00 +0200 to 04-24 01:00 +0300", "04-25 00:00 +0300 for ever"},
		},
		{
			// 30 October begins after the clocks have shown 23:00 to 24:00 twice.
			name: "Cairo, back at midnight", zone: "Africa/Cairo", from: "2026-10-29", to: "2026-10-31",
			windows: windows{window("23:00", 90*time.Minute, time.Thursday), window("00:00", time.Hour, fri)},
			want:    []string{"10-29 23:00 +0300 to 10-29 23:30 +0200", "10-30 00:00 +0200 to 10-30 01:00 +0200"},
		},
		{
			name: "Cairo, back at midnight: a blackout", zone: "Africa/Cairo", from: "2026-10-28", to: "2026-10-31",
			blackouts: blackouts{blackout("2026-10-29", "2026-10-29")},
			want:      []string{"10-28 00:00 +0300 to 10-29 00:00 +0300", "10-30 00:00 +0200 for ever"},
		},
		{
			name: "Beirut, forward at midnight", zone: "Asia/Beirut", from: "2026-03-28", to: "2026-03-30",
			windows: windows{window("23:00", 2*time.Hour, sat), window("00:00", 2*time.Hour, sun)},
			want:    []string{"03-28 23:00 +0200 to 03-29 03:00 +0300"},
		},
		{
			name: "São Paulo, forward at midnight", zone: "America/Sao_Paulo", from: "2018-11-03", to: "2018-11-05",
			windows: windows{window("00:30", time.Hour, sun)},
			want:    []string{"11-04 01:00 -0200 to 11-04 02:00 -0200"},
		},
		{
			name: "São Paulo, back at midnight", zone: "America/Sao_Paulo", from: "2018-02-17", to: "2018-02-19",
			windows: windows{window("23:30", time.Hour, sat), window("00:00", time.Hour, sun)},
			want:    []string{"02-17 23:30 -0200 to 02-17 23:30 -0300", "02-18 00:00 -0300 to 02-18 01:00 -0300"},
		},

		// A day that Samoa never had, and half an hour that ended a day of Pyongyang.
		{
			name: "Apia had no 30 December 2011, a Friday", zone: "Pacific/Apia", from: "2011-12-29", to: "2012-01-01",
			windows: windows{window("10:00", time.Hour)}, blackouts: blackouts{blackout("2011-12-30", "2011-12-30")},
			want: []string{"12-29 10:00 -1000 to 12-29 11:00 -1000", "12-31 10:00 +1400 to 12-31 11:00 +1400"},
		},
		{
			name: "Pyongyang, forward at 23:30", zone: "Asia/Pyongyang", from: "2018-05-04", to: "2018-05-06",
			windows: windows{window("23:45", time.Hour, fri)},
			want:    []string{"05-05 00:00 +0900 to 05-05 01:00 +0900"},
		},
		{
			// At 00:01 the clocks went back to 23:01 of the day before.
			name: "St. John's, back after midnight: a blackout holds from the first midnight", zone: "America/St_Johns", from: "2010-11-06", to: "2010-11-09",
			blackouts: blackouts{blackout("2010-11-07", "2010-11-07")},
			want:      []string{"11-06 00:00 -0230 to 11-07 00:00 -0230", "11-08 00:00 -0330 for ever"},
		},
		{
			name: "St. John's, back after midnight: a blackout holds to the last", zone: "America/St_Johns", from: "2010-11-05", to: "2010-11-09",
			blackouts: blackouts{blackout("2010-11-06", "2010-11-06")},
			want:      []string{"11-05 00:00 -0230 to 11-06 00:00 -0230", "11-07 00:00 -0330 for ever"},
		},
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
