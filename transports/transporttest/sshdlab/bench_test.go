package sshdlab

import "testing"

// BenchmarkFortyHosts measures how long forty hosts take to lose their disks
// and stand there again, all answering.
func BenchmarkFortyHosts(b *testing.B) {
	lab := Start(b, Options{Hosts: 40})
	for b.Loop() {
		if err := lab.Reset(); err != nil {
			b.Fatal(err)
		}
	}
}
