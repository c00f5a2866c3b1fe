package sqlite_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// BenchmarkOutcomes measures outcomes with the look that they rest on, each
// on disk when its call returns.
func BenchmarkOutcomes(b *testing.B) {
	for _, callers := range []int{1, 500} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), sqlite.FileName)
			s := open(b, path)
			defer s.Close()
			var n atomic.Int64
			texts := rawTexts(64)
			b.SetParallelism(max(callers/2, 1))
			work := func() {
				i := n.Add(1)
				host := fmt.Sprintf("host%06d", i)
				now := time.Unix(i, 0)
				look := benchLook(host, now, texts[i%64], i%2 == 0)
				a := remediate.Attempt{
					ID: remediate.NewID(now), Run: "run1", Host: host, Plan: "plan1", Script: remediate.Digest(nil),
					Phase: remediate.PhaseClosed, Started: now, Updated: now, Log: texts[i%64][:2000],
					Outcome: remediate.Outcome{Kind: remediate.OutcomeRemoved},
				}
				if err := s.CloseAttempt(b.Context(), a, &look); err != nil {
					b.Error(err)
				}
			}
			b.ResetTimer()
			if callers == 1 {
				for b.Loop() {
					work()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						work()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "outcomes/s")
			reportLedger(b, s, path, float64(n.Load()))
		})
	}
}

// reportLedger says what the ledger adds to a store: records a second, and
// bytes on disk beside those of all.
func reportLedger(b *testing.B, s *sqlite.Store, path string, outcomes float64) {
	b.Helper()
	size, err := s.LedgerSize(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	var ledger float64
	err = db.QueryRow(`SELECT sum(length(text) + length(hashes) + 2 * length(host) + 16) FROM ledger`).Scan(&ledger)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size-1)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(info.Size())/outcomes, "disk-B/outcome")
	b.ReportMetric(ledger/outcomes, "ledger-B/outcome")
}

// BenchmarkCheckLedger measures the check of a store with its ledger.
func BenchmarkCheckLedger(b *testing.B) {
	const hosts = 2000
	s := open(b, filepath.Join(b.TempDir(), sqlite.FileName))
	defer s.Close()
	if err := saveMany(b, s, hosts, rawTexts(64)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := s.CheckLedger(b.Context(), func(m sqlite.Misfit) error { return fmt.Errorf("misfit: %+v", m) }, nil)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*hosts/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkApprove measures the approval of a plan for 100,000 hosts.
func BenchmarkApprove(b *testing.B) {
	a := remediate.Approval{Scripts: []string{remediate.Digest(nil)}}
	for i := range 100_000 {
		a.Hosts = append(a.Hosts, remediate.Planned{Host: fmt.Sprintf("host%06d", i), Wave: 1 + i/10_000})
	}
	s := open(b, filepath.Join(b.TempDir(), sqlite.FileName))
	defer s.Close()
	n := 0
	for b.Loop() {
		n++
		a.Plan = fmt.Sprint("plan", n)
		if err := s.Approve(b.Context(), a); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHostStates measures one pass over 100,000 hosts, half of them with
// findings, as status makes it.
func BenchmarkHostStates(b *testing.B) {
	const hosts = 100_000
	path := filepath.Join(b.TempDir(), sqlite.FileName)
	s := open(b, path)
	defer s.Close()
	texts := rawTexts(64)
	if err := saveMany(b, s, hosts, texts); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range s.HostStates(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != hosts {
			b.Fatalf("%d hosts", n)
		}
	}
	b.ReportMetric(float64(hosts)*float64(b.N)/b.Elapsed().Seconds(), "hosts/s")
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/hosts, "disk-B/host")
}

func saveMany(b *testing.B, s *sqlite.Store, hosts int, texts [][]byte) error {
	errs := make(chan error, 500)
	var next atomic.Int64
	for range 500 {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= hosts {
					errs <- nil
					return
				}
				l := benchLook(fmt.Sprintf("host%06d.example.net", i), time.Unix(int64(i), 0), texts[i%64], i%2 == 0)
				if err := s.SaveLook(b.Context(), l); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	var first error
	for range 500 {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

func benchLook(host string, at time.Time, raw []byte, found bool) remediate.Look {
	raw = append([]byte(host+at.String()+"\n"), raw...)
	l := remediate.Look{
		Host: host, Kind: remediate.LookScan, Run: "01jz0000000000000000000000", At: at, Raw: raw,
		Platform: remediate.Linux, OS: "Debian GNU/Linux 12 (bookworm)", BootID: "3f1f3a0e-8f0e-4d8e-9c6b-0a0c6e6a8f00", Complete: true,
	}
	if found {
		l.Findings = []remediate.Finding{{
			Playbook: "kaspersky/kesl", Kind: remediate.FindProduct, Product: "Kaspersky Endpoint Security for Linux", Version: "12.1.0-1508",
			Evidence: []remediate.Evidence{
				{Kind: remediate.EvidencePackage, Value: "dpkg kesl 12.1.0-1508 amd64 installed"},
				{Kind: remediate.EvidencePath, Value: "/opt/kaspersky/kesl"},
				{Kind: remediate.EvidenceService, Value: "systemd kesl enabled"},
			},
		}}
	}
	return l
}

// rawTexts are package lists of the kind that hosts print: 600 packages each.
func rawTexts(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	names := make([]string, 2000)
	for i := range names {
		var w strings.Builder
		for range 3 + r.IntN(12) {
			w.WriteByte("abcdefghijklmnopqrstuvwxyz-"[r.IntN(27)])
		}
		names[i] = w.String()
	}
	out := make([][]byte, n)
	for i := range out {
		var b strings.Builder
		for range 600 {
			fmt.Fprintf(&b, "lib%s\t%d.%d.%d-%d+deb12u%d\tamd64\tinstall ok installed\n",
				names[r.IntN(len(names))], r.IntN(20), r.IntN(20), r.IntN(50), r.IntN(9), r.IntN(5))
		}
		out[i] = []byte(b.String())
	}
	return out
}
