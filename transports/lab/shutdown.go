package lab

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// shutdown is that of systemd, for restarts: `shutdown -r [now|+MINUTES]
// [MESSAGE]` and `shutdown -c`. Without a time it waits a minute.
func shutdown(c *call) int {
	restart, cancel := false, false
	var words []string
	for _, a := range c.args[1:] {
		switch {
		case a == "-r" || a == "--reboot":
			restart = true
		case a == "-c":
			cancel = true
		case a == "--no-wall":
		case strings.HasPrefix(a, "-") && a != "-":
			return c.failf("the simulated shutdown does not know %s", a)
		default:
			words = append(words, a)
		}
	}
	h := c.proc.host
	switch {
	case c.proc.user.uid != 0:
		fmt.Fprintln(c.err, "Failed to schedule shutdown: Interactive authentication required.")
		return 1
	case cancel:
		h.unplan()
		return 0
	case !restart:
		return c.failf("the simulated shutdown knows -r and -c only")
	}
	wait := time.Minute
	if len(words) > 0 {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.Replace(words[0], "now", "+0", 1), "+"), 10, 31)
		if err != nil {
			return c.failf("Failed to parse time specification: %s", words[0])
		}
		wait = time.Duration(n) * time.Minute
		h.warn(strings.Join(words[1:], " "))
	}
	if wait == 0 {
		h.fleet.spawn(h, h.reboot)
		return 0
	}
	h.plan(wait)
	fmt.Fprintf(c.err, "Shutdown scheduled for %s, use 'shutdown -c' to cancel.\n", h.now().Add(wait).UTC().Format("Mon 2006-01-02 15:04:05 UTC"))
	return 0
}

// warn notes what people are told.
func (h *host) warn(message string) {
	if message == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop.warnings = append(h.stop.warnings, message)
}

// reboot restarts the host.
func reboot(c *call) int {
	if c.proc.user.uid != 0 {
		return c.failf("Operation not permitted")
	}
	h := c.proc.host
	h.fleet.spawn(h, h.reboot)
	return 0
}

// who lists who is logged on.
func who(c *call) int {
	h := c.proc.host
	h.mu.Lock()
	since := h.booted.Add(time.Minute)
	h.mu.Unlock()
	for i, name := range h.people() {
		fmt.Fprintf(c.out, "%-8s tty%-9d %s\n", name, i+2, since.UTC().Format("2006-01-02 15:04"))
	}
	return 0
}
