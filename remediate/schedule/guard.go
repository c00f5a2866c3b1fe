package schedule

import (
	"fmt"
	"strconv"
	"strings"

	"oust/remediate"
)

// Guard watches a campaign and says when its stop rules hold it (see
// remediate.StopRules). A rule fires with the first outcome that takes its
// count over its number, not at a wave's end, and stays fired.
//
// A host counts by its last outcome: one that fails again counts once, and
// one that succeeds at last counts no more. The shares are of the size of the
// host's wave, hosts without an outcome yet included. Unreachable hosts count
// by their own rule and by that of their class alone. Whatever else can happen
// to a host (nothing to do, stale, deferred, not started, reboot pending) counts
// by none. A negative number is no rule.
//
// A Guard is not safe for concurrent use.
type Guard struct {
	rules   remediate.StopRules
	waves   map[WaveID]*waveCount
	hosts   map[string]counted
	classes map[remediate.Class]int
	failed  int // all classes but unreachable
	bare    map[string]bool
	planned int
	reason  string
	wave    WaveID
}

// WaveID names a wave of a plan, by its number from 1.
type WaveID struct {
	Plan   string
	Number int
}

// waveCount is how many hosts of a wave have failed.
type waveCount struct{ size, failed, unreachable int }

// counted is how a host counts now.
type counted struct {
	wave  WaveID
	class remediate.Class
}

// NewGuard makes a guard that has seen nothing.
func NewGuard(rules remediate.StopRules) *Guard {
	return &Guard{
		rules: rules, waves: map[WaveID]*waveCount{}, hosts: map[string]counted{},
		classes: map[remediate.Class]int{}, bare: map[string]bool{},
	}
}

// AddWave says how many hosts a wave has. In a wave that was never added, no
// share counts.
func (g *Guard) AddWave(wave WaveID, size int) {
	if w := g.waves[wave]; w != nil {
		g.planned += size - w.size
		w.size = size
		return
	}
	g.waves[wave] = &waveCount{size: size}
	g.planned += size
}

// Record counts the outcome of one host of a wave.
func (g *Guard) Record(wave WaveID, host string, o remediate.Outcome) {
	switch o.Kind {
	case remediate.OutcomeStale, remediate.OutcomeDeferred, remediate.OutcomeNotStarted, remediate.OutcomeExempt:
		return // they say nothing new about the host
	}
	g.forget(host)
	if o.Kind != remediate.OutcomeFailed {
		return
	}
	g.hosts[host] = counted{wave, o.Class}
	g.add(wave, o.Class, 1)
	if g.reason == "" {
		if g.reason = g.judge(wave, o.Class); g.reason != "" {
			g.wave = wave
		}
	}
}

// RecordBare counts a host that nothing protects after a removal, or no more.
func (g *Guard) RecordBare(host string, bare bool) {
	if !bare {
		delete(g.bare, host)
		return
	}
	g.bare[host] = true
	if n := len(g.bare); g.reason == "" && g.rules.Bare != nil && n > *g.rules.Bare {
		g.reason = fmt.Sprintf("nothing protects %s from which a product was removed; stop: bare_hosts allows %d", hosts(n), *g.rules.Bare)
	}
}

func (g *Guard) forget(host string) {
	if was, ok := g.hosts[host]; ok {
		delete(g.hosts, host)
		g.add(was.wave, was.class, -1)
	}
}

func (g *Guard) add(wave WaveID, class remediate.Class, n int) {
	g.classes[class] += n
	if class != remediate.ClassUnreachable {
		g.failed += n
	}
	w := g.waves[wave]
	switch {
	case w == nil:
	case class == remediate.ClassUnreachable:
		w.unreachable += n
	default:
		w.failed += n
	}
}

// Stopped reports whether a rule has fired, and gives the reason as a
// sentence with the numbers and the rule.
func (g *Guard) Stopped() (reason string, stopped bool) { return g.reason, g.reason != "" }

// Wave is that of the host with which a rule has fired, zero if none.
func (g *Guard) Wave() WaveID { return g.wave }

func (g *Guard) judge(wave WaveID, class remediate.Class) string {
	w := g.waves[wave]
	switch {
	case w != nil && w.over(w.failed, g.rules.Failed):
		return w.reason(w.failed, wave.Number, "failed", "failed", g.rules.Failed)
	case g.rules.FailedHosts >= 0 && g.failed > g.rules.FailedHosts:
		return fmt.Sprintf("%s of the campaign failed; stop: failed_hosts allows %d", hosts(g.failed), g.rules.FailedHosts)
	case w != nil && w.over(w.unreachable, g.rules.Unreachable):
		return w.reason(w.unreachable, wave.Number, "could not be reached", "unreachable", g.rules.Unreachable)
	}
	for _, rule := range g.rules.Classes {
		if rule.Class == class {
			return g.judgeClass(rule)
		}
	}
	return ""
}

func (g *Guard) judgeClass(rule remediate.ClassStop) string {
	n := g.classes[rule.Class]
	switch {
	case rule.Share > 0 && g.planned > 0 && float64(n) > rule.Share*float64(g.planned)+slack:
		return fmt.Sprintf("%d of the %s that were planned failed as %s, %s; stop: classes: %s allows %s",
			n, hosts(g.planned), rule.Class, percent(float64(n)/float64(g.planned)), rule.Class, percent(rule.Share))
	case rule.Share == 0 && n > rule.Hosts:
		return fmt.Sprintf("%s of the campaign failed as %s; stop: classes: %s allows %d", hosts(n), rule.Class, rule.Class, rule.Hosts)
	}
	return ""
}

// over reports whether n hosts are more than a share of the wave.
func (w *waveCount) over(n int, share float64) bool {
	return share >= 0 && w.size > 0 && float64(n) > share*float64(w.size)+slack
}

func (w *waveCount) reason(n, wave int, what, rule string, share float64) string {
	return fmt.Sprintf("%d of the %s of wave %d %s, %s; stop: %s allows %s",
		n, hosts(w.size), wave, what, percent(float64(n)/float64(w.size)), rule, percent(share))
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
