package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/lab"
)

// mortal is a store of a process that dies at one of its writes: just before
// it or, in half of the cases, just after. Nothing is written from then on.
type mortal struct {
	remediate.Store
	die context.CancelFunc

	mu    sync.Mutex
	left  int // writes until the end
	after bool
	ended bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) write(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return errDead
	}
	if m.left--; m.left > 0 {
		return do()
	}
	m.ended = true
	m.die()
	if m.after {
		_ = do()
	}
	return errDead
}

func (m *mortal) BeginRun(ctx context.Context, run remediate.Run) error {
	return m.write(func() error { return m.Store.BeginRun(ctx, run) })
}

func (m *mortal) EndRun(ctx context.Context, run remediate.Run) error {
	return m.write(func() error { return m.Store.EndRun(ctx, run) })
}

func (m *mortal) BeginAttempt(ctx context.Context, a remediate.Attempt) error {
	return m.write(func() error { return m.Store.BeginAttempt(ctx, a) })
}

func (m *mortal) SaveAttempt(ctx context.Context, a remediate.Attempt) error {
	return m.write(func() error { return m.Store.SaveAttempt(ctx, a) })
}

func (m *mortal) CloseAttempt(ctx context.Context, a remediate.Attempt, look *remediate.Look) error {
	return m.write(func() error { return m.Store.CloseAttempt(ctx, a, look) })
}

// TestLabDeath: apply dies at its first write, then at its second, and so on,
// each time followed by the same command. In the end every host is removed,
// and no uninstaller has run twice.
func TestLabDeath(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(map[bool]string{false: "before the write", true: "after the write"}[after], func(t *testing.T) {
			t.Parallel()
			r := newLabRig(t, lab.Config{Hosts: 6, Seed: 9})
			r.scan(t)
			plan := r.plan(t)
			for n := 1; ; n++ {
				ctx, cancel := context.WithCancel(t.Context())
				store := &mortal{Store: r.store, die: cancel, left: n, after: after}
				r.newEngineOver(t, store)
				sum, err := r.engine.Apply(ctx, nil, plan, r.hosts, engine.ApplyOptions{})
				cancel()
				if !store.ended {
					if err != nil || sum.ExitCode() != engine.ExitOK {
						t.Errorf("the last apply: %+v, %v %+v", sum, err, r.failures())
					}
					break
				}
				if n > 100 {
					t.Fatal("apply comes to no end")
				}
			}
			for _, h := range r.fleet.Hosts() {
				r.gone(t, h)
			}
			open, err := r.store.OpenAttempts(t.Context())
			if err != nil || len(open) > 0 {
				t.Errorf("open attempts: %+v, %v", open, err)
			}
		})
	}
}
