package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/schedule"
)

// Gate says whether a host may be changed now. It is not changed after its
// making, and safe for concurrent use.
type Gate struct {
	calendar *schedule.Calendar
	// freeze has the blackouts alone.
	freeze  *schedule.Calendar
	library *playbooks.Library
	reboot  remediate.RebootSettings
	unknown time.Duration
	// measured is what a removal needs, by playbook.
	measured map[string]time.Duration
	ignore   bool
}

// Of a playbook's newest removals this many are measured, and the expected time
// is that in which nine of ten had ended.
const (
	mostMeasured  = 200
	leastMeasured = 5
	expectedShare = 0.9
)

// bootTime is what a restart is taken to need beside the warning.
const bootTime = 10 * time.Minute

// NewGate reads what removals have needed so far. ignore leaves the windows
// and blackouts out.
func (e *Engine) NewGate(ctx context.Context, ignore bool) (*Gate, error) {
	all, err := e.Store.Durations(ctx, mostMeasured)
	if err != nil {
		return nil, fmt.Errorf("read what removals have needed: %w", err)
	}
	g := &Gate{
		calendar: schedule.NewCalendar(e.Campaign.Windows, e.Campaign.Blackouts), library: e.Library,
		freeze: schedule.NewCalendar(nil, e.Campaign.Blackouts),
		reboot: e.Campaign.Reboot, unknown: e.Campaign.Timing.Expected, measured: map[string]time.Duration{}, ignore: ignore,
	}
	for playbook, times := range all {
		if len(times) < leastMeasured {
			continue
		}
		slices.Sort(times)
		g.measured[playbook] = min(times[int(expectedShare*float64(len(times)-1))], e.Campaign.Timing.Job)
	}
	return g, nil
}

// Need is how long a removal by these playbooks is expected to take, with its
// restart where one is to be expected.
func (g *Gate) Need(names []string) time.Duration {
	var need time.Duration
	reboots := false
	for _, name := range names {
		one, ok := g.measured[name]
		if !ok {
			one = g.unknown
		}
		need = max(need, one)
		if p, ok := g.library.Get(name); ok && p.Reboot == playbooks.RebootNeeded {
			reboots = true
		}
	}
	if reboots && g.reboot.Policy != remediate.RebootNever {
		need += g.RestartNeed()
	}
	return need
}

// RestartNeed is how long a restart is expected to take.
func (g *Gate) RestartNeed() time.Duration { return g.reboot.Delay + bootTime }

// At says when a host may be changed for that long.
func (g *Gate) At(h remediate.Host, now time.Time, need time.Duration) (schedule.Opening, error) {
	if g.ignore {
		return schedule.Opening{Open: true}, nil
	}
	return g.calendar.At(h, now, need)
}

// restarts is the policy for a host from which these playbooks remove.
func (g *Gate) restarts(names []string) remediate.RebootPolicy {
	return g.reboot.Policy.Stricter(g.library.Restart(names))
}

// mayRestart says whether the host may be restarted now; else why not, and
// when next, zero if a person has to.
func (g *Gate) mayRestart(h remediate.Host, names []string, now time.Time) (ok bool, next time.Time, why string) {
	calendar := g.calendar
	switch g.restarts(names) {
	case remediate.RebootAlways:
		calendar = g.freeze // a blackout is for restarts as well
	case remediate.RebootInWindow:
	default:
		return false, time.Time{}, "reboot.policy is never: a person restarts it"
	}
	if g.ignore {
		return true, now, ""
	}
	o, err := calendar.At(h, now, g.RestartNeed())
	switch {
	case err != nil:
		return false, time.Time{}, err.Error()
	case o.Open:
		return true, now, ""
	case o.Never:
		return false, time.Time{}, "no window has room for its restart: " + o.Why
	}
	return false, o.Next, "its restart waits for a window: " + o.Why
}
