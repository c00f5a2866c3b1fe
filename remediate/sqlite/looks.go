package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"oust/remediate"
)

// lookRecord is a look in the form in which it is kept.
type lookRecord struct {
	remediate.Look        // as it is kept, without Raw
	found          bool   // whether it has findings that count
	findings       any    // JSON text, or nil
	digest         []byte // nil if nothing was seen
	at             int64
	raw            packed
	record         int64 // its number in the ledger, from insertLook on
}

// record checks a look and gives it the form in which it is kept.
func (s *Store) record(l remediate.Look) (*lookRecord, error) {
	if err := checkLook(l); err != nil {
		return nil, err
	}
	r := &lookRecord{Look: l, at: s.stamp(l.At)}
	if err := r.setFindings(); err != nil {
		return nil, err
	}
	digest := l.RawDigest
	if len(l.Raw) > 0 {
		if digest = remediate.Digest(l.Raw); l.RawDigest != "" && l.RawDigest != digest {
			return nil, errors.New("the digest is not that of the raw text")
		}
		var err error
		if r.raw, err = s.packer.pack(l.Raw); err != nil {
			return nil, err
		}
	}
	var err error
	if r.digest, err = parseDigest(digest); err != nil {
		return nil, err
	}
	r.Raw, r.RawDigest, r.Look.At = nil, digest, fromMicros(r.at)
	r.OS, r.BootID, r.Detail = remediate.ClipText(l.OS), remediate.ClipText(l.BootID), remediate.ClipText(l.Detail)
	r.Bare = remediate.ClipText(l.Bare)
	return r, nil
}

// setFindings gives the findings the form in which they are kept.
func (r *lookRecord) setFindings() error {
	r.found = remediate.Counts(r.Findings)
	if len(r.Findings) == 0 {
		r.Look.Findings = nil
		return nil
	}
	r.Look.Findings = remediate.LegibleFindings(r.Findings)
	text, err := json.Marshal(r.Findings)
	if err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	if len(text) > remediate.MaxFindings {
		return fmt.Errorf("the findings have %d bytes, more than %d", len(text), remediate.MaxFindings)
	}
	r.findings = string(text)
	return nil
}

func checkLook(l remediate.Look) error {
	switch l.Kind {
	case remediate.LookScan, remediate.LookPrecheck, remediate.LookVerify:
	default:
		return fmt.Errorf("%q is no kind of look", l.Kind)
	}
	if l.Class != "" && !l.Class.Known() {
		return fmt.Errorf("%q is no class", l.Class)
	}
	if len(l.Raw) > remediate.MaxRaw {
		return fmt.Errorf("the raw text has %d bytes, more than %d", len(l.Raw), remediate.MaxRaw)
	}
	return errors.Join(checkName("host", l.Host), checkShort(l.Run, string(l.Platform), l.Transport, l.Probe), checkAddress(l.Address))
}

func checkName(what, name string) error {
	if name == "" || len(name) > remediate.MaxName {
		return fmt.Errorf("a %s needs a name of 1 to %d bytes, this one has %d", what, remediate.MaxName, len(name))
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name of a %s is not UTF-8: %q", what, name)
	}
	return nil
}

const digestPrefix = "sha256:"

// parseDigest is the 32 bytes of a digest, nil for none.
func parseDigest(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	text, ok := strings.CutPrefix(s, digestPrefix)
	digest, err := hex.DecodeString(text)
	if !ok || err != nil || len(digest) != 32 {
		return nil, fmt.Errorf("%q is no digest", s)
	}
	return digest, nil
}

func formatDigest(digest []byte) string {
	if len(digest) == 0 {
		return ""
	}
	var buf [len(digestPrefix) + 64]byte
	return string(hex.AppendEncode(append(buf[:0], digestPrefix...), digest))
}

// SaveLook implements remediate.Store.
func (s *Store) SaveLook(ctx context.Context, look remediate.Look) error {
	r, err := s.record(look)
	if err != nil {
		return fmt.Errorf("save look at %s: %w", look.Host, err)
	}
	return s.write(ctx, "save look at "+look.Host, func(tx *session) error { return tx.saveLook(r) })
}

func (s *session) saveLook(r *lookRecord) error {
	if err := s.addLook(r); err != nil {
		return err
	}
	return s.moveState(r)
}

// addLook writes the look and its record; moveState follows it.
func (s *session) addLook(r *lookRecord) error {
	if err := s.insertLook(r); err != nil {
		return err
	}
	return s.log.append(r.Record())
}

func (s *session) insertLook(r *lookRecord) error {
	r.record = s.log.next()
	if err := s.keepRaw(r); err != nil {
		return err
	}
	return s.exec(`INSERT INTO looks
			(host, kind, run, at, digest, platform, os, boot_id, complete, class, detail, findings, bare,
			transport, address, probe, record)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Host, string(r.Kind), r.Run, r.at, r.digest, string(r.Platform), r.OS, r.BootID, r.Complete,
		string(r.Class), r.Detail, r.findings, r.Bare, r.Transport, r.Address, r.Probe, r.record)
}

// keepRaw keeps the text of a look. One that comes without its text names one
// that is kept already: else nobody could ever tell what it says.
func (s *session) keepRaw(r *lookRecord) error {
	if r.raw.size > 0 {
		return s.exec(`INSERT INTO raws (digest, size, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			r.digest, r.raw.size, r.raw.data)
	}
	if r.digest == nil {
		return nil
	}
	var kept int
	switch found, err := s.get(`SELECT 1 FROM raws WHERE digest = ?`, []any{r.digest}, &kept); {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("the raw text %s is neither given nor kept", r.RawDigest)
	}
	return nil
}

// moveState writes what follows from a look for its host's state.
func (s *session) moveState(r *lookRecord) error {
	if r.Class != "" {
		return s.failedLook(r)
	}
	return s.seen(r)
}

// Raw implements remediate.Store.
func (s *Store) Raw(ctx context.Context, digest string) ([]byte, error) {
	op := "raw text " + digest
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	key, err := parseDigest(digest)
	if err != nil || key == nil {
		return nil, fmt.Errorf("%s: %w", op, remediate.ErrNotFound)
	}
	var p packed
	err = s.reads.QueryRowContext(ctx, `SELECT size, data FROM raws WHERE digest = ?`, key).Scan(&p.size, &p.data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s: %w", op, remediate.ErrNotFound)
	}
	if err != nil {
		return nil, explain(op, err)
	}
	text, err := p.unpackRaw(key)
	return text, explain(op, err)
}
