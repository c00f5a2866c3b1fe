package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"oust/remediate"
)

const stateColumns = `name, standing, platform, os, findings, digest, seen_at, class, detail,
	last_kind, last_class, last_detail, last_at`

// HostState implements remediate.Store.
func (s *Store) HostState(ctx context.Context, host string) (remediate.HostState, error) {
	op := "state of " + host
	if err := s.readable(ctx); err != nil {
		return remediate.HostState{}, fmt.Errorf("%s: %w", op, err)
	}
	var state remediate.HostState
	_, err := scanState(s.reads.QueryRowContext(ctx, `SELECT `+stateColumns+` FROM hosts WHERE name = ?`, host), &state)
	if errors.Is(err, sql.ErrNoRows) {
		return remediate.HostState{Host: host, Standing: remediate.StandUnseen}, nil
	}
	return state, explain(op, err)
}

// HostStates implements remediate.Store.
func (s *Store) HostStates(ctx context.Context) iter.Seq2[remediate.HostState, error] {
	return stream(ctx, s, "states of hosts", func() cursor[remediate.HostState] {
		after := ""
		return func(ctx context.Context) ([]remediate.HostState, bool, error) {
			page, more, err := list(ctx, s.reads, scanStateRow,
				`SELECT `+stateColumns+` FROM hosts WHERE name > ? ORDER BY name LIMIT ?`, after)
			if len(page) > 0 {
				after = page[len(page)-1].Host
			}
			return page, more, err
		}
	})
}

// HostLooks implements remediate.Store.
func (s *Store) HostLooks(ctx context.Context, host string) iter.Seq2[remediate.Look, error] {
	return stream(ctx, s, "looks at "+host, func() cursor[remediate.Look] {
		p := beginning
		scan := func(rows *sql.Rows, l *remediate.Look) (int, error) { return scanLook(rows, l, &p) }
		return func(ctx context.Context) ([]remediate.Look, bool, error) {
			return list(ctx, s.reads, scan, `SELECT l.seq, l.host, l.kind, l.run, l.at, l.digest, l.platform, l.os,
					l.boot_id, l.complete, l.class, l.detail, l.findings, ifnull(r.size, 0), r.data
				FROM looks l LEFT JOIN raws r ON r.digest = l.digest
				WHERE l.host = ? AND (l.at, l.seq) > (?, ?) ORDER BY l.at, l.seq LIMIT ?`,
				host, p.at, p.seq)
		}
	})
}

// scanner is a row to scan.
type scanner interface{ Scan(dest ...any) error }

func scanStateRow(rows *sql.Rows, state *remediate.HostState) (int, error) {
	return scanState(rows, state)
}

func scanState(row scanner, state *remediate.HostState) (int, error) {
	var findings, digest []byte
	var seen, last int64
	err := row.Scan(&state.Host, &state.Standing, &state.Platform, &state.OS, &findings, &digest, &seen,
		&state.Class, &state.Detail, &state.Last.Kind, &state.Last.Class, &state.Last.Detail, &last)
	if err != nil {
		return 0, err
	}
	state.RawDigest, state.SeenAt, state.LastAt = formatDigest(digest), fromMicros(seen), fromMicros(last)
	if state.Findings, err = parseFindings(findings); err != nil {
		return 0, fmt.Errorf("findings of %s: %w", state.Host, err)
	}
	return 512 + 2*len(findings), nil
}

// scanLook scans a look, and its place in the order into p.
func scanLook(row scanner, l *remediate.Look, p *place) (int, error) {
	var findings, digest []byte
	var raw packed
	err := row.Scan(&p.seq, &l.Host, &l.Kind, &l.Run, &p.at, &digest, &l.Platform, &l.OS,
		&l.BootID, &l.Complete, &l.Class, &l.Detail, &findings, &raw.size, &raw.data)
	if err != nil {
		return 0, err
	}
	l.At, l.RawDigest = fromMicros(p.at), formatDigest(digest)
	if l.Findings, err = parseFindings(findings); err != nil {
		return 0, fmt.Errorf("findings of a look at %s: %w", l.Host, err)
	}
	if l.Raw, err = raw.unpack(remediate.MaxRaw); err != nil {
		return 0, err
	}
	return 512 + 2*len(findings) + len(l.Raw), nil
}

func parseFindings(text []byte) ([]remediate.Finding, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var out []remediate.Finding
	err := json.Unmarshal(text, &out)
	return out, err
}
