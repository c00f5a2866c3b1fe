package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports"
	"oust/transports/lab"
)

// weeks is a simulated campaign of many weeks: the hosts, the person, and an
// account of its own of all that happens.
type weeks struct {
	t        *testing.T
	config   weeksConfig
	campaign remediate.Campaign
	fleet    *lab.Fleet
	store    remediate.Store
	library  *playbooks.Library
	rng      *rand.Rand
	all      []remediate.Host
	hosts    []remediate.Host // those that are in the inventory so far
	byName   map[string]remediate.Host
	where    map[string]whereabouts
	fault    map[string]string // at first

	mu         sync.Mutex
	complaints int
	count      weeksCount
	reasons    []string // of holds
	held       time.Time
	exempt     map[string]remediate.Exemption
	approved   map[string]bool
	planned    map[string]remediate.Planned
	turnless   map[waveID]map[string]bool
	known      map[string]string // attempts, and whose they are
	refused    map[string]int    // logins that a host refused
	allowed    map[string]int    // how many more were asked for
	pressed    map[string]int    // restarts by somebody on the spot
	persons    sync.WaitGroup
}

// weeksCount is what is printed at the end.
type weeksCount struct {
	attempts, looks, reboots, holds, knocks, refused, lives, cut, broken, stopped, most int
	outcomes                                                                            map[remediate.OutcomeKind]int
}

func newWeeks(t *testing.T, config weeksConfig, open func(*testing.T) remediate.Store) *weeks {
	t.Helper()
	time.Sleep(time.Until(weeksStart)) // in a bubble it is the year 2000
	fleet, err := lab.Start(context.WithoutCancel(t.Context()), config.fleet())
	if err != nil {
		t.Fatal(err)
	}
	library, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	w := &weeks{
		t: t, config: config, campaign: config.campaign(), fleet: fleet, store: open(t), library: library,
		rng: rand.New(rand.NewPCG(config.seed, 90)), fault: map[string]string{},
		exempt: map[string]remediate.Exemption{}, approved: map[string]bool{}, planned: map[string]remediate.Planned{},
		turnless: map[waveID]map[string]bool{}, known: map[string]string{}, refused: map[string]int{}, allowed: map[string]int{},
		pressed: map[string]int{}, count: weeksCount{outcomes: map[remediate.OutcomeKind]int{}},
	}
	w.makeInventory(t)
	return w
}

// press has somebody restart a host on which an uninstaller hangs; under w.mu.
func (w *weeks) press(host string) {
	w.pressed[host]++
	w.persons.Go(func() {
		time.Sleep(10 * time.Minute)
		if err := w.fleet.Reboot(host); err != nil {
			w.t.Error(err)
		}
	})
}

// close ends the fleet and the store.
func (w *weeks) close() {
	w.persons.Wait()
	if err := errors.Join(w.fleet.Close(), w.store.Close()); err != nil {
		w.t.Error(err)
	}
}

// complain notes what must not be; under w.mu.
func (w *weeks) complain(format string, args ...any) {
	const most = 25
	if w.complaints++; w.complaints <= most {
		w.t.Errorf("day %d: %s", w.day(), fmt.Sprintf(format, args...))
	}
}

// day is how many days the campaign is old.
func (w *weeks) day() int { return int(time.Since(weeksStart).Hours()) / 24 }

