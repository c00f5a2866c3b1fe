package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
)

// Misfits that are told one by one: to a person, and in JSON.
const (
	fewMisfits  = 10
	mostMisfits = 1000
)

// misfitMessage is something that is not as it was written.
type misfitMessage struct {
	Type   string `json:"type"`
	Record int64  `json:"record"`          // -1 for none
	Where  string `json:"where,omitempty"` // of the store
	Why    string `json:"why"`
}

func (m misfitMessage) String() string {
	s := m.Why
	if m.Where != "" {
		s = m.Where + ": " + s
	}
	if m.Record >= 0 {
		return fmt.Sprintf("record %d: %s", m.Record, s)
	}
	return s
}

// auditMessage is what an audit has found.
type auditMessage struct {
	Type     string    `json:"type"`
	Campaign string    `json:"campaign,omitempty"`
	Records  int64     `json:"records"`
	Earlier  int64     `json:"earlier,omitempty"`
	Hosts    int       `json:"hosts"`
	From     time.Time `json:"from,omitzero"` // the earliest time of a record, To the latest
	To       time.Time `json:"to,omitzero"`
	Heads    int       `json:"heads"`
	Known    int       `json:"known"`
	// KnownSize and KnownAt are of the newest head that was kept elsewhere and
	// fits; what was recorded after it rests on what is kept here alone.
	KnownSize int64          `json:"known_size,omitempty"`
	KnownAt   time.Time      `json:"known_at,omitzero"`
	Keys      []ledger.Span  `json:"keys"`
	Trusted   string         `json:"trusted,omitempty"`
	By        string         `json:"trusted_by"` // where the trusted key comes from
	Size      int64          `json:"head_size,omitempty"`
	Root      string         `json:"head_root,omitempty"`
	Signed    time.Time      `json:"head_at,omitzero"`
	Misfits   int64          `json:"misfits"`
	First     *misfitMessage `json:"first,omitempty"`
	Bundle    string         `json:"bundle,omitempty"`
}

// audit is one audit under way.
type audit struct {
	a       *app
	store   *sqlite.Store
	options auditOptions
	line    *auditLine

	report   ledger.Report
	message  auditMessage
	misfits  []misfitMessage // the first ones
	evidence bundleIndex
}

// auditLedger checks everything and tells what it has found.
func (a *app) auditLedger(ctx context.Context, o auditOptions) error {
	defer hurry()()
	if o.bundle != "" {
		if err := mustBeNew(o.bundle); err != nil {
			return err
		}
	}
	s, err := a.openEvidence(ctx)
	if err != nil {
		return err
	}
	u := &audit{a: a, store: s, options: o, evidence: newBundleIndex(o), line: a.newAuditLine()}
	err = u.check(ctx)
	u.line.Close()
	if err != nil {
		return err
	}
	bad := u.message.Misfits > 0 || u.message.Records == 0
	if o.bundle != "" && !bad {
		if err := u.writeBundle(ctx); err != nil {
			return err
		}
		u.message.Bundle = o.bundle
	}
	if err := u.tell(); err != nil {
		return err
	}
	if bad {
		return &exitError{engine.ExitFailed}
	}
	return nil
}

// check fills the message.
func (u *audit) check(ctx context.Context) error {
	keys, from, err := u.a.trusted(u.options.keys)
	if err != nil {
		return err
	}
	known, err := u.known()
	if err != nil {
		return err
	}
	size, err := u.store.LedgerSize(ctx)
	if err != nil {
		return err
	}
	u.line.step("ledger")
	options := ledger.CheckOptions{Trusted: keys, Known: known, Record: func(n int64, r remediate.Record) error {
		u.line.at(n+1, size)
		return u.record(n, r)
	}, Misfit: func(m ledger.Misfit) error {
		u.misfit(misfitMessage{Record: m.Record, Why: m.Why})
		return nil
	}}
	if u.report, err = ledger.Check(ctx, u.store, options); err != nil {
		return err
	}
	u.line.step("store")
	err = u.store.CheckLedger(ctx, func(m sqlite.Misfit) error {
		where := strings.TrimSpace(m.Table + " " + m.Row)
		u.misfit(misfitMessage{Record: m.Record, Where: where, Why: m.Why})
		return nil
	}, u.line.at)
	if _, newer := errors.AsType[*ledger.NewerRulesError](err); newer && u.message.Misfits > 0 {
		err = nil // the ledger itself does not fit, which is worth more
	}
	if err != nil {
		return err
	}
	r, m := u.report, &u.message
	m.Type, m.By, m.Campaign, m.Records, m.Earlier, m.Hosts = "audit", from, r.Campaign, r.Records, r.Earlier, r.Hosts
	m.Heads, m.Known, m.Keys, m.Trusted = r.Heads, r.Known, r.Keys, r.Trusted
	if r.Known > 0 {
		m.KnownSize, m.KnownAt = r.KnownHead.Size, r.KnownHead.At
	}
	if r.HeadText != "" {
		m.Size, m.Root, m.Signed = r.Head.Size, base64.StdEncoding.EncodeToString(r.Head.Root[:]), r.Head.At
	}
	return nil
}

