package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"oust/remediate"
)

// Note implements remediate.Store.
func (s *Store) Note(ctx context.Context, r remediate.Record) error {
	op := fmt.Sprintf("note %s", r.Kind)
	if r.Kind != remediate.RecordSettings {
		return fmt.Errorf("%s: only settings are noted; the rest is recorded with what it tells", op)
	}
	r.At, r.By = fromMicros(s.stamp(r.At)), remediate.ClipText(r.By)
	return s.write(ctx, op, func(tx *session) error { return tx.log.append(r) })
}

// SaveSubmission implements remediate.Store.
func (s *Store) SaveSubmission(ctx context.Context, sub remediate.Submission) error {
	op := fmt.Sprintf("save submission of the report %s", sub.Report)
	kept := remediate.Submission{
		Report: sub.Report, At: fromMicros(s.stamp(sub.At)), By: remediate.ClipText(sub.By), To: remediate.ClipText(sub.To),
	}
	err := checkName("report", string(sub.Report))
	if len(sub.Files) > remediate.MaxSubmitted {
		err = errors.Join(err, fmt.Errorf("%d files are more than %d", len(sub.Files), remediate.MaxSubmitted))
	}
	for _, f := range sub.Files {
		err = errors.Join(err, checkShort(f.Digest))
		kept.Files = append(kept.Files, remediate.FileDigest{Name: remediate.ClipText(f.Name), Digest: f.Digest})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	files, err := submittedFiles(kept.Files)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(tx *session) error { return tx.saveSubmission(kept, files) })
}

func (s *session) saveSubmission(sub remediate.Submission, files string) error {
	at := micros(sub.At)
	var person, known string
	switch found, err := s.get(`SELECT person, files FROM submissions WHERE report = ? AND at = ? AND receiver = ?`,
		[]any{string(sub.Report), at, sub.To}, &person, &known); {
	case err != nil:
		return err
	case found && (person != sub.By || known != files):
		return errors.New("another one of that time, to the same, is recorded")
	case found:
		return nil
	}
	err := s.exec(`INSERT INTO submissions (report, at, person, receiver, files, record) VALUES (?, ?, ?, ?, ?, ?)`,
		string(sub.Report), at, sub.By, sub.To, files, s.log.next())
	if err != nil {
		return err
	}
	return s.log.append(sub.Record())
}

const submissionsQuery = `SELECT report, at, person, receiver, files FROM submissions ORDER BY at, seq`

// Submissions implements remediate.Store.
func (s *Store) Submissions(ctx context.Context) ([]remediate.Submission, error) {
	const op = "submissions"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	subs, err := collect(ctx, s.reads, func(row scanner, sub *remediate.Submission) error {
		var at int64
		var files string
		if err := row.Scan((*string)(&sub.Report), &at, &sub.By, &sub.To, &files); err != nil {
			return err
		}
		sub.At = fromMicros(at)
		return json.Unmarshal([]byte(files), &sub.Files)
	}, submissionsQuery)
	return subs, explain(op, err)
}
