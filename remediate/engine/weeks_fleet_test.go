package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports/lab"
)

// weeksStart is a Monday. Lord Howe Island, Berlin and New York set their clocks
// in the 90 days after it.
var weeksStart = time.Date(2026, 9, 28, 6, 0, 0, 0, time.UTC)

var weeksZones = []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "America/Sao_Paulo"}

const (
	tagLaptop = "laptop"
	tagServer = "server"
	// tagAppliance is on hosts that no window reaches.
	tagAppliance = "appliance"
)

// weeksConfig is how large a simulated campaign is.
type weeksConfig struct {
	seed           uint64
	linux, windows int
	days           int
	late           int // hosts that come into the inventory in week 5
	exempt         int
	orphans        int // hosts that no window reaches
	sites          int // in each zone
	limits         remediate.Concurrency
	stop           remediate.StopRules
}

func (c weeksConfig) fleet() lab.Config {
	even := func(faults []lab.Fault, hosts int, share float64) lab.FaultMix {
		var mix lab.FaultMix
		for _, f := range faults {
			mix = append(mix, lab.FaultShare{Fault: f.Name, Hosts: max(1, int(share*float64(hosts)/float64(len(faults))))})
		}
		return mix
	}
	return lab.Config{
		Hosts: c.linux, Windows: c.windows, Seed: c.seed, Clean: 0.08, LoggedOn: 0.3, Offline: true,
		Faults: even(lab.Faults(), c.linux, 0.07), WindowsFaults: even(lab.WindowsFaults(), c.windows, 0.1),
	}
}

// campaign is what the person has written.
func (c weeksConfig) campaign() remediate.Campaign {
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }
	return remediate.Campaign{
		Name: "weeks",
		Windows: []remediate.Window{
			{Days: []time.Weekday{time.Saturday, time.Sunday}, Start: 22 * time.Hour, Length: 6 * time.Hour, Tags: []string{tagServer}},
			{Start: 12 * time.Hour, Length: 2 * time.Hour, Tags: []string{tagLaptop}},
		},
		Blackouts: []remediate.Blackout{
			{From: day(time.November, 26), To: day(time.November, 30), Why: "week of sales"},
			{From: day(time.December, 8), To: day(time.December, 13), Why: "year-end freeze"},
		},
		Reboot: remediate.RebootSettings{Policy: remediate.RebootInWindow, Budget: 2},
		Watch:  remediate.WatchSettings{Every: 2 * time.Hour},
		Waves:  []remediate.WaveSize{{Hosts: 1}, {Hosts: 5}, {Share: 0.05}, {Share: 0.25}, {Share: 1}},
		Retry:  map[remediate.Class]remediate.RetryRule{remediate.ClassBusy: {Tries: 8, Pause: 5 * time.Minute, MaxPause: 4 * time.Hour}},
		Stop:   c.stop, Limits: c.limits,
		Timing: remediate.Timing{Poll: 30 * time.Second, Job: 10 * time.Minute},
	}
}

// whereabouts is when a laptop is there at all, beside its office hours.
type whereabouts struct {
	loc      *time.Location
	from, to time.Time // away between
}

// makeInventory gives the hosts of the fleet zones, sites and tags.
func (w *weeks) makeInventory(t *testing.T) {
	w.where, w.byName = map[string]whereabouts{}, map[string]remediate.Host{}
	locations := map[string]*time.Location{}
	for _, z := range weeksZones {
		loc, err := time.LoadLocation(z)
		if err != nil {
			t.Fatal(err)
		}
		locations[z] = loc
	}
	all := w.fleet.Hosts()
	w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, info := range all {
		zone := weeksZones[i%len(weeksZones)]
		h := remediate.Host{
			Name: info.Name, Address: info.Address, Port: info.Port, Platform: platformOf(info), Zone: zone,
			Site: fmt.Sprintf("%s-%d", zone, w.rng.IntN(w.config.sites)), Credential: string(platformOf(info)), Tags: []string{tagServer},
		}
		if info.Fault == "login-refused" {
			h.Credential = "old-" + h.Credential
		}
		switch {
		case i < w.config.orphans:
			h.Tags = []string{tagAppliance}
		case w.rng.IntN(3) == 0:
			h.Tags = []string{tagLaptop}
			w.where[h.Name] = leave(w.rng, locations[zone])
		}
		w.byName[h.Name] = h
		w.fault[h.Name] = info.Fault
		w.all = append(w.all, h)
	}
	w.hosts = slices.Clone(w.all[:len(w.all)-w.config.late])
}

// leave draws when a laptop is away: some for three weeks, some for ever.
func leave(rng *rand.Rand, loc *time.Location) whereabouts {
	x := whereabouts{loc: loc}
	switch n := rng.IntN(100); {
	case n < 3:
		x.to = weeksStart.AddDate(10, 0, 0)
	case n < 20:
		x.from = weeksStart.AddDate(0, 0, rng.IntN(60))
		x.to = x.from.AddDate(0, 0, 21)
	}
	return x
}

// there reports whether a host can be reached, and until when; a zero time
// means for ever.
func (w *weeks) there(host string, now time.Time) (bool, time.Time) {
	x, laptop := w.where[host]
	if !laptop {
		return true, time.Time{}
	}
	local := now.In(x.loc)
	if d := local.Weekday(); d == time.Saturday || d == time.Sunday || local.Hour() < 8 || local.Hour() >= 18 {
		return false, time.Time{}
	}
	if !now.Before(x.from) && now.Before(x.to) {
		return false, time.Time{}
	}
	return true, time.Date(local.Year(), local.Month(), local.Day(), 18, 0, 0, 0, x.loc)
}

// open says by the campaign's windows, counted out by hand, whether a host may
// be changed.
func (w *weeks) open(h remediate.Host, now time.Time) bool {
	loc, err := time.LoadLocation(h.Zone)
	if err != nil {
		return false
	}
	y, m, d := now.In(loc).Date()
	if today := int(m)*100 + d; y == 2026 && (today >= 1126 && today <= 1130 || today >= 1208 && today <= 1213) {
		return false
	}
	within := func(start time.Time, length time.Duration) bool {
		return !now.Before(start) && now.Before(start.Add(length))
	}
	if h.HasTag(tagLaptop) {
		return within(time.Date(y, m, d, 12, 0, 0, 0, loc), 2*time.Hour)
	}
	for _, before := range []int{0, 1} {
		start := time.Date(y, m, d-before, 22, 0, 0, 0, loc)
		if day := start.Weekday(); h.HasTag(tagServer) && (day == time.Saturday || day == time.Sunday) && within(start, 6*time.Hour) {
			return true
		}
	}
	return false
}
