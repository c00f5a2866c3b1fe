package sshdlab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// cacheDir is where testdata/hosts/build.sh keeps what it built.
func cacheDir() string {
	if dir := os.Getenv("OUST_TEST_CACHE"); dir != "" {
		return dir
	}
	return "/var/cache/oust-test"
}

// scriptsDir finds testdata/hosts from the working directory upwards.
func scriptsDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, "testdata", "hosts")
		if _, err := os.Stat(filepath.Join(path, "keeper.sh")); err == nil {
			return path, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no testdata/hosts above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Missing says why real hosts cannot be had here, or "".
func Missing() string {
	if os.Geteuid() != 0 {
		return "they need root, for mounts and namespaces"
	}
	for _, tool := range []string{"unshare", "nsenter", "setpriv", "mount", "chroot"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "they need " + tool
		}
	}
	if _, err := builtPaths(); err != nil {
		return err.Error()
	}
	return ""
}

// builtPaths asks build.sh for what it built; "scripts" is its own folder.
func builtPaths() (map[string]string, error) {
	scripts, err := scriptsDir()
	if err != nil {
		return nil, err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(scripts, "build.sh"), "--paths")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("find the roots of test hosts: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	paths := map[string]string{"scripts": scripts}
	for line := range strings.Lines(string(out)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), "=")
		paths[name] = path
	}
	return paths, nil
}

// slot is one fleet's share of the machine: a folder and the addresses
// 127.1.N.0/24. Its lock ends with the process, however that ends.
type slot struct {
	n    int
	dir  string
	lock *os.File
}

// takeSlot takes the first slot that no living process holds, and removes what
// its last user left.
func takeSlot() (*slot, error) {
	labs := filepath.Join(cacheDir(), "labs")
	if err := os.MkdirAll(labs, 0o755); err != nil {
		return nil, err
	}
	for n := 1; n < 255; n++ {
		dir := filepath.Join(labs, fmt.Sprint(n))
		lock, err := os.OpenFile(dir+".lock", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			lock.Close()
			continue
		}
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
			lock.Close()
			return nil, fmt.Errorf("clean up after an earlier lab: %w", err)
		}
		return &slot{n: n, dir: dir, lock: lock}, nil
	}
	return nil, errors.New("all 254 slots for labs of test hosts are taken")
}

func (s *slot) addr(host int) string { return fmt.Sprintf("127.1.%d.%d", s.n, host) }

func (s *slot) release() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// freePort is 22, or 2222 where something listens on port 22 of all addresses.
func freePort(addr string) int {
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "22"))
	if err != nil {
		return 2222
	}
	l.Close()
	return 22
}

// awaitBanner waits until a host is up and its sshd greets.
func (f *Fleet) awaitBanner(h Host, deadline time.Time) error {
	if err := f.keeper.up(h.Name); err != nil {
		return fmt.Errorf("%w: %s", err, readOr(filepath.Join(f.keeper.dir, "hosts", h.Name, "log")))
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if greets(h, deadline) {
			return nil
		}
		<-tick.C
	}
	return fmt.Errorf("%s: sshd does not answer: %s", h.Name, readOr(filepath.Join(f.keeper.dir, "hosts", h.Name, "log")))
}

func greets(h Host, deadline time.Time) bool {
	conn, err := net.DialTimeout("tcp", h.endpoint(), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(deadline)
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "SSH-")
}
