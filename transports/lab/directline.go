package lab

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// line is a connection without a wire: it lives until somebody ends it, and
// why is the cause of its context.
type line struct {
	life context.Context
	end  context.CancelCauseFunc
	// unknown: the end of a command comes without an exit code.
	unknown atomic.Bool
	// deaf: nothing that the host says comes through any more.
	deaf atomic.Bool
}

func newLine(host context.Context) *line {
	l := &line{}
	l.life, l.end = context.WithCancelCause(host)
	return l
}

// Close ends the line as a dead network does.
func (l *line) Close() error {
	l.end(errCut)
	return nil
}

// wait waits, and returns early when ctx or the line ends.
func (l *line) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.life.Done():
		return context.Cause(l.life)
	}
}

// failure is the error for a line or a context that has ended during op.
func (l *line) failure(ctx context.Context, host, op string) *transports.Error {
	if ctx.Err() != nil {
		class := transports.LostContact
		if op != opRun {
			class = transports.Unreachable
		}
		return transports.ContextError(ctx, host, op, class)
	}
	why := context.Cause(l.life)
	if errors.Is(why, context.Canceled) { // the host has stopped
		why = errCut
	}
	return &transports.Error{Class: transports.LostContact, Host: host, Op: op, Err: why}
}

// breaks makes the line go wrong as the WinRM service does under a fault.
func (l *line) breaks(inject string) {
	switch inject {
	case wsman.FaultShellKilled:
		l.end(errShellGone)
	case wsman.FaultNotXML:
		l.end(errNotXML)
	case wsman.FaultNoExitCode:
		l.unknown.Store(true)
	case wsman.FaultStall:
		l.deaf.Store(true)
		time.AfterFunc(answerTime, func() { l.end(errNoAnswer) })
	}
}

// lines are the connections to the machine without a wire.
func (p *winPort) lines() []*line {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*line
	for c := range p.conns {
		if l, ok := c.(*line); ok {
			out = append(out, l)
		}
	}
	return out
}

// endLines ends the connections without a wire.
func (p *winPort) endLines(why error) {
	for _, l := range p.lines() {
		l.end(why)
	}
}

// breakLines makes the connections without a wire go wrong.
func (p *winPort) breakLines(inject string) {
	for _, l := range p.lines() {
		l.breaks(inject)
	}
}
