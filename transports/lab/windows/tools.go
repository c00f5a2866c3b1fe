package windows

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/transports/lab/cmdexe"
)

// ping is ping.exe for the machine's own address: -n N takes N-1 seconds.
func ping(ctx context.Context, s *Session, c *cmdexe.Call) int {
	n, target := 4, ""
	for i := 0; i < len(c.Args); i++ {
		switch a := c.Args[i]; {
		case (a == "-n" || a == "/n") && i+1 < len(c.Args):
			i++
			var err error
			if n, err = strconv.Atoi(c.Args[i]); err != nil || n < 1 {
				fmt.Fprintf(c.Stdout, "Bad value for option %s, valid range is from 1 to 4294967295.\r\n", a)
				return 1
			}
		case (a == "-w" || a == "/w") && i+1 < len(c.Args):
			i++
		default:
			target = a
		}
	}
	if target != "127.0.0.1" && target != "localhost" && target != "::1" && !strings.EqualFold(target, s.host.Name) {
		fmt.Fprintf(c.Stdout, "Ping request could not find host %s. Please check the name and try again.\r\n", target)
		return 1
	}
	fmt.Fprintf(c.Stdout, "\r\nPinging %s with 32 bytes of data:\r\n", target)
	for i := range n {
		if i > 0 && s.host.clock.Sleep(ctx, time.Second) != nil {
			return 1
		}
		fmt.Fprintf(c.Stdout, "Reply from %s: bytes=32 time<1ms TTL=128\r\n", target)
	}
	fmt.Fprintf(c.Stdout, "\r\nPing statistics for %s:\r\n    Packets: Sent = %d, Received = %d, Lost = 0 (0%% loss),\r\n", target, n, n)
	return 0
}

// timeout is timeout.exe, which takes no redirected input: a session over the
// network has no other.
func timeout(_ context.Context, _ *Session, c *cmdexe.Call) int {
	fmt.Fprint(c.Stderr, "ERROR: Input redirection is not supported, exiting the process immediately.\r\n")
	return 1
}

// waitfor waits for a signal that nobody sends: with /t for so many seconds.
func waitfor(ctx context.Context, s *Session, c *cmdexe.Call) int {
	for i, a := range c.Args {
		if !strings.EqualFold(a, "/t") || i+1 == len(c.Args) {
			continue
		}
		n, err := strconv.Atoi(c.Args[i+1])
		if err != nil || n < 1 || n > 99_999 {
			fmt.Fprint(c.Stderr, "ERROR: Invalid value specified for '/t' option.\r\n")
			return 1
		}
		if s.host.clock.Sleep(ctx, time.Duration(n)*time.Second) == nil {
			fmt.Fprint(c.Stderr, "ERROR: Timed out waiting for the signal.\r\n")
		}
		return 1
	}
	<-ctx.Done()
	return 1
}

func hostname(_ context.Context, s *Session, c *cmdexe.Call) int {
	fmt.Fprintf(c.Stdout, "%s\r\n", s.host.Name)
	return 0
}

// icacls is icacls.exe as far as it says whether the change was made: rights
// are not kept.
func icacls(_ context.Context, s *Session, c *cmdexe.Call) int {
	if len(c.Args) == 0 {
		return 1
	}
	path := cleanIn(c.Dir, c.Args[0])
	_, err := s.host.Files.Stat(path)
	switch {
	case err != nil:
		fmt.Fprintf(c.Stderr, "%s: The system cannot find the file specified.\r\nSuccessfully processed 0 files; Failed processing 1 files\r\n", c.Args[0])
		return 2
	case len(c.Args) > 1 && !s.account.admin && guardedPath(path):
		fmt.Fprintf(c.Stderr, "%s: Access is denied.\r\nSuccessfully processed 0 files; Failed processing 1 files\r\n", c.Args[0])
		return 5
	case len(c.Args) == 1:
		fmt.Fprintf(c.Stdout, "%s NT AUTHORITY\\SYSTEM:(OI)(CI)(F)\r\n%s BUILTIN\\Administrators:(OI)(CI)(F)\r\n\r\n", path, strings.Repeat(" ", len(path)))
	default:
		fmt.Fprintf(c.Stdout, "processed file: %s\r\n", c.Args[0])
	}
	fmt.Fprint(c.Stdout, "Successfully processed 1 files; Failed processing 0 files\r\n")
	return 0
}

// attrib is attrib.exe as far as it says whether the file is there: attributes
// are not kept.
func attrib(_ context.Context, s *Session, c *cmdexe.Call) int {
	for _, a := range c.Args {
		if strings.HasPrefix(a, "+") || strings.HasPrefix(a, "-") || strings.HasPrefix(a, "/") {
			continue
		}
		path := cleanIn(c.Dir, a)
		if _, err := s.host.Files.Stat(path); err != nil {
			fmt.Fprintf(c.Stdout, "File not found - %s\r\n", a)
			return 0 // so does attrib.exe
		}
		if len(c.Args) == 1 {
			fmt.Fprintf(c.Stdout, "A                    %s\r\n", path)
		}
	}
	return 0
}

// kernelEvent is the event that the kernel writes at a start.
const kernelEvent = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>` +
	`<Provider Name='Microsoft-Windows-Kernel-General' Guid='{a68ca8b7-004f-d7b6-a698-07e2de0f1f5d}'/><EventID>12</EventID><Version>1</Version>` +
	`<Level>4</Level><Task>1</Task><Opcode>0</Opcode><Keywords>0x8000000000000080</Keywords><TimeCreated SystemTime='%s'/>` +
	`<EventRecordID>4711</EventRecordID><Channel>System</Channel><Computer>%s</Computer><Security UserID='S-1-5-18'/></System>` +
	`<EventData><Data Name='MajorVersion'>10</Data></EventData></Event>` + "\r\n"

// wevtutil is wevtutil.exe qe System for the kernel's event 12; other queries
// find nothing.
func wevtutil(_ context.Context, s *Session, c *cmdexe.Call) int {
	switch {
	case len(c.Args) < 2 || !slices.Contains([]string{"qe", "query-events"}, strings.ToLower(c.Args[0])):
		fmt.Fprint(c.Stderr, "Invalid command.\r\n")
		return 87
	case !strings.EqualFold(c.Args[1], "System"):
		fmt.Fprint(c.Stderr, "Failed to open event query.\r\nThe specified channel could not be found.\r\n")
		return 15007
	case !s.account.admin:
		fmt.Fprint(c.Stderr, "Failed to open event query.\r\nAccess is denied.\r\n")
		return codeDenied
	}
	if query := strings.Join(c.Args, " "); strings.Contains(query, "Kernel-General") && strings.Contains(query, "EventID=12") {
		s.host.mu.Lock()
		at := s.host.booted
		s.host.mu.Unlock()
		fmt.Fprintf(c.Stdout, kernelEvent, at.UTC().Format("2006-01-02T15:04:05.0000000Z"), s.host.Name)
	}
	return 0
}
