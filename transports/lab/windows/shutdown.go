package windows

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"oust/transports/lab/cmdexe"
)

// Exit codes of shutdown.exe (Microsoft, "System Error Codes").
const (
	codeParameter    = 87
	codeNotScheduled = 1116
	codeScheduled    = 1190
)

// most values of /t and /c (Microsoft, "shutdown").
const (
	mostShutdownTime = 315_360_000 // seconds
	mostComment      = 512         // characters
)

// shutdownCall is what a command line of shutdown.exe asks for.
type shutdownCall struct {
	restart, abort bool
	wait           time.Duration
	comment        string
}

// parseShutdown reads the words; ok is false if shutdown.exe would not take them.
func parseShutdown(args []string) (c shutdownCall, ok bool) {
	c.wait = 30 * time.Second
	for i := 0; i < len(args); i++ {
		value := func() string {
			i++
			if i < len(args) {
				return args[i]
			}
			return ""
		}
		switch strings.ToLower(strings.Replace(args[i], "-", "/", 1)) {
		case "/r":
			c.restart = true
		case "/a":
			c.abort = true
		case "/f":
		case "/t":
			n, err := strconv.Atoi(value())
			if err != nil || n < 0 || n > mostShutdownTime {
				return c, false
			}
			c.wait = time.Duration(n) * time.Second
		case "/c":
			c.comment = value()
			if len([]rune(c.comment)) > mostComment {
				return c, false
			}
		case "/d":
			if !strings.HasPrefix(strings.ToLower(value()), "p:") {
				return c, false
			}
		default:
			return c, false
		}
	}
	return c, c.restart != c.abort
}

// shutdown is shutdown.exe: /r restarts, /t waits before it, /c tells people
// why, /a takes back.
func shutdown(_ context.Context, s *Session, c *cmdexe.Call) int {
	asked, ok := parseShutdown(c.Args)
	h := s.host
	switch {
	case !ok:
		_, _ = io.WriteString(c.Stderr, "The parameter is incorrect.(87)\r\n")
		return codeParameter
	case !s.account.admin:
		_, _ = io.WriteString(c.Stderr, "Access is denied.(5)\r\n")
		return codeDenied
	case asked.abort:
		h.mu.Lock()
		takeBack := h.planned
		h.planned = nil
		h.mu.Unlock()
		if takeBack == nil {
			_, _ = io.WriteString(c.Stderr, "Unable to abort the system shutdown because no shutdown was in progress.(1116)\r\n")
			return codeNotScheduled
		}
		takeBack()
		return 0
	}
	if !h.plan(asked) {
		_, _ = io.WriteString(c.Stderr, "A system shutdown has already been scheduled.(1190)\r\n")
		return codeScheduled
	}
	return 0
}

// plan schedules a restart, unless one is scheduled already.
func (h *Host) plan(asked shutdownCall) bool {
	h.mu.Lock()
	if h.planned != nil {
		h.mu.Unlock()
		return false
	}
	h.planned = func() {} // until it is known what takes it back
	if asked.comment != "" {
		h.warnings = append(h.warnings, asked.comment)
	}
	boot := h.boot
	h.mu.Unlock()
	takeBack := h.restartAfter(asked.wait, true)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.boot == boot && h.planned != nil {
		h.planned = takeBack
	}
	return true
}

// whoami is whoami.exe: the name, or with /user the SID too.
func whoami(_ context.Context, s *Session, c *cmdexe.Call) int {
	name := strings.ToLower(s.account.domain) + `\` + strings.ToLower(s.account.name)
	user, csv, bare := false, false, false
	for i, a := range c.Args {
		switch strings.ToLower(a) {
		case "/user":
			user = true
		case "/fo":
			csv = i+1 < len(c.Args) && strings.EqualFold(c.Args[i+1], "csv")
		case "/nh":
			bare = true
		}
	}
	switch {
	case !user:
		fmt.Fprintf(c.Stdout, "%s\r\n", name)
	case csv && bare:
		fmt.Fprintf(c.Stdout, "\"%s\",\"%s\"\r\n", name, s.account.sid)
	case csv:
		fmt.Fprintf(c.Stdout, "\"User Name\",\"SID\"\r\n\"%s\",\"%s\"\r\n", name, s.account.sid)
	default:
		fmt.Fprintf(c.Stdout, "\r\nUSER INFORMATION\r\n----------------\r\n\r\nUser Name SID\r\n========= ===\r\n%s %s\r\n", name, s.account.sid)
	}
	return 0
}
