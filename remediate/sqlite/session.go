package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"oust/remediate"
)

// session is the connection that writes, with its statements prepared. It
// belongs to one goroutine. Its statements take no context: a transaction
// that others share is not for one of them to cancel.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	// log takes the records of what is written. In the session of a store it is
	// the appender; one that only repeats records has none.
	log      recorder
	appender *appender
	// carried are the standings of hosts so far, and carriedTo the row that came
	// last, while what older versions wrote is brought into the ledger.
	carried   map[string]remediate.Standing
	carriedTo int64
}

func newSession(conn *sql.Conn) *session {
	return &session{conn: conn, stmts: map[string]*sql.Stmt{}}
}

// prepare returns the statement for a query, which must be a constant: each
// is kept until the session closes.
func (s *session) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := s.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s.stmts[query] = stmt
	return stmt, nil
}

func (s *session) exec(query string, args ...any) error {
	_, err := s.result(query, args...)
	return err
}

func (s *session) result(query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.Exec(args...)
}

// changes runs a statement and returns how many rows it changed.
func (s *session) changes(query string, args ...any) (int64, error) {
	res, err := s.result(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get scans the first row into dest; it reports whether there was one.
func (s *session) get(query string, args []any, dest ...any) (bool, error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return false, err
	}
	err = stmt.QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}