// known reads the heads that were kept elsewhere.
func (u *audit) known() (known []ledger.Known, err error) {
	var witnesses []string
	for _, given := range u.options.witnesses {
		key, err := readPublicKey(given)
		if err != nil {
			return nil, fmt.Errorf("--witness: %w", err)
		}
		witnesses = append(witnesses, key)
	}
	for _, file := range u.options.known {
		text, err := readHead(file)
		if err != nil {
			return nil, fmt.Errorf("--known: %w", err)
		}
		known = append(known, ledger.Known{Name: file, Text: text, Witnesses: witnesses})
	}
	return known, nil
}

// record sees every record that is well.
func (u *audit) record(n int64, r remediate.Record) error {
	if u.message.From.IsZero() || r.At.Before(u.message.From) {
		u.message.From = r.At
	}
	if r.At.After(u.message.To) {
		u.message.To = r.At
	}
	u.evidence.add(r)
	return nil
}

// misfit notes something that does not fit. The store is held against the
// ledger as that is: where a record of it is wrong itself, what follows from
// that in the store stands with records before it, and does not name them.
func (u *audit) misfit(m misfitMessage) {
	m.Type = "misfit"
	u.message.Misfits++
	first := u.message.First
	if first == nil || m.Record >= 0 && (first.Record < 0 || m.Record < first.Record && (m.Where == "" || first.Where != "")) {
		u.message.First = &m
	}
	if len(u.misfits) < mostMisfits {
		u.misfits = append(u.misfits, m)
	}
}

// tell prints what was found.
func (u *audit) tell() error {
	if u.a.json {
		var errs []error
		for _, m := range u.misfits {
			errs = append(errs, u.a.printJSON(m))
		}
		return errors.Join(append(errs, u.a.printJSON(u.message))...)
	}
	return lines(u.a.Out, u.lines())
}

func (u *audit) lines() []string {
	m := u.message
	out := []string{fmt.Sprintf("The ledger of %s: %s of %s", printable(m.Campaign), plural(int(m.Records), "record"), plural(m.Hosts, "host"))}
	row := func(name, format string, args ...any) {
		out = append(out, fmt.Sprintf("  %-9s ", name)+printable(fmt.Sprintf(format, args...)))
	}
	if m.Records > 0 {
		row("from", "%s to %s", minute(m.From), minute(m.To))
	}
	if m.Earlier > 0 {
		row("earlier", "%s of before there was a ledger; they prove nothing about the time before it", plural(int(m.Earlier), "record"))
	}
	if m.Size > 0 {
		row("signed", "%s, the first %s, root %s", minute(m.Signed), plural(int(m.Size), "record"), m.Root)
	}
	row("heads", "%d kept here, %d kept elsewhere", m.Heads, m.Known)
	if m.Size > 0 {
		row("against", "%s", u.against())
	}
	for _, k := range m.Keys {
		row("key", "%s%s", k.Key, since(k))
	}
	row("trusted", "%s", u.trust())
	if m.Bundle != "" {
		row("bundle", "%s; what is in it, and how to check it, stands in its README.md", m.Bundle)
	}
	return append(out, u.verdict()...)
}

// minute is a time for people.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// since says from where on a key has signed.
func since(k ledger.Span) string {
	switch {
	case k.From == 0:
		return ""
	case k.Consent:
		return fmt.Sprintf(", from record %d on, with the consent of the key before", k.From)
	}
	return fmt.Sprintf(", from record %d on, without the consent of the key before", k.From)
}

// against says what the newest head was held against.
func (u *audit) against() string {
	m := u.message
	switch {
	case m.Known == 0:
		return "no head that was kept elsewhere, so an older copy of this whole folder would pass as well; 'oust" + u.a.dirFlag() +
			" audit --head' prints one to keep out of this machine's reach"
	case m.KnownSize == m.Size:
		return fmt.Sprintf("the head of %s that was kept elsewhere: it is of all records", minute(m.KnownAt))
	}
	return fmt.Sprintf("the head of %s that was kept elsewhere, of the first %s; what came after rests on this folder alone",
		minute(m.KnownAt), plural(int(m.KnownSize), "record"))
}

// trust says whose word the newest head has.
func (u *audit) trust() string {
	m := u.message
	if m.Trusted == "" {
		return "no key that signs here is trusted (by " + m.By + ")"
	}
	if u.report.Declared {
		return keyLine(m.Trusted) + ", which the ledger itself names; --key shows whether it is the right one"
	}
	return keyLine(m.Trusted) + " (" + m.By + ")"
}

func (u *audit) verdict() []string {
	m := u.message
	switch {
	case m.Records == 0 && m.Misfits == 0:
		return []string{"Nothing is recorded."}
	case m.Misfits == 0:
		return []string{"Everything is as it was written."}
	}
	out := []string{"NOT AS IT WAS WRITTEN: " + printable(m.First.String())}
	if m.Misfits > 1 {
		out = append(out, fmt.Sprintf("%s do not fit:", plural(int(m.Misfits), "thing")))
		for _, one := range u.misfits[:min(len(u.misfits), fewMisfits)] {
			out = append(out, "  "+printable(one.String()))
		}
	}
	if u.options.bundle != "" {
		out = append(out, "No bundle was written.")
	}
	return out
}
