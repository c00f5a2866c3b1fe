package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
)

// reporter shows a run to a person or a program.
type reporter interface {
	engine.Sink
	// Close ends the display; it may be called more than once.
	Close()
}

// newReporter picks the display: typed JSON lines, live status lines on a
// terminal, plain lines elsewhere.
func (a *app) newReporter() reporter {
	if a.json {
		return &jsonReporter{w: a.Out}
	}
	if f := a.terminal(); f != nil {
		live := newLiveReporter(a.Out, f, a.now)
		a.Err = live // notes stand above the status lines
		return live
	}
	return &plainReporter{out: a.Out, err: a.Err, p: newProgress(a.now)}
}

// jsonReporter prints each event as {"type": ..., ...} on stdout.
type jsonReporter struct{ w io.Writer }

// Event implements engine.Sink.
func (r *jsonReporter) Event(e engine.Event) {
	body, err := json.Marshal(e)
	if err != nil {
		body = []byte(`{}`)
	}
	sep := ","
	if string(body) == "{}" {
		sep = ""
	}
	fmt.Fprintf(r.w, `{"type":%q%s%s`+"\n", e.EventType(), sep, body[1:])
}

// Close implements reporter.
func (r *jsonReporter) Close() {}

// plainReporter prints a line for each host that ends, and the summary.
type plainReporter struct {
	out, err io.Writer
	p        *progress
	idle     engine.Idle // the last that was printed
	idleAt   time.Time
}

// Event implements engine.Sink.
func (r *plainReporter) Event(e engine.Event) {
	r.p.event(e)
	if idle, ok := e.(engine.Idle); ok && !r.tells(idle) {
		return
	}
	if l := eventLine(e); l != "" {
		fmt.Fprintln(r.err, l)
	}
	if end, ok := e.(engine.RunEnded); ok {
		_ = lines(r.out, summaryLines(end.Summary))
	}
}

// Close implements reporter.
func (r *plainReporter) Close() {}

// tells reports whether an idle campaign is worth a line: serve knocks at hosts
// for weeks, and between any two knocks it is idle.
func (r *plainReporter) tells(idle engine.Idle) bool {
	const again = time.Hour
	now := r.p.now()
	if maps.Equal(idle.Waiting, r.idle.Waiting) && now.Sub(r.idleAt) < again {
		return false
	}
	r.idle, r.idleAt = idle, now
	return true
}

// eventLine is the plain line of an event, or "".
func eventLine(e engine.Event) string {
	switch e := e.(type) {
	case engine.RunStarted:
		s := fmt.Sprintf("%s: %s", e.Kind, plural(e.Hosts, "host"))
		if e.Resumed {
			s += fmt.Sprintf("; takes up an interrupted run, %s ended before", thousands(e.Done))
		}
		return s
	case engine.WaveStarted:
		if e.Wave == 0 {
			return fmt.Sprintf("joining %s of earlier runs", plural(e.Hosts, "attempt"))
		}
		return fmt.Sprintf("wave %d of %d: %s", e.Wave, e.Of, plural(e.Hosts, "host"))
	case engine.HostLooked:
		return lookedLine(e)
	case engine.HostEnded:
		return endedLine(e)
	case engine.HostJoined:
		return fmt.Sprintf("%s: earlier attempt ended as %s", printable(e.Host), outcomeText(e.Outcome))
	case engine.Deferred:
		return fmt.Sprintf("%s deferred%s", plural(e.Hosts, "host"), opensText(e.Until))
	case engine.Idle:
		return idleLine(e)
	case stoodBack:
		return "another command has the store; serving goes on when it ends"
	case engine.RunStopped:
		return "stopped: " + printable(e.Reason) + "; no new hosts, running ones finish"
	}
	return ""
}

func lookedLine(e engine.HostLooked) string {
	if e.Class != "" {
		return fmt.Sprintf("%s: failed: %s: %s", printable(e.Host), e.Class, printable(e.Detail))
	}
	s := fmt.Sprintf("%s: %s", printable(e.Host), e.Standing)
	if e.Standing == remediate.StandUnseen { // seen now, and nothing was looked for
		s = printable(e.Host) + ": looked at"
	}
	if len(e.Findings) > 0 {
		s += ": " + findingsText(e.Findings)
	}
	if e.Detail != "" {
		s += "; note: " + printable(e.Detail)
	}
	if e.Bare != "" {
		s += "; note: " + printable(e.Bare)
	}
	return s
}

// opensText says when a window opens.
func opensText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ": the first window opens " + at.UTC().Format("Mon 2006-01-02 15:04 UTC")
}

// workTexts say what hosts wait for that nothing is done on now.
var workTexts = []struct {
	work schedule.Work
	text string
}{
	{schedule.WorkRemove, "to be removed from"},
	{schedule.WorkRestart, "to be restarted"},
	{schedule.WorkLook, "to be looked at"},
	{schedule.WorkJoin, "with a job to be settled"},
	{schedule.WorkVerify, "to be looked at again"},
	{schedule.WorkPerson, "waiting for a person"},
	{schedule.WorkPlan, "to be planned by a person"},
	{schedule.WorkExempt, "exempt"},
	{schedule.WorkNone, "with nothing to do"},
}

func idleLine(e engine.Idle) string {
	var parts []string
	for _, w := range workTexts {
		if n := e.Waiting[w.work]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(n), w.text))
		}
	}
	s := "nothing is due now"
	if !e.Until.IsZero() {
		s = "nothing is due before " + e.Until.UTC().Format("Mon 2006-01-02 15:04:05 UTC")
	}
	return s + ": " + strings.Join(parts, ", ")
}

func endedLine(e engine.HostEnded) string {
	s := printable(e.Host) + ": " + outcomeText(e.Outcome)
	for _, w := range e.Warnings {
		s += "; note: " + printable(w)
	}
	return s
}

