package wsman

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// handClock is a clock that a test moves. Sleepers are told of on sleeping.
type handClock struct {
	mu       sync.Mutex
	now      time.Time
	moved    chan struct{}
	sleeping chan time.Duration
}

func newHandClock() *handClock {
	return &handClock{now: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), moved: make(chan struct{}), sleeping: make(chan time.Duration, 16)}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	close(c.moved)
	c.moved = make(chan struct{})
}

func (c *handClock) Sleep(ctx context.Context, d time.Duration) error {
	end := c.Now().Add(d)
	c.sleeping <- d
	for {
		c.mu.Lock()
		now, moved := c.now, c.moved
		c.mu.Unlock()
		if !now.Before(end) {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestOperationTimeout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked string
		want  time.Duration
	}{{"PT20S", 20 * time.Second}, {"PT60.000S", time.Minute}, {"PT0.5S", 500 * time.Millisecond}, {"PT10M", time.Minute}} {
		clock := newHandClock()
		config := basicTLS(t)
		config.Clock = clock
		client := newRig(t, config).client(t).open()
		client.timeout = c.asked
		id := client.start("wait")
		go func() {
			if d := <-clock.sleeping; d != c.want {
				t.Errorf("%s: waits %v, want %v", c.asked, d, c.want)
			}
			clock.Advance(c.want)
		}()
		text := client.fault(CodeOperationTimeout, actionReceive, receiveXML(id))
		if !strings.Contains(text, "w:TimedOut") || !strings.Contains(text, "s:Receiver") {
			t.Errorf("other words: %s", text)
		}
		client.ask(http.StatusOK, actionSignal, signalXML(id, "terminate"))
	}
}

// TestSendWaits: what a command does not read is not taken for ever.
func TestSendWaits(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	config := basicTLS(t)
	config.Clock = clock
	client := newRig(t, config).client(t).open()
	id := client.start("wait")
	client.ask(http.StatusOK, actionSend, sendXML(id, string(filler(mostInput)), false))
	go func() {
		clock.Advance(<-clock.sleeping)
	}()
	client.fault(CodeOperationTimeout, actionSend, sendXML(id, "more", false))
	client.ask(http.StatusOK, actionSignal, signalXML(id, "terminate"))
}

// TestOutputWaits: a command that nobody fetches from is held at its output,
// and goes on when the client fetches.
func TestOutputWaits(t *testing.T) {
	t.Parallel()
	wrote := make(chan int, 1)
	config := basicTLS(t)
	config.Backend = Func(func(_ context.Context, c Command) int {
		n, _ := c.Stdout.Write(filler(mostOutput + 1))
		wrote <- n
		return 0
	})
	client := newRig(t, config).client(t).open()
	id := client.start("x")
	text := client.ask(http.StatusOK, actionReceive, receiveXML(id)) // some of it, and so the command is there
	select {
	case n := <-wrote:
		if n != mostOutput+1 {
			t.Errorf("%d bytes were written", n)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the command is held for ever")
	}
	got := streamOf(t, text, "stdout") + client.receive(id).stdout
	if got != string(filler(mostOutput+1)) {
		t.Errorf("%d bytes came", len(got))
	}
}

func TestShellsQuota(t *testing.T) {
	t.Parallel()
	config := basicTLS(t)
	config.Shells = 2
	r := newRig(t, config)
	c := r.client(t).open()
	r.client(t).open()
	other := r.client(t)
	text := other.fault(CodeShellsQuota, actionCreate, "<r:Shell/>")
	if !strings.Contains(text, "allowed a maximum number of 2 concurrent shells") {
		t.Errorf("other words: %s", text)
	}
	other.auth = basicAuth(`CORP\`+testUser, testPassword) // another account
	other.open()
	c.ask(http.StatusOK, actionDelete, "")
	r.client(t).open()
}

// TestOperationsQuota: commands count until their shell is deleted, also those
// that were terminated.
func TestOperationsQuota(t *testing.T) {
	t.Parallel()
	config := basicTLS(t)
	config.Operations = 2
	c := newRig(t, config).client(t).open()
	for range 2 {
		id := c.start("both")
		c.receive(id)
		c.ask(http.StatusOK, actionSignal, signalXML(id, "terminate"))
	}
	c.fault(CodeOperationsQuota, actionCommand, commandXML("both"))
	c.ask(http.StatusOK, actionDelete, "")
	c.open().start("both")
}

func TestIdleShell(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	ended := make(chan error, 1)
	config := basicTLS(t)
	config.Clock = clock
	config.Backend = Func(func(ctx context.Context, _ Command) int {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 1
	})
	c := newRig(t, config).client(t).open()
	c.start("x")
	clock.Advance(2*time.Hour + time.Second)
	c.fault(CodeShellNotFound, actionCommand, commandXML("both"))
	if why := <-ended; !errors.Is(why, ErrShellGone) {
		t.Errorf("the command ended of %v", why)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	causes := make(chan error, 1)
	config := basicTLS(t)
	config.Backend = Func(func(ctx context.Context, c Command) int {
		exit := toy(ctx, c)
		causes <- context.Cause(ctx)
		return exit
	})
	c := newRig(t, config).client(t).open()
	id := c.start("wait")
	c.ask(http.StatusOK, actionSignal, signalXML(id, "ctrl_c"))
	if why := <-causes; !errors.Is(why, ErrCtrlC) {
		t.Errorf("ctrl_c: ended of %v", why)
	}
	if got := c.receive(id); got.exit != ExitCtrlC {
		t.Errorf("ctrl_c: %+v", got)
	}
	id = c.start("wait")
	c.ask(http.StatusOK, actionSignal, signalXML(id, "terminate"))
	if why := <-causes; !errors.Is(why, ErrTerminated) {
		t.Errorf("terminate: ended of %v", why)
	}
	id = c.start("wait")
	c.fault(CodeInvalidBody, actionSignal, signalXML(id, "dance"))
	c.ask(http.StatusOK, actionDelete, "")
	if why := <-causes; !errors.Is(why, ErrShellGone) {
		t.Errorf("Delete: ended of %v", why)
	}
}

// TestTerminateWakes: a Receive that waits ends when another request ends its
// command or its shell.
func TestTerminateWakes(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(c *client, id string){
		"terminate": func(c *client, id string) { c.ask(http.StatusOK, actionSignal, signalXML(id, "terminate")) },
		"delete":    func(c *client, _ string) { c.ask(http.StatusOK, actionDelete, "") },
	} {
		clock := newHandClock()
		config := basicTLS(t)
		config.Clock = clock
		c := newRig(t, config).client(t).open()
		id := c.start("wait")
		done := make(chan string, 1)
		go func() {
			_, text, _ := c.post(c.envelopeOf(actionReceive, receiveXML(id)))
			done <- text
		}()
		<-clock.sleeping
		end(c, id)
		if text := <-done; !strings.Contains(text, `Code="995"`) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
