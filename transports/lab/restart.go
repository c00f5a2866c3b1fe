package lab

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// How long a host is away while it is restarted, in its own time: without a
// fault, and under reboot-slow. againAfter is when a host with reboot-twice
// restarts once more.
const (
	bootTime     = 15 * time.Second
	slowBootTime = 20 * time.Minute
	againAfter   = time.Minute
)

// stopState is what a host knows of its restarts; host.mu guards it.
type stopState struct {
	back     chan struct{}      // closed when the restart that is under way is over; nil if none is
	lost     bool               // by the fault reboot-lost
	planned  context.CancelFunc // takes back the restart that is planned; nil if none is
	count    int
	warnings []string // what people were told
	absent   bool     // nobody has logged on since the last restart
}

// reboot ends all processes and connections and starts the host again. What
// stood in /run is gone then, and services that are enabled run again. It
// returns when the host is back, or gone for good.
func (h *host) reboot() { h.restart(true) }

// restart is a restart; the first of two under the fault reboot-twice.
func (h *host) restart(first bool) {
	if !h.beginRestart() {
		return
	}
	defer h.endRestart()
	h.disconnect()
	h.halt()
	if h.hasFault(faultRebootLost) {
		h.mu.Lock()
		h.stop.lost = true
		h.mu.Unlock()
		h.fleet.changedState()
		return
	}
	defer h.reconnect()
	takes := bootTime
	if h.hasFault(faultRebootSlow) {
		takes = slowBootTime
	}
	_ = h.fleet.clock.Sleep(h.fleet.ctx, takes)
	h.rise()
	h.applyFault()
	if first && h.hasFault(faultRebootTwice) {
		ctx := h.context()
		h.fleet.spawn(h, func() {
			if h.fleet.clock.Sleep(ctx, againAfter) == nil {
				h.restart(false)
			}
		})
	}
}

// beginRestart reports whether a restart may begin. While another is under way
// it waits for the end of that one, and a lost host stays lost.
func (h *host) beginRestart() bool {
	h.mu.Lock()
	back, lost := h.stop.back, h.stop.lost
	if back == nil && !lost {
		h.stop.back = make(chan struct{})
	}
	h.mu.Unlock()
	if back != nil {
		<-back
	}
	return back == nil && !lost
}

func (h *host) endRestart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.stop.back)
	h.stop.back = nil
}

// halt ends all processes.
func (h *host) halt() {
	h.mu.Lock()
	h.cancel()
	h.stop.count++
	h.stop.planned, h.stop.absent = nil, true
	h.mu.Unlock()
	h.killAll(syscall.SIGKILL)
	h.locks.reset()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.units, h.holding = nil, nil
}

// rise begins a boot.
func (h *host) rise() {
	h.tree.restore("run", h.image.root)
	h.mu.Lock()
	h.boot(h.fleet.ctx, 0)
	h.bootUnitsLocked()
	h.mu.Unlock()
	h.fleet.changedState()
}

// revive brings a lost host back whose fault is another now.
func (h *host) revive() {
	h.mu.Lock()
	found := h.stop.lost && h.fault != faultRebootLost
	h.stop.lost = h.stop.lost && !found
	h.stop.absent = h.stop.absent && h.fault != faultLoggedOn
	h.mu.Unlock()
	if found {
		h.rise()
		h.reconnect()
	}
}

// plan schedules a restart as logind does, in place of one that is planned.
func (h *host) plan(wait time.Duration) {
	ctx, cancel := context.WithCancel(h.context())
	h.mu.Lock()
	if h.stop.planned != nil {
		h.stop.planned()
	}
	h.stop.planned = cancel
	h.mu.Unlock()
	v := view{t: h.tree, h: h}
	_ = v.mkdirAll("/run/systemd/shutdown", 0o755)
	_ = v.writeFile(plannedFile, fmt.Appendf(nil, "USEC=%d\nWARN_WALL=1\nMODE=reboot\n", h.now().Add(wait).UnixMicro()), 0o644)
	started := h.fleet.spawn(h, func() {
		defer cancel()
		if h.fleet.clock.Sleep(ctx, wait) == nil {
			h.reboot()
		}
	})
	if !started {
		cancel()
	}
}

// plannedFile is where logind notes what is planned.
const plannedFile = "/run/systemd/shutdown/scheduled"

// unplan takes a planned restart back.
func (h *host) unplan() {
	h.mu.Lock()
	if h.stop.planned != nil {
		h.stop.planned()
		h.stop.planned = nil
	}
	h.mu.Unlock()
	_ = view{t: h.tree, h: h}.remove(plannedFile, false)
}

// people are those who are logged on.
func (h *host) people() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop.absent || h.fault != faultLoggedOn && !h.fleet.loggedOn(h.name) {
		return nil
	}
	return []string{"mia"}
}

// loggedOn reports whether somebody is logged on to a host at first.
func (f *Fleet) loggedOn(name string) bool {
	const whole = 10_000
	return float64(f.draw(name, "logged on", whole)) < f.config.LoggedOn*whole
}
