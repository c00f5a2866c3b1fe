package main

import (
	"errors"
	"path/filepath"
	"testing"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// TestCampaign holds that the campaign has hosts of all kinds, each with what
// its fate says.
func TestCampaign(t *testing.T) {
	t.Parallel()
	s := settings{hosts: 3000, dir: t.TempDir()}
	if err := makeCampaign(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.OpenReadOnly(t.Context(), filepath.Join(s.dir, sqlite.FileName), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	standings, digests, failed := map[remediate.Standing]int{}, map[string]bool{}, map[remediate.Class]int{}
	hosts := 0
	for st, err := range store.HostStates(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		hosts++
		standings[st.Standing]++
		failed[st.Class]++
		if st.RawDigest != "" && digests[st.RawDigest] {
			t.Errorf("%s has printed what another host has", st.Host)
		}
		digests[st.RawDigest] = true
	}
	for _, standing := range remediate.Standings() {
		if standings[standing] == 0 {
			t.Errorf("no host is %s", standing)
		}
	}
	if hosts >= s.hosts || hosts < s.hosts*9/10 || len(failed) < 6 {
		t.Errorf("the store has %d of %d hosts, failed as %v", hosts, s.hosts, failed)
	}
	open, err := store.OpenAttempts(t.Context())
	exemptions, err2 := store.Exemptions(t.Context())
	took, err3 := store.Durations(t.Context(), 10)
	if err := errors.Join(err, err2, err3); err != nil || len(open) == 0 || len(exemptions) == 0 || len(took) == 0 {
		t.Errorf("%d open attempts, %d exemptions, times of %d playbooks, %v", len(open), len(exemptions), len(took), err)
	}
	for _, read := range []func(string) error{readRows, countLines} {
		if err := read(filepath.Join(s.dir, rowsFile)); err != nil {
			t.Error(err)
		}
	}
}
