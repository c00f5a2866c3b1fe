package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"oust/remediate"
)

// form is what is known of a kind's bodies.
type form struct {
	// read reads a record of the kind; whether it is written in the one way that
	// there is has to be asked for.
	read func(text []byte) (int64, remediate.Record, error)
	// settle gives the body with times and lists as records have them; what it
	// is given stays as it is.
	settle func(body any) (any, error)
}

// forms has every kind.
var forms = map[remediate.RecordKind]form{
	remediate.RecordBegun:          bodies[remediate.LedgerBegun](nil),
	remediate.RecordKey:            bodies[remediate.KeyChanged](nil),
	remediate.RecordRules:          bodies[remediate.RulesChanged](nil),
	remediate.RecordSettings:       bodies(settleSettings),
	remediate.RecordRun:            bodies[remediate.RunBegun](nil),
	remediate.RecordRunLowered:     bodies[remediate.RunLowered](nil),
	remediate.RecordRunEnded:       bodies[remediate.RunEnded](nil),
	remediate.RecordLook:           bodies(settleLook),
	remediate.RecordPlan:           bodies[remediate.PlanSaved](nil),
	remediate.RecordApproval:       bodies[remediate.ApprovalGiven](nil),
	remediate.RecordApprovedCode:   bodies(func(b *remediate.ApprovedCode) { b.Scripts = list(b.Scripts) }),
	remediate.RecordApprovedHosts:  bodies(func(b *remediate.ApprovedHosts) { b.Hosts = list(b.Hosts) }),
	remediate.RecordAttempt:        bodies[remediate.AttemptBegun](nil),
	remediate.RecordOutcome:        bodies(settleOutcome),
	remediate.RecordExemption:      bodies(settleExemption),
	remediate.RecordExemptionEnded: bodies[remediate.ExemptionEnded](nil),
	remediate.RecordHold:           bodies(settleHold),
	remediate.RecordRelease:        bodies[remediate.HoldReleased](nil),
	remediate.RecordReboot:         bodies(settleReboot),
	remediate.RecordRebootBack:     bodies[remediate.RebootBack](nil),
	remediate.RecordTrust:          bodies[remediate.KeyTrusted](nil),
	remediate.RecordSubmission:     bodies(settleSubmission),
	remediate.RecordState:          bodies(settleState),
}

// Kinds lists every kind of record, sorted.
func Kinds() []remediate.RecordKind {
	out := make([]remediate.RecordKind, 0, len(forms))
	for kind := range forms {
		out = append(out, kind)
	}
	slices.Sort(out)
	return out
}

func bodies[B any](settle func(*B)) form {
	return form{
		read: func(text []byte) (int64, remediate.Record, error) {
			var l line[B]
			err := json.Unmarshal(text, &l)
			return l.N, remediate.Record{Kind: l.Kind, At: l.At, By: l.By, Host: l.Host, Body: l.Body}, err
		},
		settle: func(body any) (any, error) {
			b, ok := body.(B)
			if !ok {
				return nil, fmt.Errorf("its body is %T, want %T", body, b)
			}
			if settle != nil {
				settle(&b)
			}
			return b, nil
		},
	}
}

func settleSettings(b *remediate.Settings) {
	b.Inventory, b.Playbooks = list(b.Inventory), list(b.Playbooks)
}

func settleLook(b *remediate.LookTaken) { b.Findings = settleFindings(b.Findings) }

func settleFindings(fs []remediate.Finding) []remediate.Finding {
	unproven := func(f remediate.Finding) bool { return f.Evidence == nil }
	if !slices.ContainsFunc(fs, unproven) {
		return fs
	}
	fs = slices.Clone(fs)
	for i := range fs {
		fs[i].Evidence = list(fs[i].Evidence)
	}
	return fs
}

func settleState(b *remediate.StateCarried) {
	b.Findings = settleFindings(b.Findings)
	for _, at := range []*time.Time{&b.SeenAt, &b.FoundAt, &b.RemovedAt, &b.BareSince, &b.LastAt, &b.Failure.At, &b.Owed.At} {
		*at = moment(*at)
	}
}

func settleOutcome(b *remediate.AttemptEnded) {
	b.Started = moment(b.Started)
	b.Journal = slices.Clone(b.Journal)
	for i := range b.Journal {
		b.Journal[i].At = moment(b.Journal[i].At)
	}
}

func settleExemption(b *remediate.Exemption) {
	b.Until, b.At, b.Ended = moment(b.Until), moment(b.At), moment(b.Ended)
}

func settleHold(b *remediate.Hold) {
	b.At, b.Released = moment(b.At), moment(b.Released)
}

func settleReboot(b *remediate.Reboot) {
	b.At, b.Back = moment(b.At), moment(b.Back)
}

func settleSubmission(b *remediate.Submission) {
	b.At, b.Files = moment(b.At), list(b.Files)
}

// list is a list that is written as [] where it has no entries.
func list[E any](s []E) []E {
	if s == nil {
		return []E{}
	}
	return s
}
