package engine

import (
	"context"
	"time"

	"github.com/sourcegraph/conc/panics"

	"oust/transports"
)

// knockTask sees whether a host answers at all, before work on it is begun: no
// run and no plan is recorded for a host that is away.
type knockTask struct {
	s *serving
	x *served
}

func (t *knockTask) site() string { return t.x.host.Site }

// step implements task.
func (t *knockTask) step(ctx context.Context) (time.Duration, bool) {
	err := t.knock(ctx)
	t.s.land(landing{x: t.x, silent: err != nil, answered: err == nil})
	return 0, false
}

func (t *knockTask) knock(ctx context.Context) error {
	e := t.s.e
	var err error
	if target, unknown := e.Target(*t.x.host); unknown == nil { // else the work itself will say so
		err = transports.Knock(ctx, e.Dialer, target)
	}
	e.Logger.Trace("knocked", logHost, t.x.host.Name, logError, err)
	return err
}

// panicked implements task.
func (t *knockTask) panicked(_ context.Context, p *panics.Recovered) {
	t.s.e.Logger.Error("panic while knocking", logHost, t.x.host.Name, logError, p.String())
	t.s.land(landing{x: t.x, silent: true})
}
