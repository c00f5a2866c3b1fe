package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"oust/remediate"
)

const sightingsQuery = `SELECT seq, host, at, findings FROM looks WHERE seq > ? AND findings IS NOT NULL ORDER BY seq LIMIT ?`

// Sightings implements remediate.EvidenceStore.
func (s *Store) Sightings(ctx context.Context) iter.Seq2[remediate.Sighting, error] {
	return stream(ctx, s, "what looks found", func() cursor[remediate.Sighting] {
		var seq int64
		var parse findingsParser
		scan := func(rows *sql.Rows, x *remediate.Sighting) (int, error) {
			var at int64
			var findings string
			if err := rows.Scan(&seq, &x.Host, &at, &findings); err != nil {
				return 0, err
			}
			x.At = fromMicros(at)
			var err error
			if x.Findings, err = parse.parse(findings); err != nil {
				return 0, fmt.Errorf("findings of a look at %s: %w", x.Host, err)
			}
			return 128 + 2*len(findings), nil
		}
		return func(ctx context.Context, into []remediate.Sighting) ([]remediate.Sighting, bool, error) {
			return list(ctx, s.reads, into, scan, sightingsQuery, seq)
		}
	})
}
