package sshdlab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// keeper is the process that holds a fleet's mounts and hosts: keeper.sh.
type keeper struct {
	// dir is the keeper's DIR/ns as this process reaches it.
	dir string

	cmd     *exec.Cmd
	stdin   io.WriteCloser
	drained chan struct{} // closed when its output has ended

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each answer
	answers map[string]int
	pids    map[string]int // of the hosts that are up
}

// keeperTimeout bounds one answer of the keeper.
const keeperTimeout = 20 * time.Second

func startKeeper(scripts, dir string) (*keeper, error) {
	if err := os.MkdirAll(filepath.Join(dir, "ns"), 0o755); err != nil {
		return nil, err
	}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", filepath.Join(scripts, "keeper.sh"), dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the keeper of test hosts: %w", err)
	}
	k := &keeper{
		dir: fmt.Sprintf("/proc/%d/root%s/ns", cmd.Process.Pid, dir),
		cmd: cmd, stdin: stdin, drained: make(chan struct{}),
		changed: make(chan struct{}), answers: map[string]int{}, pids: map[string]int{},
	}
	go k.read(stdout)
	if err := k.await("ok keeper " + strconv.Itoa(cmd.Process.Pid)); err != nil {
		return nil, errors.Join(err, k.close())
	}
	return k, nil
}

// read takes the keeper's answers until its output ends.
func (k *keeper) read(stdout io.Reader) {
	defer close(k.drained)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		k.mu.Lock()
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "up" {
			k.pids[f[1]], _ = strconv.Atoi(f[2])
		}
		k.answers[lines.Text()]++
		close(k.changed)
		k.changed = make(chan struct{})
		k.mu.Unlock()
	}
}

// await takes one answer with exactly this text.
func (k *keeper) await(answer string) error {
	return k.awaitAny(answer, func() bool {
		if k.answers[answer] == 0 {
			return false
		}
		k.answers[answer]--
		return true
	})
}

// awaitAny waits until ok, called with the lock held, is true.
func (k *keeper) awaitAny(what string, ok func() bool) error {
	timeout := time.NewTimer(keeperTimeout)
	defer timeout.Stop()
	for {
		k.mu.Lock()
		done, changed := ok(), k.changed
		k.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-k.drained:
			return fmt.Errorf("the keeper of test hosts ended before %q", what)
		case <-timeout.C:
			return fmt.Errorf("the keeper of test hosts did not answer %q in %v", what, keeperTimeout)
		}
	}
}

func (k *keeper) send(command, name, rest string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err := fmt.Fprintf(k.stdin, "%s %s %s\n", command, name, rest)
	return err
}

// ask sends a command and takes its answer.
func (k *keeper) ask(command, name, rest string) error {
	if err := k.send(command, name, rest); err != nil {
		return err
	}
	good, bad := "ok "+command+" "+name, "bad "+command+" "+name
	var failed bool
	err := k.awaitAny(good, func() bool {
		if k.answers[bad] > 0 {
			failed = true
			return true
		}
		if k.answers[good] == 0 {
			return false
		}
		k.answers[good]--
		return true
	})
	if failed {
		return fmt.Errorf("the keeper of test hosts could not %s %s", command, name)
	}
	return err
}

// up waits until a host's process 1 has said its PID.
func (k *keeper) up(name string) error {
	return k.awaitAny("up "+name, func() bool { return k.pids[name] != 0 })
}

func (k *keeper) down(name string) error {
	if err := k.ask("down", name, ""); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pids, name)
	return nil
}

func (k *keeper) pid(name string) (int, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	pid, ok := k.pids[name]
	return pid, ok
}

// close ends the keeper and, with it, every host and mount.
func (k *keeper) close() error {
	_ = k.stdin.Close()
	<-k.drained
	if err := k.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the keeper of test hosts: %w", err)
	}
	return nil
}
