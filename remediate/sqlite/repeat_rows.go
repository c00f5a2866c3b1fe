package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"oust/remediate"
)

// told stands for a text of which the ledger knows only the digest.
var told = packed{size: 1, data: []byte{0}}

// lookRow is the look that a record tells, without its text.
func lookRow(e entry) (*lookRecord, error) {
	b, ok := e.Body.(remediate.LookTaken)
	if !ok {
		return nil, errors.New("it is no look")
	}
	l := &lookRecord{at: micros(e.At), Look: remediate.Look{
		Host: e.Host, Kind: b.Kind, Run: b.Run, At: e.At, RawDigest: b.Raw, Transport: b.Transport, Address: b.Address,
		Probe: b.Probe, Platform: b.Platform, OS: b.OS, BootID: b.BootID, Findings: b.Findings, Complete: b.Complete,
		Class: b.Class, Detail: b.Detail, Bare: b.Bare,
	}}
	if err := l.setFindings(); err != nil {
		return nil, err
	}
	var err error
	if l.digest, err = parseDigest(b.Raw); err != nil {
		return nil, err
	}
	if l.digest != nil {
		l.raw = told
	}
	return l, nil
}

func (r *repeater) saveLook(e entry) error {
	look, err := lookRow(e)
	if err != nil {
		return err
	}
	return r.s.saveLook(look)
}

// begunRecord is the attempt whose intent a record tells.
func begunRecord(e entry, b remediate.AttemptBegun) (*attemptRecord, error) {
	a := &attemptRecord{started: micros(e.At), updated: micros(e.At), Attempt: remediate.Attempt{
		ID: b.Attempt, Run: b.Run, Host: e.Host, Plan: b.Plan, Script: b.Script, Address: b.Address,
		Phase: remediate.PhaseIntended, Started: e.At, Updated: e.At,
	}}
	return a, a.setPlaybooks(b.Playbooks)
}

// endedRecord is the attempt whose outcome a record tells, and the journal
// that it had before.
func endedRecord(e entry, b remediate.AttemptEnded) (a *attemptRecord, before []remediate.JournalEntry, err error) {
	a = &attemptRecord{started: micros(b.Started), updated: micros(e.At), Attempt: remediate.Attempt{
		ID: b.Attempt, Run: b.Run, Host: e.Host, Plan: b.Plan, Script: b.Script, Address: b.Address, BootID: b.BootID,
		Phase: remediate.PhaseClosed, Started: b.Started, Updated: e.At, Exit: b.Exit, Result: b.Result,
		Outcome: remediate.Outcome{Kind: b.Outcome, Class: b.Class, Detail: b.Detail}, Journal: b.Journal,
	}}
	if n := len(b.Journal); n > 0 {
		a.Phase, before = b.Journal[n-1].Phase, b.Journal[:n-1]
	}
	if a.logDigest, err = parseDigest(b.Log); err != nil {
		return nil, nil, err
	}
	if a.logDigest != nil {
		a.hasLog, a.log = true, told
	}
	return a, before, a.setPlaybooks(b.Playbooks)
}

// outcome repeats an outcome, with the look that it rests on or nil.
func (r *repeater) outcome(e entry, look *entry) error {
	b, ok := e.Body.(remediate.AttemptEnded)
	if !ok {
		return errors.New("it is no outcome")
	}
	if b.Looked && look == nil {
		return errors.New("the look that it rests on is not there")
	}
	a, before, err := endedRecord(e, b)
	if err != nil {
		return err
	}
	phase := remediate.PhaseIntended
	if n := len(before); n > 0 {
		phase = before[n-1].Phase
	}
	err = r.s.exec(`UPDATE attempts SET journal = ?, phase = ? WHERE id = ? AND kind = ''`, journalText(before), string(phase), b.Attempt)
	if err != nil {
		return err
	}
	if look == nil {
		return r.s.closeAttempt(a, nil)
	}
	l, err := lookRow(*look)
	if err != nil {
		return err
	}
	return r.s.closeAttempt(a, l)
}

// journalText is the inverse of parseJournal.
func journalText(entries []remediate.JournalEntry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %d\n", e.Phase, micros(e.At))
	}
	return b.String()
}

func (r *repeater) submission(b remediate.Submission) error {
	files, err := submittedFiles(b.Files)
	if err != nil {
		return err
	}
	return r.s.saveSubmission(b, files)
}

// carry repeats a record of what was kept before there was a ledger.
func (r *repeater) carry(e entry) {
	r.do(func() error {
		if e.By != "" {
			return errors.New("nobody knows who wrote what was kept before the ledger")
		}
		switch b := e.Body.(type) {
		case remediate.LookTaken:
			return r.carried(r.carryLook(e))
		case remediate.AttemptBegun:
			a, err := begunRecord(e, b)
			if err != nil {
				return err
			}
			_, err = r.s.addAttempt(a, e.number, nil)
			return r.carried(err)
		case remediate.AttemptEnded:
			return r.carried(r.carryOutcome(e, b))
		case remediate.Hold:
			return r.carried(r.s.exec(`INSERT INTO holds (at, reason, run, plan, wave, released, person, record)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
				micros(b.At), b.Reason, b.Run, b.Plan, b.Wave, micros(b.Released), b.By, e.number))
		case remediate.Exemption:
			return r.carried(r.s.insertExemption(b))
		case remediate.Reboot:
			return r.carried(r.s.insertReboot(b))
		case remediate.StateCarried:
			return r.carried(r.s.putCarried(carriedHost{name: e.Host, StateCarried: b}))
		}
		return r.write(e)
	}, e)
}

// carried ends the repetition of a record that has written its row.
func (r *repeater) carried(err error) error {
	r.queue = nil
	return err
}

func (r *repeater) carryLook(e entry) error {
	look, err := lookRow(e)
	if err != nil {
		return err
	}
	if err := r.s.insertLook(look); err != nil {
		return err
	}
	return r.s.carryMove(look)
}

func (r *repeater) carryOutcome(e entry, b remediate.AttemptEnded) error {
	a, _, err := endedRecord(e, b)
	if err != nil {
		return err
	}
	known, err := r.s.addAttempt(a, nil, e.number)
	if err != nil {
		return err
	}
	return r.s.exec(`UPDATE attempts SET journal = ? WHERE seq = ?`, journalText(b.Journal), known.seq)
}

// submittedFiles is how the files of a submission are kept.
func submittedFiles(files []remediate.FileDigest) (string, error) {
	if len(files) == 0 {
		files = nil
	}
	text, err := json.Marshal(files)
	return string(text), err
}
