package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
)

// chapter is one thing that happened to a host.
type chapter struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	Text string    `json:"text"`
	Log  []string  `json:"log,omitempty"`
	// Record is the number of the record in the ledger that says so.
	Record int64 `json:"record"`
}

// storyteller tells what the ledger has of a host. What uninstallers printed
// is in the store alone; the ledger names it by its digest.
type storyteller struct {
	attempts map[string]remediate.Attempt
	ended    map[string]bool
	full     bool
}

// story tells in order what is recorded of a host; full leaves out nothing of
// what uninstallers printed.
func (w *workspace) story(ctx context.Context, host string, full bool) ([]chapter, error) {
	t := storyteller{attempts: map[string]remediate.Attempt{}, ended: map[string]bool{}, full: full}
	for at, err := range w.store.HostAttempts(ctx, host) {
		if err != nil {
			return nil, fmt.Errorf("read the attempts: %w", err)
		}
		t.attempts[at.ID] = at
	}
	records, err := w.hostRecords(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if b, ok := r.Body.(remediate.AttemptEnded); ok {
			t.ended[b.Attempt] = true
		}
	}
	approved, err := w.approvals(ctx, host)
	if err != nil {
		return nil, err
	}
	var out []chapter
	for _, r := range append(approved, records...) {
		for _, c := range t.tell(r.Record) {
			c.Record = r.number
			out = append(out, c)
		}
	}
	// A restart may be recorded after what followed it.
	slices.SortStableFunc(out, func(a, b chapter) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Record, b.Record)) })
	return out, nil
}

// numbered is a record and its number.
type numbered struct {
	remediate.Record
	number int64
}

// approvals reads the records in which persons approved a script for a host.
func (w *workspace) approvals(ctx context.Context, host string) ([]numbered, error) {
	firsts, err := w.store.ApprovalRecords(ctx)
	if err != nil {
		return nil, err
	}
	var out []numbered
	for _, first := range firsts {
		for e, err := range w.store.Ledger(ctx, first+1) {
			n, r, err := decoded(e, err)
			if err != nil {
				return nil, err
			}
			if r.Kind != remediate.RecordApprovedHosts && r.Kind != remediate.RecordApprovedCode {
				break
			}
			if b, ok := r.Body.(remediate.ApprovedHosts); ok && slices.Contains(b.Hosts, host) {
				out = append(out, numbered{r, n})
			}
		}
	}
	return out, nil
}

func decoded(e remediate.LedgerEntry, err error) (int64, remediate.Record, error) {
	if err != nil {
		return 0, remediate.Record{}, fmt.Errorf("read the ledger: %w", err)
	}
	n, r, err := ledger.Decode(e.Text)
	if err != nil {
		err = fmt.Errorf("record %d of the ledger: %w; 'oust audit' checks all of it", e.Number, err)
	}
	return n, r, err
}

// hostRecords reads the records of a host.
func (w *workspace) hostRecords(ctx context.Context, host string) ([]numbered, error) {
	var out []numbered
	for e, err := range w.store.HostLedger(ctx, host) {
		n, r, err := decoded(e, err)
		if err != nil {
			return nil, err
		}
		out = append(out, numbered{r, n})
	}
	return out, nil
}

// tell makes a record a chapter, or two, or none.
func (t storyteller) tell(r remediate.Record) []chapter {
	one := func(what, format string, args ...any) []chapter {
		return []chapter{{At: r.At, What: what, Text: fmt.Sprintf(format, args...)}}
	}
	switch b := r.Body.(type) {
	case remediate.LookTaken:
		return []chapter{lookChapter(r.At, b)}
	case remediate.ApprovedHosts:
		return one("approved", "wave %d of plan %s, by %s", b.Wave, b.Plan, cmp.Or(r.By, "somebody whose name was not recorded"))
	case remediate.AttemptBegun:
		return []chapter{t.begun(r.At, b)}
	case remediate.AttemptEnded:
		return []chapter{t.outcome(r.At, b)}
	case remediate.Exemption:
		return one("exempt", "until %s: %s", b.Until.UTC().Format("2006-01-02 15:04 UTC"), exemptionWords(b))
	case remediate.ExemptionEnded:
		return one("exempt", "ended by %s", cmp.Or(b.By, r.By))
	case remediate.Reboot:
		return one("restart", "asked for, to end boot %s", b.BootID)
	case remediate.RebootBack:
		return one("restart", "back: boot %s has ended", b.BootID)
	case remediate.KeyTrusted:
		return one("trust", "the key %s of %s was accepted on first sight", b.Fingerprint, b.Address)
	case remediate.StateCarried:
		return one("state", "%s when the ledger began; what is told of before then is not proved", b.Standing)
	}
	return one(string(r.Kind), "by %s", r.By)
}

