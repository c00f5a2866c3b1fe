package engine

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/panics"

	"oust/remediate"
	"oust/remediate/schedule"
	"oust/transports"
)

// serving is a Serve under way. All but what stands below mu belongs to its
// loop.
type serving struct {
	e       *Engine
	opt     ServeOptions
	stop    <-chan struct{}
	still   bool
	planner schedule.Planner
	brake   *brake
	gate    *Gate
	exempt  map[string]remediate.Exemption
	// approved are the digests of scripts that a person has said yes to.
	approved map[string]bool
	hosts    []*served
	byName   roster
	queue    dueQueue
	// firsts counts the hosts whose turn a wave waits for; gated are hosts of
	// later waves, by plan, and released those to be looked at again.
	firsts   map[schedule.WaveID]int
	gated    map[string][]*served
	released []*served
	flying   int
	clock    time.Time // of the last turn
	told     map[schedule.Work]int
	heldTold bool
	joins    *applying
	runs     map[*running]bool

	wake chan struct{} // one place: something has landed
	over chan struct{} // closed when the executor has ended

	mu      sync.Mutex
	landed  []landing
	summary Summary
	fatal   error
}

// landing is a host whose work has ended, or was put off for a time.
type landing struct {
	x   *served
	run *running
	// silent: nothing was done, the host did not answer a knock; answered: it
	// did, and nothing else was done.
	silent, answered bool
}

// running is a run of the store that ends with the last of its hosts.
type running struct {
	run  remediate.Run
	left int
	exit func() int
}

func (e *Engine) newServing(ctx context.Context, stop <-chan struct{}, hosts []remediate.Host, opt ServeOptions) (*serving, error) {
	r, err := e.Records(ctx, opt.IgnoreWindows)
	if err != nil {
		return nil, err
	}
	s := e.servingOf(r, hosts, opt, false)
	s.stop = stop
	waves := map[string]schedule.WaveID{}
	for _, x := range s.hosts {
		if p := x.view.Planned; p.Host != "" {
			waves[p.Host] = schedule.WaveID{Plan: p.Plan, Number: p.Wave}
		}
	}
	if s.joins, err = s.applying(&remediate.Plan{}, remediate.Run{}, waves); err != nil {
		return nil, err
	}
	return s, nil
}

// servingOf decides what hosts need next from what the store has of them. One
// that is still takes nothing up: its hosts do not queue.
func (e *Engine) servingOf(r *Records, hosts []remediate.Host, opt ServeOptions, still bool) *serving {
	if opt.Tick <= 0 {
		opt.Tick = time.Minute
	}
	s := &serving{
		e: e, opt: opt, still: still, runs: map[*running]bool{}, gate: r.gate, approved: r.approved, exempt: r.exempt,
		planner: schedule.Planner{Rules: schedule.RetryRules(e.Campaign.Retry, e.Campaign.Watch), Reverify: e.Campaign.Reverify},
		firsts:  map[schedule.WaveID]int{}, gated: map[string][]*served{},
		wake: make(chan struct{}, 1), over: make(chan struct{}), clock: e.Now(), summary: newSummary("", retryKind, len(hosts)),
	}
	s.hosts = make([]*served, len(hosts))
	room := make([]served, len(hosts))
	for i := range hosts {
		x := &room[i]
		x.host, x.at, x.forced = &hosts[i], -1, opt.Forced
		s.hosts[i] = x
	}
	s.byName.hosts = s.hosts
	s.take(r)
	together(room, func(_ int, part []served) {
		for i := range part {
			x := &part[i]
			if x.view.State == nil {
				x.view.State = &remediate.HostState{Host: x.host.Name, Standing: remediate.StandUnseen}
			}
			s.ask(x, s.clock)
		}
	})
	for _, x := range s.hosts {
		s.enter(x)
	}
	return s
}

// together calls do for parts of a long list, several at once; from is where a
// part begins.
func together[T any](list []T, do func(from int, part []T)) {
	const size = 4096
	parts := slices.Collect(slices.Chunk(list, size))
	iter.ForEachIdx(parts, func(i int, part *[]T) { do(i*size, *part) })
}

