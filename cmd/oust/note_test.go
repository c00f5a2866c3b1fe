package main

import (
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
)

// TestNotesOfLooks: what a look could not ask, and is whole without, is told.
func TestNotesOfLooks(t *testing.T) {
	const note = "PowerShell: it is forbidden there"
	look := lookChapter(time.Time{}, remediate.LookTaken{Kind: remediate.LookScan, Complete: true, Detail: note})
	line := lookedLine(engine.HostLooked{Host: "win1", Standing: remediate.StandClear, Detail: note})
	for _, text := range []string{look.Text, line} {
		if !strings.HasSuffix(text, "; note: "+note) {
			t.Errorf("%q does not end in the note", text)
		}
	}
}