func (w *weeks) zone(h remediate.Host) *time.Location {
	loc, err := time.LoadLocation(h.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// process makes an engine as a new process would: with the store, a guard of
// logins and nothing else.
func (w *weeks) process() (*life, *engine.Engine) {
	p := &life{w: w, writes: -1, conns: map[string]int{}, intents: map[string]string{}, refused: map[string]int{}}
	w.count.lives++
	guard := transports.NewGuard(transports.LockOutConfig{OnStop: func(_, _, _ string) {}})
	dialer := guard.Dialer(transports.KnockRate(20)(&reach{p: p, next: w.fleet.Dialer()}))
	e, err := engine.New(engine.Config{
		Store: recordStore{w.store, p}, Dialer: dialer, Library: w.library, Campaign: w.campaign, By: "ann@controller",
		Target: func(h remediate.Host) (transports.Target, error) {
			c := transports.Credential{Name: h.Credential, User: userOf(h), Password: w.fleet.Password(), KeyFile: "key"}
			return transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Site: h.Site, Credential: c}, nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p, e
}

// must ends the test for a failure of oust itself.
func (w *weeks) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("day %d: %v", w.day(), err)
	}
}

// exempts takes hosts out until a day.
func (w *weeks) exempts(hosts []remediate.Host, until time.Time) {
	for _, h := range hosts {
		x := remediate.Exemption{Host: h.Name, Reason: "T-1", Approver: "bo", Until: until, At: time.Now().UTC(), By: "ann@controller"}
		w.must(w.store.SaveExemption(w.t.Context(), x))
		w.mu.Lock()
		w.exempt[h.Name] = x
		w.mu.Unlock()
	}
}

// planAndApply is what a person does by hand: scan, plan, apply.
func (w *weeks) planAndApply(hosts []remediate.Host) {
	_, e := w.process()
	ctx := w.t.Context()
	_, err := e.Scan(ctx, nil, hosts)
	w.must(err)
	w.applyAnew(e, hosts)
}

// applyAnew plans the hosts and applies the plan.
func (w *weeks) applyAnew(e *engine.Engine, hosts []remediate.Host) {
	ctx := w.t.Context()
	plan, err := e.Plan(ctx, hosts)
	w.must(err)
	if len(plan.Hosts) == 0 {
		return
	}
	_, err = e.Apply(ctx, nil, plan, w.hosts, engine.ApplyOptions{})
	if _, held := errors.AsType[*engine.HeldError](err); !held {
		w.must(err)
	}
}

// serve serves for a time, or until the person has something to do, and ends
// as chance will have it: by a wish, by a cut, or for want of a disk.
func (w *weeks) serve(until time.Time) {
	p, e := w.process()
	how := w.rng.IntN(3)
	if how == 2 {
		p.writes = 1 + w.rng.IntN(200)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	stop, over := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := e.Serve(ctx, stop, w.hosts, engine.ServeOptions{Tick: 15 * time.Minute})
		over <- err
	}()
	var err error
	ended := false
	for !ended && time.Now().Before(until) && !w.personDue() {
		wake := time.NewTimer(min(time.Until(until), time.Until(w.nextMorning())))
		select {
		case err = <-over:
			ended = true
		case <-wake.C:
			if time.Now().Equal(w.morning()) {
				w.check()
			}
		}
		wake.Stop()
	}
	switch {
	case ended:
	case how == 1:
		w.count.cut++
		cancel()
		err = <-over
	default:
		w.count.stopped++
		close(stop)
		err = <-over
	}
	if errors.Is(err, errGone) {
		w.count.broken++
		err = nil
	}
	w.must(err)
}

// morning is six o'clock UTC of today, when the person looks.
func (w *weeks) morning() time.Time {
	return time.Now().UTC().Truncate(24 * time.Hour).Add(6 * time.Hour)
}

func (w *weeks) nextMorning() time.Time {
	if m := w.morning(); m.After(time.Now()) {
		return m
	}
	return w.morning().AddDate(0, 0, 1)
}

// personDue reports whether the person ends a hold: a day after it began.
func (w *weeks) personDue() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.held.IsZero() && time.Since(w.held) > 24*time.Hour
}

// outlook is what the program tells the person.
func (w *weeks) outlook() engine.Outlook {
	e, err := engine.New(engine.Config{
		Store: w.store, Dialer: w.fleet.Dialer(), Library: w.library, Campaign: w.campaign,
		Target: func(remediate.Host) (transports.Target, error) { return transports.Target{}, errGone },
	})
	w.must(err)
	o, err := e.Outlook(w.t.Context(), w.hosts, w.hosts)
	w.must(err)
	return o
}
