package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// TestExemptRenewed: renewing an exemption again and again does not get past
// the mandate's longest term, whatever lies between; it takes a person's word.
func TestExemptRenewed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"hosts.csv": "name\ndb01\n",
		"acme.yaml": `{format: 1, mandate: acme-30, title: Directive 30, issuer: Acme, sources: ["https://acme.example"], covers: [all], embedded: excluded,
			milestones: [{name: finish, what: end it, due: {days: 60}, met: finished}], exemptions: {max_days: 30}}`,
		"campaign.yaml": `{campaign: x, mandate: ./acme.yaml, issued: 2026-10-01, inventory: hosts.csv, playbooks: kaspersky,
			credentials: {root: {user: root, agent: true}}, defaults: {credential: root, transport: ssh, zone: UTC}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	day := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	exempt := func(days, until int, o exemptOptions) (string, error) {
		t.Helper()
		var out bytes.Buffer
		now := day.AddDate(0, 0, days)
		a := &app{Streams: Streams{Out: &out, Err: &out}, dir: dir, logger: hclog.NewNullLogger(), now: func() time.Time { return now }}
		defer func() {
			for _, c := range a.closers {
				_ = c.Close()
			}
		}()
		if !o.end {
			o.reason, o.approver, o.until = "case 7", "CISO", day.AddDate(0, 0, until).Format(time.DateOnly)
		}
		err := a.runExempt(t.Context(), "db01", o)
		return out.String(), err
	}
	for _, step := range []struct {
		days, until int
		o           exemptOptions
		refused     string
	}{
		{days: 0, until: 20},
		{days: 20, until: 30},
		{days: 29, until: 40, refused: "with the 2 before it, the host is exempt for 40 days"},
		{days: 29, o: exemptOptions{end: true}},
		{days: 35, until: 60, refused: "with the 2 before it, the host is exempt for 55 days"},
		{days: 35, until: 60, o: exemptOptions{against: true}},
	} {
		_, err := exempt(step.days, step.until, step.o)
		if step.refused == "" && err != nil || step.refused != "" && (err == nil || !strings.Contains(err.Error(), step.refused)) {
			t.Fatalf("day %d, until day %d: %v, want %q", step.days, step.until, err, step.refused)
		}
	}
	if said, err := exempt(36, 61, exemptOptions{against: true}); err != nil || !strings.Contains(said, "exemption 4 of the host, 56 days in all") ||
		!strings.Contains(said, "[against acme-30: with the 3 before it, the host is exempt for 56 days]") {
		t.Errorf("%v; it says %q", err, said)
	}
}
