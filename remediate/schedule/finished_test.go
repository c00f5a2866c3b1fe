package schedule

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oust/remediate"
)

// newestFirst yields moves that are given oldest first, then an error if there
// is one, and counts what was read.
func newestFirst(moves []remediate.Move, end error, read *int) iter.Seq2[remediate.Move, error] {
	return func(yield func(remediate.Move, error) bool) {
		for _, m := range slices.Backward(moves) {
			*read++
			if !yield(m, nil) {
				return
			}
		}
		if end != nil {
			yield(remediate.Move{}, end)
		}
	}
}

func TestFinishedAt(t *testing.T) {
	t.Parallel()
	moves := []remediate.Move{
		{Host: "a", At: day("2026-10-02"), From: remediate.StandUnseen, To: remediate.StandClear},
		{Host: "b", At: day("2026-10-03"), From: remediate.StandUnseen, To: remediate.StandPresent},
		{Host: "b", At: day("2026-11-03"), From: remediate.StandPresent, To: remediate.StandRemoved},
		{Host: "b", At: day("2026-11-05"), From: remediate.StandRemoved, To: remediate.StandReappeared},
		{Host: "b", At: day("2026-11-07"), From: remediate.StandReappeared, To: remediate.StandRemoved},
		{Host: "gone", At: day("2026-11-09"), From: remediate.StandUnseen, To: remediate.StandPresent},
	}
	a, b := Stand{Host: "a", Standing: remediate.StandClear}, Stand{Host: "b", Standing: remediate.StandRemoved}
	unseen := Stand{Host: "c", Standing: remediate.StandUnseen}
	late, early := unseen, b
	late.Exempt, early.Exempt = day("2026-11-20"), day("2026-10-10")
	tests := []struct {
		name  string
		hosts []Stand
		want  time.Time
		read  int // moves, at most
	}{
		{"the last removal", []Stand{a, b}, day("2026-11-07"), 3},
		{"one is open", []Stand{a, b, unseen}, time.Time{}, 0},
		{"it is exempt", []Stand{a, b, late}, day("2026-11-20"), 1},
		{"exempt before it was removed", []Stand{a, early}, day("2026-10-10"), 6},
		{"no host", nil, time.Time{}, 6},
	}
	for _, tt := range tests {
		read := 0
		if got, err := FinishedAt(tt.hosts, newestFirst(moves, nil, &read)); err != nil || !got.Equal(tt.want) || read > tt.read {
			t.Errorf("%s: %s, %v, %d moves read; want %s", tt.name, got, err, read, tt.want)
		}
	}
	read := 0
	if _, err := FinishedAt([]Stand{{Host: "d", Standing: remediate.StandClear}}, newestFirst(moves, errors.New("disk"), &read)); err == nil {
		t.Error("moves that cannot be read are taken as read")
	}
}

// TestFinishedAtReplayed: it is the first moment from which, going through all
// moments in order, no host is open up to the end.
func TestFinishedAtReplayed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const hosts = 4
		now := map[string]remediate.Standing{}
		exempt := map[string]time.Time{}
		var moves []remediate.Move
		isOpen := func() bool {
			for i := range hosts {
				h := fmt.Sprint("h", i)
				if st, seen := now[h]; (!seen || opens(st)) && exempt[h].IsZero() {
					return true
				}
			}
			return false
		}
		var since time.Time // the replay's answer
		for step := range rapid.IntRange(0, 40).Draw(t, "steps") {
			h, at := fmt.Sprint("h", rapid.IntRange(0, hosts-1).Draw(t, "host")), day("2026-10-01").AddDate(0, 0, step)
			if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
				if exempt[h].IsZero() {
					exempt[h] = at
				}
			} else {
				from, seen := now[h]
				if !seen {
					from = remediate.StandUnseen
				}
				// Where something is found on an exempt host, its time is that of the exemption.
				to := from.Next(rapid.Bool().Draw(t, "found") && exempt[h].IsZero())
				if to != from {
					moves = append(moves, remediate.Move{Host: h, At: at, From: from, To: to})
				}
				now[h] = to
			}
			switch {
			case isOpen():
				since = time.Time{}
			case since.IsZero():
				since = at
			}
		}
		var stands []Stand
		for i := range hosts {
			h := fmt.Sprint("h", i)
			st, seen := now[h]
			if !seen {
				st = remediate.StandUnseen
			}
			stands = append(stands, Stand{Host: h, Standing: st, Exempt: exempt[h]})
		}
		read := 0
		got, err := FinishedAt(stands, newestFirst(moves, nil, &read))
		if err != nil || !got.Equal(since) {
			t.Fatalf("%s, %v; replayed %s: %v %v", got, err, since, stands, moves)
		}
	})
}
