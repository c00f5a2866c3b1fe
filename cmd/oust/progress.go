package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
)

// progress is what is known of a run under way; it is fed with events and
// drawn by the reporters. It is not safe for concurrent use.
type progress struct {
	now     func() time.Time
	kind    string
	started time.Time
	total   int
	before  int // hosts that had ended before this process took the run up
	done    int
	ok      int
	wave    int
	waves   int
	running map[string]hostProgress
	failed  map[remediate.Class]int
	others  map[remediate.OutcomeKind]int
	// idle says what serve waits for, while nothing is under way.
	idle string
}

type hostProgress struct {
	since time.Time
	step  string
}

func newProgress(now func() time.Time) *progress {
	return &progress{
		now: now, running: map[string]hostProgress{},
		failed: map[remediate.Class]int{}, others: map[remediate.OutcomeKind]int{},
	}
}

// event takes an event in.
func (p *progress) event(e engine.Event) {
	switch e := e.(type) {
	case engine.RunStarted:
		p.kind, p.started, p.total, p.before, p.waves = e.Kind, p.now(), e.Hosts, e.Done, len(e.Waves)
		p.done = e.Done
	case engine.WaveStarted:
		p.wave = e.Wave
	case engine.HostStarted:
		p.running[e.Host] = hostProgress{since: p.now(), step: "start"}
		p.idle = ""
	case engine.HostStep:
		if h, ok := p.running[e.Host]; ok {
			h.step = e.Step
			p.running[e.Host] = h
		}
	case engine.HostLooked:
		p.ended(e.Host, e.Class, "")
	case engine.HostEnded:
		p.ended(e.Host, e.Class, e.Kind)
	case engine.HostJoined:
		delete(p.running, e.Host)
	case engine.Idle:
		p.idle = idleLine(e)
	case stoodBack:
		clear(p.running)
		p.idle = eventLine(e)
	}
}

func (p *progress) ended(host string, class remediate.Class, kind remediate.OutcomeKind) {
	delete(p.running, host)
	p.done++
	switch {
	case class != "":
		p.failed[class]++
	case kind == remediate.OutcomeStale || kind == remediate.OutcomeRebootPending:
		p.others[kind]++
	default:
		p.ok++
	}
}

// rate is hosts a second of this process, 0 while unknown.
func (p *progress) rate() float64 {
	took := p.now().Sub(p.started).Seconds()
	if took < 0.2 || p.done == p.before {
		return 0
	}
	return float64(p.done-p.before) / took
}

// left is the expected time to the end, 0 while unknown.
func (p *progress) left() time.Duration {
	r := p.rate()
	if r == 0 {
		return 0
	}
	return time.Duration(float64(p.total-p.done) / r * float64(time.Second))
}

// draw gives the status lines for a terminal of that width.
func (p *progress) draw(width int) []string {
	if p.kind == serveKind {
		return p.drawServe(width)
	}
	head := fmt.Sprintf("%s  %s/%s done  %s running", p.kind, thousands(p.done), thousands(p.total), thousands(len(p.running)))
	if p.waves > 0 && p.wave > 0 {
		head += fmt.Sprintf("  wave %d/%d", p.wave, p.waves)
	}
	if r := p.rate(); r > 0 {
		head += fmt.Sprintf("  %.1f/s", r)
		if p.done < p.total {
			head += "  " + short(p.left()) + " left"
		}
	}
	return append([]string{cut(head, width), cut("  "+p.counts(), width)}, p.slowLines(width)...)
}

// serveKind is the kind of run that has no end of its own: hosts take their
// turn again and again.
const serveKind = "serve"

func (p *progress) drawServe(width int) []string {
	head := fmt.Sprintf("serve  %s  up %s  %s running", plural(p.total, "host"), short(p.now().Sub(p.started)), thousands(len(p.running)))
	out := []string{cut(head, width), cut(fmt.Sprintf("  %s so far: %s", plural(p.done, "turn"), p.counts()), width)}
	if p.idle != "" && len(p.running) == 0 {
		out = append(out, cut("  "+p.idle, width))
	}
	return append(out, p.slowLines(width)...)
}

// slowLines are the hosts that have been at work longest.
func (p *progress) slowLines(width int) []string {
	const slowest = 3
	var out []string
	for _, h := range p.slow(slowest) {
		out = append(out, cut(fmt.Sprintf("  %-8s %-8s %s", short(p.now().Sub(p.running[h].since)), p.running[h].step, printable(h)), width))
	}
	return out
}

// counts is "ok 12  unreachable 2  stale 1".
func (p *progress) counts() string {
	parts := []string{fmt.Sprintf("ok %s", thousands(p.ok))}
	for _, c := range remediate.Classes() {
		if n := p.failed[c]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", c, thousands(n)))
		}
	}
	for _, k := range remediate.Outcomes() {
		if n := p.others[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", k, thousands(n)))
		}
	}
	return strings.Join(parts, "  ")
}

// slow lists the hosts that have been at work longest.
func (p *progress) slow(n int) []string {
	hosts := make([]string, 0, len(p.running))
	for h := range p.running {
		hosts = append(hosts, h)
	}
	slices.SortFunc(hosts, func(a, b string) int {
		return cmp.Or(p.running[a].since.Compare(p.running[b].since), cmp.Compare(a, b))
	})
	return hosts[:min(n, len(hosts))]
}
