package sqlite

import (
	"encoding/json"

	"oust/remediate"
)

// carriedColumns are what a state from before the ledger consists of.
const carriedColumns = `name, standing, platform, os, findings, digest, seen_at, boot_id, run, found_at, removed_at,
	bare, bare_since, reboots, class, detail, tries, failed_at, owed_class, owed_detail, owed_tries, owed_at,
	last_kind, last_class, last_detail, last_at`

// carriedHost is the state of a host from before the ledger.
type carriedHost struct {
	name string
	remediate.StateCarried
}

// scan reads a row of carriedColumns.
func (h *carriedHost) scan(row scanner) error {
	var findings *string
	var digest []byte
	var seen, found, removed, bare, failed, owed, last int64
	c := &h.StateCarried
	err := row.Scan(&h.name, (*string)(&c.Standing), (*string)(&c.Platform), &c.OS, &findings, &digest, &seen, &c.BootID, &c.Run,
		&found, &removed, &c.Bare, &bare, &c.Reboots,
		(*string)(&c.Failure.Class), &c.Failure.Detail, &c.Failure.Tries, &failed,
		(*string)(&c.Owed.Class), &c.Owed.Detail, &c.Owed.Tries, &owed,
		(*string)(&c.Last.Kind), (*string)(&c.Last.Class), &c.Last.Detail, &last)
	if err != nil {
		return err
	}
	if findings != nil {
		if err := json.Unmarshal([]byte(*findings), &c.Findings); err != nil {
			return err
		}
	}
	c.Raw, c.SeenAt, c.FoundAt, c.RemovedAt = formatDigest(digest), fromMicros(seen), fromMicros(found), fromMicros(removed)
	c.BareSince, c.Failure.At, c.Owed.At, c.LastAt = fromMicros(bare), fromMicros(failed), fromMicros(owed), fromMicros(last)
	return nil
}

// putCarried writes such a state: the inverse of scan.
func (s *session) putCarried(h carriedHost) error {
	c := h.StateCarried
	digest, err := parseDigest(c.Raw)
	if err != nil {
		return err
	}
	var findings any
	if len(c.Findings) > 0 {
		text, err := json.Marshal(c.Findings)
		if err != nil {
			return err
		}
		findings = string(text)
	}
	return s.exec(`INSERT OR REPLACE INTO hosts (`+carriedColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		h.name, string(c.Standing), string(c.Platform), c.OS, findings, digest, micros(c.SeenAt), c.BootID, c.Run,
		micros(c.FoundAt), micros(c.RemovedAt), c.Bare, micros(c.BareSince), c.Reboots,
		string(c.Failure.Class), c.Failure.Detail, c.Failure.Tries, micros(c.Failure.At),
		string(c.Owed.Class), c.Owed.Detail, c.Owed.Tries, micros(c.Owed.At),
		string(c.Last.Kind), string(c.Last.Class), c.Last.Detail, micros(c.LastAt))
}
