package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"
	"pgregory.net/rapid"

	"oust/remediate"
)

// idle is a store whose loop does not run: the test commits batches itself.
func idle(t *testing.T) *Store {
	t.Helper()
	opts := Options{Unsigned: true}.withDefaults()
	s := newStore(filepath.Join(t.TempDir(), FileName), opts)
	if err := s.openWriter(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.release(); err != nil {
			t.Errorf("release: %v", err)
		}
	})
	return s
}

// addPlan is a write that leaves a plan of that name, and ends with err.
func addPlan(name string, err error) *call {
	return &call{op: name, done: make(chan error, 1), do: func(tx *session) error {
		return errors.Join(tx.exec(`INSERT INTO plans (id, digest, at) VALUES (?, '', 0)`, name), err)
	}}
}

func (s *Store) plans(t *testing.T) string {
	t.Helper()
	rows, err := s.reads.Query(`SELECT id FROM plans ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestBatchUndoesOnlyWhatFailed(t *testing.T) {
	s := idle(t)
	odd := errors.New("odd")
	batch := []*call{addPlan("a", nil), addPlan("b", odd), addPlan("a", nil), addPlan("c", nil)}
	s.commit(batch)
	for i, want := range []string{"", "odd", "UNIQUE constraint", ""} {
		err := <-batch[i].done
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("answer %d is %v, not %q", i, err, want)
		}
	}
	if got := s.plans(t); got != "a c" {
		t.Errorf("plans are %q", got)
	}
}

// TestBatchWithoutRoom bounds the size of the file: SQLite then says that the
// disk is full, and undoes the whole transaction of a batch.
func TestBatchWithoutRoom(t *testing.T) {
	s := idle(t)
	var pages int
	if _, err := s.session.get(`PRAGMA page_count`, nil, &pages); err != nil {
		t.Fatal(err)
	}
	if err := s.session.exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+10)); err != nil {
		t.Fatal(err)
	}
	huge := &call{op: "huge", done: make(chan error, 1), do: func(tx *session) error {
		return tx.exec(`INSERT INTO raws (digest, size, data) VALUES (x'00', 0, zeroblob(1000000))`)
	}}
	batch := []*call{addPlan("a", nil), huge, addPlan("b", nil)}
	s.commit(batch)
	if err := errors.Join(<-batch[0].done, <-batch[2].done); err != nil {
		t.Errorf("small writes beside a huge one: %v", err)
	}
	if err := explain("save", <-huge.done); code(err) != lib.SQLITE_FULL || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("the huge write: %v", err)
	}
	if got := s.plans(t); got != "a b" {
		t.Errorf("plans are %q", got)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		have, want int64
		writer     bool
		err        error
	}{
		{0, 2, true, nil},
		{1, 2, true, nil},
		{2, 2, true, nil},
		{3, 2, true, ErrNewer},
		{0, 2, false, ErrNoStore},
		{1, 2, false, ErrOlder},
		{2, 2, false, nil},
		{3, 2, false, ErrNewer},
	} {
		if err := judge(c.have, c.want, c.writer); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("schema %d of %d, writer %t: %v, not %v", c.have, c.want, c.writer, err, c.err)
		}
	}
}

// TestQueryPlans holds that no list sorts or reads more than it yields.
func TestQueryPlans(t *testing.T) {
	s := idle(t)
	for name, c := range map[string]struct {
		query string
		args  int
		want  string
	}{
		"open run":         {openRunQuery, 2, "INDEX runs_open"},
		"open runs":        {openRunsQuery, 3, "INDEX runs_unended (started>?)"},
		"runs":             {runsQuery, 3, "INDEX runs_by_start (started>?)"},
		"planned hosts":    {plannedQuery, 2, "SEARCH planned USING PRIMARY KEY (host>?)"},
		"reboots of host":  {rebootsQuery, 1, "INDEX reboots_by_host (host=?)"},
		"next playbook":    {nextPlaybookQuery, 1, "SEARCH durations USING PRIMARY KEY (playbook>?)"},
		"durations":        {durationsQuery, 2, "SEARCH durations USING PRIMARY KEY (playbook=?)"},
		"open attempts":    {openQuery, 3, "INDEX attempts_open (started>?)"},
		"attempts of run":  {runQuery, 4, "INDEX attempts_by_run (run=? AND started>?)"},
		"attempts of host": {hostsQuery, 4, "INDEX attempts_by_host (host=? AND started>?)"},
		"ledger":           {ledgerQuery, 2, "SEARCH ledger USING INTEGER PRIMARY KEY (rowid>?)"},
		"ledger of host":   {hostLedgerQuery, 3, "INDEX ledger_by_host (host=? AND rowid>?)"},
		"last record":      {lastQuery, 2, "INDEX ledger_by_host (host=? AND rowid<?)"},
		"hashes":           {hashesQuery, 2, "SEARCH ledger USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		"moves":            {movesQuery, 3, "INDEX moves_by_time (at>?)"},
		"looks of host":    {looksQuery, 4, "INDEX looks_by_host (host=? AND at>?)"},
		"states":           {statesQuery, 3, "SEARCH hosts USING PRIMARY KEY (name>? AND name<?)"},
		"joined states":    {joinedQuery, 3, "SEARCH states USING PRIMARY KEY (name>? AND name<?)"},
		"state":            {stateQuery, 1, "SEARCH hosts USING PRIMARY KEY (name=?)"},
	} {
		rows, err := s.reads.Query(`EXPLAIN QUERY PLAN `+c.query, make([]any, c.args)...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(plan, "; ")
		if !strings.Contains(got, c.want) || strings.Contains(got, "TEMP") || strings.Contains(got, "SCAN") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestDurable holds the settings that a power cut asks for.
func TestDurable(t *testing.T) {
	s := idle(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "checkpoint_fullfsync": "1",
	} {
		var got string
		if _, err := s.session.get(`PRAGMA `+pragma, nil, &got); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
		}
	}
}

func TestPack(t *testing.T) {
	p := newPacker()
	rapid.Check(t, func(r *rapid.T) {
		text := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(r, "text"), rapid.IntRange(1, 200).Draw(r, "times"))
		packed, err := p.pack(text)
		if err != nil {
			r.Fatal(err)
		}
		if len(packed.data) > len(text) {
			r.Errorf("%d bytes became %d", len(text), len(packed.data))
		}
		got, err := packed.unpack(len(text))
		if err != nil || !bytes.Equal(got, text) {
			r.Errorf("unpacked is %q, %v", got, err)
		}
		if _, err := packed.unpack(len(text) - 1); !errors.Is(err, errPacked) {
			r.Errorf("unpacked over its bound: %v", err)
		}
	})
}

// FuzzUnpack reads what a damaged store may hold: it ends with an error or
// with a text of the size that was recorded.
func FuzzUnpack(f *testing.F) {
	whole, err := newPacker().pack(bytes.Repeat([]byte("install ok installed\n"), 100))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole.size, whole.data)
	f.Add(whole.size+1, whole.data)
	f.Add(5, []byte("plain"))
	f.Add(-1, []byte{})
	f.Add(1<<40, []byte{3, 0})
	f.Fuzz(func(t *testing.T, size int, data []byte) {
		const most = 1 << 16
		text, err := packed{size: size, data: data}.unpack(most)
		if err == nil && (len(text) != size || size > most) {
			t.Errorf("%d bytes, recorded are %d", len(text), size)
		}
		if err != nil && !errors.Is(err, errPacked) {
			t.Errorf("an error that does not say what is damaged: %v", err)
		}
		raw, err := packed{size: size, data: data}.unpackRaw(make([]byte, 32))
		if err == nil && raw != nil {
			t.Error("a text that does not match its digest was given out")
		}
	})
}

func TestParseDigest(t *testing.T) {
	good := remediate.Digest([]byte("x"))
	for in, want := range map[string]string{
		"":                                  "",
		good:                                good,
		strings.ToUpper(good):               "error",
		good[:70]:                           "error",
		good + "00":                         "error",
		strings.Replace(good, ":", "-", 1):  "error",
		strings.TrimPrefix(good, "sha256:"): "error",
	} {
		digest, err := parseDigest(in)
		got := formatDigest(digest)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("parseDigest(%q) gives %q, %v", in, got, err)
		}
	}
}

// FuzzJournal reads what a damaged store may hold: it ends with an error or
// with entries that stand in the text.
func FuzzJournal(f *testing.F) {
	f.Add("")
	f.Add("intended 1790000000000000\nlaunched 1790000000000001\n")
	f.Add("intended\n")
	f.Add("resting 1\n")
	f.Add("ended 99999999999999999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parseJournal(text)
		if err != nil {
			if !errors.Is(err, errJournal) {
				t.Errorf("an error that does not say what is damaged: %v", err)
			}
			return
		}
		var again strings.Builder
		for _, e := range entries {
			again.WriteString(journalLine(&attemptRecord{Attempt: remediate.Attempt{Phase: e.Phase}, updated: micros(e.At)}))
		}
		second, err := parseJournal(again.String())
		if err != nil || !slices.Equal(entries, second) {
			t.Errorf("%v became %v, %v", entries, second, err)
		}
	})
}
