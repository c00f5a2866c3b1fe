package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"oust/remediate"
)

// table says how the rows of a table are compared with those that the ledger
// makes.
type table struct {
	name, from string
	// key names the columns that tell a row from others, by which both lists are
	// sorted; columns are the others.
	key     []string
	columns []column
}

// column is a column, or an expression in its place. record names the column
// with the number of the record that tells it, empty for that of the row.
type column struct {
	name, expr, record string
	alike              func(is, told any) bool
}

// columns are names, each with the column of its record after a colon.
func columns(names string) []column {
	var out []column
	for name := range strings.FieldsSeq(names) {
		name, record, _ := strings.Cut(name, ":")
		out = append(out, column{name: name, record: record})
	}
	return out
}

// ended is a column that tells something only once an attempt has its outcome.
func ended(name, none string) column {
	return column{name: name, record: "outcome_record", expr: `CASE WHEN kind = '' THEN ` + none + ` ELSE ` + name + ` END`}
}

// tables are all that is evidence. Not among them: the table of versions; how
// long jobs took; meta.created; what an attempt without an outcome has come
// to; that an attempt's folder was cleaned after its outcome; and how a text
// is packed.
func tables() []table {
	return []table{
		{name: "plans", key: []string{"id"}, columns: columns("digest at record")},
		{name: "runs", key: []string{"seq"}, columns: columns(
			"id kind plan started person record lowered:lowered_record lowered_record:lowered_record " +
				"ended:ended_record exit:ended_record note:ended_record ended_record:ended_record")},
		{name: "approvals", key: []string{"plan"}, columns: columns("at person record")},
		{name: "approved_scripts", key: []string{"script", "plan"}},
		{name: "planned", key: []string{"host"}, columns: columns("plan wave")},
		{name: "holds", key: []string{"seq"}, columns: columns(
			"at reason run plan wave record released:released_record person:released_record released_record:released_record")},
		{name: "exemptions", key: []string{"seq"}, columns: columns(
			"host reason approver ground mitigation until at person record ended:ended_record ended_record:ended_record")},
		{name: "trust", key: []string{"host", "address", "fingerprint"}, columns: columns("at record")},
		{name: "reboots", key: []string{"seq"}, columns: columns("host boot_id attempt at record back:back_record back_record:back_record")},
		{name: "submissions", key: []string{"seq"}, columns: columns("report at person receiver files record")},
		{name: "looks", key: []string{"seq"}, columns: append(columns(
			"host kind run at digest platform os boot_id complete class detail bare transport address probe record"),
			column{name: "findings", alike: sameFindings})},
		{name: "raws", key: []string{"digest"}},
		{name: "attempts", key: []string{"seq"}, columns: append(columns(
			"id run host plan script playbooks started address record outcome_record:outcome_record "+
				"kind:outcome_record class:outcome_record detail:outcome_record"),
			ended("boot_id", "''"), ended("updated", "0"), ended("exit", "0"), ended("result", "''"),
			column{name: "phase", alike: samePhase, expr: `CASE WHEN kind = '' AND phase NOT IN ('closed', 'cleaned') THEN '' ELSE phase END`},
			column{name: "journal", alike: sameJournal, expr: `CASE WHEN kind = '' THEN '' ELSE journal END`})},
		{name: "logs", key: []string{"attempt"}, columns: columns("digest"),
			from: `logs LEFT JOIN attempts ON attempts.seq = logs.attempt WHERE ifnull(attempts.kind, 'none') <> ''`},
		{name: "moves", key: []string{"seq"}, columns: columns("host at before after record")},
		{name: "hosts", key: []string{"name"}, columns: append(columns(
			"standing platform os digest seen_at class detail owed_class owed_detail last_kind last_class last_detail last_at "+
				"tries failed_at owed_tries owed_at removed_at boot_id bare bare_since reboots transport probe run found_at"),
			column{name: "findings", alike: sameFindings})},
		{name: "sqlite_schema", key: []string{"type", "name"}, columns: columns("tbl_name sql"),
			from: `sqlite_schema WHERE type = 'trigger' OR tbl_name NOT IN ('goose_db_version', 'sqlite_sequence')`},
	}
}

// query lists a table's rows by their key.
func (t table) query() string {
	exprs := make([]string, 0, len(t.key)+len(t.columns))
	order := make([]string, len(t.key))
	for i, name := range t.key {
		exprs, order[i] = append(exprs, name), fmt.Sprint(i+1)
	}
	for _, c := range t.columns {
		exprs = append(exprs, cmp.Or(c.expr, c.name))
	}
	return `SELECT ` + strings.Join(exprs, ", ") + ` FROM ` + cmp.Or(t.from, t.name) + ` ORDER BY ` + strings.Join(order, ", ")
}

// rowsOf reads a table row by row. have is false after the last.
type rowsOf struct {
	rows   *sql.Rows
	values []any
	places []any
	have   bool
}

