package engine

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/sourcegraph/conc/pool"

	"oust/remediate"
)

// Records are what the store has of a campaign's hosts, read at once. They are
// read before, or while, the inventory is.
type Records struct {
	held     *remediate.Hold
	since    time.Time
	planned  [][]remediate.Planned   // by name
	states   [][]remediate.HostState // by name
	gate     *Gate
	approved map[string]bool
	exempt   map[string]remediate.Exemption
	open     []remediate.Attempt
}

// recordsPart is how many records of one kind stand together.
const recordsPart = 4096

// Records reads them. ignoreWindows is that of ServeOptions.
func (e *Engine) Records(ctx context.Context, ignoreWindows bool) (*Records, error) {
	r := &Records{}
	p := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	p.Go(func(ctx context.Context) error {
		for st, err := range e.Store.HostStates(ctx) {
			if err != nil {
				return fmt.Errorf("read the hosts: %w", err)
			}
			r.states = appendPart(r.states, st)
		}
		return nil
	})
	p.Go(func(ctx context.Context) (err error) {
		for planned, err := range e.Store.PlannedHosts(ctx) {
			if err != nil {
				return fmt.Errorf("read the approved plans: %w", err)
			}
			r.planned = appendPart(r.planned, planned)
		}
		if r.held, r.since, err = e.hold(ctx); err != nil {
			return err
		}
		if r.gate, err = e.NewGate(ctx, ignoreWindows); err != nil {
			return err
		}
		if r.approved, err = e.Store.ApprovedScripts(ctx); err != nil {
			return fmt.Errorf("read the approved scripts: %w", err)
		}
		if r.exempt, err = e.exemptions(ctx); err != nil {
			return err
		}
		if r.open, err = e.Store.OpenAttempts(ctx); err != nil {
			return fmt.Errorf("read open attempts: %w", err)
		}
		return nil
	})
	return r, p.Wait()
}

// appendPart appends without moving what is there.
func appendPart[T any](parts [][]T, v T) [][]T {
	if n := len(parts); n == 0 || len(parts[n-1]) == recordsPart {
		parts = append(parts, make([]T, 0, recordsPart))
	}
	last := &parts[len(parts)-1]
	*last = append(*last, v)
	return parts
}

// States yields the states of all hosts that anything is recorded of, by name.
func (r *Records) States(yield func(*remediate.HostState) bool) { inParts(r.states)(yield) }

// inParts yields what stands in parts.
func inParts[T any](parts [][]T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, part := range parts {
			for i := range part {
				if !yield(&part[i]) {
					return
				}
			}
		}
	}
}
