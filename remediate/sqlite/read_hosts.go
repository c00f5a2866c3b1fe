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

const lookColumns = `l.seq, l.host, l.kind, l.run, l.at, l.digest, l.platform, l.os, l.boot_id,
	l.complete, l.class, l.detail, ifnull(l.findings, ''), l.bare, l.transport, l.address, l.probe, `

const (
	stateQuery = `SELECT ` + stateColumns + ` FROM hosts WHERE name = ?`
	looksQuery = `SELECT ` + lookColumns + `ifnull(r.size, 0), r.data
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
	_, err := newStateReader().single(s.reads.QueryRowContext(ctx, stateQuery, host), &state)
	if errors.Is(err, sql.ErrNoRows) {
		return remediate.HostState{Host: host, Standing: remediate.StandUnseen}, nil
	}
	return state, explain(op, err)
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
		&l.BootID, &l.Complete, &l.Class, &l.Detail, &findings, &l.Bare, &l.Transport, &l.Address, &l.Probe, &raw.size, &raw.data)
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

const parsedMost = 1024

// parse reads findings into memory of their own.
func (p *findingsParser) parse(text string) ([]remediate.Finding, error) {
	known, err := p.shared([]byte(text))
	if err != nil {
		return nil, err
	}
	out := slices.Clone(known)
	for i := range out {
		out[i].Evidence = slices.Clone(out[i].Evidence)
	}
	return out, nil
}

// shared reads findings into memory that equal ones share.
func (p *findingsParser) shared(text []byte) ([]remediate.Finding, error) {
	if len(text) == 0 {
		return nil, nil
	}
	if known, ok := p.parsed[string(text)]; ok {
		return known, nil
	}
	var out []remediate.Finding
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, err
	}
	if p.parsed == nil {
		p.parsed = map[string][]remediate.Finding{}
	}
	if len(p.parsed) < parsedMost {
		p.parsed[string(text)] = out
	}
	return slices.Clip(out), nil
}
