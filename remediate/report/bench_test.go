package report_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

// fleetOf repeats the hosts of the sample until there are that many.
func fleetOf(n int) report.Input {
	in := reporttest.SampleInput(remediate.ReportStatus)
	hosts, moves := in.Hosts, in.Moves
	of := map[string][]remediate.Move{}
	for _, m := range moves {
		of[m.Host] = append(of[m.Host], m)
	}
	in.Hosts, in.Moves = make([]report.HostInput, 0, n), nil
	for i := range n {
		x := hosts[i%len(hosts)]
		was := x.Host.Name
		x.Host.Name = fmt.Sprintf("%s-%06d", was, i)
		in.Hosts = append(in.Hosts, x)
		for _, m := range of[was] {
			m.Host, m.At = x.Host.Name, m.At.Add(time.Duration(i)*time.Millisecond)
			in.Moves = append(in.Moves, m)
		}
	}
	return in
}

const manyHosts = 100_000

func BenchmarkBuild(b *testing.B) {
	in := fleetOf(manyHosts)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := report.Build(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite writes 100,000 hosts in each format of this package.
func BenchmarkWrite(b *testing.B) {
	s, err := report.Build(fleetOf(manyHosts))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer, report.Snapshot) error
	}{{"json", report.WriteJSON}, {"csv", report.WriteCSV}} {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f.write(io.Discard, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
