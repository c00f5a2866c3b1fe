package engine

import (
	"container/heap"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/sourcegraph/conc"

	"oust/remediate"
	"oust/remediate/schedule"
)

// ServeOptions are choices for one Serve.
type ServeOptions struct {
	// Once ends when nothing is due any more; else Serve goes on until it is
	// stopped.
	Once bool
	// Forced takes every host once, now: whatever its pause, and also where it
	// waits for a person.
	Forced bool
	// Only names the hosts that are worked on; nil means all. The others count for
	// the waves that have to wait for them.
	Only map[string]bool
	// IgnoreWindows changes hosts outside their windows. Runs' records say so.
	IgnoreWindows bool
	// Tick is the longest time without a look at the clock; default 1 min. What
	// is due is taken at most so much later, and a clock that was set, or a
	// machine that slept, is noticed within it.
	Tick time.Duration
}

// retryKind is the kind of runs that Serve makes for removals.
const retryKind = "retry"

// Serve does what is due on the hosts, when it is due (see schedule.Planner):
// it settles open attempts, looks at hosts that were never seen, watches those
// that did not answer, removes from hosts of approved plans by scripts that
// were approved, inside their windows and wave by wave, restarts hosts that
// wait for it, and looks again at those from which something was removed.
// What needs a person's yes waits for it.
//
// It returns when stop is closed and what was begun has ended, when ctx is
// cancelled, or with Once when nothing is due. The error is a failure of oust
// itself, such as of its store. The summary counts what has ended, a host that
// was worked on several times as often.
func (e *Engine) Serve(ctx context.Context, stop <-chan struct{}, hosts []remediate.Host, opt ServeOptions) (Summary, error) {
	s, err := e.newServing(ctx, stop, hosts, opt)
	if err != nil {
		return newSummary("", retryKind, len(hosts)), err
	}
	if err := s.closeOldRuns(ctx); err != nil {
		return s.summary, err
	}
	kind := "serve"
	if opt.Once {
		kind = retryKind
	}
	s.summary.Kind = kind
	if opt.Only != nil {
		s.summary.Hosts = len(opt.Only)
	}
	e.Sink.Event(RunStarted{Kind: kind, Hosts: s.summary.Hosts, At: e.Now().UTC()})
	feed := make(chan []task)
	var executing conc.WaitGroup
	executing.Go(func() {
		defer close(s.over)
		e.executor(s.broken).runFed(ctx, stop, nil, feed)
	})
	s.loop(ctx, feed)
	close(feed)
	executing.Wait()
	s.endRuns(ctx)
	s.summary.Interrupted = ctx.Err() != nil
	e.Sink.Event(RunEnded{Summary: s.summary, At: e.Now().UTC()})
	return s.summary, s.fatal
}

// loop decides and feeds until there is an end.
func (s *serving) loop(ctx context.Context, feed chan<- []task) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stop:
			return
		case <-s.over: // oust itself has failed
			return
		case <-s.wake:
		case <-timer.C:
		}
		tasks, err := s.turn(ctx)
		if err != nil {
			s.fail(err)
			return
		}
		if len(tasks) > 0 {
			select {
			case feed <- tasks:
			case <-s.over:
				return
			case <-ctx.Done():
				return
			}
		}
		if s.broken() || s.flying == 0 && s.idle() {
			return
		}
		timer.Reset(s.pause())
	}
}

// turn takes in what has landed and gives out what is due.
func (s *serving) turn(ctx context.Context) ([]task, error) {
	now := s.e.Now()
	if now.Round(0).Before(s.clock.Round(0).Add(-s.opt.Tick)) { // the clock was set back
		for _, x := range s.hosts {
			s.decide(x, now)
		}
	}
	s.clock = now
	if err := s.takeLanded(ctx, now); err != nil {
		return nil, err
	}
	var out []task
	for {
		tasks, err := s.takeDue(ctx, now)
		if err != nil {
			return nil, err
		}
		out = append(out, tasks...)
		if len(s.released) == 0 {
			return out, nil
		}
		s.decideReleased(now)
	}
}

