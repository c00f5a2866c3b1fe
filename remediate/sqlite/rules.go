package sqlite

import (
	"context"
	"fmt"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
)

// The rules by which records were written (remediate.LedgerRules) stand in the
// header of the file as well, as its user_version
// (https://www.sqlite.org/pragma.html#pragma_user_version), so that an older
// program does not add to them. Files of before they had a number have 0 there.
const rulesQuery = `SELECT max(user_version, 1) FROM pragma_user_version`

// setRules is for a transaction, as everything else in the file.
func (s *session) setRules(rules int) error {
	_, err := s.conn.ExecContext(context.Background(), fmt.Sprintf(`PRAGMA user_version = %d`, rules))
	return err
}

// takeRules records that this program writes by other rules than the one
// before it did.
func (s *session) takeRules(known int, at time.Time) error {
	var header int
	if _, err := s.get(rulesQuery, nil, &header); err != nil || header >= known {
		return err
	}
	recorded, err := s.recordedRules()
	if err != nil {
		return err
	}
	return s.alone("take up the rules of this version", func(tx *session) error {
		if err := tx.setRules(max(known, recorded)); err != nil || recorded >= known {
			return err // the header alone was lost, as in a store that was put together again from a dump
		}
		return tx.log.append(remediate.Record{Kind: remediate.RecordRules, At: at, Body: remediate.RulesChanged{Rules: known}})
	})
}

// recordedRules are those that the ledger itself tells, by reading all of it.
func (s *session) recordedRules() (rules int, err error) {
	query := fmt.Sprintf(`SELECT text FROM ledger WHERE seq = 0 OR instr(text, CAST('"kind":"%s"' AS BLOB)) > 0`, remediate.RecordRules)
	err = s.each(query, nil, func(row scanner) error {
		var text []byte
		err := row.Scan(&text)
		rules = max(rules, ledger.RulesOf(text))
		return err
	})
	return rules, err
}