// take gives each host what the store has of it, and counts what stands failed.
func (s *serving) take(r *Records) {
	s.brake = &brake{e: s.e, guard: schedule.NewGuard(s.e.Campaign.Stop), held: r.held}
	sizes := map[schedule.WaveID]int{}
	elsewhere := map[string]remediate.Planned{} // of hosts that are not in the inventory
	var left []*remediate.HostState             // too
	var wg conc.WaitGroup
	wg.Go(func() {
		byName := roster{hosts: s.hosts}
		for p := range inParts(r.planned) {
			sizes[schedule.WaveID{Plan: p.Plan, Number: p.Wave}]++
			if x := byName.find(p.Host); x != nil {
				x.view.Planned = *p
			} else {
				elsewhere[p.Host] = *p
			}
		}
	})
	for st := range r.States {
		if x := s.byName.find(st.Host); x != nil {
			x.view.State = st
		} else {
			left = append(left, st)
		}
	}
	wg.Wait()
	s.brake.addWaves(sizes)
	for _, x := range s.hosts {
		if x.view.State != nil {
			s.brake.stood(x.view.State, x.view.Planned, r.since)
		}
	}
	for _, st := range left {
		s.brake.stood(st, elsewhere[st.Host], r.since)
	}
	for name, exemption := range r.exempt {
		if x := s.byName.find(name); x != nil {
			x.view.ExemptUntil = exemption.Until
		}
	}
	for _, at := range r.open {
		if x := s.byName.find(at.Host); x != nil {
			x.left(at)
		}
	}
}

// closeOldRuns ends the runs that a Serve before this one left open: their
// hosts are settled by this one.
func (s *serving) closeOldRuns(ctx context.Context) error {
	open, err := s.e.Store.OpenRuns(ctx)
	if err != nil {
		return fmt.Errorf("read open runs: %w", err)
	}
	for _, run := range open {
		if run.Kind != retryKind && run.Kind != string(remediate.LookScan) && run.Kind != string(remediate.LookVerify) {
			continue // an apply is taken up again by its own plan
		}
		run.Ended, run.Exit, run.Note = s.e.Now().UTC(), ExitInterrupted, "interrupted"
		if err := s.e.record(ctx, func(ctx context.Context) error { return s.e.Store.EndRun(ctx, run) }); err != nil {
			return err
		}
	}
	return nil
}

// left notes what an attempt has left to be done on the host.
func (x *served) left(at remediate.Attempt) {
	at.Log = nil
	switch at.Phase {
	case remediate.PhaseCleaned:
	case remediate.PhaseClosed:
		x.tidy = append(x.tidy, at)
	default:
		if !x.view.Open {
			x.view.Open, x.view.OpenSince = true, at.Updated
		}
		x.open = append(x.open, at)
	}
}

// restarts reports whether oust may restart the host when it waits for that.
func (s *serving) restarts(x *served) bool {
	st := x.view.State
	return st.Last.Kind == remediate.OutcomeRebootPending && st.BootID != "" && st.Reboots < s.e.Campaign.Reboot.Budget &&
		s.gate.restarts(PlaybookNames(st.Findings)) != remediate.RebootNever
}

// fail ends Serve for a failure of oust itself.
func (s *serving) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fatal == nil {
		s.fatal = err
		s.e.Logger.Error("serving cannot go on", logError, err)
	}
}

func (s *serving) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fatal != nil
}

// count adds what has ended to the summary of all runs.
func (s *serving) count(add func(*Summary)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.summary)
}

// tellHeld says once that the campaign is held.
func (s *serving) tellHeld(h *remediate.Hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.heldTold {
		s.heldTold = true
		s.summary.Stopped = h.Reason
		s.e.Sink.Event(RunStopped{Reason: h.Reason})
	}
}