// decideReleased looks anew at hosts whose wave need not wait any more.
func (s *serving) decideReleased(now time.Time) {
	again := s.released
	s.released = nil
	for _, x := range again {
		s.decide(x, now)
	}
}

// idle tells what is waited for, if that is new, and reports whether Serve is
// over with it.
func (s *serving) idle() bool {
	i := Idle{Waiting: map[schedule.Work]int{}}
	for _, x := range s.hosts {
		if s.opt.Only != nil && !s.opt.Only[x.host.Name] {
			continue
		}
		if x.next.Person {
			i.Waiting[schedule.WorkPerson]++
			continue
		}
		i.Waiting[x.next.Work]++
	}
	if len(s.queue) > 0 {
		i.Until = s.queue[0].due.UTC()
	}
	if !maps.Equal(i.Waiting, s.told) {
		s.told = i.Waiting
		s.e.Sink.Event(i)
	}
	return s.opt.Once
}

// pause is the time to the next turn.
func (s *serving) pause() time.Duration {
	if len(s.queue) == 0 {
		return s.opt.Tick
	}
	return min(max(s.queue[0].due.Sub(s.clock), 0), s.opt.Tick)
}

// served is one host as Serve keeps it.
type served struct {
	host *remediate.Host
	view schedule.View
	next schedule.Next
	// due is when it is taken up again; it is in the queue if at is not
	// negative. blocked says why it is not, for a person.
	due     time.Time
	at      int
	blocked string
	flying  bool
	forced  bool
	// first is the wave that waits for this host; opening is when it may be
	// removed from, as an outlook saw it.
	first   schedule.WaveID
	opening *schedule.Opening
	// What only this process knows: knocks without an answer, removals that
	// found the host changed, restarts that came to nothing, and a time before
	// which nothing is done.
	knocks, stales, restarts int
	notBefore                time.Time
	answered                 time.Time // the last knock that was answered
	// lost: an attempt could not be settled, so that no wave waits for it.
	lost bool
	// open are attempts without an outcome, tidy those whose folder may still
	// be on the host, both oldest first.
	open, tidy []remediate.Attempt
}

// dueQueue is a heap.Interface by due time.
type dueQueue []*served

func (q dueQueue) Len() int           { return len(q) }
func (q dueQueue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *dueQueue) Push(v any) {
	x := v.(*served)
	x.at = len(*q)
	*q = append(*q, x)
}

// Pop implements heap.Interface.
func (q *dueQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	x.at = -1
	return x
}

// schedule puts a host into the queue, or moves it there.
func (s *serving) schedule(x *served, due time.Time, why string) {
	x.due, x.blocked = due, why
	if s.still {
		return
	}
	if x.at >= 0 {
		heap.Fix(&s.queue, x.at)
		return
	}
	heap.Push(&s.queue, x)
}

// shelve takes a host out of the queue.
func (s *serving) shelve(x *served, why string) {
	x.due, x.blocked = time.Time{}, why
	if x.at >= 0 {
		heap.Remove(&s.queue, x.at)
	}
}

// decide finds out what a host needs next, and when.
func (s *serving) decide(x *served, now time.Time) {
	if x.flying {
		return
	}
	s.ask(x, now)
	s.enter(x)
}

// ask finds out what a host needs next; it changes nothing but the host.
func (s *serving) ask(x *served, now time.Time) {
	x.view.Restarts = s.restarts(x)
	x.next = s.planner.Decide(x.view, now)
	if x.forced {
		x.next = forced(x.next, x.view, now)
	}
}

// enter puts a host where what it needs next belongs.
func (s *serving) enter(x *served) {
	n := x.next
	var first schedule.WaveID
	if n.First && (n.Work == schedule.WorkRemove || n.Work == schedule.WorkJoin && !x.lost) {
		first = schedule.WaveID{Plan: x.view.Planned.Plan, Number: x.view.Planned.Wave}
	}
	s.waitsFor(x, first)
	if n.At.IsZero() || s.opt.Only != nil && !s.opt.Only[x.host.Name] {
		s.shelve(x, n.Why)
		return
	}
	due := n.At
	if due.Before(x.notBefore) {
		due = x.notBefore
	}
	s.schedule(x, due, n.Why)
}

