package engine

import (
	"context"
	"slices"
	"time"

	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports"
)

const (
	// mostAgain is how often a host is asked in one look for what it has not
	// answered.
	mostAgain = 2
	// againPause is how long it is left alone before.
	againPause = time.Second
)

// askAgain asks a host once more for what it has not answered, where the reason
// may pass, so that one program which could not be started does not make the
// look incomplete. It ends with the look's time, and where the host says the
// same again. What is not answered stays so.
func (e *Engine) askAgain(ctx context.Context, conn transports.Conn, h remediate.Host, s *sight, began time.Time) error {
	took := e.Monotonic().Sub(began)
	gaps := probe.Gaps(s.raw)
	s.passing = len(gaps) > 0
	for range mostAgain {
		left := e.Campaign.Timing.Probe - againPause - e.Monotonic().Sub(began)
		if len(gaps) == 0 || left < took { // as long as the look took, at most
			return nil
		}
		if err := rest(ctx, againPause); err != nil {
			return err
		}
		e.Logger.Debug("a part of the look is asked again", logHost, h.Name, logDetail, e.lookMask().Replace(gaps[0].Why))
		script, err := probe.Again(s.raw, e.questions[h.Platform])
		if err != nil {
			return err
		}
		shell := shellOf(h.Platform)
		res, err := conn.Run(ctx, transports.Command{
			Line: shell.line, Stdin: script, Elevate: shell.elevate, Timeout: left, MaxOutput: maxProbeOutput,
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return nil //nolint:nilerr // the look counts as it is
		}
		m, err := probe.Mend(s.raw, res.Stdout)
		if err != nil {
			return err
		}
		s.facts, s.raw = m.Facts, m.Raw
		late := slices.ContainsFunc(m.Left, func(g probe.Gap) bool { return g.Late })
		s.passing = late || len(m.Left) > 0 && !slices.Equal(gaps, m.Left)
		if slices.Equal(gaps, m.Left) {
			return nil
		}
		gaps = m.Left
	}
	return nil
}

// timeAgain is what is left of a look's time after a pause; false where that is
// less than the look has taken.
func (e *Engine) timeAgain(began time.Time) (time.Duration, bool) {
	took := e.Monotonic().Sub(began)
	left := e.Campaign.Timing.Probe - againPause - took
	return left, left >= took
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