// land takes in a host whose work has ended. It is called by the executor's
// workers.
func (s *serving) land(l landing) {
	s.mu.Lock()
	s.landed = append(s.landed, l)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// takeLanded brings what is known of hosts up to date after their work.
func (s *serving) takeLanded(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	landed := s.landed
	s.landed = nil
	s.mu.Unlock()
	for _, l := range landed {
		if err := s.takeIn(ctx, l, now); err != nil {
			return err
		}
	}
	for len(s.released) > 0 {
		s.decideReleased(now)
	}
	return nil
}

func (s *serving) takeIn(ctx context.Context, l landing, now time.Time) error {
	x := l.x
	x.flying = false
	s.flying--
	if l.run != nil {
		if l.run.left--; l.run.left == 0 {
			s.endRun(ctx, l.run)
		}
	}
	if l.answered {
		x.answered = now
		s.decide(x, now)
		return nil
	}
	if l.silent {
		x.knocks++
		x.lost = x.view.Open
		x.notBefore = now.Add(schedule.KnockPause(s.e.Campaign.Watch, x.host.Name, x.knocks))
		s.decide(x, now)
		return nil
	}
	was := x.next.Work
	x.knocks, x.forced, x.notBefore = 0, false, time.Time{}
	st, err := s.e.Store.HostState(ctx, x.host.Name)
	if err != nil {
		return fmt.Errorf("read the host: %w", err)
	}
	before := x.view.State
	x.view.State = &st
	if err := s.readOpen(ctx, x, was); err != nil {
		return err
	}
	s.slowDown(x, was, before, now)
	s.decide(x, now)
	return nil
}

// readOpen reads which attempts of a host are left to settle.
func (s *serving) readOpen(ctx context.Context, x *served, was schedule.Work) error {
	if was != schedule.WorkJoin && was != schedule.WorkRemove && len(x.open)+len(x.tidy) == 0 {
		return nil
	}
	x.view.Open, x.open, x.tidy = false, nil, nil
	for at, err := range s.e.Store.HostAttempts(ctx, x.host.Name) {
		if err != nil {
			return fmt.Errorf("read the attempts: %w", err)
		}
		x.left(at)
	}
	return nil
}

// Pauses after work that has changed nothing, so that nothing is repeated at
// once for ever.
const (
	joinPause    = 10 * time.Minute
	restartPause = 30 * time.Minute // doubled with each restart that came to nothing
	restartMost  = 4 * time.Hour
	stalePause   = time.Hour
	staleMost    = 3
)

// slowDown sets a pause where the work has not brought the host on.
func (s *serving) slowDown(x *served, was schedule.Work, before *remediate.HostState, now time.Time) {
	st := x.view.State
	x.lost = x.view.Open
	switch {
	case x.view.Open:
		x.notBefore = now.Add(joinPause)
	case was == schedule.WorkRestart && st.Last.Kind == remediate.OutcomeRebootPending:
		x.restarts++
		x.notBefore = now.Add(min(restartPause<<min(x.restarts-1, 8), restartMost))
	case was == schedule.WorkRemove && st.Last.Kind == remediate.OutcomeStale:
		if x.stales++; x.stales >= staleMost {
			x.notBefore = now.Add(stalePause)
		}
	case was == schedule.WorkRemove && st.LastAt.Equal(before.LastAt) && st.SeenAt.Equal(before.SeenAt):
		x.notBefore = now.Add(s.opt.Tick) // it was deferred at the last moment
	case was == schedule.WorkRemove && st.Class != "":
		x.notBefore = now.Add(s.opt.Tick) // whatever its rule says
	default:
		x.stales, x.restarts = 0, 0
	}
}

// takeDue makes the tasks of the hosts that are due.
func (s *serving) takeDue(ctx context.Context, now time.Time) ([]task, error) {
	due := map[schedule.Work][]*served{}
	var knocks []task
	for len(s.queue) > 0 && !s.queue[0].due.After(now) {
		x := s.queue[0]
		if x.next.Work == schedule.WorkExempt { // it has ended
			x.view.ExemptUntil = time.Time{}
			s.decide(x, now)
			continue
		}
		ok, err := s.mayGo(ctx, x, now)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		heap.Pop(&s.queue)
		if x.next.Watch && now.Sub(x.answered) > answerHolds {
			x.flying = true
			s.flying++
			knocks = append(knocks, &knockTask{s: s, x: x})
			continue
		}
		due[x.next.Work] = append(due[x.next.Work], x)
	}
	work, err := s.tasks(ctx, due)
	return append(knocks, work...), err
}

// answerHolds is how long after a host has answered a knock it is taken without
// another one.
const answerHolds = time.Minute

// flight is the work on one host, on its way through the executor.
type flight struct {
	task
	s   *serving
	x   *served
	run *running
	// before are small things to be done on the host first.
	before []task
}

// step implements task.
func (f *flight) step(ctx context.Context) (time.Duration, bool) {
	for len(f.before) > 0 {
		wait, more := f.before[0].step(ctx)
		if more {
			return wait, true
		}
		f.before = f.before[1:]
	}
	wait, more := f.task.step(ctx)
	if !more {
		f.s.land(landing{x: f.x, run: f.run})
	}
	return wait, more
}

// panicked implements task.
func (f *flight) panicked(ctx context.Context, p *panics.Recovered) {
	f.task.panicked(ctx, p)
	f.s.land(landing{x: f.x, run: f.run})
}

// endRun closes the record of a run.
func (s *serving) endRun(ctx context.Context, r *running) {
	delete(s.runs, r)
	run := r.run
	run.Ended, run.Exit = s.e.Now().UTC(), r.exit()
	if err := s.e.record(ctx, func(ctx context.Context) error { return s.e.Store.EndRun(ctx, run) }); err != nil {
		s.fail(err)
	}
}

// endRuns closes the records of runs that were interrupted.
func (s *serving) endRuns(ctx context.Context) {
	_ = s.takeLanded(context.WithoutCancel(ctx), s.e.Now())
	for r := range s.runs {
		r.exit = func() int { return ExitInterrupted }
		s.endRun(ctx, r)
	}
}

// applying is what tasks about attempts share. The secrets of all playbooks
// are masked in what hosts print.
func (s *serving) applying(plan *remediate.Plan, run remediate.Run, waves map[string]schedule.WaveID) (*applying, error) {
	hosts := make(map[string]remediate.Host, len(waves))
	for name := range waves {
		if x := s.byName.find(name); x != nil {
			hosts[name] = *x.host
		}
	}
	a := &applying{
		e: s.e, plan: plan, run: run, stop: s.stop, hosts: hosts, waves: waves, serves: true,
		brake: s.brake, gate: s.gate, exempt: s.exempt, ignoreWindows: s.opt.IgnoreWindows, onFatal: s.fail, total: s,
		secrets: map[string]transports.Secret{}, summary: newSummary(run.ID, retryKind, len(plan.Hosts)),
	}
	for _, p := range s.e.Library.List() {
		for _, secret := range p.Secrets {
			value, err := s.e.Secret(secret.Name)
			switch {
			case err == nil:
				a.secrets[secret.Name] = value
			case !errors.Is(err, ErrNoSecret):
				return nil, fmt.Errorf("secret %q: %w", secret.Name, err)
			}
		}
	}
	var err error
	a.mask, err = s.e.newMask(a.secrets)
	return a, err
}

// begin makes the record of a run.
func (s *serving) begin(ctx context.Context, kind, plan string, hosts int) (*running, error) {
	run := remediate.Run{ID: remediate.NewID(s.e.Now()), Kind: kind, Plan: plan, Started: s.e.Now().UTC(), By: s.e.By}
	if s.opt.IgnoreWindows && kind == retryKind {
		run.Lowered = LoweredWindows
	}
	if err := s.e.record(ctx, func(ctx context.Context) error { return s.e.Store.BeginRun(ctx, run) }); err != nil {
		return nil, err
	}
	r := &running{run: run, left: hosts, exit: func() int { return ExitOK }}
	s.runs[r] = true
	return r, nil
}
