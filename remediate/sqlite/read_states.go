package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"oust/remediate"
)

// States are read in ranges of names, by several connections at once, but
// yielded in order.
const (
	stateReaders = 2
	stateRanges  = 128
	// statesAhead is how many ranges are begun before their turn is over; each
	// holds two pages at most.
	statesAhead = 4
	statesRows  = 1024 // of a page
	// sampled looks tell where ranges end; a store with fewer looks than a
	// page has rows is one range.
	sampled = 256
)

const (
	statesQuery = `SELECT ` + stateColumns + ` FROM hosts` + someStates
	joinedQuery = `SELECT joined FROM states` + someStates
	someStates  = ` WHERE name > ? AND name <= ? ORDER BY name LIMIT ?`
	sampleQuery = `WITH RECURSIVE most(seq) AS (SELECT ifnull(max(seq), 0) FROM looks),
			turn(n) AS (SELECT 1 FROM most WHERE seq >= ?2 UNION ALL SELECT n + 1 FROM turn WHERE n < ?1 - 1)
		SELECT (SELECT host FROM looks WHERE looks.seq >= n * most.seq / ?1 ORDER BY looks.seq LIMIT 1) FROM turn, most`
)

// stateRange is the hosts with names after one and up to another.
type stateRange struct {
	after string
	upTo  any // a string, or noEnd
}

// noEnd is after every name: a BLOB comes after all texts
// (https://www.sqlite.org/datatype3.html#sort_order).
var noEnd = []byte{0}

// HostStates implements remediate.Store. States share the memory of findings
// that are equal.
func (s *Store) HostStates(ctx context.Context) iter.Seq2[remediate.HostState, error] {
	const op = "states of hosts"
	return func(yield func(remediate.HostState, error) bool) {
		err := s.readable(ctx)
		var ranges []stateRange
		if err == nil {
			ranges, err = s.stateRanges(ctx)
		}
		if err != nil {
			yield(remediate.HostState{}, explain(op, err))
			return
		}
		if len(ranges) == 1 {
			stream(ctx, s, op, func() cursor[remediate.HostState] { return s.states(ranges[0]) })(yield)
			return
		}
		r := newRangedRead(ctx, s, ranges)
		defer r.end()
		for state, err := range r.all {
			if !yield(state, explain(op, err)) || err != nil {
				return
			}
		}
	}
}

// stateRanges cuts the names of all hosts into ranges of about the same size,
// going by a sample of the looks.
func (s *Store) stateRanges(ctx context.Context) ([]stateRange, error) {
	names, err := collect(ctx, s.reads, func(row scanner, name *string) error { return row.Scan(name) }, sampleQuery, sampled, statesRows)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var out []stateRange
	after := ""
	for i := 1; i < stateRanges; i++ {
		if at := i * len(names) / stateRanges; at < len(names) && names[at] > after {
			out = append(out, stateRange{after, names[at]})
			after = names[at]
		}
	}
	return append(out, stateRange{after, noEnd}), nil
}

// states reads a range page by page.
func (s *Store) states(in stateRange) cursor[remediate.HostState] {
	r := newStateReader()
	single := func(rows *sql.Rows, state *remediate.HostState) (int, error) { return r.single(rows, state) }
	return func(ctx context.Context, into []remediate.HostState) ([]remediate.HostState, bool, error) {
		page, more, err := listOf(ctx, s.reads, statesRows, into, r.joined, joinedQuery, in.after, in.upTo)
		if errors.Is(err, errSeparator) {
			page, more, err = listOf(ctx, s.reads, statesRows, into, single, statesQuery, in.after, in.upTo)
		}
		if len(page) > 0 {
			in.after = page[len(page)-1].Host
		}
		return page, more, err
	}
}

// statePage is part of a range.
type statePage struct {
	states []remediate.HostState
	err    error
}

// rangedRead is one pass over all states by several readers. They are done
// with the store when they wait for their turn.
type rangedRead struct {
	s      *Store
	ctx    context.Context
	cancel context.CancelFunc
	ranges []stateRange
	pages  []chan statePage // of each range; closed at its end
	next   atomic.Int64     // range to be read
	ahead  chan struct{}    // has one for each range that was begun and is not yielded yet
	free   chan []remediate.HostState

	readers sync.WaitGroup
}

func newRangedRead(ctx context.Context, s *Store, ranges []stateRange) *rangedRead {
	r := &rangedRead{s: s, ranges: ranges, ahead: make(chan struct{}, statesAhead), free: make(chan []remediate.HostState, 2*statesAhead)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	for range ranges {
		r.pages = append(r.pages, make(chan statePage, 1))
	}
	for range min(stateReaders, runtime.GOMAXPROCS(0)) {
		r.readers.Go(r.read)
	}
	return r
}

// end stops the readers and waits for them.
func (r *rangedRead) end() {
	r.cancel()
	r.readers.Wait()
}

// all yields the states of all ranges in order.
func (r *rangedRead) all(yield func(remediate.HostState, error) bool) {
	for _, pages := range r.pages {
		for {
			page, more := r.page(pages)
			if page.err != nil {
				yield(remediate.HostState{}, page.err)
				return
			}
			if !more {
				break
			}
			for _, state := range page.states {
				if !yield(state, nil) {
					return
				}
			}
			select {
			case r.free <- page.states[:0]:
			default:
			}
		}
		<-r.ahead
	}
}

// page waits for the next page of a range; more is false after the last.
func (r *rangedRead) page(pages chan statePage) (page statePage, more bool) {
	select {
	case page, more = <-pages:
	case <-r.ctx.Done():
	}
	if page.err == nil {
		page.err = r.s.readable(r.ctx)
	}
	return page, more
}

// read reads ranges until there are none, or the pass has ended.
func (r *rangedRead) read() {
	for {
		select {
		case r.ahead <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
		i := int(r.next.Add(1)) - 1
		if i >= len(r.ranges) || !r.readRange(i) {
			return
		}
	}
}

// readRange reads one range; it reports whether the pass goes on.
func (r *rangedRead) readRange(i int) bool {
	defer close(r.pages[i])
	next := r.s.states(r.ranges[i])
	for more := true; more; {
		var page statePage
		select {
		case page.states = <-r.free:
		default:
			page.states = make([]remediate.HostState, 0, statesRows)
		}
		if page.states, more, page.err = next(r.ctx, page.states); page.err != nil {
			more = false
		}
		select {
		case r.pages[i] <- page:
		case <-r.ctx.Done():
			return false
		}
	}
	return true
}
