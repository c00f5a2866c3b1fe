package sqlite

import (
	"oust/remediate"
)

// failure is a failed look or attempt, and how many of its class came in a row
// up to it; the zero value is none.
type failure struct {
	class, detail string
	tries, at     int64
}

// hostRecord is what decides how a host's state moves.
type hostRecord struct {
	standing  remediate.Standing
	foundAt   int64
	removedAt int64
	bare      string
	bareSince int64
	// owed is the failed attempt that nothing has answered yet. While a later
	// failure of a look covers it in the host's state, it waits; when the host
	// is seen again, it comes back.
	owed failure
}

// seen moves a host's state by a look that did not fail.
func (s *session) seen(r *lookRecord) error {
	h := hostRecord{standing: remediate.StandUnseen}
	o := &h.owed
	_, err := s.get(`SELECT standing, found_at, removed_at, bare, bare_since, owed_class, owed_detail, owed_tries, owed_at
		FROM hosts WHERE name = ?`, []any{r.Host},
		&h.standing, &h.foundAt, &h.removedAt, &h.bare, &h.bareSince, &o.class, &o.detail, &o.tries, &o.at)
	if err != nil {
		return err
	}
	if h.foundAt == 0 && r.found {
		h.foundAt = r.at
	}
	if before := h.standing; r.Kind != remediate.LookPrecheck {
		h.stand(r)
		if err := s.addMove(r, before, h.standing); err != nil {
			return err
		}
	}
	if r.answers(remediate.Class(o.class)) {
		*o = failure{}
	}
	return s.exec(`INSERT INTO hosts (name, standing, platform, os, findings, digest, seen_at, boot_id,
			removed_at, bare, bare_since,
			class, detail, tries, failed_at, owed_class, owed_detail, owed_tries, owed_at,
			transport, probe, run, found_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?12, ?13, ?14, ?15, ?17, ?18, ?19, ?20)
		ON CONFLICT DO UPDATE SET standing = ?2, platform = ?3, os = ?4,
			findings = CASE WHEN ?16 THEN ?5 ELSE findings END, digest = ?6, seen_at = ?7, boot_id = ?8,
			removed_at = ?9, bare = ?10, bare_since = ?11,
			class = ?12, detail = ?13, tries = ?14, failed_at = ?15,
			owed_class = ?12, owed_detail = ?13, owed_tries = ?14, owed_at = ?15,
			transport = ?17, probe = ?18, run = ?19, found_at = ?20`,
		r.Host, string(h.standing), string(r.Platform), r.OS, r.findings, r.digest, r.at, r.BootID,
		h.removedAt, h.bare, h.bareSince, o.class, o.detail, o.tries, o.at, r.counts(),
		r.Transport, r.Probe, r.Run, h.foundAt)
}

// addMove writes a change of a standing by a look, if it is one.
func (s *session) addMove(r *lookRecord, before, after remediate.Standing) error {
	if before == after {
		return nil
	}
	return s.exec(`INSERT INTO moves (host, at, before, after, record) VALUES (?, ?, ?, ?, ?)`,
		r.Host, r.at, string(before), string(after), r.record)
}

// stand moves the standing, and what protects the host, by a scan or verify.
func (h *hostRecord) stand(r *lookRecord) {
	if h.bare = r.Bare; h.bare == "" {
		h.bareSince = 0
	} else if h.bareSince == 0 {
		h.bareSince = r.at
	}
	if !r.counts() {
		return
	}
	before := h.standing
	h.standing = before.Next(r.found)
	switch {
	case h.standing != remediate.StandRemoved:
		h.removedAt = 0
	case before != remediate.StandRemoved:
		h.removedAt = r.at
	}
}

// counts reports whether the look tells what is on the host, or is not.
func (r *lookRecord) counts() bool { return r.found || r.Complete }

// answers reports whether a look that did not fail settles an earlier
// attempt that failed with that class: any look does if the attempt did not
// reach the host, else only one that shows that nothing is left to remove.
func (r *lookRecord) answers(class remediate.Class) bool {
	switch class {
	case remediate.ClassUnreachable, remediate.ClassAuth, remediate.ClassUntrusted:
		return true
	}
	return r.Complete && !r.found && r.Kind != remediate.LookPrecheck
}

// failedLook moves a host's state by a look that failed.
func (s *session) failedLook(r *lookRecord) error {
	return s.exec(`INSERT INTO hosts (name, class, detail, tries, failed_at) VALUES (?1, ?2, ?3, 1, ?4)
		ON CONFLICT DO UPDATE SET class = ?2, detail = ?3, failed_at = ?4,
			tries = CASE WHEN class = ?2 THEN tries + 1 ELSE 1 END`,
		r.Host, string(r.Class), r.Detail, r.at)
}

// setOutcome moves a host's state by the outcome of an attempt. One that says
// nothing about the host (stale, not-started, deferred, exempt, ready) leaves
// failures as they are.
func (s *session) setOutcome(host string, o remediate.Outcome, at int64) error {
	err := s.exec(`INSERT INTO hosts (name, last_kind, last_class, last_detail, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET last_kind = ?2, last_class = ?3, last_detail = ?4, last_at = ?5`,
		host, string(o.Kind), string(o.Class), o.Detail, at)
	if err != nil {
		return err
	}
	switch o.Kind {
	case remediate.OutcomeFailed:
		return s.failedAttempt(host, o, at)
	case remediate.OutcomeRemoved, remediate.OutcomeNothingToDo, remediate.OutcomeRebootPending:
		return s.exec(`UPDATE hosts SET class = '', detail = '', tries = 0, failed_at = 0,
			owed_class = '', owed_detail = '', owed_tries = 0, owed_at = 0 WHERE name = ?`, host)
	}
	return nil
}

// failedAttempt moves a host's state by an attempt that failed. One that did
// not reach the host covers what an earlier one is owed, and leaves it.
func (s *session) failedAttempt(host string, o remediate.Outcome, at int64) error {
	err := s.exec(`UPDATE hosts SET class = ?2, detail = ?3, failed_at = ?4,
			tries = CASE WHEN class = ?2 THEN tries + 1 WHEN owed_class = ?2 THEN owed_tries + 1 ELSE 1 END
		WHERE name = ?1`, host, string(o.Class), o.Detail, at)
	if err != nil {
		return err
	}
	return s.exec(`UPDATE hosts SET owed_class = class, owed_detail = detail, owed_tries = tries, owed_at = failed_at
		WHERE name = ?1 AND (?2 <> 'unreachable' OR owed_class IN ('', 'unreachable', 'auth', 'untrusted'))`, host, string(o.Class))
}

// addHost makes sure that the host is listed.
func (s *session) addHost(name string) error {
	return s.exec(`INSERT INTO hosts (name) VALUES (?) ON CONFLICT DO NOTHING`, name)
}
