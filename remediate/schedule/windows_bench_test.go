package schedule

import (
	"fmt"
	"testing"
	"time"

	"oust/remediate"
)

// BenchmarkCalendar asks for one host of many: four windows and a blackout, in
// 12 zones and 50 sites.
func BenchmarkCalendar(b *testing.B) {
	var windows []remediate.Window
	for i := range 50 {
		w := window("22:00", 6*time.Hour, sat)
		w.Sites = []string{fmt.Sprintf("site%d", i)}
		windows = append(windows, w)
	}
	servers := window("03:00", 2*time.Hour)
	servers.Tags = []string{"servers"}
	c := NewCalendar(append(windows, window("12:00", time.Hour, mon), servers), []remediate.Blackout{blackout("2026-12-20", "2027-01-03")})
	hosts := make([]remediate.Host, 5000)
	for i := range hosts {
		hosts[i] = remediate.Host{Zone: places[i%12].zone, Site: fmt.Sprintf("site%d", i%50), Tags: []string{"linux", "servers"}[:i%3%2+1]}
	}
	for _, bb := range []struct {
		name string
		now  time.Time
		need time.Duration
	}{
		{"open", day("2026-11-28").Add(26 * time.Hour), time.Minute},
		{"closed", day("2026-11-24").Add(21 * time.Hour), time.Hour},
		{"blackout", day("2026-12-24"), time.Hour},
		{"never", day("2026-11-24"), 24 * time.Hour},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				// A minute goes by for every 100,000 questions.
				if _, err := c.At(hosts[i%len(hosts)], bb.now.Add(time.Duration(i/100_000)*time.Minute), bb.need); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
