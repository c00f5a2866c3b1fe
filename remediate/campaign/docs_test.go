package campaign_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"oust/remediate"
	"oust/remediate/campaign"
	"oust/remediate/schedule"
)

// examples are the pieces of YAML of docs/campaign.md.
func examples(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/campaign.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, piece := range strings.Split(string(text), "```yaml\n")[1:] {
		piece, _, _ = strings.Cut(piece, "```")
		out = append(out, piece)
	}
	return out
}

func load(t *testing.T, text string) remediate.Campaign {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, campaign.FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := campaign.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDocumentedCampaign: the whole example is taken, and shows the built-in
// values where it says so.
func TestDocumentedCampaign(t *testing.T) {
	c := load(t, examples(t)[0])
	if c.Timing != (remediate.Timing{}.WithDefaults()) || c.Watch != (remediate.WatchSettings{}.WithDefaults()) || len(c.Windows) != 1 || len(c.Retry) != 2 || c.Form.Attest == nil || c.Ledger.Passphrase == "" {
		t.Errorf("%+v", c)
	}
}

// TestDocumentedWindows: hosts may be changed when the table says so.
func TestDocumentedWindows(t *testing.T) {
	c := load(t, "campaign: x\nmandate: x\nissued: 2026-01-01\ninventory: x\nplaybooks: x\n"+examples(t)[1])
	calendar := schedule.NewCalendar(c.Windows, c.Blackouts)
	berlin := remediate.Host{Site: "berlin", Zone: "Europe/Berlin"}
	york := remediate.Host{Site: "newyork", Zone: "America/New_York"}
	kiosk := york
	kiosk.Tags = []string{"kiosk"}
	tests := []struct {
		host        remediate.Host
		open, until string // by the host's clock; "never"
	}{
		{berlin, "2026-11-27 22:00", "2026-11-28 06:00"},
		{berlin, "2026-11-28 22:00", "2026-11-29 06:00"},
		{berlin, "2026-03-28 22:00", "2026-03-29 07:00"},
		{berlin, "2026-10-24 22:00", "2026-10-25 05:00"},
		{york, "2026-11-25 01:00", "2026-11-25 04:00"},
		{york, "2026-11-27 01:00", "2026-11-27 04:00"},
		{kiosk, "2026-11-29 00:00", "2026-11-30 00:00"},
		{kiosk, "2026-11-30 01:00", "2026-11-30 04:00"},
		{remediate.Host{Site: "oslo"}, "never", ""},
	}
	const layout = "2006-01-02 15:04"
	for _, tt := range tests {
		zone, err := time.LoadLocation(tt.host.Zone)
		if err != nil {
			t.Fatal(err)
		}
		asked := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
		if tt.open != "never" {
			at, err := time.ParseInLocation(layout, tt.open, zone)
			if err != nil {
				t.Fatal(err)
			}
			asked = at
		}
		before, err := calendar.At(tt.host, asked.Add(-time.Second), 0)
		if err != nil {
			t.Fatal(err)
		}
		if tt.open == "never" {
			if !before.Never {
				t.Errorf("%+v: %+v", tt.host, before)
			}
			continue
		}
		if o, err := calendar.At(tt.host, asked, 0); err != nil || before.Open || !o.Open || o.Until.Format(layout) != tt.until {
			t.Errorf("%+v at %s: %+v and then %+v, %v; want open until %s", tt.host, tt.open, before, o, err, tt.until)
		}
	}
	thanksgiving := time.Date(2026, 11, 26, 7, 0, 0, 0, time.UTC) // 02:00 in New York
	if o, err := calendar.At(york, thanksgiving, 0); err != nil || o.Open || o.Why != "blackout Thanksgiving until 2026-11-26" {
		t.Errorf("%+v, %v", o, err)
	}
}
