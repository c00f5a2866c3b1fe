package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"oust/remediate"
	"oust/remediate/ledger"
)

// entry is a record with its number and its text.
type entry struct {
	number int64
	text   []byte
	remediate.Record
}

// repeater writes what records say into an empty store, by the same code that
// wrote it the first time, and holds that the same records come of it.
type repeater struct {
	s        *session
	misfit   func(Misfit)
	earlier  int64   // the last record of what was kept before there was a ledger
	queue    []entry // records that are being repeated
	look     *entry  // a look that may belong to the record after it
	approval []entry // an approval whose hosts and scripts are to come
	missing  int     // as many

	known int // rules that can be repeated
	rules int // in force
	begun remediate.LedgerBegun
	key   string   // in force
	keys  []string // that ever were
}

var errUntold = errors.New("it would be told otherwise, or not at all")

// next is the number of the record that is being repeated.
func (r *repeater) next() int64 {
	if len(r.queue) == 0 {
		return -1
	}
	return r.queue[0].number
}

// append compares the record that is made with the one that is there.
func (r *repeater) append(made remediate.Record) error {
	if len(r.queue) == 0 {
		return errUntold
	}
	made.By = r.queue[0].By
	text, err := ledger.Encode(r.queue[0].number, made)
	if err != nil || !bytes.Equal(text, r.queue[0].text) {
		return errors.Join(errUntold, err)
	}
	r.queue = r.queue[1:]
	return nil
}

// take repeats a record, as soon as those that belong to it are there.
func (r *repeater) take(e entry) {
	if r.missing > 0 {
		if n := parts(e); n > 0 && n <= r.missing {
			r.approval, r.missing = append(r.approval, e), r.missing-n
			if r.missing == 0 {
				r.approve()
			}
			return
		}
		r.misfit(Misfit{Record: e.number, Table: "ledger", Why: "it stands where hosts or scripts of an approval should"})
		r.approval, r.missing = nil, 0
	}
	if look := r.look; look != nil {
		r.look = nil
		if ended, is := e.Body.(remediate.AttemptEnded); is && ended.Looked {
			r.do(func() error { return r.outcome(e, look) }, *look, e)
			return
		}
		r.do(func() error { return r.saveLook(*look) }, *look)
	}
	switch {
	case e.number <= r.earlier && e.number > 0:
		r.carry(e)
	case e.Kind == remediate.RecordLook:
		r.look = &e
	default:
		r.do(func() error { return r.write(e) }, e)
	}
}

// end repeats what waits for more.
func (r *repeater) end() {
	if look := r.look; look != nil {
		r.look = nil
		r.do(func() error { return r.saveLook(*look) }, *look)
	}
	if r.missing > 0 {
		r.misfit(Misfit{Record: r.approval[0].number, Table: "ledger", Why: "hosts or scripts of the approval are not there"})
	}
}

// do repeats records that belong together.
func (r *repeater) do(write func() error, of ...entry) {
	r.queue = append(r.queue[:0], of...)
	err := write()
	if err == nil && len(r.queue) > 0 {
		err = errUntold
	}
	if err != nil {
		first := of[0]
		r.misfit(Misfit{
			Record: first.number, Table: "ledger", Row: first.Host,
			Why: fmt.Sprintf("the record %s does not follow from those before it: %v", first.Kind, err),
		})
	}
	r.queue = nil
}

// parts is the number of hosts or scripts that a record adds to an approval.
func parts(e entry) int {
	switch b := e.Body.(type) {
	case remediate.ApprovedCode:
		return len(b.Scripts)
	case remediate.ApprovedHosts:
		return len(b.Hosts)
	}
	return 0
}

// write repeats one record that stands alone.
func (r *repeater) write(e entry) error {
	at := micros(e.At)
	switch b := e.Body.(type) {
	case remediate.RunBegun:
		return r.s.beginRun(remediate.Run{ID: b.Run, Kind: b.Kind, Plan: b.Plan, Started: e.At, By: b.By, Lowered: b.Lowered})
	case remediate.RunLowered:
		return r.s.lowerRun(remediate.Run{ID: b.Run, Lowered: b.Lowered}, e.At)
	case remediate.RunEnded:
		return r.s.endRun(remediate.Run{ID: b.Run, Exit: b.Exit, Note: b.Note, Ended: e.At})
	case remediate.PlanSaved:
		return r.s.savePlan(b.Plan, b.Digest, at)
	case remediate.ApprovalGiven:
		return r.beginApproval(e, b)
	case remediate.AttemptBegun:
		a, err := begunRecord(e, b)
		if err != nil {
			return err
		}
		return r.s.beginAttempt(a)
	case remediate.AttemptEnded:
		return r.outcome(e, nil)
	case remediate.Exemption:
		return r.s.saveExemption(b)
	case remediate.ExemptionEnded:
		return r.s.endExemption(remediate.Exemption{Host: e.Host, Ended: e.At})
	case remediate.Hold:
		return r.s.saveHold(b)
	case remediate.HoldReleased:
		return r.s.releaseHold(remediate.Hold{Released: e.At, By: b.By})
	case remediate.Reboot:
		return r.s.beginReboot(b, math.MaxInt)
	case remediate.RebootBack:
		return r.s.endReboot(remediate.Reboot{Host: e.Host, BootID: b.BootID, Back: e.At})
	case remediate.KeyTrusted:
		return r.s.trust(e.Host, b.Address, b.Fingerprint, at)
	case remediate.Submission:
		return r.submission(b)
	}
	return r.note(e)
}

// note takes the records of which no row is made.
func (r *repeater) note(e entry) error {
	switch b := e.Body.(type) {
	case remediate.LedgerBegun:
		if e.number != 0 {
			return errors.New("a ledger begins once")
		}
		r.begun, r.key, r.keys, r.earlier = b, b.Key, append(r.keys, b.Key), b.Earlier
		r.rules = max(b.Rules, 1)
	case remediate.RulesChanged:
		if b.Rules <= r.rules {
			return fmt.Errorf("rules %d were in force already", r.rules)
		}
		r.rules = b.Rules
	case remediate.KeyChanged:
		if b.Before != r.key {
			return fmt.Errorf("the key before was %q", r.key)
		}
		r.key, r.keys = b.Key, append(r.keys, b.Key)
	case remediate.Settings:
	default:
		return fmt.Errorf("a record %s does not stand alone", e.Kind)
	}
	r.queue = r.queue[1:]
	return nil
}

func (r *repeater) beginApproval(e entry, b remediate.ApprovalGiven) error {
	r.approval, r.missing = []entry{e}, b.Scripts+b.Hosts
	if r.missing == 0 {
		return r.s.approve(remediate.Approval{Plan: b.Plan, At: e.At, By: b.By})
	}
	r.queue = nil // until the rest is there
	return nil
}

// approve repeats an approval whose parts are all there.
func (r *repeater) approve() {
	of := r.approval
	r.approval = nil
	r.do(func() error {
		given, _ := of[0].Body.(remediate.ApprovalGiven)
		a := remediate.Approval{Plan: given.Plan, At: of[0].At, By: given.By}
		for _, e := range of[1:] {
			switch b := e.Body.(type) {
			case remediate.ApprovedCode:
				a.Scripts = append(a.Scripts, b.Scripts...)
			case remediate.ApprovedHosts:
				for _, host := range b.Hosts {
					a.Hosts = append(a.Hosts, remediate.Planned{Host: host, Wave: b.Wave})
				}
			}
		}
		return r.s.approve(a)
	}, of...)
}
