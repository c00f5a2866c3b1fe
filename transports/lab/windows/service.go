package windows

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"oust/transports/lab/cmdexe"
)

const servicesKey = `HKLM\SYSTEM\CurrentControlSet\Services`

// Codes of the service control manager: Microsoft, "System Error Codes".
const (
	codeDenied        = 5
	codeNoStop        = 1052 // the control is not valid for this service
	codeNoService     = 1060
	codeNotStarted    = 1062
	codeAlreadyRuns   = 1056
	codeDisabled      = 1058
	codeMarkedDeleted = 1072
)

var codeTexts = map[int]string{
	codeDenied:        "Access is denied.",
	codeNoStop:        "The requested control is not valid for this service.",
	codeNoService:     "The specified service does not exist as an installed service.",
	codeNotStarted:    "The service has not been started.",
	codeAlreadyRuns:   "An instance of the service is already running.",
	codeDisabled:      "The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.",
	codeMarkedDeleted: "The specified service has been marked for deletion.",
}

// serviceInfo is a service as the registry has it.
type serviceInfo struct {
	name, display, image string
	kind, start          uint64
	deleted              bool
}

func (h *Host) service(name string) (serviceInfo, bool) {
	p, ok := parsePath(servicesKey+`\`+name, "", view64)
	if !ok {
		return serviceInfo{}, false
	}
	k := h.Registry.open(p.stored)
	if k == nil {
		return serviceInfo{}, false
	}
	return readService(k)
}

// readService reads a service's key. A key without a type is no service.
func readService(k *key) (serviceInfo, bool) {
	number := func(name string) (uint64, bool) {
		v, _ := k.value(name)
		n, err := strconv.ParseUint(v.data, 0, 32)
		return n, err == nil
	}
	text := func(name string) string { v, _ := k.value(name); return v.data }
	s := serviceInfo{name: k.name, display: text("DisplayName"), image: text("ImagePath")}
	var ok bool
	s.kind, ok = number("Type")
	s.start, _ = number("Start")
	flag, _ := number("DeleteFlag")
	s.deleted = flag == 1
	return s, ok
}

// driver: a kernel or file system driver.
func (s serviceInfo) driver() bool { return s.kind&0xf != 0 }

// startServices starts what the machine starts by itself.
func (h *Host) startServices() {
	p, ok := parsePath(servicesKey, "", view64)
	if !ok {
		return
	}
	k := h.Registry.open(p.stored)
	if k == nil {
		return
	}
	for _, sub := range k.subs {
		if s, is := readService(sub); is && s.start <= 2 {
			h.startService(s)
		}
	}
}

// startService runs a service as a process; a driver has none.
func (h *Host) startService(s serviceInfo) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.services == nil {
		h.services = make(map[string]int)
	}
	pid := 0
	if !s.driver() {
		image := strings.Trim(s.image, `"`)
		if i := strings.Index(strings.ToLower(image), ".exe"); i >= 0 {
			image = image[:i+4]
		}
		image = image[strings.LastIndexByte(image, '\\')+1:]
		pid = h.enter(image, system, func() {})
	}
	h.services[strings.ToUpper(s.name)] = pid
}

// stopService stops a service, and returns a code of the service manager.
func (h *Host) stopService(s serviceInfo) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := strings.ToUpper(s.name)
	pid, runs := h.services[name]
	switch {
	case !runs:
		return codeNotStarted
	case s.driver():
		return codeNoStop
	case h.fault == FaultProtected && h.image.ownsService(s.name):
		return codeDenied
	}
	delete(h.services, name)
	delete(h.processes, pid)
	return 0
}

func (h *Host) serviceRuns(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, runs := h.services[strings.ToUpper(name)]
	return runs
}