// forced is the work of a host that a person has named.
func forced(n schedule.Next, v schedule.View, now time.Time) schedule.Next {
	found := v.State.Standing == remediate.StandPresent || v.State.Standing == remediate.StandReappeared
	switch n.Work {
	case schedule.WorkPerson:
		n.Work = schedule.WorkLook
		if found && v.Planned.Host != "" {
			n.Work = schedule.WorkRemove
		}
		n.At = now
	case schedule.WorkLook, schedule.WorkRemove, schedule.WorkRestart, schedule.WorkJoin, schedule.WorkVerify:
		n.At = now
	}
	n.Watch = false
	return n
}

// waitsFor counts a host for the wave that has to wait for it, and has hosts
// of later waves looked at when a wave waits for nobody any more.
func (s *serving) waitsFor(x *served, wave schedule.WaveID) {
	if x.first == wave {
		return
	}
	if was := x.first; was.Plan != "" {
		if s.firsts[was]--; s.firsts[was] == 0 {
			delete(s.firsts, was)
			s.released = append(s.released, s.gated[was.Plan]...)
			delete(s.gated, was.Plan)
		}
	}
	if x.first = wave; wave.Plan != "" {
		s.firsts[wave]++
	}
}

// earlierWave is the first wave of the host's plan that waits for other hosts.
func (s *serving) earlierWave(x *served) (int, bool) {
	for n := 1; n < x.first.Number; n++ {
		if s.firsts[schedule.WaveID{Plan: x.first.Plan, Number: n}] > 0 {
			return n, true
		}
	}
	return 0, false
}

// mayGo reports whether a host that is due may be worked on now; else it is
// put off.
func (s *serving) mayGo(ctx context.Context, x *served, now time.Time) (bool, error) {
	switch x.next.Work {
	case schedule.WorkRemove:
		return s.mayRemove(ctx, x, now)
	case schedule.WorkRestart:
		held, _, err := s.brake.on(ctx, "", "")
		if err != nil {
			return false, err
		}
		if held != nil { // it is only looked at: has somebody restarted it?
			s.tellHeld(held)
			due := x.view.State.SeenAt.Add(schedule.PersonLook)
			return s.putOff(x, !due.After(now) || x.view.State.SeenAt.After(now), due, "the campaign is held: "+held.Reason), nil
		}
		ok, next, why := s.gate.mayRestart(*x.host, PlaybookNames(x.view.State.Findings), now)
		return s.putOff(x, ok, next, why), nil
	}
	return true, nil
}

func (s *serving) mayRemove(ctx context.Context, x *served, now time.Time) (bool, error) {
	held, _, err := s.brake.on(ctx, "", "")
	if err != nil {
		return false, err
	}
	if held != nil {
		s.tellHeld(held)
		s.shelve(x, "the campaign is held: "+held.Reason)
		return false, nil
	}
	if wave, waits := s.earlierWave(x); waits {
		s.gated[x.first.Plan] = append(s.gated[x.first.Plan], x)
		s.shelve(x, fmt.Sprintf("wave %d comes first", wave))
		return false, nil
	}
	o, err := s.gate.At(*x.host, now, s.gate.Need(PlaybookNames(x.view.State.Findings)))
	if err != nil {
		s.waitsFor(x, schedule.WaveID{})
		s.shelve(x, err.Error())
		return false, nil
	}
	if o.Never {
		s.waitsFor(x, schedule.WaveID{}) // no wave waits for it
	}
	return s.putOff(x, o.Open, o.Next, o.Why), nil
}

// putOff puts a host off until next, or for a person where that is zero.
func (s *serving) putOff(x *served, ok bool, next time.Time, why string) bool {
	switch {
	case ok:
		return true
	case next.IsZero():
		s.shelve(x, why)
	default:
		s.schedule(x, next, why)
	}
	return false
}
