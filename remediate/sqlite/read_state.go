package sqlite

import (
	"database/sql"
	"fmt"

	"oust/remediate"
)

// stateColumns are read as text; none is NULL. Their places are below. Those
// that no other host has come first.
const stateColumns = `name, boot_id, iif(length(digest) > 0, 'sha256:' || lower(hex(digest)), ''),
	standing, platform, os, ifnull(findings, ''), seen_at, class, detail,
	last_kind, last_class, last_detail, last_at, tries, failed_at, removed_at, bare, bare_since, reboots,
	transport, probe, run, found_at`

const (
	atName = iota
	atBoot
	atDigest
	atStanding
	atPlatform
	atOS
	atFindings
	atSeen
	atClass
	atDetail
	atLastKind
	atLastClass
	atLastDetail
	atLast
	atTries
	atFailed
	atRemoved
	atBare
	atBareSince
	atReboots
	atTransport
	atProbe
	atRun
	atFound
	numStateColumns
)

// stateReader reads states, of which there may be 100,000.
type stateReader struct {
	parse   findingsParser
	words   words
	raw     sql.RawBytes
	columns [numStateColumns][]byte
	places  []any  // of columns
	own     []byte // scratch
	bad     error  // of the columns that were read last
}

func newStateReader() *stateReader {
	r := &stateReader{words: words{}}
	for i := range r.columns {
		r.places = append(r.places, &r.columns[i])
	}
	return r
}

// single scans a row with a value for each of stateColumns; it returns about
// how many bytes the state takes in memory.
func (r *stateReader) single(row scanner, out *remediate.HostState) (int, error) {
	if err := row.Scan(r.places...); err != nil {
		return 0, err
	}
	return r.state(out)
}

// joined is single for a row with one value for all.
func (r *stateReader) joined(row *sql.Rows, out *remediate.HostState) (int, error) {
	if err := row.Scan(&r.raw); err != nil {
		return 0, err
	}
	if err := cutRow(r.raw, r.columns[:]); err != nil {
		return 0, err
	}
	return r.state(out)
}

// state makes a state of the columns.
func (r *stateReader) state(out *remediate.HostState) (int, error) {
	r.bad = nil
	*out = remediate.HostState{
		Standing: remediate.Standing(r.word(atStanding)), Platform: remediate.Platform(r.word(atPlatform)), OS: r.word(atOS),
		SeenAt: fromMicros(r.integer(atSeen)), Class: remediate.Class(r.word(atClass)), Detail: r.word(atDetail),
		Last: remediate.Outcome{
			Kind: remediate.OutcomeKind(r.word(atLastKind)), Class: remediate.Class(r.word(atLastClass)), Detail: r.word(atLastDetail),
		},
		LastAt: fromMicros(r.integer(atLast)), Tries: int(r.integer(atTries)), FailedAt: fromMicros(r.integer(atFailed)),
		RemovedAt: fromMicros(r.integer(atRemoved)),
		Bare:      r.word(atBare), BareSince: fromMicros(r.integer(atBareSince)), Reboots: int(r.integer(atReboots)),
		Transport: r.word(atTransport), Probe: r.word(atProbe), Run: r.word(atRun), FoundAt: fromMicros(r.integer(atFound)),
	}
	r.setOwn(out)
	findings := r.columns[atFindings]
	var err error
	if out.Findings, err = r.parse.shared(findings); err != nil {
		return 0, fmt.Errorf("findings of %s: %w", out.Host, err)
	}
	return 512 + 2*len(findings), r.bad
}

func (r *stateReader) word(at int) string { return r.words.of(r.columns[at]) }

func (r *stateReader) integer(at int) int64 {
	n, err := parseInt(r.columns[at])
	if err != nil {
		r.bad = err
	}
	return n
}

// setOwn sets the texts that no other host has, as parts of one.
func (r *stateReader) setOwn(out *remediate.HostState) {
	name, boot := len(r.columns[atName]), len(r.columns[atBoot])
	r.own = append(append(append(r.own[:0], r.columns[atName]...), r.columns[atBoot]...), r.columns[atDigest]...)
	own := string(r.own)
	out.Host, out.BootID, out.RawDigest = own[:name], own[name:name+boot], own[name+boot:]
}