// openRows reads the first row.
func openRows(ctx context.Context, conn *sql.Conn, t table) (*rowsOf, error) {
	rows, err := conn.QueryContext(ctx, t.query()) //nolint:rowserrcheck // next does
	if err != nil {
		return nil, err
	}
	n := len(t.key) + len(t.columns)
	r := &rowsOf{rows: rows, values: make([]any, n), places: make([]any, n)}
	for i := range r.values {
		r.places[i] = &r.values[i]
	}
	if err := r.next(); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return r, nil
}

func (r *rowsOf) next() error {
	if r.have = r.rows.Next(); !r.have {
		return r.rows.Err()
	}
	return r.rows.Scan(r.places...)
}

// compare walks through the rows of a table as they are in a store and as the
// ledger tells them.
func (t table) compare(ctx context.Context, is, told *sql.Conn, misfit func(Misfit)) (err error) {
	a, err := openRows(ctx, is, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.rows.Close()) }()
	b, err := openRows(ctx, told, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.rows.Close()) }()
	for err == nil && (a.have || b.have) {
		order := t.order(a, b)
		switch {
		case order < 0:
			misfit(t.misfit(a.values, nil, "the ledger tells of no such row"))
		case order > 0:
			misfit(t.misfit(b.values, nil, "the row is not there, and the ledger tells of it"))
		default:
			t.compareRow(a.values, b.values, misfit)
		}
		if order <= 0 {
			err = a.next()
		}
		if order >= 0 && err == nil {
			err = b.next()
		}
	}
	return err
}

// compareRow compares two rows with the same key.
func (t table) compareRow(is, told []any, misfit func(Misfit)) {
	for i, c := range t.columns {
		a, b := is[len(t.key)+i], told[len(t.key)+i]
		if reflect.DeepEqual(a, b) || c.alike != nil && c.alike(a, b) {
			continue
		}
		misfit(t.misfit(told, &t.columns[i], fmt.Sprintf("%s is %s, and the ledger tells %s", c.name, shown(a), shown(b))))
	}
}

// misfit is about a row, and a column of it or nil.
func (t table) misfit(row []any, c *column, why string) Misfit {
	m := Misfit{Record: -1, Table: t.name, Row: t.rowName(row), Why: why}
	names := []string{"record", "outcome_record"}
	if c != nil && c.record != "" {
		names = []string{c.record, "record"}
	}
	for _, name := range names {
		for i, c := range t.columns {
			if n, ok := row[len(t.key)+i].(int64); ok && c.name == name && m.Record < 0 {
				m.Record = n
			}
		}
	}
	return m
}

func (t table) rowName(row []any) string {
	parts := make([]string, len(t.key))
	for i := range t.key {
		parts[i] = plainValue(row[i])
	}
	return strings.Join(parts, " ")
}

// order says which of two rows comes first, by their keys as SQLite sorts them
// (https://www.sqlite.org/datatype3.html, section 4). One that is not there
// comes last.
func (t table) order(a, b *rowsOf) int {
	switch {
	case !b.have:
		return -1
	case !a.have:
		return 1
	}
	for i := range t.key {
		if c := compareValues(a.values[i], b.values[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareValues(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		b, _ := b.(string)
		return cmp.Compare(a, b)
	case []byte:
		b, _ := b.([]byte)
		return bytes.Compare(a, b)
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Compare(number(a), number(b))
}

// rank is the place of a value's type in SQLite's order.
func rank(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case int64, float64:
		return 1
	case string:
		return 2
	}
	return 3
}

func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// sameFindings compares findings by what they say: earlier versions wrote them
// otherwise.
func sameFindings(is, told any) bool {
	parse := func(v any) (out []remediate.Finding, ok bool) {
		text, is := v.(string)
		return out, is && json.Unmarshal([]byte(text), &out) == nil
	}
	a, okA := parse(is)
	b, okB := parse(told)
	return okA && okB && len(a) > 0 && remediate.SameFindings(a, b)
}

// samePhase: that the folder of an attempt is cleaned, the ledger does not
// tell.
func samePhase(is, told any) bool {
	return told == string(remediate.PhaseClosed) && is == string(remediate.PhaseCleaned)
}

// sameJournal: nor when.
func sameJournal(is, told any) bool {
	a, okA := is.(string)
	b, okB := told.(string)
	rest, begins := strings.CutPrefix(a, b)
	if !okA || !okB || !begins {
		return false
	}
	entries, err := parseJournal(rest)
	return err == nil && len(entries) == 1 && entries[0].Phase == remediate.PhaseCleaned
}

// shown is a value for a person.
func shown(v any) string {
	const most = 80
	if v == nil {
		return "nothing"
	}
	text := plainValue(v)
	if len(text) > most {
		text = text[:most] + "..."
	}
	return fmt.Sprintf("%q", text)
}

func plainValue(v any) string {
	if b, ok := v.([]byte); ok {
		return hex.EncodeToString(b)
	}
	return fmt.Sprint(v)
}
