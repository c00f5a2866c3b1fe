package sqlite

import (
	"oust/remediate"
)

// owed is the failed attempt of a host that nothing has answered yet. While
// a later failure of a look covers it in the host's state, it waits; when
// the host is seen again, it comes back.
type owed struct{ class, detail string }

// seen moves a host's state by a look that did not fail.
func (s *session) seen(r *lookRecord) error {
	standing := string(remediate.StandUnseen)
	var o owed
	_, err := s.get(`SELECT standing, owed_class, owed_detail FROM hosts WHERE name = ?`,
		[]any{r.Host}, &standing, &o.class, &o.detail)
	if err != nil {
		return err
	}
	counts := r.found || r.Complete
	if counts && r.Kind != remediate.LookPrecheck {
		standing = string(remediate.Standing(standing).Next(r.found))
	}
	if r.answers(remediate.Class(o.class)) {
		o = owed{}
	}
	return s.exec(`INSERT INTO hosts (name, standing, platform, os, findings, digest, seen_at,
			class, detail, owed_class, owed_detail)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?9)
		ON CONFLICT DO UPDATE SET standing = ?2, platform = ?3, os = ?4,
			findings = CASE WHEN ?10 THEN ?5 ELSE findings END, digest = ?6, seen_at = ?7,
			class = ?8, detail = ?9, owed_class = ?8, owed_detail = ?9`,
		r.Host, standing, string(r.Platform), r.OS, r.findings, r.digest, r.at, o.class, o.detail, counts)
}

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

// setOutcome moves a host's state by the outcome of an attempt. One that says
// nothing about the host (stale, not-started, ready) leaves failures as they are.
func (s *session) setOutcome(host string, o remediate.Outcome, at int64) error {
	decides := false
	switch o.Kind {
	case remediate.OutcomeFailed, remediate.OutcomeRemoved,
		remediate.OutcomeNothingToDo, remediate.OutcomeRebootPending:
		decides = true
	}
	var failure owed
	if o.Kind == remediate.OutcomeFailed {
		failure = owed{string(o.Class), o.Detail}
	}
	return s.exec(`INSERT INTO hosts (name, last_kind, last_class, last_detail, last_at,
			class, detail, owed_class, owed_detail)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, ?7)
		ON CONFLICT DO UPDATE SET last_kind = ?2, last_class = ?3, last_detail = ?4, last_at = ?5,
			class = CASE WHEN ?8 THEN ?6 ELSE class END, detail = CASE WHEN ?8 THEN ?7 ELSE detail END,
			owed_class = CASE WHEN ?8 THEN ?6 ELSE owed_class END,
			owed_detail = CASE WHEN ?8 THEN ?7 ELSE owed_detail END`,
		host, string(o.Kind), string(o.Class), o.Detail, at, failure.class, failure.detail, decides)
}

// addHost makes sure that the host is listed.
func (s *session) addHost(name string) error {
	return s.exec(`INSERT INTO hosts (name) VALUES (?) ON CONFLICT DO NOTHING`, name)
}
