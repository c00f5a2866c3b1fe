package engine

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"github.com/sourcegraph/conc/panics"
	"github.com/sourcegraph/conc/pool"
)

// task is one host's way through a run.
type task interface {
	// site is what the limit for one site counts by.
	site() string
	// step does what can be done now. It returns more = false at the end,
	// else how long to wait before the next step. It must return soon after
	// ctx is cancelled.
	step(ctx context.Context) (wait time.Duration, more bool)
	// panicked ends the task after a panic in step.
	panicked(ctx context.Context, p *panics.Recovered)
}

// executor carries out tasks within limits: at most hosts tasks in flight
// (running or waiting), perSite of one site, and active in a step at once.
type executor struct {
	hosts, perSite, active int
	// halted is asked before each admission; true ends admissions for good.
	halted func() bool
}

type stepResult struct {
	t    task
	wait time.Duration
	more bool
}

// execution is the state of one executor.run.
type execution struct {
	executor
	queue    *siteQueue
	busy     map[string]int // tasks in flight by site
	inFlight int
	running  int
	ready    []task
	waiting  waitHeap
	closed   bool // no more admissions
}

// run carries out tasks, roughly in order, until all have ended. When stop is
// closed or halted says so, no further task is started, and those in flight
// go on to their end. When ctx is cancelled, running steps are waited for
// and waiting tasks are dropped. It returns the tasks that were never started
// and those that were dropped.
func (x executor) run(ctx context.Context, stop <-chan struct{}, tasks []task) (left, dropped []task) {
	return x.runFed(ctx, stop, tasks, nil)
}

// runFed is run with more tasks to come: it goes on until feed is closed, or
// nothing more may be started, and what was started has ended.
func (x executor) runFed(ctx context.Context, stop <-chan struct{}, tasks []task, feed <-chan []task) (left, dropped []task) {
	ex := &execution{executor: x, queue: newSiteQueue(tasks), busy: map[string]int{}}
	results := make(chan stepResult)
	workers := pool.New().WithMaxGoroutines(max(1, x.active))
	defer workers.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	done := ctx.Done()
	for {
		if ctx.Err() != nil {
			dropped = append(dropped, ex.drop()...)
		}
		ex.admit(ctx, stop)
		ex.start(ctx, workers, results)
		if ex.inFlight == 0 && (feed == nil || ex.closed) {
			return ex.queue.rest(), dropped
		}
		ex.arm(timer)
		select {
		case r := <-results:
			ex.finished(r)
		case more, open := <-feed:
			if !open {
				feed = nil
			}
			ex.queue.add(more)
		case <-timer.C:
			ex.wake(time.Now())
		case <-stop:
			ex.closed, stop = true, nil
		case <-done:
			done = nil
		}
	}
}

// admit takes tasks from the queue while the limits allow.
func (ex *execution) admit(ctx context.Context, stop <-chan struct{}) {
	for !ex.closed && ex.inFlight < ex.hosts {
		if ctx.Err() != nil || stopped(stop) || ex.halted != nil && ex.halted() {
			ex.closed = true
			return
		}
		t := ex.queue.next(func(site string) bool { return ex.busy[site] < ex.perSite })
		if t == nil {
			return
		}
		ex.inFlight++
		ex.busy[t.site()]++
		ex.ready = append(ex.ready, t)
	}
}

// start hands ready tasks to the workers, never more than can run at once, so
// that handing over does not block.
func (ex *execution) start(ctx context.Context, workers *pool.Pool, results chan<- stepResult) {
	for len(ex.ready) > 0 && ex.running < max(1, ex.active) {
		t := ex.ready[0]
		ex.ready = ex.ready[1:]
		ex.running++
		workers.Go(func() { results <- stepOnce(ctx, t) })
	}
}

// stepOnce runs one step; a panic in it ends this task and no other.
func stepOnce(ctx context.Context, t task) (r stepResult) {
	r.t = t
	if p := panics.Try(func() { r.wait, r.more = t.step(ctx) }); p != nil {
		t.panicked(ctx, p)
		return stepResult{t: t}
	}
	return r
}

func (ex *execution) finished(r stepResult) {
	ex.running--
	switch {
	case !r.more:
		ex.leave(r.t)
	case r.wait <= 0:
		ex.ready = append(ex.ready, r.t)
	default:
		heap.Push(&ex.waiting, waiter{due: time.Now().Add(r.wait), t: r.t})
	}
}

func (ex *execution) leave(t task) {
	ex.inFlight--
	if ex.busy[t.site()]--; ex.busy[t.site()] == 0 {
		delete(ex.busy, t.site())
	}
}

// drop gives up everything that is not in a step right now.
func (ex *execution) drop() []task {
	ex.closed = true
	out := ex.ready
	ex.ready = nil
	for _, w := range ex.waiting {
		out = append(out, w.t)
	}
	ex.waiting = nil
	for _, t := range out {
		ex.leave(t)
	}
	return out
}

func (ex *execution) wake(now time.Time) {
	for len(ex.waiting) > 0 && !ex.waiting[0].due.After(now) {
		ex.ready = append(ex.ready, heap.Pop(&ex.waiting).(waiter).t)
	}
}

// arm sets the timer to the next waiter's time.
func (ex *execution) arm(timer *time.Timer) {
	if len(ex.waiting) > 0 {
		timer.Reset(time.Until(ex.waiting[0].due))
		return
	}
	timer.Reset(time.Hour)
}

type waiter struct {
	due time.Time
	t   task
}

// waitHeap is a heap.Interface by due time.
type waitHeap []waiter

func (h waitHeap) Len() int           { return len(h) }
func (h waitHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h waitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *waitHeap) Push(x any) { *h = append(*h, x.(waiter)) }

// Pop implements heap.Interface.
func (h *waitHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = waiter{}
	*h = old[:len(old)-1]
	return last
}

// siteQueue holds tasks by site and gives them out in turns, so that one
// full site does not hold up the others.
type siteQueue struct {
	order []string
	tasks map[string][]task
	turn  int
}

func newSiteQueue(tasks []task) *siteQueue {
	q := &siteQueue{tasks: map[string][]task{}}
	q.add(tasks)
	return q
}

// add puts tasks behind those of their sites.
func (q *siteQueue) add(tasks []task) {
	for _, t := range tasks {
		s := t.site()
		if len(q.tasks[s]) == 0 && !slices.Contains(q.order, s) {
			q.order = append(q.order, s)
		}
		q.tasks[s] = append(q.tasks[s], t)
	}
}

// next takes the next task of a site that is free, or nil.
func (q *siteQueue) next(free func(site string) bool) task {
	for i := 0; i < len(q.order); {
		at := (q.turn + i) % len(q.order)
		s := q.order[at]
		if len(q.tasks[s]) == 0 {
			q.order = append(q.order[:at], q.order[at+1:]...)
			if at < q.turn {
				q.turn--
			}
			continue
		}
		if free(s) {
			t := q.tasks[s][0]
			q.tasks[s] = q.tasks[s][1:]
			q.turn = at + 1
			return t
		}
		i++
	}
	return nil
}

// rest returns what was never taken.
func (q *siteQueue) rest() []task {
	var out []task
	for _, s := range q.order {
		out = append(out, q.tasks[s]...)
	}
	return out
}
