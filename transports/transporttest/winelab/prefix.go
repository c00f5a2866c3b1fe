package winelab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// execTimeout bounds a command of the lab itself.
const execTimeout = time.Minute

// builtPath asks wine.sh for the folder of what it built. An error says why
// there are no hosts.
func builtPath() (string, error) {
	for _, tool := range []string{"wine", "wineserver", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("they need %s", tool)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		script := filepath.Join(dir, "testdata", "hosts", "wine.sh")
		if _, err := os.Stat(script); err == nil {
			return askPath(script)
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no testdata/hosts above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

func askPath(script string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(script, "--path")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// clone makes the host's prefix. The files of the template are hard links,
// which wine replaces and does not write into; the registry is copied.
func (h *Host) clone() error {
	sweep(filepath.Dir(h.built))
	dir, err := os.MkdirTemp(filepath.Dir(h.built), ".winelab-")
	if err != nil {
		return err
	}
	h.dir, h.Root = dir, filepath.Join(dir, "prefix", "drive_c")
	if h.lock, err = lock(dir); err != nil {
		return err
	}
	if out, err := exec.Command("cp", "-al", filepath.Join(h.built, "prefix"), dir).CombinedOutput(); err != nil {
		return fmt.Errorf("clone the prefix: %w: %s", err, out)
	}
	for _, name := range []string{"system.reg", "user.reg", "userdef.reg"} {
		data, err := os.ReadFile(filepath.Join(h.built, "prefix", name))
		if err != nil {
			return err
		}
		path := filepath.Join(dir, "prefix", name)
		if err := errors.Join(os.Remove(path), os.WriteFile(path, data, 0o600)); err != nil {
			return err
		}
	}
	return os.Mkdir(filepath.Join(dir, "run"), 0o700)
}

// lock marks a host's folder as used, until the process ends.
func lock(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// young is the age up to which a folder may not be locked yet.
const young = time.Minute

// sweep ends and removes hosts whose test process is gone.
func sweep(cache string) {
	dirs, _ := filepath.Glob(filepath.Join(cache, ".winelab-*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < young {
			continue
		}
		file, err := lock(dir)
		if err != nil {
			continue
		}
		_ = stop(dir)
		_ = os.RemoveAll(dir)
		_ = file.Close()
	}
}

// env is the environment of the host's processes.
func (h *Host) env() []string { return environment(h.dir) }

func environment(dir string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8", "USER=root",
		"WINEPREFIX=" + filepath.Join(dir, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=",
	}
}

// bootIDKey holds what counts the boots of Windows.
const bootIDKey = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`

// boot starts the host's system processes, which then stay, and gives it
// another boot id.
func (h *Host) boot() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), execTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "wineserver", "-p")
	cmd.Env = h.env()
	h.must(cmd.Run())
	h.mu.Lock()
	h.down = false
	h.count++
	id := h.count
	h.mu.Unlock()
	if out, exit := h.Exec(fmt.Sprintf(`reg add "%s" /v BootId /t REG_DWORD /d %d /f`, bootIDKey, id)); exit != 0 {
		h.t.Fatalf("wine hosts: boot: exit code %d: %s", exit, out)
	}
	// wine logs its user on to a desktop at every start; and see LogOn.
	h.Exec(`reg delete "HKCU\Volatile Environment\1" /f & reg delete "HKCU\Volatile Environment" /v SESSIONNAME /f`)
	// The hive of the local service, which administrators alone may read; wine
	// has none, and forgets one when it stops.
	if out, exit := h.Exec(`reg add HKU\S-1-5-19\Environment /f`); exit != 0 {
		h.t.Fatalf("wine hosts: boot: exit code %d: %s", exit, out)
	}
}

// Reboot ends every process of the host, tasks too, and starts it again with
// another boot id. Connections are cut in between.
func (h *Host) Reboot() {
	h.t.Helper()
	h.Cut()
	h.must(errors.Join(h.halt(), h.forgetShutdown()))
	h.boot()
	h.Uncut()
}

// halt ends every process of the host.
func (h *Host) halt() error {
	h.mu.Lock()
	h.down = true
	for group := range h.running {
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	h.mu.Unlock()
	return stop(h.dir)
}

// stop ends the wineserver of a host's folder, and all processes with it.
func stop(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), execTimeout)
	defer cancel()
	// -k ends with 1 if none runs, -w waits until it is gone.
	for _, flag := range []string{"-k", "-w"} {
		cmd := exec.CommandContext(ctx, "wineserver", flag)
		cmd.Env = environment(dir)
		if err := cmd.Run(); err != nil && ctx.Err() != nil {
			return fmt.Errorf("wineserver %s: %w", flag, err)
		}
	}
	return nil
}

// lockedBuffer takes both outputs of a command.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(data)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
