package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/sourcegraph/conc/pool"

	"oust/remediate"
	"oust/remediate/ledger"
	"oust/remediate/schedule"
	"oust/remediate/sqlite"
)

// writers is how many hosts are recorded at once, as in a run of oust.
const writers = 500

const day = 24 * time.Hour

// history writes what has happened in the campaign so far.
type history struct {
	store                     *sqlite.Store
	scanned, approved, looked time.Time
	plan, run                 string
}

// fillStore makes the store of a campaign that is 60 days old now.
func fillStore(ctx context.Context, dir string, now time.Time, m *models, hosts []member) (err error) {
	h := &history{
		scanned: now.Add(-45 * day), approved: now.Add(-30 * day), looked: now.Add(-3 * time.Hour),
		plan: remediate.NewID(now.Add(-31 * day)), run: remediate.NewID(now.Add(-30 * day)),
	}
	signer, err := ledger.NewSigner("oust/bench")
	if err != nil {
		return err
	}
	if err := signer.Save(filepath.Join(dir, "oust.key"), ledger.Lock{}); err != nil {
		return err
	}
	h.store, err = sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName), sqlite.Options{Signer: signer, By: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.store.Close()) }()
	if err := h.each(ctx, hosts, h.scan); err != nil {
		return err
	}
	if err := h.approve(ctx, m, hosts); err != nil {
		return err
	}
	return h.each(ctx, hosts, h.live)
}

func (h *history) each(ctx context.Context, hosts []member, do func(context.Context, *member) error) error {
	p := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(writers)
	for i := range hosts {
		p.Go(func(ctx context.Context) error {
			if err := do(ctx, &hosts[i]); err != nil {
				return fmt.Errorf("%s: %w", hosts[i].host.Name, err)
			}
			return nil
		})
	}
	return p.Wait()
}

// scan is the look of the first days.
func (h *history) scan(ctx context.Context, x *member) error {
	switch {
	case x.fate == unseen:
		return nil
	case x.fate == unreached:
		return h.store.SaveLook(ctx, remediate.Look{
			Host: x.host.Name, Kind: remediate.LookScan, Run: h.run, At: h.scanned,
			Class: remediate.ClassUnreachable, Detail: "connect: no route to host",
		})
	}
	seen := x.clean
	if x.fate.found() {
		seen = x.found
	}
	return h.look(ctx, x, seen, remediate.LookScan, h.scanned)
}

func (h *history) look(ctx context.Context, x *member, m model, kind remediate.LookKind, at time.Time) error {
	l, err := m.as(x, kind, at)
	if err != nil {
		return err
	}
	l.Run = h.run
	return h.store.SaveLook(ctx, l)
}

// approve is a plan for all that was found, with hosts that wait in its last
// waves.
func (h *history) approve(ctx context.Context, m *models, hosts []member) error {
	a := remediate.Approval{Plan: h.plan, At: h.approved, By: "ann@controller", Scripts: m.scripts}
	for _, turn := range []bool{true, false} {
		for i := range hosts {
			if f := hosts[i].fate; f.planned() && (f != waiting) == turn {
				a.Hosts = append(a.Hosts, remediate.Planned{Host: hosts[i].host.Name, Plan: h.plan})
			}
		}
	}
	i := 0
	for wave, size := range schedule.Waves(len(a.Hosts), nil) {
		for range size {
			a.Hosts[i].Wave = wave + 1
			i++
		}
	}
	return h.store.Approve(ctx, a)
}

// live is what came after the approval.
func (h *history) live(ctx context.Context, x *member) error {
	switch x.fate {
	case removed:
		return h.removed(ctx, x)
	case tried:
		return h.failed(ctx, x, retried[int(x.boot[0])%len(retried)])
	case stuck:
		return h.failed(ctx, x, helped[int(x.boot[0])%len(helped)])
	case silent:
		return h.failed(ctx, x, remediate.ClassUnreachable)
	case reappeared:
		if err := h.removed(ctx, x); err != nil {
			return err
		}
		return h.look(ctx, x, x.found, remediate.LookVerify, h.looked)
	case restarting:
		return h.end(ctx, x, x.found, remediate.Outcome{Kind: remediate.OutcomeRebootPending, Detail: "the product asks for a restart"})
	case exempt:
		return h.store.SaveExemption(ctx, remediate.Exemption{
			Host: x.host.Name, Reason: "runs the assembly line", Approver: "CISO", At: h.approved, Until: h.approved.Add(3650 * day), By: "ann@controller",
		})
	case under:
		return h.launch(ctx, h.attempt(x, h.looked))
	}
	return nil
}

func (h *history) attempt(x *member, at time.Time) remediate.Attempt {
	return remediate.Attempt{
		ID: remediate.NewID(at), Run: h.run, Host: x.host.Name, Plan: h.plan, Script: x.found.script, BootID: x.boot,
		Started: at, Updated: at, Playbooks: playbooksOf(x.found.look.Findings),
	}
}

func playbooksOf(findings []remediate.Finding) []string {
	var out []string
	for _, f := range findings {
		if !slices.Contains(out, f.Playbook) {
			out = append(out, f.Playbook)
		}
	}
	slices.Sort(out)
	return out
}

func (h *history) launch(ctx context.Context, a remediate.Attempt) error {
	if err := h.store.BeginAttempt(ctx, a); err != nil {
		return err
	}
	a.Phase, a.Updated = remediate.PhaseLaunched, a.Started.Add(2*time.Second)
	return h.store.SaveAttempt(ctx, a)
}

// end is an attempt of the first day, and the look after it.
func (h *history) end(ctx context.Context, x *member, seen model, o remediate.Outcome) error {
	a := h.attempt(x, h.approved.Add(day))
	l, err := seen.as(x, remediate.LookVerify, a.Started.Add(time.Minute))
	if err != nil {
		return err
	}
	l.Run = h.run
	return h.close(ctx, a, o, &l)
}

func (h *history) close(ctx context.Context, a remediate.Attempt, o remediate.Outcome, look *remediate.Look) error {
	if err := h.launch(ctx, a); err != nil {
		return err
	}
	a.Phase, a.Updated = remediate.PhaseEnded, a.Started.Add(40*time.Second)
	a.Result, a.Log = "step 1 0\nstep 2 0\n", []byte("Removing the product ...\nPurging its configuration files ...\n")
	if err := h.store.SaveAttempt(ctx, a); err != nil {
		return err
	}
	a.Phase, a.Outcome, a.Updated = remediate.PhaseCleaned, o, a.Started.Add(time.Minute)
	return h.store.CloseAttempt(ctx, a, look)
}

// removed is a removal that a second look has confirmed.
func (h *history) removed(ctx context.Context, x *member) error {
	return h.end(ctx, x, x.clean, remediate.Outcome{Kind: remediate.OutcomeRemoved, Detail: "a second look found nothing"})
}

// failed is an attempt of the last hours.
func (h *history) failed(ctx context.Context, x *member, class remediate.Class) error {
	return h.close(ctx, h.attempt(x, h.looked), remediate.Failed(class, "step 1 of "+x.host.Name+": exit code 1603"), nil)
}
