package sqlite

import (
	"context"
	"fmt"
	"slices"

	"oust/remediate"
)

const approvedQuery = `SELECT DISTINCT script FROM approved_scripts`

// Approve implements remediate.Store.
func (s *Store) Approve(ctx context.Context, a remediate.Approval) error {
	op := "approve plan " + a.Plan
	if err := checkApproval(a); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	a.At, a.By = fromMicros(s.stamp(a.At)), remediate.ClipText(a.By)
	a.Scripts, a.Hosts = slices.Clone(a.Scripts), slices.Clone(a.Hosts)
	return s.write(ctx, op, func(tx *session) error { return tx.approve(a) })
}

func (s *session) approve(a remediate.Approval) error {
	added, err := s.changes(`INSERT INTO approvals (plan, at, person, record) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		a.Plan, micros(a.At), a.By, s.log.next())
	if err != nil || added == 0 {
		return err
	}
	for _, script := range a.Scripts {
		err := s.exec(`INSERT INTO approved_scripts (script, plan) VALUES (?, ?) ON CONFLICT DO NOTHING`, script, a.Plan)
		if err != nil {
			return err
		}
	}
	for _, h := range a.Hosts {
		err := s.exec(`INSERT INTO planned (host, plan, wave) VALUES (?1, ?2, ?3)
			ON CONFLICT DO UPDATE SET plan = ?2, wave = ?3`, h.Host, a.Plan, h.Wave)
		if err != nil {
			return err
		}
	}
	err = s.exec(`INSERT INTO hosts (name) SELECT host FROM planned WHERE plan = ? ON CONFLICT DO NOTHING`, a.Plan)
	for _, r := range a.Records() {
		if err == nil {
			err = s.log.append(r)
		}
	}
	return err
}

func checkApproval(a remediate.Approval) error {
	if err := checkName("plan", a.Plan); err != nil {
		return err
	}
	for _, script := range a.Scripts {
		if err := checkName("script", script); err != nil {
			return err
		}
	}
	named := make(map[string]bool, len(a.Hosts))
	for _, h := range a.Hosts {
		if err := checkName("host", h.Host); err != nil {
			return err
		}
		switch {
		case h.Wave < 1:
			return fmt.Errorf("%s is in wave %d; the first is 1", h.Host, h.Wave)
		case named[h.Host]:
			return fmt.Errorf("%s is named twice", h.Host)
		}
		named[h.Host] = true
	}
	return nil
}

// ApprovedScripts implements remediate.Store.
func (s *Store) ApprovedScripts(ctx context.Context) (map[string]bool, error) {
	const op = "approved scripts"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	scripts, err := collect(ctx, s.reads, func(row scanner, script *string) error { return row.Scan(script) }, approvedQuery)
	if err != nil {
		return nil, explain(op, err)
	}
	out := make(map[string]bool, len(scripts))
	for _, script := range scripts {
		out[script] = true
	}
	return out, nil
}
