package lab

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// sessions serves the channels of a connection until it ends.
func (h *host) sessions(conn *ssh.ServerConn, channels <-chan ssh.NewChannel) {
	ctx, cancel := context.WithCancel(h.context())
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	var open sync.WaitGroup
	slots := make(chan struct{}, mostSessions)
	for nc := range channels {
		if nc.ChannelType() != "session" {
			_ = nc.Reject(ssh.UnknownChannelType, "only sessions are simulated")
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = nc.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		ch, requests, err := nc.Accept()
		if err != nil {
			<-slots
			continue
		}
		open.Go(func() {
			defer func() { <-slots }()
			h.session(ctx, conn.User(), ch, requests)
		})
	}
	cancel()
	stop()
	open.Wait()
}

// session is one channel: it waits for a command and runs it. When the client
// goes away, what the command started ends with it, unless it was detached.
func (h *host) session(ctx context.Context, name string, ch ssh.Channel, requests <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var command sync.WaitGroup
	started := false
	for r := range requests {
		ok := false
		switch r.Type {
		case "env":
			ok = true // and ignored, as sshd's AcceptEnv does with most
		case "exec", "shell":
			line, valid := execLine(r)
			if ok = valid && !started; ok {
				started = true
				if r.WantReply {
					_ = r.Reply(true, nil)
				}
				command.Go(func() { h.command(ctx, cancel, name, line, ch) })
				continue
			}
		}
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
	}
	cancel() // the channel is closed
	command.Wait()
	_ = ch.Close()
}

// execLine is the command of a request; empty for a login shell, which then
// reads its commands.
func execLine(r *ssh.Request) (string, bool) {
	if r.Type == "shell" {
		return "", true
	}
	var payload struct{ Line string }
	if ssh.Unmarshal(r.Payload, &payload) != nil {
		return "", false
	}
	return payload.Line, true
}

// command runs a line in a login shell and reports its end.
func (h *host) command(ctx context.Context, cancel context.CancelFunc, name, line string, ch ssh.Channel) {
	u := userNamed(name)
	if u == nil {
		_ = ch.Close()
		return
	}
	out, errOut := newChannelWriter(ch, cancel), newChannelWriter(ch.Stderr(), cancel)
	c := h.loginCall(ctx, u, line, ch, out, errOut)
	c.finish(func() int { return c.login(line) })
	code, signal := c.proc.result()
	out.Flush()
	errOut.Flush()
	_ = ch.CloseWrite()
	sendEnd(ch, code, signal)
	_ = ch.Close()
}

// loginCall is a login shell that is to run a line.
func (h *host) loginCall(ctx context.Context, u *user, line string, in io.Reader, out, errOut io.Writer) *call {
	p := h.spawnAs(ctx, nil, []string{"sh", "-c", line}, u)
	return &call{
		ctx: p.context(), proc: p, args: []string{"sh"}, dir: u.home, env: loginEnv(u),
		in: in, out: out, err: errOut,
	}
}

// login runs a line as the login shell does. A line that is one program with
// plain arguments is run without an interpreter in between: the shell would
// become that program.
func (c *call) login(line string) int {
	if line == "" {
		return sh(c)
	}
	if args, ok := plainWords(line); ok {
		c.args = args
		c.proc.setArgs(args)
		if _, err := c.lookPath(args[0]); err == nil {
			return c.program()
		}
		c.args = []string{"sh"}
	}
	return c.interpret(line, "sh", nil, nil)
}

// plainWords splits a line of words and single-quoted strings. It gives up at
// anything that a shell would treat specially, and at words that name
// builtins of the shell.
func plainWords(line string) ([]string, bool) {
	var words []string
	for line = strings.Trim(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		var w strings.Builder
		for line != "" && line[0] != ' ' {
			if line[0] == '\'' {
				quoted, rest, ok := strings.Cut(line[1:], "'")
				if !ok {
					return nil, false
				}
				w.WriteString(quoted)
				line = rest
				continue
			}
			if !plainByte(line[0]) {
				return nil, false
			}
			w.WriteByte(line[0])
			line = line[1:]
		}
		words = append(words, w.String())
	}
	if len(words) == 0 || !strings.Contains(words[0], "/") && words[0] != "sudo" && words[0] != "cat" && words[0] != "sh" {
		return nil, false
	}
	return words, true
}

func plainByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("/-_.:,+@%", b) >= 0
}

func loginEnv(u *user) environ {
	e := environ{}
	e.set("HOME", u.home)
	e.set("USER", u.name)
	e.set("LOGNAME", u.name)
	e.set("SHELL", "/bin/sh")
	e.set("LANG", "C.UTF-8")
	e.set("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/games")
	if u.uid == 0 {
		e.set("PATH", defaultPath)
	}
	return e
}

// sendEnd reports the end of a command (RFC 4254, 6.10).
func sendEnd(ch ssh.Channel, code int, signal syscall.Signal) {
	if signal != 0 {
		names := map[syscall.Signal]string{syscall.SIGABRT: "ABRT", syscall.SIGHUP: "HUP", syscall.SIGINT: "INT", syscall.SIGQUIT: "QUIT", syscall.SIGKILL: "KILL", syscall.SIGTERM: "TERM"}
		_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Name  string
			Core  bool
			Text  string
			Langu string
		}{names[signal], false, "", ""}))
		return
	}
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code) & 0xff}))
}

// channelWriter collects small writes for a moment, so that a script that
// prints line by line does not cost a packet a line.
type channelWriter struct {
	gone func() // called when the client does not take any more

	mu    sync.Mutex
	w     io.Writer
	buf   []byte
	timer *time.Timer
	err   error
}

const (
	bufferMost = 16 << 10             // bytes that are kept
	bufferTime = 2 * time.Millisecond // how long they are kept
)

func newChannelWriter(w io.Writer, gone func()) *channelWriter {
	return &channelWriter{w: w, gone: gone}
}

func (w *channelWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	w.buf = append(w.buf, b...)
	switch {
	case len(w.buf) >= bufferMost:
		w.flush()
	case w.timer == nil:
		w.timer = time.AfterFunc(bufferTime, w.Flush)
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

// Flush hands on what was kept.
func (w *channelWriter) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
}

func (w *channelWriter) flush() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if len(w.buf) == 0 || w.err != nil {
		return
	}
	if _, err := w.w.Write(w.buf); err != nil {
		w.err = fmt.Errorf("write to the client: %w", err)
		w.gone()
	}
	w.buf = w.buf[:0]
}

var _ flusher = (*channelWriter)(nil)
