package schedule

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

// places are zones, and days near which their clocks are set.
var places = []struct{ zone, near string }{
	{"Europe/Berlin", "2026-03-29"}, {"Europe/Berlin", "2026-10-25"},
	{"America/New_York", "2026-03-08"}, {"America/New_York", "2026-11-01"},
	{"Australia/Lord_Howe", "2026-04-05"}, {"Australia/Lord_Howe", "2026-10-04"},
	{"Asia/Beirut", "2026-03-29"}, {"Asia/Beirut", "2026-10-25"},
	{"Africa/Cairo", "2026-04-24"}, {"Africa/Cairo", "2026-10-30"},
	{"America/Sao_Paulo", "2018-11-04"}, {"America/Sao_Paulo", "2018-02-18"},
	{"Pacific/Apia", "2011-12-30"}, {"Asia/Pyongyang", "2018-05-05"}, {"", "2026-12-31"}, {"Asia/Kathmandu", "2028-02-29"},
}

// situation is a host and what its calendar says.
type situation struct {
	windows   []remediate.Window
	blackouts []remediate.Blackout
	host      remediate.Host
	near      time.Time // midnight UTC
}

func drawSituation(t *rapid.T) situation {
	place := rapid.SampledFrom(places).Draw(t, "place")
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 2, rapid.ID[string])
	s := situation{host: remediate.Host{Zone: place.zone, Site: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "site"), Tags: names.Draw(t, "tags")}, near: day(place.near)}
	s.windows = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) remediate.Window {
		w := remediate.Window{
			Days:   rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6), func(i int) time.Weekday { return time.Weekday(i) }), 0, 4).Draw(t, "days"),
			Start:  time.Duration(rapid.OneOf(rapid.SampledFrom([]int{0, 30, 60, 120, 150, 23*60 + 30}), rapid.IntRange(0, 1439)).Draw(t, "start")) * time.Minute,
			Length: time.Duration(rapid.OneOf(rapid.SampledFrom([]int{60, 24 * 60}), rapid.IntRange(0, 600), rapid.IntRange(0, 4*24*60)).Draw(t, "length")) * time.Minute,
		}
		if rapid.IntRange(0, 3).Draw(t, "for some") == 0 {
			w.Sites, w.Tags = names.Draw(t, "sites"), names.Draw(t, "tags")
		}
		return w
	}), 0, 4).Draw(t, "windows")
	s.blackouts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) remediate.Blackout {
		from := s.near.AddDate(0, 0, rapid.IntRange(-4, 4).Draw(t, "from"))
		b := remediate.Blackout{From: from, To: from.AddDate(0, 0, rapid.IntRange(0, 3).Draw(t, "days"))}
		if rapid.IntRange(0, 3).Draw(t, "for some") == 0 {
			b.Sites = names.Draw(t, "sites")
		}
		return b
	}), 0, 2).Draw(t, "blackouts")
	return s
}

func (s situation) drawNow(t *rapid.T) time.Time {
	loc, err := time.LoadLocation(s.host.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return s.near.In(loc).Add(time.Duration(rapid.IntRange(-3*1440, 2*1440).Draw(t, "now")) * time.Minute)
}

func drawNeed(t *rapid.T) time.Duration {
	return time.Duration(rapid.OneOf(rapid.IntRange(0, 120), rapid.IntRange(0, 3000)).Draw(t, "need")) * time.Minute
}

// Of the model's minutes those up to modelFrom are only there for windows that
// opened in them.
const (
	modelDays = 19
	modelFrom = 9 * 1440
)

// model says of every minute of 19 days whether the host may be changed,
// looking at the host's clock a minute at a time.
func (s situation) model() (start time.Time, open []bool) {
	loc, err := time.LoadLocation(s.host.Zone)
	if err != nil {
		panic(err)
	}
	start = s.near.AddDate(0, 0, -12)
	walls := make([]time.Time, modelDays*1440)
	had := map[time.Time]bool{} // the days that there were
	for i := range walls {
		at := start.Add(time.Duration(i) * time.Minute)
		_, offset := at.In(loc).Zone()
		walls[i] = at.Add(time.Duration(offset) * time.Second)
		had[walls[i].Truncate(24*time.Hour)] = true
	}
	open = make([]bool, len(walls))
	for i := range open {
		open[i] = len(s.windows) == 0
	}
	for _, w := range s.windows {
		if s.fits(w.Sites, w.Tags) {
			markOpen(w, walls, had, open)
		}
	}
	for i, wall := range walls {
		for _, b := range s.blackouts {
			if s.fits(b.Sites, b.Tags) && !wall.Before(b.From) && wall.Before(b.To.AddDate(0, 0, 1)) {
				open[i] = false
			}
		}
	}
	return start, open
}

func (s situation) fits(sites, tags []string) bool {
	tagged := slices.ContainsFunc(s.host.Tags, func(tag string) bool { return slices.Contains(tags, tag) })
	return len(sites)+len(tags) == 0 || slices.Contains(sites, s.host.Site) || tagged
}

// markOpen marks the minutes in which one window is open.
func markOpen(w remediate.Window, walls []time.Time, had map[time.Time]bool, open []bool) {
	latest := walls[0].Add(-time.Minute) // that the clock has shown
	for i, wall := range walls {
		if !wall.After(latest) {
			continue // it was set back
		}
		for d := latest.Truncate(24 * time.Hour); !d.After(wall); d = d.Add(24 * time.Hour) {
			at := d.Add(w.Start)
			on := len(w.Days) == 0 || slices.Contains(w.Days, d.Weekday())
			if at.After(latest) && !at.After(wall) && on && had[d] {
				for k := i; k < min(i+int(w.Length/time.Minute), len(open)); k++ {
					open[k] = true
				}
			}
		}
		latest = wall
	}
}

// TestCalendarAgreesWithAModel: what may start when, and until when, is what a
// look at every minute says.
func TestCalendarAgreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		start, open := s.model()
		c := NewCalendar(s.windows, s.blackouts)
		minute := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
		run := make([]int, len(open)+1) // how many minutes it stays open from one on
		for i := len(open) - 1; i >= 0; i-- {
			if open[i] {
				run[i] = run[i+1] + 1
			}
		}
		for range 8 {
			now, need := s.drawNow(t), drawNeed(t)
			got, err := c.At(s.host, now, need)
			if err != nil {
				t.Fatal(err)
			}
			n := max(int(need/time.Minute), 1)
			i := int(now.Sub(start) / time.Minute)
			if i < modelFrom {
				t.Fatalf("minute %d is too early for the model", i)
			}
			want := i
			for want < len(open) && run[want] < n {
				want++
			}
			switch {
			case got.Open != (want == i):
				t.Fatalf("at %s for %s: %+v, the model says %v", now, need, got, want == i)
			case got.Open && i+run[i] < len(open) && !got.Until.Equal(minute(i+run[i])):
				t.Fatalf("at %s: until %s, the model says %s", now, got.Until, minute(i+run[i]))
			case got.Open && i+run[i] == len(open) && !got.Until.IsZero() && got.Until.Before(minute(len(open))):
				t.Fatalf("at %s: until %s, the model says it stays open", now, got.Until)
			case !got.Open && want < len(open) && !got.Next.Equal(minute(want)):
				t.Fatalf("at %s for %s: %+v, the model says %s", now, need, got, minute(want))
			case !got.Open && want == len(open) && !got.Never && got.Next.Add(need).Before(minute(len(open))):
				t.Fatalf("at %s for %s: %+v, the model knows no such time", now, need, got)
			}
		}
	})
}

