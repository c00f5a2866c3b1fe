package windows

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"oust/transports/lab/cmdexe"
)

// process is a program that runs.
type process struct {
	pid  int
	name string
	as   account
	// kill ends it; nil for one that cannot be ended.
	kill context.CancelFunc
}

// begin enters a process that lives as long as a context, at most until the
// next restart. end takes it off the list.
func (h *Host) begin(parent context.Context, name string, as account) (ctx context.Context, end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithCancel(parent)
	stop := context.AfterFunc(h.boot, cancel)
	pid := h.enter(name, as, cancel)
	return ctx, func() {
		stop()
		cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.processes, pid)
	}
}

// enter gives a process a number; the caller holds h.mu.
func (h *Host) enter(name string, as account, kill context.CancelFunc) int {
	if h.processes == nil {
		h.processes = make(map[int]*process)
	}
	h.lastPID += 4
	h.processes[h.lastPID] = &process{h.lastPID, name, as, kill}
	return h.lastPID
}

// running are the processes in the order of their numbers.
func (h *Host) running() []*process {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := []*process{{pid: 0, name: "System Idle Process", as: system}, {pid: 4, name: "System", as: system}}
	for _, p := range h.processes {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *process) int { return cmp.Compare(a.pid, b.pid) })
	return out
}

// Processes are the names of the programs that run.
func (h *Host) Processes() []string {
	var out []string
	for _, p := range h.running() {
		out = append(out, p.name)
	}
	return out
}

// tasklist prints the processes as a table, or with /fo csv; /nh leaves the
// head away, and /fi "imagename eq NAME" takes one name.
func tasklist(_ context.Context, s *Session, c *cmdexe.Call) int {
	csv, head, name := false, true, ""
	for i := 0; i < len(c.Args); i++ {
		switch a := strings.ToLower(c.Args[i]); {
		case a == "/nh":
			head = false
		case a == "/fo" && i+1 < len(c.Args):
			i++
			csv = strings.EqualFold(c.Args[i], "csv")
		case a == "/fi" && i+1 < len(c.Args):
			i++
			f := strings.Fields(c.Args[i])
			if len(f) < 3 || !strings.EqualFold(f[0], "imagename") || !strings.EqualFold(f[1], "eq") {
				fmt.Fprint(c.Stderr, "ERROR: The search filter cannot be recognized.\r\n")
				return 1
			}
			name = strings.Join(f[2:], " ")
		default:
			fmt.Fprintf(c.Stderr, "ERROR: Invalid argument/option - '%s'.\r\nType \"TASKLIST /?\" for usage.\r\n", c.Args[i])
			return 1
		}
	}
	var out strings.Builder
	for _, p := range s.host.running() {
		switch {
		case name != "" && !strings.EqualFold(p.name, name):
		case csv:
			fmt.Fprintf(&out, "\"%s\",\"%d\",\"Services\",\"0\",\"8,192 K\"\r\n", p.name, p.pid)
		default:
			fmt.Fprintf(&out, "%-25.25s %8d %-16s %11s %12s\r\n", p.name, p.pid, "Services", "0", "8,192 K")
		}
	}
	switch {
	case out.Len() == 0:
		fmt.Fprint(c.Stdout, "INFO: No tasks are running which match the specified criteria.\r\n")
		return 0
	case csv && head:
		fmt.Fprint(c.Stdout, "\"Image Name\",\"PID\",\"Session Name\",\"Session#\",\"Mem Usage\"\r\n")
	case head:
		fmt.Fprint(c.Stdout, "\r\nImage Name                     PID Session Name        Session#    Mem Usage\r\n"+
			"========================= ======== ================ =========== ============\r\n")
	}
	_, _ = io.WriteString(c.Stdout, out.String())
	return 0
}

// taskkill ends processes by name or number: 128 where there is none, 1 where
// one may not be ended.
func taskkill(_ context.Context, s *Session, c *cmdexe.Call) int {
	wanted := map[string]bool{}
	for i := 0; i < len(c.Args); i++ {
		switch strings.ToLower(c.Args[i]) {
		case "/f", "/t":
		case "/im", "/pid":
			i++
			if i < len(c.Args) {
				wanted[strings.ToLower(c.Args[i])] = true
			}
		default:
			fmt.Fprintf(c.Stderr, "ERROR: Invalid argument/option - '%s'.\r\nType \"TASKKILL /?\" for usage.\r\n", c.Args[i])
			return 1
		}
	}
	exit := 0
	for name := range wanted {
		found := false
		for _, p := range s.host.running() {
			if strings.ToLower(p.name) != name && strconv.Itoa(p.pid) != name {
				continue
			}
			found = true
			if p.kill == nil || !s.account.admin && p.as != s.account {
				fmt.Fprintf(c.Stderr, "ERROR: The process \"%s\" with PID %d could not be terminated.\r\nReason: Access is denied.\r\n", p.name, p.pid)
				exit = 1
				continue
			}
			s.host.end(p)
			fmt.Fprintf(c.Stdout, "SUCCESS: The process \"%s\" with PID %d has been terminated.\r\n", p.name, p.pid)
		}
		if !found {
			fmt.Fprintf(c.Stderr, "ERROR: The process \"%s\" not found.\r\n", name)
			exit = 128
		}
	}
	return exit
}

// end kills a process. A service whose process it is has then stopped.
func (h *Host) end(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.processes, p.pid)
	for name, pid := range h.services {
		if pid == p.pid {
			delete(h.services, name)
		}
	}
	p.kill()
}