// deleteService removes a service; one that runs is marked and goes at the
// next start.
func (h *Host) deleteService(s serviceInfo) int {
	switch {
	case s.deleted:
		return codeMarkedDeleted
	case h.hasFault(FaultProtected) && h.image.ownsService(s.name):
		return codeDenied
	case h.serviceRuns(s.name):
		h.Registry.Set(servicesKey+`\`+s.name, "DeleteFlag", regDword, "0x1")
		return 0
	}
	h.Registry.Remove(servicesKey + `\` + s.name)
	return 0
}

var startNames = map[string]string{"boot": "0x0", "system": "0x1", "auto": "0x2", "delayed-auto": "0x2", "demand": "0x3", "disabled": "0x4"}

// sc is sc.exe: query, stop, start, config with start=, delete. It returns the
// service manager's code.
func sc(_ context.Context, s *Session, c *cmdexe.Call) int {
	if len(c.Args) < 2 {
		fmt.Fprint(c.Stdout, "DESCRIPTION:\r\n        SC is a command line program used for communicating with the\r\n        Service Control Manager and services.\r\n")
		return 1639
	}
	verb, name := strings.ToLower(c.Args[0]), c.Args[1]
	calls := map[string]string{
		"query": "EnumQueryServicesStatus:OpenService", "stop": "ControlService", "start": "StartService",
		"config": "ChangeServiceConfig", "delete": "DeleteService",
	}
	call, known := calls[verb]
	if !known {
		fmt.Fprintf(c.Stdout, "*** Unrecognized Command ***\r\n")
		return 1639
	}
	info, there := s.host.service(name)
	var code int
	switch {
	case !there:
		code = codeNoService
		if verb != "query" {
			call = "OpenService"
		}
	case verb != "query" && !s.account.admin:
		call, code = "OpenService", codeDenied
	default:
		code = s.control(verb, info, c)
	}
	if code != 0 {
		fmt.Fprintf(c.Stdout, "[SC] %s FAILED %d:\r\n\r\n%s\r\n\r\n", call, code, codeTexts[code])
	}
	return code
}

func (s *Session) control(verb string, info serviceInfo, c *cmdexe.Call) int {
	h := s.host
	switch verb {
	case "query":
		printState(c.Stdout, info, h.serviceRuns(info.name))
	case "stop":
		if code := h.stopService(info); code != 0 {
			return code
		}
		printState(c.Stdout, info, false)
	case "start":
		switch {
		case h.serviceRuns(info.name):
			return codeAlreadyRuns
		case info.start == 4:
			return codeDisabled
		}
		h.startService(info)
		printState(c.Stdout, info, true)
	case "config":
		return h.configure(info, c)
	case "delete":
		if code := h.deleteService(info); code != 0 {
			return code
		}
		fmt.Fprint(c.Stdout, "[SC] DeleteService SUCCESS\r\n")
	}
	return 0
}

// configure is sc config: only start= is known.
func (h *Host) configure(info serviceInfo, c *cmdexe.Call) int {
	words := strings.Fields(strings.ToLower(strings.Join(c.Args[2:], " ")))
	if len(words) == 1 {
		words = strings.SplitN(words[0], "=", 2)
		words[0] += "="
	}
	if len(words) != 2 || words[0] != "start=" || startNames[words[1]] == "" {
		fmt.Fprint(c.Stdout, "DESCRIPTION:\r\n        Modifies a service entry in the registry and Service Database.\r\n")
		return 1639
	}
	if h.hasFault(FaultProtected) && h.image.ownsService(info.name) {
		return codeDenied
	}
	h.Registry.Set(servicesKey+`\`+info.name, "Start", regDword, startNames[words[1]])
	fmt.Fprint(c.Stdout, "[SC] ChangeServiceConfig SUCCESS\r\n")
	return 0
}

func printState(w io.Writer, s serviceInfo, runs bool) {
	kind, state, controls := "10  WIN32_OWN_PROCESS", "1  STOPPED", "(NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN)"
	switch {
	case s.kind&2 != 0:
		kind = "2  FILE_SYSTEM_DRIVER"
	case s.kind&1 != 0:
		kind = "1  KERNEL_DRIVER"
	case s.kind&0x20 != 0:
		kind = "20  WIN32_SHARE_PROCESS"
	}
	if runs {
		state = "4  RUNNING"
		if !s.driver() {
			controls = "(STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)"
		}
	}
	fmt.Fprintf(w, "\r\nSERVICE_NAME: %s \r\n        TYPE               : %s  \r\n        STATE              : %s \r\n                                %s\r\n"+
		"        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n",
		s.name, kind, state, controls)
}

// netProgram is net.exe: stop and start of services. It returns 2 for all that
// it cannot do.
func netProgram(_ context.Context, s *Session, c *cmdexe.Call) int {
	if len(c.Args) < 2 || !strings.EqualFold(c.Args[0], "stop") && !strings.EqualFold(c.Args[0], "start") {
		fmt.Fprint(c.Stderr, "The syntax of this command is:\r\n\r\nNET\r\n    [ START | STOP ]\r\n")
		return 1
	}
	info, there := s.host.service(c.Args[1])
	name := info.display
	if name == "" {
		name = info.name
	}
	switch verb := strings.ToLower(c.Args[0]); {
	case !there:
		fmt.Fprint(c.Stderr, "The service name is invalid.\r\n\r\nMore help is available by typing NET HELPMSG 2185.\r\n\r\n")
		return 2
	case !s.account.admin:
		fmt.Fprint(c.Stderr, "System error 5 has occurred.\r\n\r\nAccess is denied.\r\n\r\n")
		return 2
	case verb == "stop":
		if code := s.host.stopService(info); code != 0 {
			fmt.Fprintf(c.Stderr, "System error %d has occurred.\r\n\r\n%s\r\n\r\n", code, codeTexts[code])
			return 2
		}
		fmt.Fprintf(c.Stdout, "The %s service is stopping.\r\nThe %s service was stopped successfully.\r\n\r\n", name, name)
	default:
		if s.host.serviceRuns(info.name) || info.start == 4 {
			fmt.Fprint(c.Stderr, "The requested service has already been started, or is disabled.\r\n\r\n")
			return 2
		}
		s.host.startService(info)
		fmt.Fprintf(c.Stdout, "The %s service is starting.\r\nThe %s service was started successfully.\r\n\r\n", name, name)
	}
	return 0
}
