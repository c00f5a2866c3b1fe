package lab

import "testing"

// BenchmarkDirectLook looks at hosts without a wire: a login, the script of a
// look and what is made of its answer.
func BenchmarkDirectLook(b *testing.B) {
	for _, c := range []struct {
		name   string
		config Config
	}{{"linux", Config{Hosts: 20, Seed: 2}}, {"windows", Config{Windows: 20, Seed: 2}}} {
		b.Run(c.name, func(b *testing.B) {
			c.config.Offline = true
			f := newFleet(b, c.config)
			looker, hosts := newCampaigner(b, f), f.Hosts()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := looker.look(b.Context(), hosts[i%len(hosts)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
