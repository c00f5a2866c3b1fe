package windows

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// How long restarts take, in the machine's own time: bootTime without a fault,
// slowBoot under slow-reboot, slowestBoot under reboot-slow. againAfter is when a
// machine with reboot-twice restarts once more.
const (
	bootTime    = 40 * time.Second
	slowBoot    = 8 * time.Minute
	slowestBoot = 20 * time.Minute
	againAfter  = time.Minute
)

// Reboot ends everything that runs and starts the machine again. It returns
// when the machine is back, or gone for good under the fault reboot-lost.
func (h *Host) Reboot() { h.restart(true) }

// restart is a restart; the first of two under the fault reboot-twice.
func (h *Host) restart(first bool) {
	h.restarting <- struct{}{}
	defer func() { <-h.restarting }()
	if h.isLost() {
		return
	}
	h.cut(true)
	h.stop()
	if h.hasFault(FaultRebootLost) {
		h.mu.Lock()
		h.lost = true
		h.mu.Unlock()
		h.changed()
		return
	}
	defer h.cut(false)
	takes := bootTime
	switch {
	case h.hasFault(FaultSlowReboot):
		takes = slowBoot
	case h.hasFault(FaultRebootSlow):
		takes = slowestBoot
	}
	_ = h.clock.Sleep(h.life, takes)
	h.start(0)
	h.changed()
	if first && h.hasFault(FaultRebootTwice) {
		h.restartAfter(againAfter, false)
	}
}

// stop ends a boot.
func (h *Host) stop() {
	h.mu.Lock()
	end := h.endBoot
	h.person, h.planned = false, nil
	h.restarts++
	h.mu.Unlock()
	end()
	h.down()
	h.work.Wait()
	h.finishPending()
	n, _ := h.Registry.Get(bootKey, "BootId")
	id, _ := strconv.ParseUint(n, 0, 32)
	h.Registry.Set(bootKey, "BootId", regDword, fmt.Sprintf("0x%x", uint32(id+1)))
	h.Registry.Set(windowsKey, "ShutdownTime", regBinary, fileTime(h.now()))
}

func (h *Host) isLost() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lost
}

// restartAfter restarts the machine after a time of this boot, and returns what
// takes that back.
func (h *Host) restartAfter(wait time.Duration, first bool) context.CancelFunc {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithCancel(h.boot)
	if h.closed {
		return cancel
	}
	h.later.Go(func() {
		defer cancel()
		if h.clock.Sleep(ctx, wait) == nil {
			h.restart(first)
		}
	})
	return cancel
}

// LoggedOn reports whether a person is logged on.
func (h *Host) LoggedOn() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.person
}

// Restarts is how often the machine was restarted.
func (h *Host) Restarts() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.restarts
}

// Warnings are the messages of the restarts that were asked for on the machine,
// oldest first.
func (h *Host) Warnings() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.warnings)
}
