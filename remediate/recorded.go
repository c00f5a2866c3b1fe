package remediate

import (
	"slices"
	"time"
)

// The methods here say which record is made of what a store keeps: of the
// fields as they are kept, not as a caller gave them. Record.By is the store's
// to fill in.

// Record tells the look.
func (l Look) Record() Record {
	return Record{Kind: RecordLook, At: l.At, Host: l.Host, Body: LookTaken{
		Kind: l.Kind, Run: l.Run, Raw: l.RawDigest, Transport: l.Transport, Address: l.Address, Probe: l.Probe,
		Platform: l.Platform, OS: l.OS, BootID: l.BootID, Complete: l.Complete, Class: l.Class, Detail: l.Detail,
		Bare: l.Bare, Findings: l.Findings,
	}}
}

// BegunRecord tells that the run began.
func (r Run) BegunRecord() Record {
	return Record{Kind: RecordRun, At: r.Started, Body: RunBegun{Run: r.ID, Kind: r.Kind, Plan: r.Plan, By: r.By, Lowered: r.Lowered}}
}

// LoweredRecord tells that a guard was switched off for a run after it began.
func (r Run) LoweredRecord(at time.Time) Record {
	return Record{Kind: RecordRunLowered, At: at, Body: RunLowered{Run: r.ID, Lowered: r.Lowered}}
}

// EndedRecord tells how the run ended.
func (r Run) EndedRecord() Record {
	return Record{Kind: RecordRunEnded, At: r.Ended, Body: RunEnded{Run: r.ID, Exit: r.Exit, Note: r.Note}}
}

// PlanRecord tells that a plan was saved.
func PlanRecord(id, digest string, at time.Time) Record {
	return Record{Kind: RecordPlan, At: at, Body: PlanSaved{Plan: id, Digest: digest}}
}

// Records tells the approval: first the yes itself, then its scripts and its
// hosts, both sorted, the hosts wave by wave. A script that is named twice
// counts once.
func (a Approval) Records() []Record {
	scripts := slices.Compact(slices.Sorted(slices.Values(a.Scripts)))
	out := []Record{{Kind: RecordApproval, At: a.At, Body: ApprovalGiven{
		Plan: a.Plan, By: a.By, Scripts: len(scripts), Hosts: len(a.Hosts),
	}}}
	for some := range slices.Chunk(scripts, MaxApproved) {
		out = append(out, Record{Kind: RecordApprovedCode, At: a.At, Body: ApprovedCode{Plan: a.Plan, Scripts: some}})
	}
	waves := map[int][]string{}
	for _, h := range a.Hosts {
		waves[h.Wave] = append(waves[h.Wave], h.Host)
	}
	numbers := make([]int, 0, len(waves))
	for wave := range waves {
		numbers = append(numbers, wave)
	}
	slices.Sort(numbers)
	for _, wave := range numbers {
		slices.Sort(waves[wave])
		for some := range slices.Chunk(waves[wave], MaxApproved) {
			out = append(out, Record{Kind: RecordApprovedHosts, At: a.At, Body: ApprovedHosts{Plan: a.Plan, Wave: wave, Hosts: some}})
		}
	}
	return out
}

// BegunRecord tells the intent.
func (a Attempt) BegunRecord() Record {
	return Record{Kind: RecordAttempt, At: a.Started, Host: a.Host, Body: AttemptBegun{
		Attempt: a.ID, Run: a.Run, Plan: a.Plan, Script: a.Script, Playbooks: a.Playbooks, Address: a.Address,
	}}
}

// EndedRecord tells the outcome. log is the digest of the attempt's log, empty
// if there is none; looked says that the record before this one is the look
// that the outcome rests on.
func (a Attempt) EndedRecord(log string, looked bool) Record {
	return Record{Kind: RecordOutcome, At: a.Updated, Host: a.Host, Body: AttemptEnded{
		Attempt: a.ID, Run: a.Run, Plan: a.Plan, Script: a.Script, Playbooks: a.Playbooks, Address: a.Address,
		BootID: a.BootID, Started: a.Started, Exit: a.Exit, Result: a.Result, Log: log,
		Outcome: a.Outcome.Kind, Class: a.Outcome.Class, Detail: a.Outcome.Detail, Journal: a.Journal, Looked: looked,
	}}
}

// Record tells the exemption. One that held for the host until then ends with
// it, which has no record of its own.
func (e Exemption) Record() Record {
	return Record{Kind: RecordExemption, At: e.At, Host: e.Host, Body: e}
}

// EndedRecord tells that a person took the exemption back.
func (e Exemption) EndedRecord() Record {
	return Record{Kind: RecordExemptionEnded, At: e.Ended, Host: e.Host, Body: ExemptionEnded{}}
}

// Record tells the hold.
func (h Hold) Record() Record { return Record{Kind: RecordHold, At: h.At, Body: h} }

// ReleasedRecord tells that a person released the hold.
func (h Hold) ReleasedRecord() Record {
	return Record{Kind: RecordRelease, At: h.Released, Body: HoldReleased{By: h.By}}
}

// Record tells the restart.
func (r Reboot) Record() Record { return Record{Kind: RecordReboot, At: r.At, Host: r.Host, Body: r} }

// BackRecord tells that the host came back from the restart.
func (r Reboot) BackRecord() Record {
	return Record{Kind: RecordRebootBack, At: r.Back, Host: r.Host, Body: RebootBack{BootID: r.BootID}}
}

// TrustRecord tells that a host's key was accepted on first sight.
func TrustRecord(host, address, fingerprint string, at time.Time) Record {
	return Record{Kind: RecordTrust, At: at, Host: host, Body: KeyTrusted{Address: address, Fingerprint: fingerprint}}
}

// Record tells that a report was handed in.
func (s Submission) Record() Record { return Record{Kind: RecordSubmission, At: s.At, Body: s} }
