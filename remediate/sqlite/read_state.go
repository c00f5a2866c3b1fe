package sqlite

import (
	"fmt"

	"oust/remediate"
)

const stateColumns = `name, standing, platform, os, ifnull(findings, ''), digest, seen_at, class, detail,
	last_kind, last_class, last_detail, last_at, tries, failed_at, removed_at, boot_id, bare, bare_since, reboots`

// stateReader reads states, of which there may be 100,000. So it makes the
// places that a row is scanned into once, and of types for which database/sql
// needs no reflection.
type stateReader struct {
	parse    findingsParser
	state    remediate.HostState
	findings string
	digest   []byte

	seen, last, tries, failed, removed, bare, reboots number

	places []any
}

func newStateReader() *stateReader {
	r := &stateReader{}
	s := &r.state
	r.places = []any{
		&s.Host, (*string)(&s.Standing), (*string)(&s.Platform), &s.OS, &r.findings, &r.digest, &r.seen,
		(*string)(&s.Class), &s.Detail, (*string)(&s.Last.Kind), (*string)(&s.Last.Class), &s.Last.Detail, &r.last,
		&r.tries, &r.failed, &r.removed, &s.BootID, &s.Bare, &r.bare, &r.reboots,
	}
	return r
}

// read scans a row of stateColumns; it returns about how many bytes the state
// takes in memory.
func (r *stateReader) read(row scanner, out *remediate.HostState) (int, error) {
	if err := row.Scan(r.places...); err != nil {
		return 0, err
	}
	var err error
	s := &r.state
	if s.Findings, err = r.parse.parse(r.findings); err != nil {
		return 0, fmt.Errorf("findings of %s: %w", s.Host, err)
	}
	s.RawDigest, s.Tries, s.Reboots = formatDigest(r.digest), int(r.tries), int(r.reboots)
	s.SeenAt, s.LastAt = fromMicros(int64(r.seen)), fromMicros(int64(r.last))
	s.FailedAt, s.RemovedAt, s.BareSince = fromMicros(int64(r.failed)), fromMicros(int64(r.removed)), fromMicros(int64(r.bare))
	*out = *s
	return 512 + 2*len(r.findings), nil
}

// number is an integer that scans itself.
type number int64

// Scan implements sql.Scanner.
func (n *number) Scan(v any) error {
	i, ok := v.(int64)
	if !ok {
		return fmt.Errorf("the store is damaged: %T where an integer was", v)
	}
	*n = number(i)
	return nil
}
