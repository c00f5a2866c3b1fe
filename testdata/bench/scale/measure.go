package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"oust/testdata/bench/machine"
)

// labProcess is the process with the simulated hosts.
type labProcess struct {
	cmd     *exec.Cmd
	dir     string
	started time.Duration // until the campaign was there
	said    bytes.Buffer
}

// pendingExit is what oust ends with when hosts wait, as for a restart.
const pendingExit = 2

// labSpeed is how much faster than real time uninstallers run.
const labSpeed = 20

func startLab(ctx context.Context, s settings, dir string) (*labProcess, error) {
	l := &labProcess{dir: dir}
	command := []string{s.oust, "lab", "--hosts", fmt.Sprint(s.hosts), "--speed", fmt.Sprint(labSpeed), dir}
	if s.windows {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{self, "-serve", dir, "-windows", fmt.Sprint(s.hosts)}
	}
	l.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	l.cmd.Stderr = &l.said
	l.cmd.Cancel = func() error { return l.cmd.Process.Signal(os.Interrupt) }
	l.cmd.WaitDelay = 10 * time.Second
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the lab: %w", err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() { // it speaks when the campaign is there
		return nil, fmt.Errorf("start the lab: %w\n%s", errors.Join(lines.Err(), l.cmd.Wait()), l.said.Bytes())
	}
	l.started = time.Since(start)
	return l, nil
}

// stop ends the lab and returns what it took.
func (l *labProcess) stop() (machine.Use, error) {
	_ = l.cmd.Process.Signal(os.Interrupt)
	if err := l.cmd.Wait(); err != nil {
		return machine.Use{}, fmt.Errorf("the lab: %w\n%s", err, l.said.Bytes())
	}
	return machine.UseOf(l.cmd.ProcessState), nil
}

// row is one command.
type row struct {
	command string
	wall    time.Duration
	use     machine.Use
	labCPU  time.Duration
}

// campaign runs the commands, and fails when a host is missing in the end.
func campaign(ctx context.Context, s settings, l *labProcess) ([]row, error) {
	commands := [][]string{{"scan"}, {"status"}, {"plan", "-o", "plan.json"}}
	if s.apply {
		commands = append(commands, []string{"apply", "plan.json"}, []string{"verify"}, []string{"status"})
	}
	var rows []row
	for _, args := range commands {
		fmt.Fprintf(os.Stderr, "oust %s\n", strings.Join(args, " "))
		r, err := timed(ctx, s, l, args)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, checkStatus(ctx, s, l)
}

func timed(ctx context.Context, s settings, l *labProcess, args []string) (row, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.oust, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &out, &out
	before := cpuTime(l.cmd.Process.Pid)
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && s.windows && exit.ExitCode() == pendingExit {
		err = nil // drivers stay until the hosts' restart; checkStatus has the last word
	}
	if err != nil {
		text := out.Bytes()
		return row{}, fmt.Errorf("oust %s: %w\n%s", strings.Join(args, " "), err, text[max(0, len(text)-4000):])
	}
	return row{
		command: strings.Join(args, " "), wall: wall, use: machine.UseOf(cmd.ProcessState),
		labCPU: cpuTime(l.cmd.Process.Pid) - before,
	}, nil
}

// checkStatus: every host was seen, and after an apply none has a product.
func checkStatus(ctx context.Context, s settings, l *labProcess) error {
	cmd := exec.CommandContext(ctx, s.oust, "status", "--json")
	cmd.Dir = l.dir
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("oust status: %w", err)
	}
	var status struct {
		Hosts    int
		Standing map[string]int
		Failed   map[string]int
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return fmt.Errorf("oust status: %w", err)
	}
	failed := 0
	for _, n := range status.Failed {
		failed += n
	}
	present := status.Standing["present"]
	if status.Hosts != s.hosts || failed > 0 || status.Standing["unseen"] > 0 || s.apply && present > 0 {
		return fmt.Errorf("not all is well: %s", bytes.TrimSpace(out))
	}
	return nil
}

// clockTick is the unit of /proc/PID/stat, USER_HZ: 100 on all Linux systems.
const clockTick = 10 * time.Millisecond

// cpuTime is what a process has taken so far (proc_pid_stat(5)), 0 where the
// system does not say.
func cpuTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest) // from field 3 on
	if len(fields) < 13 {
		return 0
	}
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0
	}
	return time.Duration(user+system) * clockTick
}
