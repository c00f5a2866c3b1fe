package engine

import (
	"cmp"
	"context"
	"slices"

	"oust/remediate"
	"oust/remediate/schedule"
)

// tasks makes the work of hosts that are due.
func (s *serving) tasks(ctx context.Context, due map[schedule.Work][]*served) ([]task, error) {
	var out []task
	for _, part := range []struct {
		work schedule.Work
		make func(context.Context, []*served) ([]task, error)
	}{
		{schedule.WorkJoin, s.joinTasks},
		{schedule.WorkLook, func(ctx context.Context, xs []*served) ([]task, error) {
			return s.lookTasks(ctx, remediate.LookScan, xs)
		}},
		{schedule.WorkVerify, s.verifyTasks},
		{schedule.WorkPerson, s.personTasks},
		{schedule.WorkPlan, s.personTasks},
		{schedule.WorkRestart, s.restartTasks},
		{schedule.WorkRemove, s.removeTasks},
	} {
		if xs := due[part.work]; len(xs) > 0 {
			slices.SortFunc(xs, func(a, b *served) int { return cmp.Compare(a.host.Name, b.host.Name) })
			made, err := part.make(ctx, xs)
			if err != nil {
				return nil, err
			}
			out = append(out, made...)
		}
	}
	return out, nil
}

// fly sends a host's work on its way.
func (s *serving) fly(x *served, t task, run *running) task {
	x.flying = true
	s.flying++
	f := &flight{task: t, s: s, x: x, run: run}
	for _, at := range x.tidy {
		f.before = append(f.before, s.joins.settle(*x.host, at))
	}
	return f
}

// joinTasks settle what attempts have left on hosts, the oldest of each first.
func (s *serving) joinTasks(_ context.Context, xs []*served) ([]task, error) {
	var out []task
	for _, x := range xs {
		out = append(out, s.fly(x, s.joins.settle(*x.host, x.open[0]), nil))
	}
	return out, nil
}

// lookTasks look at hosts.
func (s *serving) lookTasks(ctx context.Context, kind remediate.LookKind, xs []*served) ([]task, error) {
	run, err := s.begin(ctx, string(kind), "", len(xs))
	if err != nil {
		return nil, err
	}
	l := &looking{e: s.e, kind: kind, run: run.run, brake: s.brake, total: s, summary: newSummary(run.run.ID, string(kind), len(xs))}
	run.exit = func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.summary.ExitCode()
	}
	var out []task
	for _, x := range xs {
		out = append(out, s.fly(x, &lookTask{l: l, host: *x.host}, run))
	}
	return out, nil
}

// personTasks look at hosts that wait for a person.
func (s *serving) personTasks(ctx context.Context, xs []*served) ([]task, error) {
	return s.lookTasks(ctx, remediate.LookVerify, xs)
}

// verifyTasks look again at hosts; one that waits for somebody's restart is
// judged anew if it has been restarted.
func (s *serving) verifyTasks(ctx context.Context, xs []*served) ([]task, error) {
	var looks, pending []*served
	for _, x := range xs {
		if x.view.State.Last.Kind == remediate.OutcomeRebootPending && x.view.State.Standing != remediate.StandRemoved {
			pending = append(pending, x)
			continue
		}
		looks = append(looks, x)
	}
	var out []task
	if len(looks) > 0 {
		made, err := s.lookTasks(ctx, remediate.LookVerify, looks)
		if err != nil {
			return nil, err
		}
		out = made
	}
	if len(pending) > 0 {
		made, err := s.restartTasks(ctx, pending)
		if err != nil {
			return nil, err
		}
		out = append(out, made...)
	}
	return out, nil
}

// restartTasks restart hosts that wait for it, if that may be done, and judge
// those that have been restarted.
func (s *serving) restartTasks(ctx context.Context, xs []*served) ([]task, error) {
	waiting, looks, err := s.pending(ctx, xs)
	if err != nil {
		return nil, err
	}
	var out []task
	if len(looks) > 0 { // nothing says what they wait for
		if out, err = s.lookTasks(ctx, remediate.LookVerify, looks); err != nil {
			return nil, err
		}
	}
	made, err := s.pendingTasks(ctx, waiting)
	return append(out, made...), err
}

// pendingHost is a host that waits for a restart, with the attempt that said so.
type pendingHost struct {
	x  *served
	at *remediate.Attempt
}

// pending finds the hosts that wait for a restart.
func (s *serving) pending(ctx context.Context, xs []*served) (waiting []pendingHost, others []*served, err error) {
	for _, x := range xs {
		at, err := s.e.pendingAttempt(ctx, x.host.Name)
		switch {
		case err != nil:
			return nil, nil, err
		case at == nil:
			others = append(others, x)
		default:
			at.Log = nil
			waiting = append(waiting, pendingHost{x, at})
		}
	}
	return waiting, others, nil
}