func outcomeText(o remediate.Outcome) string {
	s := string(o.Kind)
	if o.Class != "" {
		s += ": " + string(o.Class)
	}
	if o.Detail != "" {
		s += ": " + printable(o.Detail)
	}
	return s
}

// findingsText names what was found.
func findingsText(fs []remediate.Finding) string {
	parts := make([]string, 0, len(fs))
	for _, f := range fs {
		s := f.Playbook
		if f.Version != "" {
			s += " " + f.Version
		}
		if f.Kind != remediate.FindProduct {
			s += " (" + string(f.Kind) + ")"
		}
		parts = append(parts, printable(s))
	}
	return strings.Join(parts, ", ")
}

// liveReporter keeps status lines at the bottom of a terminal, with failures
// as lines above them.
type liveReporter struct {
	out  io.Writer
	term *os.File
	stop chan struct{}
	done chan struct{}
	once sync.Once

	mu    sync.Mutex
	p     *progress
	drawn int // status lines on the screen
	end   *engine.Summary
}

func newLiveReporter(out io.Writer, terminal *os.File, now func() time.Time) *liveReporter {
	r := &liveReporter{out: out, term: terminal, p: newProgress(now), stop: make(chan struct{}), done: make(chan struct{})}
	go r.loop()
	return r
}

func (r *liveReporter) loop() {
	const redraw = 200 * time.Millisecond
	defer close(r.done)
	t := time.NewTicker(redraw)
	defer t.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-t.C:
			r.mu.Lock()
			r.draw(nil)
			r.mu.Unlock()
		}
	}
}

// Event implements engine.Sink.
func (r *liveReporter) Event(e engine.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.p.event(e)
	switch e := e.(type) {
	case engine.RunEnded:
		r.end = &e.Summary
	case engine.HostEnded:
		if e.Class != "" || e.Kind == remediate.OutcomeStale || e.Kind == remediate.OutcomeRebootPending {
			r.draw([]string{eventLine(e)})
		}
	case engine.HostLooked:
		if e.Class != "" {
			r.draw([]string{eventLine(e)})
		}
	case engine.HostJoined, engine.RunStopped, engine.Deferred, stoodBack:
		r.draw([]string{eventLine(e)})
	}
}

// Write puts text above the status lines.
func (r *liveReporter) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.term.WriteString(eraseLines(r.drawn) + string(b)); err != nil {
		return 0, err
	}
	r.drawn = 0
	return len(b), nil
}

// draw replaces the status lines, with lasting lines put above them.
func (r *liveReporter) draw(lasting []string) {
	width, _, err := term.GetSize(int(r.term.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	var b strings.Builder
	b.WriteString(eraseLines(r.drawn))
	for _, l := range lasting {
		b.WriteString(cut(l, width) + "\n")
	}
	status := []string{}
	if r.end == nil && r.p.total > 0 {
		status = r.p.draw(width)
	}
	for _, l := range status {
		b.WriteString(l + "\n")
	}
	r.drawn = len(status)
	_, _ = r.term.WriteString(b.String())
}

// eraseLines moves up n lines and clears from there to the screen's end.
func eraseLines(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", n)
}

// Close implements reporter.
func (r *liveReporter) Close() {
	r.once.Do(func() {
		close(r.stop)
		<-r.done
		r.mu.Lock()
		defer r.mu.Unlock()
		_, _ = r.term.WriteString(eraseLines(r.drawn))
		r.drawn = 0
		if r.end != nil {
			_ = lines(r.out, summaryLines(*r.end))
		}
	})
}

// summaryLines is the end of a run for a person: every host in one line of
// counts, then failures by class with what to do.
func summaryLines(s engine.Summary) []string {
	out := []string{fmt.Sprintf("%s: %s", s.Kind, plural(s.Hosts, "host"))}
	if n := s.Standings[remediate.StandUnseen]; n > 0 {
		out = append(out, fmt.Sprintf("  %-14s %7s  no playbooks are named, so none is told clear; 'oust software' lists what is installed", "looked at", thousands(n)))
	}
	for _, k := range remediate.Standings() {
		if n := s.Standings[k]; n > 0 && k != remediate.StandUnseen {
			out = append(out, fmt.Sprintf("  %-14s %7s", k, thousands(n)))
		}
	}
	for _, k := range remediate.Outcomes() {
		if n := s.Outcomes[k]; n > 0 && k != remediate.OutcomeFailed {
			out = append(out, fmt.Sprintf("  %-14s %7s", k, thousands(n)))
		}
	}
	for _, c := range remediate.Classes() {
		if n := s.Failed[c]; n > 0 {
			out = append(out, fmt.Sprintf("  failed %15s  %s: %s", thousands(n), c, c.Meaning()),
				fmt.Sprintf("  %22s  %s", "", c.Advice()))
		}
	}
	if s.Open > 0 {
		out = append(out, fmt.Sprintf("  %s may still run on their hosts; the same command joins them", plural(s.Open, "job")))
	}
	if s.Outcomes[remediate.OutcomeDeferred] > 0 {
		out = append(out, "  the same command goes on with what is deferred"+opensText(s.Opens)+"; so does 'oust serve'")
	}
	if s.Bare > 0 {
		out = append(out, fmt.Sprintf("  nothing protects %s now; 'oust status' names them", plural(s.Bare, "host")))
	}
	if s.Stopped != "" {
		out = append(out, "  held: "+printable(s.Stopped),
			"  look at the failed hosts with 'oust status'; to go on: oust apply PLAN --resume, or oust apply --resume for 'oust serve'")
	}
	if s.Interrupted {
		out = append(out, "  interrupted: the same command goes on where this one ended")
	}
	return out
}
