package winelab

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf16"

	"oust/transports/lab/wsman"
)

// mostScript bounds a script that cmd reads from its input, in bytes.
const mostScript = 4 << 20

// outputGrace is how long output may lag behind the end of a command: what
// is detached can hold its outputs open for ever.
const outputGrace = 100 * time.Millisecond

var errDown = errors.New("the host is down")

// process is a command that runs.
type process struct {
	host   *Host
	cmd    *exec.Cmd
	line   string // the file with the command line
	copies sync.WaitGroup
	ends   []*os.File // of the outputs, to read from
	ended  chan struct{}
	exit   int
	err    error
	over   chan struct{} // closed when exit and err are there
}

// reading reports whether a line makes cmd read its script from its input.
func reading(line string) bool {
	words := strings.Fields(strings.ToLower(line))
	if len(words) == 0 || words[0] != "cmd" && words[0] != "cmd.exe" {
		return false
	}
	for _, w := range words {
		if strings.HasPrefix(w, "/c") || strings.HasPrefix(w, "/k") {
			return false
		}
	}
	return true
}

// Start implements wsman.Backend. A command gets its input by a pipe, or, where
// it is cmd that reads a script, as a batch file once that is complete.
func (h *Host) Start(ctx context.Context, c wsman.Command) (wsman.Process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return nil, errDown
	}
	h.count++
	p := &process{host: h, line: filepath.Join(h.dir, "run", strconv.Itoa(h.count)), ended: make(chan struct{}), over: make(chan struct{})}
	line := c.Line
	switch {
	case reading(line):
		line += ` /c "Z:` + strings.ReplaceAll(p.line, "/", `\`) + `.cmd"`
	case !c.SkipShell:
		line = `C:\windows\system32\cmd.exe /c ` + line
	}
	var text bytes.Buffer
	_ = binary.Write(&text, binary.LittleEndian, utf16.Encode([]rune(line)))
	if err := os.WriteFile(p.line, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.Command("wine", `C:\windows\launcher.exe`, `Z:`+strings.ReplaceAll(p.line, "/", `\`))
	p.cmd.Env = append(h.env(), c.Shell.Env...)
	p.cmd.Dir = filepath.Join(h.Root, "users")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A script comes only after the client knows that the command is there.
	go func() {
		defer close(p.over)
		p.exit, p.err = p.run(ctx, c)
	}()
	return p, nil
}

// run runs the command to its end.
func (p *process) run(ctx context.Context, c wsman.Command) (int, error) {
	if err := p.start(ctx, c); err != nil {
		close(p.ended)
		p.copies.Wait()
		return 0, fmt.Errorf("start wine: %w", err)
	}
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	return p.finish()
}

// start gives the command its streams and starts it.
func (p *process) start(ctx context.Context, c wsman.Command) error {
	if reading(c.Line) {
		typed, err := io.ReadAll(io.LimitReader(c.Stdin, mostScript))
		if err != nil {
			return err
		}
		if err := os.WriteFile(p.line+".cmd", batch(typed), 0o600); err != nil {
			return err
		}
	} else {
		read, write, err := os.Pipe()
		if err != nil {
			return err
		}
		defer read.Close()
		p.cmd.Stdin = read
		// It ends when the input ends, at the latest with the command.
		go func() {
			_, _ = io.Copy(write, c.Stdin)
			_ = write.Close()
		}()
	}
	for _, out := range []struct {
		to   io.Writer
		from *io.Writer
	}{{c.Stdout, &p.cmd.Stdout}, {c.Stderr, &p.cmd.Stderr}} {
		read, write, err := os.Pipe()
		if err != nil {
			return err
		}
		defer write.Close()
		*out.from = write
		p.ends = append(p.ends, read)
		p.copies.Go(func() { p.pass(out.to, read) })
	}
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	if err := ctx.Err(); err != nil || p.host.down {
		return errors.Join(err, errDown)
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.host.running[p.cmd.Process.Pid] = true
	return nil
}

// pass copies an output until it ends, or the command has and nothing comes.
func (p *process) pass(to io.Writer, from *os.File) {
	defer from.Close()
	data := make([]byte, 32<<10)
	for {
		select {
		case <-p.ended:
			_ = from.SetReadDeadline(time.Now().Add(outputGrace))
		default:
		}
		n, err := from.Read(data)
		if n > 0 {
			if _, err := to.Write(data[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// kill ends the command's process group; what tasks have started lives on.
func (p *process) kill() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// Wait implements wsman.Process.
func (p *process) Wait() (int, error) {
	<-p.over
	return p.exit, p.err
}

// finish waits for the end of the command and of its output.
func (p *process) finish() (int, error) {
	waited := p.cmd.Wait()
	p.host.mu.Lock()
	delete(p.host.running, p.cmd.Process.Pid)
	p.host.mu.Unlock()
	close(p.ended)
	for _, end := range p.ends {
		_ = end.SetReadDeadline(time.Now().Add(outputGrace))
	}
	p.copies.Wait()
	text, err := os.ReadFile(p.line + ".exit")
	if err != nil {
		return 0, fmt.Errorf("the command has left no exit code: %w", errors.Join(waited, err))
	}
	exit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 32)
	return int(exit), err
}

var _ wsman.Process = (*process)(nil)
