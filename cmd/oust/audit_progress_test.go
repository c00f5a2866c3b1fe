package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAuditLine: a line that is drawn at most five times a second, cut to the
// terminal, and taken away; without a terminal there is none.
func TestAuditLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	l := &auditLine{w: &out, now: func() time.Time { return now }, width: 60}
	l.step("ledger")
	l.at(0, 4000)
	l.at(10, 4000) // too soon
	now = now.Add(10 * time.Second)
	l.at(1000, 4000)
	l.at(4000, 4000) // the last is always told
	l.step("store, row by row")
	now = now.Add(10 * time.Second)
	l.at(1000, 4000)
	l.Close()
	l.Close()
	want := "\raudit  ledger  0/4,000 records\x1b[K" +
		"\raudit  ledger  1,000/4,000 records  30s left\x1b[K" +
		"\raudit  ledger  4,000/4,000 records\x1b[K" +
		"\raudit  store, row by row  1,000/4,000 records  30s left\x1b[K" +
		"\r\x1b[K"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	out.Reset()
	for _, a := range []*app{{Streams: Streams{Err: &out}, now: time.Now}, {Streams: Streams{Err: &out}, now: time.Now, json: true}} {
		l := a.newAuditLine()
		l.step("ledger")
		l.at(1, 1)
		l.Close()
	}
	if out.Len() > 0 {
		t.Errorf("without a terminal it draws %q", out.String())
	}
}
