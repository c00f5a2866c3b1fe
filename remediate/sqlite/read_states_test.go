package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// TestManyStates holds that states which are read in ranges are those that are
// read one by one, in order, whatever their texts have in them.
func TestManyStates(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), FileName), Options{Unsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const hosts = statesRows + 700
	saveStates(t, s, hosts)
	ranges, err := s.stateRanges(t.Context())
	if err != nil || len(ranges) < stateRanges/2 {
		t.Fatalf("%d ranges, %v", len(ranges), err)
	}
	var names []string
	for st, err := range s.HostStates(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, st.Host)
		if len(names)%50 != 0 && !strings.ContainsRune(st.Host+st.Detail, separator) {
			continue
		}
		one, err := s.HostState(t.Context(), st.Host)
		if diff := cmp.Diff(one, st); err != nil || diff != "" {
			t.Fatalf("%v; state alone and in the list (-alone +list):\n%s", err, diff)
		}
	}
	if len(names) != hosts || !slices.IsSorted(names) {
		t.Errorf("%d hosts, not %d in order", len(names), hosts)
	}
	n := 0
	for range s.HostStates(t.Context()) {
		if n++; n == 10 {
			break // leaves no reader behind: the store's end would wait for it
		}
	}
	holdCancelled(t, s)
}

// holdCancelled: a list whose context ends tells so, and ends.
func holdCancelled(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range s.HostStates(ctx) {
		if last = err; err == nil {
			n++
		}
		cancel()
	}
	if !errors.Is(last, context.Canceled) || n > statesRows {
		t.Errorf("after %d hosts: %v", n, last)
	}
}

// saveStates records hosts, in no order of their names.
func saveStates(t *testing.T, s *Store, hosts int) {
	t.Helper()
	var writers sync.WaitGroup
	limit := make(chan struct{}, 200)
	for i := range hosts {
		name := fmt.Sprintf("host%05d", (i*7919)%hosts)
		if i%500 == 3 {
			name += string(separator) + "x"
		}
		l := remediate.Look{Host: name, Kind: remediate.LookScan, At: time.Unix(int64(i), 0), Complete: true, Platform: remediate.Linux, OS: "Debian 12", BootID: fmt.Sprint("boot-", i)}
		switch {
		case i%3 == 0:
			l.Findings = []remediate.Finding{{Playbook: fmt.Sprint("vendor/p", i%7), Evidence: []remediate.Evidence{{Value: "x" + string(separator)}}}}
			l.Raw = []byte(name)
		case i%7 == 0:
			l.Class, l.Detail = remediate.ClassUnreachable, fmt.Sprintf("line\n%d%c\x00", i, separator)
			if i%2 == 0 {
				l.Detail = "no route"
			}
		}
		limit <- struct{}{}
		writers.Go(func() {
			defer func() { <-limit }()
			if err := s.SaveLook(t.Context(), l); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
}

func TestCutRow(t *testing.T) {
	t.Parallel()
	columns := make([][]byte, 3)
	if err := cutRow([]byte("a\x1f\x1fb c"), columns); err != nil || string(columns[0])+"|"+string(columns[1])+"|"+string(columns[2]) != "a||b c" {
		t.Errorf("%q, %v", columns, err)
	}
	if err := cutRow([]byte("a\x1fb\x1fc\x1fd"), columns); !errors.Is(err, errSeparator) {
		t.Errorf("one too many: %v", err)
	}
	if err := cutRow([]byte("a\x1fb"), columns); err == nil || errors.Is(err, errSeparator) {
		t.Errorf("one missing: %v", err)
	}
}

func TestParseInt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "-62135596800000000": -62135596800000000, "1790000000000000": 1790000000000000, "9223372036854775807": 9223372036854775807} {
		if got, err := parseInt([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "x", "1.5", "12345678901234567890"} {
		if got, err := parseInt([]byte(text)); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// TestPlannedWithSeparator holds that names with the separator in them are
// read as they are.
func TestPlannedWithSeparator(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), FileName), Options{Unsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.Unix(1, 0).UTC()
	want := []remediate.Planned{
		{Host: "a", Plan: "p\x1fq", Wave: 1, At: at}, {Host: "b\x1fc", Plan: "p\x1fq", Wave: 12, At: at}, {Host: "d", Plan: "p\x1fq", Wave: 2, At: at},
	}
	if err := s.Approve(t.Context(), remediate.Approval{Plan: "p\x1fq", At: at, Hosts: want}); err != nil {
		t.Fatal(err)
	}
	var got []remediate.Planned
	for p, err := range s.PlannedHosts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("planned hosts (-want +got):\n%s", diff)
	}
}
