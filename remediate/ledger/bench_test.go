package ledger_test

import (
	"fmt"
	"testing"

	"oust/remediate"
	"oust/remediate/ledger"
)

// bigBook has looks of hosts, as most of a real ledger.
func bigBook(b *testing.B, records int) *book {
	w := newWriter(b, newSigner(b, "oust/big"))
	for i := range records - 1 {
		w.add(fmt.Sprintf("host-%06d", i%100_000), remediate.RecordLook, remediate.LookTaken{
			Kind: remediate.LookScan, Run: "06h2fvhm2khbt4ts757vak3528", Raw: remediate.Digest([]byte("raw")), Transport: "ssh",
			Address: "10.1.2.3:22", Probe: remediate.Digest([]byte("probe")), Platform: remediate.Linux, OS: "Debian GNU/Linux 12 (bookworm)",
			BootID: "0d5a5e0c-7f1c-4d8e-9c2b-2f1c4d8e9c2b", Complete: true, Findings: []remediate.Finding{{
				Playbook: "kaspersky/kesl", Kind: remediate.FindProduct, Product: "Kaspersky Endpoint Security for Linux", Version: "12.1.0-1508",
				Evidence: []remediate.Evidence{{Kind: remediate.EvidencePackage, Value: "dpkg kesl 12.1.0-1508 amd64 installed"}},
			}},
		})
	}
	w.head()
	return w.book
}

func BenchmarkCheck(b *testing.B) {
	const records = 20_000
	l := bigBook(b, records)
	for b.Loop() {
		r, err := ledger.Check(b.Context(), l, ledger.CheckOptions{})
		if err != nil || r.Misfits > 0 {
			b.Fatal(err, r.First)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkEncode(b *testing.B) {
	e := bigBook(b, 2).entries[1]
	_, r, err := ledger.Decode(e.Text)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			if _, err := ledger.Encode(1, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		tree := &ledger.Tree{}
		for b.Loop() {
			tree.Append(e.Text)
		}
	})
}
