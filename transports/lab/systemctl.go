package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
)

// systemctl knows the verbs that act on services and those that list them.
func systemctl(c *call) int {
	o, ok := c.options("aqt:p:", "no-ask-password no-pager no-legend plain all full quiet now type= property= value no-block system")
	if !ok {
		return 1
	}
	if len(o.list) == 0 {
		return c.failf("the simulated systemctl wants a verb")
	}
	verb, names := o.list[0], o.list[1:]
	switch verb {
	case "list-unit-files", "list-units":
		return c.listUnits(o, verb)
	case "daemon-reload", "reset-failed":
		return 0
	case "is-system-running":
		return echoLine(c, "running")
	case "reboot":
		return reboot(c)
	case "stop", "start", "restart", "try-restart", "disable", "enable", "mask", "unmask":
		if c.proc.user.uid != 0 {
			fmt.Fprintf(c.err, "Failed to %s %s: Interactive authentication required.\n", verb, strings.Join(names, " "))
			return 4
		}
		return c.changeUnits(o, verb, names)
	case "is-active", "is-enabled", "is-failed", "status", "show":
		return c.askUnits(o, verb, names)
	}
	fmt.Fprintf(c.err, "Unknown command verb %s.\n", verb)
	return 1
}

func (c *call) listUnits(o options, verb string) int {
	h := c.proc.host
	if t := o.has["t"] + o.has["type"]; t != "" && t != "service" {
		return 0 // services are all that there is
	}
	for _, n := range h.unitNames() {
		u, ok := h.unit(n)
		switch {
		case !ok || verb == "list-unit-files" && u.transient != nil:
		case verb == "list-unit-files":
			fmt.Fprintf(c.out, "%-30s %-10s %s\n", n+".service", u.state, "enabled")
		case u.runs || o.any("all", "a"):
			fmt.Fprintf(c.out, "%-30s loaded %-8s %-8s %s\n", n+".service", u.active(), u.sub(), u.description)
		}
	}
	return 0
}

// unknownUnit is the exit code of systemctl for a unit that is not loaded
// (systemctl(1), exit status).
const unknownUnit = 5

func (c *call) changeUnits(o options, verb string, names []string) int {
	h, code := c.proc.host, 0
	for _, name := range names {
		u, ok := h.unit(name)
		name = strings.TrimSuffix(name, ".service")
		switch {
		case ok && u.state == unitMasked && (verb == "start" || verb == "restart"):
			fmt.Fprintf(c.err, "Failed to %s %s.service: Unit %[2]s.service is masked.\n", verb, name)
			code = 1
		case ok:
			h.manage(u, verb, o.is("now"))
		case verb == "enable" || verb == "disable":
			fmt.Fprintf(c.err, "Failed to %s unit: Unit file %s.service does not exist.\n", verb, name)
			code = 1
		case verb == "mask" || verb == "unmask":
		default:
			fmt.Fprintf(c.err, "Failed to %s %s.service: Unit %[2]s.service not loaded.\n", verb, name)
			code = unknownUnit
		}
	}
	return code
}

// manage carries out a verb on a service.
func (h *host) manage(u unitState, verb string, now bool) {
	if u.transient != nil {
		if verb == "stop" {
			u.transient.kill(syscall.SIGTERM)
		}
		return
	}
	h.changeUnit(u.name, func(f *unitFile) {
		switch verb {
		case "stop":
			f.runs = false
		case "start", "restart":
			f.runs = true
		case "enable":
			f.state, f.runs = unitEnabled, f.runs || now
		case "disable":
			f.state, f.runs = unitDisabled, f.runs && !now
		case "mask":
			f.state, f.runs = unitMasked, f.runs && !now
		case "unmask":
			f.state = h.image.units[u.name].state
		}
	})
}

func (c *call) askUnits(o options, verb string, names []string) int {
	code := 0
	if o.any("quiet", "q") {
		c.out = io.Discard
	}
	for _, name := range names {
		u, ok := c.proc.host.unit(name)
		code = max(code, c.askUnit(o, verb, name, u, ok))
	}
	return code
}

// askUnit answers for one unit. The exit codes are those of systemctl(1).
func (c *call) askUnit(o options, verb, name string, u unitState, ok bool) int {
	switch verb {
	case "is-active":
		fmt.Fprintln(c.out, u.active())
		if !u.runs {
			return 3
		}
	case "is-failed":
		fmt.Fprintln(c.out, u.active())
		return 1
	case "is-enabled":
		if !ok {
			fmt.Fprintf(c.err, "Failed to get unit file state for %s: No such file or directory\n", name)
			return 1
		}
		fmt.Fprintln(c.out, u.state)
		if u.state != unitEnabled && u.state != unitStatic {
			return 1
		}
	case "show":
		c.showUnit(o, name, u, ok)
	case "status":
		if !ok {
			fmt.Fprintf(c.err, "Unit %s.service could not be found.\n", strings.TrimSuffix(name, ".service"))
			return 4
		}
		fmt.Fprintf(c.out, "* %s.service - %s\n     Active: %s (%s)\n", u.name, u.description, u.active(), u.sub())
		if !u.runs {
			return 3
		}
	}
	return 0
}

func (c *call) showUnit(o options, name string, u unitState, ok bool) {
	load := "not-found"
	if ok {
		load = "loaded"
	}
	asked := strings.FieldsFunc(o.has["p"]+","+o.has["property"], func(r rune) bool { return r == ',' || r == '\n' })
	for _, v := range [][2]string{
		{"Id", strings.TrimSuffix(name, ".service") + ".service"}, {"LoadState", load},
		{"ActiveState", u.active()}, {"SubState", u.sub()}, {"UnitFileState", u.state},
	} {
		switch {
		case len(asked) > 0 && !slices.Contains(asked, v[0]):
		case o.is("value"):
			fmt.Fprintln(c.out, v[1])
		default:
			fmt.Fprintln(c.out, v[0]+"="+v[1])
		}
	}
}

// service is the old way to services: `service NAME VERB`.
func service(c *call) int {
	if len(c.args) < 3 {
		return c.failf("usage: service NAME VERB")
	}
	if c.proc.host.image.kind.systemd {
		return systemctl(c.with(c.env, []string{"systemctl", c.args[2], c.args[1]}))
	}
	return rcService(c)
}

// rcService is OpenRC's `rc-service NAME VERB`.
func rcService(c *call) int {
	if len(c.args) < 3 {
		return c.failf("usage: rc-service NAME VERB")
	}
	u, ok := c.proc.host.unit(c.args[1])
	if !ok {
		fmt.Fprintf(c.err, " * rc-service: service '%s' does not exist\n", c.args[1])
		return 1
	}
	switch c.args[2] {
	case "stop", "start", "restart":
		c.proc.host.manage(u, c.args[2], false)
		return 0
	case "status":
		if u.runs {
			return echoLine(c, " * status: started")
		}
		echoLine(c, " * status: stopped")
		return 3
	}
	return c.failf("unknown verb %s", c.args[2])
}
