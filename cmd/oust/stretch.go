package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
)

// Serving is cut into stretches: between two of them another command has the
// store.

// heldPause is how long serve waits until it asks again for a store that a
// command took which did not ask for it.
const heldPause = time.Second

// serveStretch opens the store and serves until it is told to end.
func (a *app) serveStretch(ctx context.Context, w *workspace, ui engine.Sink, opt engine.ServeOptions) (engine.Summary, error) {
	if err := w.openStore(ctx); err != nil {
		return engine.Summary{}, err
	}
	e, err := w.ready(ctx, ui)
	if err != nil {
		return engine.Summary{}, err
	}
	return e.Serve(ctx, a.stop, w.hosts, opt)
}

// closeSince closes what was opened since, the last first.
func (a *app) closeSince(mark int) error {
	var errs []error
	for len(a.closers) > mark {
		last := len(a.closers) - 1
		errs = append(errs, a.closers[last].Close())
		a.closers = a.closers[:last]
	}
	return errors.Join(errs...)
}

// serveOn serves until a person stops it, and stands back for other commands.
func (a *app) serveOn(ctx context.Context, w *workspace, ui engine.Sink) (sum engine.Summary, err error) {
	// The store first: it tells whoever comes second who has it.
	if err := w.openStore(ctx); err != nil {
		return sum, err
	}
	control, err := listenControl(a.dir, fmt.Sprintf("process %d on %s since %s", os.Getpid(), controllerName(), a.now().UTC().Format("2006-01-02 15:04 UTC")))
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, control.Close()) }()
	if err := w.store.Close(); err != nil {
		return sum, err
	}
	quiet := &stretches{to: ui}
	defer quiet.end()
	for {
		sum, y, err := a.stretch(ctx, w, quiet, control.yields)
		switch {
		case y != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, remediate.ErrStoreHeld)):
			y.granted()
			quiet.Event(stoodBack{})
		case y == nil && errors.Is(err, remediate.ErrStoreHeld):
			// A command found the store free between two stretches.
			quiet.Event(stoodBack{})
			y = a.heldFor(ctx, w, control.yields)
		default:
			return sum, err
		}
		if y.wait(a.stop) {
			return sum, nil
		}
		w = a.readAgain(w)
	}
}

// stretch serves until it ends by itself, or until a command asks for the
// store, which is closed then.
func (a *app) stretch(ctx context.Context, w *workspace, ui engine.Sink, yields <-chan *yield) (sum engine.Summary, y *yield, err error) {
	mark := len(a.closers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sum, err = a.serveStretch(ctx, w, ui, engine.ServeOptions{})
	}()
	select {
	case <-ended:
	case y = <-yields:
		cancel()
		<-ended
	}
	return sum, y, errors.Join(err, a.closeSince(mark))
}

// heldFor waits until the store is free, or for a command that asks, which is
// told at once that serve does not have it.
func (a *app) heldFor(ctx context.Context, w *workspace, yields <-chan *yield) *yield {
	t := time.NewTicker(heldPause)
	defer t.Stop()
	for {
		select {
		case y := <-yields:
			y.granted()
			return y
		case <-a.stop:
			return nil
		case <-t.C:
			mark := len(a.closers)
			err := errors.Join(w.openStore(ctx), a.closeSince(mark))
			if !errors.Is(err, remediate.ErrStoreHeld) {
				return nil
			}
		}
	}
}

// wait waits until the command has ended, and reports whether serve is to stop.
func (y *yield) wait(stop <-chan struct{}) (stopped bool) {
	if y != nil {
		select {
		case <-y.gone:
		case <-stop:
		}
	}
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// stoodBack is the event of serve leaving the store to another command; what
// was under way is taken up again later.
type stoodBack struct{}

// EventType implements engine.Event.
func (stoodBack) EventType() string { return "stood_back" }

// stretches tells of several stretches of serving as of one.
type stretches struct {
	to    engine.Sink
	began bool
	last  engine.RunEnded
}

// Event implements engine.Sink.
func (s *stretches) Event(e engine.Event) {
	switch e := e.(type) {
	case engine.RunStarted:
		if s.began {
			return
		}
		s.began = true
	case engine.RunEnded:
		s.last = e
		return
	}
	s.to.Event(e)
}

// end tells of the end of the last stretch.
func (s *stretches) end() {
	if s.began && !s.last.At.IsZero() {
		s.to.Event(s.last)
	}
}

var _ engine.Sink = (*stretches)(nil)

// readAgain reads the campaign anew after another command has run; what cannot
// be read leaves the old settings in force.
func (a *app) readAgain(old *workspace) *workspace {
	w, err := a.openMandate()
	if err != nil {
		fmt.Fprintf(a.Err, "oust: note: the campaign is served as it was, for it cannot be read now: %v\n", err)
		return old
	}
	return w
}

// openStoreBeside opens the store, if need be by having a serve stand back.
func (w *workspace) openStoreBeside(ctx context.Context) error {
	err := w.openStore(ctx)
	if !errors.Is(err, remediate.ErrStoreHeld) {
		return err
	}
	aside, asking := askYieldOf(ctx, w.campaign.Dir, func() {
		fmt.Fprintln(w.a.Err, "oust: note: 'oust serve' is asked to stand back for this command")
	})
	switch {
	case errors.Is(asking, errNobodyServes): // another command has it
		return err
	case asking != nil:
		return fmt.Errorf("%w; %w", err, asking)
	}
	w.a.closers = append(w.a.closers, aside)
	// Another command may have been quicker; serve stands back meanwhile.
	deadline := time.Now().Add(yieldTime)
	for {
		if err = w.openStore(ctx); !errors.Is(err, remediate.ErrStoreHeld) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.a.stop:
			return err
		case <-time.After(heldPause / 10):
		}
	}
}