func (s *serving) pendingTasks(ctx context.Context, waiting []pendingHost) ([]task, error) {
	if len(waiting) == 0 {
		return nil, nil
	}
	xs := make([]*served, len(waiting))
	for i, w := range waiting {
		xs[i] = w.x
	}
	run, a, err := s.beginChanges(ctx, &remediate.Plan{}, xs)
	if err != nil {
		return nil, err
	}
	var out []task
	for _, w := range waiting {
		x, at := w.x, w.at
		t := &hostTask{a: a, host: *x.host, attempt: *at, restartOnly: true, pending: at.Outcome}
		t.reopened = x.view.State.Last.Kind != remediate.OutcomeRebootPending
		t.next = t.resumeRestart
		out = append(out, s.fly(x, t, run))
	}
	return out, nil
}

// beginChanges makes a run for hosts that may be changed.
func (s *serving) beginChanges(ctx context.Context, plan *remediate.Plan, xs []*served) (*running, *applying, error) {
	run, err := s.begin(ctx, retryKind, plan.ID, len(xs))
	if err != nil {
		return nil, nil, err
	}
	waves := make(map[string]schedule.WaveID, len(xs))
	for _, x := range xs {
		waves[x.host.Name] = schedule.WaveID{Plan: x.view.Planned.Plan, Number: x.view.Planned.Wave}
	}
	a, err := s.applying(plan, run.run, waves)
	if err != nil {
		return nil, nil, err
	}
	run.exit = func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.summary.ExitCode()
	}
	return run, a, nil
}

// removeTasks plan hosts anew, from what the last look has seen, and remove
// from those for which the plan has a script that was approved.
func (s *serving) removeTasks(ctx context.Context, xs []*served) ([]task, error) {
	hosts := make([]remediate.Host, len(xs))
	for i, x := range xs {
		hosts[i] = *x.host
	}
	p, err := s.e.draft(ctx, hosts, s.e.Store.HostState)
	if err != nil {
		return nil, err
	}
	waiting, looks, err := s.pending(ctx, s.leaveOut(p))
	if err != nil {
		return nil, err
	}
	out, err := s.pendingTasks(ctx, waiting)
	if err != nil {
		return nil, err
	}
	if len(looks) > 0 {
		made, err := s.lookTasks(ctx, remediate.LookScan, looks)
		if err != nil {
			return nil, err
		}
		out = append(out, made...)
	}
	if len(p.plan.Hosts) == 0 {
		return out, nil
	}
	p.cutWaves([]remediate.WaveSize{{Share: 1}})
	plan, err := p.seal(ctx)
	if err != nil {
		return nil, err
	}
	going := make([]*served, len(plan.Hosts))
	for i := range plan.Hosts {
		going[i] = s.byName.find(plan.Hosts[i].Name)
	}
	run, a, err := s.beginChanges(ctx, plan, going)
	if err != nil {
		return nil, err
	}
	for i := range plan.Hosts {
		t := a.newTask(&plan.Hosts[i], nil)
		t.wave = going[i].view.Planned.Wave
		out = append(out, s.fly(going[i], t, run))
	}
	return out, nil
}

// leaveOut takes hosts out of a draft that need something else first: a look,
// or a person's yes to a script that nobody has approved.
func (s *serving) leaveOut(p *planner) (looks []*served) {
	for _, left := range p.plan.Left {
		x := s.byName.find(left.Name)
		switch left.Reason {
		case remediate.LeftClean, remediate.LeftUnseen:
			looks = append(looks, x)
		default:
			s.person(x, schedule.WorkPerson, left.Detail)
		}
	}
	p.plan.Left = nil
	scripts := map[string]bool{}
	p.plan.Hosts = slices.DeleteFunc(p.plan.Hosts, func(h remediate.PlanHost) bool {
		if s.leaveUnapproved(s.byName.find(h.Name), h.Script) {
			return true
		}
		scripts[h.Script] = true
		return false
	})
	p.plan.Scripts = slices.DeleteFunc(p.plan.Scripts, func(sc remediate.Script) bool { return !scripts[sc.Digest] })
	return looks
}

// leaveUnapproved lets a host wait for a person where nobody has approved the
// script that it needs.
func (s *serving) leaveUnapproved(x *served, script string) bool {
	if s.approved[script] {
		return false
	}
	s.person(x, schedule.WorkPlan, "it needs a script that nobody has approved yet: 'oust plan', look at it, and 'oust apply'")
	return true
}

// person lets a host wait for a person, and has it looked at once a day: what
// was mended by hand is noticed. No wave waits for it.
func (s *serving) person(x *served, work schedule.Work, why string) {
	due := x.view.State.SeenAt.Add(schedule.PersonLook)
	if due.Before(s.clock) {
		due = s.clock
	}
	x.next = schedule.Next{Work: work, At: due, Person: true, Why: why}
	s.waitsFor(x, schedule.WaveID{})
	s.schedule(x, due, why)
}
