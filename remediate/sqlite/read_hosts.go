package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"oust/remediate"
)

const (
	stateQuery  = `SELECT ` + stateColumns + ` FROM hosts WHERE name = ?`
	statesQuery = `SELECT ` + stateColumns + ` FROM hosts WHERE name > ? ORDER BY name LIMIT ?`
	looksQuery  = `SELECT l.seq, l.host, l.kind, l.run, l.at, l.digest, l.platform, l.os, l.boot_id,
			l.complete, l.class, l.detail, ifnull(l.findings, ''), l.bare, ifnull(r.size, 0), r.data
		FROM looks l LEFT JOIN raws r ON r.digest = l.digest
		WHERE l.host = ? AND (l.at, l.seq) > (?, ?) ORDER BY l.at, l.seq LIMIT ?`
)

// HostState implements remediate.Store.
func (s *Store) HostState(ctx context.Context, host string) (remediate.HostState, error) {
	op := "state of " + host
	if err := s.readable(ctx); err != nil {
		return remediate.HostState{}, fmt.Errorf("%s: %w", op, err)
	}
	var state remediate.HostState
	_, err := newStateReader().read(s.reads.QueryRowContext(ctx, stateQuery, host), &state)
	if errors.Is(err, sql.ErrNoRows) {
		return remediate.HostState{Host: host, Standing: remediate.StandUnseen}, nil
	}
	return state, explain(op, err)
}

// HostStates implements remediate.Store.
func (s *Store) HostStates(ctx context.Context) iter.Seq2[remediate.HostState, error] {
	return stream(ctx, s, "states of hosts", func() cursor[remediate.HostState] {
		after := ""
		r := newStateReader()
		scan := func(rows *sql.Rows, state *remediate.HostState) (int, error) { return r.read(rows, state) }
		return func(ctx context.Context, into []remediate.HostState) ([]remediate.HostState, bool, error) {
			page, more, err := list(ctx, s.reads, into, scan, statesQuery, after)
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
		var parse findingsParser
		scan := func(rows *sql.Rows, l *remediate.Look) (int, error) { return parse.scanLook(rows, l, &p) }
		return func(ctx context.Context, into []remediate.Look) ([]remediate.Look, bool, error) {
			return list(ctx, s.reads, into, scan, looksQuery, host, p.at, p.seq)
		}
	})
}

// scanner is a row to scan.
type scanner interface{ Scan(dest ...any) error }

// scanLook scans a look, and its place in the order into at.
func (p *findingsParser) scanLook(row scanner, l *remediate.Look, at *place) (int, error) {
	var findings string
	var digest []byte
	var raw packed
	err := row.Scan(&at.seq, &l.Host, &l.Kind, &l.Run, &at.at, &digest, &l.Platform, &l.OS,
		&l.BootID, &l.Complete, &l.Class, &l.Detail, &findings, &l.Bare, &raw.size, &raw.data)
	if err != nil {
		return 0, err
	}
	l.At, l.RawDigest = fromMicros(at.at), formatDigest(digest)
	if l.Findings, err = p.parse(findings); err != nil {
		return 0, fmt.Errorf("findings of a look at %s: %w", l.Host, err)
	}
	if l.Raw, err = raw.unpackRaw(digest); err != nil {
		return 0, err
	}
	return 512 + 2*len(findings) + len(l.Raw), nil
}

// findingsParser reads findings. In a fleet most hosts say one of a few
// things, so it keeps what it has read, up to parsedMost texts; the zero
// value is ready.
type findingsParser struct {
	parsed map[string][]remediate.Finding
}

const parsedMost = 256

func (p *findingsParser) parse(text string) ([]remediate.Finding, error) {
	if text == "" {
		return nil, nil
	}
	known, ok := p.parsed[text]
	if !ok {
		if err := json.Unmarshal([]byte(text), &known); err != nil {
			return nil, err
		}
		if p.parsed == nil {
			p.parsed = map[string][]remediate.Finding{}
		}
		if len(p.parsed) < parsedMost {
			p.parsed[text] = known
		}
	}
	out := slices.Clone(known)
	for i := range out {
		out[i].Evidence = slices.Clone(out[i].Evidence)
	}
	return out, nil
}
