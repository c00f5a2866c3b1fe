// Package machine describes where the numbers of a benchmark come from.
package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Describe is the machine in one line: cores, processor, kernel.
func Describe() string {
	return fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), processor(), kernel())
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return "Linux " + strings.TrimSpace(string(text))
}

// Use is what a process took.
type Use struct {
	// CPU is user and system time, with that of children it has waited for.
	CPU time.Duration
	// Memory is the most that one process of it held, in bytes.
	Memory int64
}

// UseOf reads what a process that has ended took (getrusage(2)).
func UseOf(p *os.ProcessState) Use {
	u := Use{CPU: p.UserTime() + p.SystemTime()}
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		u.Memory = usage.Maxrss
		if runtime.GOOS != "darwin" { // there it is in bytes, elsewhere in KiB
			u.Memory *= 1024
		}
	}
	return u
}