func exemptionWords(x remediate.Exemption) string {
	s := fmt.Sprintf("%s (%s)", x.Reason, x.Approver)
	if x.Ground != "" {
		s += ", ground " + x.Ground
	}
	if x.Mitigation != "" {
		s += "; instead: " + x.Mitigation
	}
	return s
}

func lookChapter(at time.Time, l remediate.LookTaken) chapter {
	c := chapter{At: at, What: string(l.Kind)}
	switch {
	case l.Class != "":
		c.Text = fmt.Sprintf("%s: %s", l.Class, l.Detail)
	case len(l.Findings) == 0 && l.Complete:
		c.Text = "nothing found"
	case len(l.Findings) == 0:
		c.Text = "nothing found, but the look was not complete"
	default:
		var ev []string
		for _, f := range l.Findings {
			for _, e := range f.Evidence {
				ev = append(ev, e.Kind+" "+e.Value)
			}
		}
		c.Text = "found " + findingsText(l.Findings) + " (" + strings.Join(ev, ", ") + ")"
	}
	for _, note := range []string{l.Detail, l.Bare} {
		if l.Class == "" && note != "" {
			c.Text += "; note: " + note
		}
	}
	if l.Transport != "" {
		how := "over " + l.Transport
		if l.Address != "" {
			how += " at " + l.Address
		}
		if l.Probe != "" {
			how += ", probe " + shortDigest(l.Probe)
		}
		if l.Raw != "" {
			how += ", raw text " + shortDigest(l.Raw)
		}
		c.Log = []string{how}
	}
	return c
}

// begun tells the intent, and of an attempt that is open still, how far it is.
func (t storyteller) begun(at time.Time, b remediate.AttemptBegun) chapter {
	c := chapter{At: at, What: "attempt", Text: b.Attempt}
	if b.Script != "" {
		c.Text += " runs script " + b.Script
	}
	if b.Plan != "" {
		c.Text += " of plan " + b.Plan
	}
	if known, ok := t.attempts[b.Attempt]; ok && !t.ended[b.Attempt] {
		c.Text += ", open in phase " + string(known.Phase)
		c.Log = journalLines(known.Journal)
	}
	return c
}

func journalLines(js []remediate.JournalEntry) (out []string) {
	for _, j := range js {
		out = append(out, fmt.Sprintf("%s %s", j.At.UTC().Format(utcTime), j.Phase))
	}
	return out
}

const utcTime = "2006-01-02 15:04:05 UTC"

func (t storyteller) outcome(at time.Time, b remediate.AttemptEnded) chapter {
	c := chapter{At: at, What: "outcome", Text: outcomeText(remediate.Outcome{Kind: b.Outcome, Class: b.Class, Detail: b.Detail})}
	if b.Script == "" {
		return c
	}
	c.Log = journalLines(b.Journal)
	if steps, err := remediate.ParseStepResults(b.Result); err == nil {
		for _, s := range steps {
			c.Log = append(c.Log, fmt.Sprintf("step %d %s, exit code %d: %s", s.Step, s.Verdict, s.Exit, s.What))
		}
	}
	if b.Log == "" {
		return c
	}
	c.Log = append(c.Log, "printed, "+shortDigest(b.Log)+":")
	most := 20
	if t.full {
		most = 0
	}
	c.Log = append(c.Log, lastLines(t.attempts[b.Attempt].Log, most)...)
	return c
}

// lastLines are the end of a log, where errors stand: at most so many lines,
// or all for 0.
func lastLines(log []byte, most int) []string {
	text := strings.TrimRight(strings.ReplaceAll(strings.ToValidUTF8(string(log), "?"), "\r\n", "\n"), "\n")
	if text == "" {
		return nil
	}
	ls := strings.Split(text, "\n")
	if most > 0 && len(ls) > most {
		before := "(1 line before; --full prints it)"
		if n := len(ls) - most; n > 1 {
			before = fmt.Sprintf("(%d lines before; --full prints them)", n)
		}
		ls = append([]string{before}, ls[len(ls)-most:]...)
	}
	return ls
}

// moment tells a time in UTC and, where the host is in another zone, there.
func moment(at time.Time, zone *time.Location) string {
	utc := at.UTC()
	s := utc.Format(utcTime)
	if zone == nil {
		return s
	}
	there := at.In(zone)
	if name, offset := there.Zone(); offset != 0 || name != "UTC" {
		layout := "15:04:05 MST"
		if there.Day() != utc.Day() {
			layout = "01-02 " + layout
		}
		s += " (" + there.Format(layout) + ")"
	}
	return s
}