// TestOpeningsHold: what an opening says of later times is what is said then.
func TestOpeningsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		now, need := s.drawNow(t), drawNeed(t)
		c := NewCalendar(s.windows, s.blackouts)
		at := func(now time.Time, need time.Duration) Opening {
			o, err := c.At(s.host, now, need)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		o := at(now, need)
		if o.Open == (o.Why != "") || o.Never && (o.Open || !o.Next.IsZero()) || o.Open && !o.Next.IsZero() || !o.Open && !o.Never && o.Next.IsZero() {
			t.Fatalf("it contradicts itself: %+v", o)
		}
		if !o.Next.IsZero() {
			if o.Next.Before(now) || !at(o.Next, need).Open || at(o.Next.Add(-1), need).Open && o.Next.Add(-1).After(now) {
				t.Fatalf("at %s for %s: %+v, and then %+v", now, need, o, at(o.Next, need))
			}
		}
		if !o.Until.IsZero() {
			left := o.Until.Sub(now)
			if left < need || !at(now, left).Open || at(now, left+1).Open {
				t.Fatalf("at %s: open until %s, but not for %s or for longer", now, o.Until, left)
			}
			if later := at(o.Until.Add(-1), 0); !later.Open || !later.Until.Equal(o.Until) || at(o.Until, 0).Open {
				t.Fatalf("at %s: open until %s, and then %+v", now, o.Until, at(o.Until, 0))
			}
		}
		longer := at(now, need+drawNeed(t))
		if longer.Open && !o.Open || o.Never && !longer.Never || !longer.Never && longer.Next.Before(o.Next) {
			t.Fatalf("at %s for %s %+v, for longer %+v", now, need, o, longer)
		}
	})
}

// TestNothingIsChangedOnBlackoutDays: no opening holds a moment of such a day.
func TestNothingIsChangedOnBlackoutDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		now := s.drawNow(t)
		o, err := NewCalendar(s.windows, s.blackouts).At(s.host, now, drawNeed(t))
		if err != nil {
			t.Fatal(err)
		}
		if !o.Open {
			return
		}
		for _, b := range s.blackouts {
			for d := b.From; s.fits(b.Sites, b.Tags) && !d.After(b.To); d = d.AddDate(0, 0, 1) {
				// Noon is a time that every day has.
				noon, ok := opening(now.Location(), d, 12*time.Hour)
				if ok && !noon.Before(now) && (noon.Before(o.Until) || o.Until.IsZero()) {
					t.Fatalf("%+v goes into %s", o, d)
				}
			}
		}
	})
}

// TestAnswersDependOnTheQuestionAlone: neither the order of windows, blackouts
// and tags, nor what was asked before, changes an answer.
func TestAnswersDependOnTheQuestionAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		used := NewCalendar(s.windows, s.blackouts)
		other := s
		other.windows, other.blackouts, other.host.Tags = slices.Clone(s.windows), slices.Clone(s.blackouts), slices.Clone(s.host.Tags)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		r.Shuffle(len(other.windows), func(i, j int) { other.windows[i], other.windows[j] = other.windows[j], other.windows[i] })
		r.Shuffle(len(other.blackouts), func(i, j int) {
			other.blackouts[i], other.blackouts[j] = other.blackouts[j], other.blackouts[i]
		})
		slices.Reverse(other.host.Tags)
		for range 4 {
			now := s.drawNow(t).AddDate(0, rapid.IntRange(-4, 4).Draw(t, "months"), 0)
			need := drawNeed(t)
			a, errA := used.At(s.host, now, need)
			b, errB := NewCalendar(other.windows, other.blackouts).At(other.host, now, need)
			if d := cmp.Diff(a, b); d != "" || errA != nil || errB != nil {
				t.Fatalf("%v %v %s", errA, errB, d)
			}
		}
	})
}
