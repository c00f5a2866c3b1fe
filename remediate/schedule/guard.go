package schedule

import (
	"fmt"
	"strconv"
	"strings"

	"oust/remediate"
)

// Guard watches a run and says when its stop rules end it (see
// remediate.StopRules). A rule fires with the first outcome that takes its
// count over its number, not at the wave's end, and stays fired.
//
// The shares are of the current wave's size, hosts without an outcome yet
// included. Unreachable hosts count by their own rule and by no other.
// Whatever else can happen to a host (nothing to do, stale, not started,
// reboot pending) counts by none. A negative number is no rule.
//
// A Guard is not safe for concurrent use.
type Guard struct {
	rules       remediate.StopRules
	wave, size  int
	failed      int // in this wave
	unreachable int // in this wave
	failedHosts int // in the whole run
	reason      string
}

// NewGuard makes a guard for one run. Before StartWave only the rule about
// the whole run holds.
func NewGuard(rules remediate.StopRules) *Guard { return &Guard{rules: rules} }

// StartWave begins wave number wave, from 1, of size hosts.
func (g *Guard) StartWave(wave, size int) {
	g.wave, g.size, g.failed, g.unreachable = wave, size, 0, 0
}

// Record counts the outcome of one host.
func (g *Guard) Record(o remediate.Outcome) {
	if o.Kind != remediate.OutcomeFailed {
		return
	}
	if o.Class == remediate.ClassUnreachable {
		g.unreachable++
	} else {
		g.failed++
		g.failedHosts++
	}
	if g.reason == "" {
		g.reason = g.judge()
	}
}

// Stopped reports whether a rule has fired, and gives the reason as a
// sentence with the numbers and the rule.
func (g *Guard) Stopped() (reason string, stopped bool) { return g.reason, g.reason != "" }

func (g *Guard) judge() string {
	switch {
	case g.over(g.failed, g.rules.Failed):
		return g.shareReason(g.failed, "failed", "failed", g.rules.Failed)
	case g.rules.FailedHosts >= 0 && g.failedHosts > g.rules.FailedHosts:
		return fmt.Sprintf("%s failed in this run; stop: failed_hosts allows %d",
			hosts(g.failedHosts), g.rules.FailedHosts)
	case g.over(g.unreachable, g.rules.Unreachable):
		return g.shareReason(g.unreachable, "could not be reached", "unreachable", g.rules.Unreachable)
	}
	return ""
}

// over reports whether n hosts are more than a share of the wave.
func (g *Guard) over(n int, share float64) bool {
	return share >= 0 && g.size > 0 && float64(n) > share*float64(g.size)+slack
}

func (g *Guard) shareReason(n int, what, rule string, share float64) string {
	return fmt.Sprintf("%d of the %s of wave %d %s, %s; stop: %s allows %s",
		n, hosts(g.size), g.wave, what, percent(float64(n)/float64(g.size)), rule, percent(share))
}

func hosts(n int) string {
	if n == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", n)
}

// percent gives a share with at most two decimals, such as 5% or 33.33%.
func percent(share float64) string {
	s := strconv.FormatFloat(share*100, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "%"
}
