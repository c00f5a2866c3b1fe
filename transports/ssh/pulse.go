package ssh

import (
	"sync"
	"sync/atomic"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

// pulse watches a connection for silence. When nothing was heard for a while
// the peer is asked for an answer, and when it gives none the stream ends.
// It holds a timer and no goroutine.
type pulse struct {
	wire     *wire
	conn     xssh.Conn
	interval time.Duration
	count    int

	asking atomic.Bool // a question is on its way

	mu     sync.Mutex
	timer  *time.Timer // nil: stopped
	heard  int64
	silent int // intervals without a byte
}

func newPulse(w *wire, conn xssh.Conn, cfg Config) *pulse {
	return &pulse{wire: w, conn: conn, interval: cfg.KeepAlive, count: cfg.KeepAliveCount}
}

func (p *pulse) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard, p.silent = p.wire.heard.Load(), 0
	p.timer = time.AfterFunc(p.interval, p.tick)
}

func (p *pulse) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

func (p *pulse) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil {
		return
	}
	if heard := p.wire.heard.Load(); heard != p.heard {
		p.heard, p.silent = heard, 0
	} else if p.silent++; p.silent > p.count {
		p.wire.kill(errSilent)
		return
	}
	if p.silent > 0 && p.asking.CompareAndSwap(false, true) {
		go p.ask()
	}
	p.timer.Reset(p.interval)
}

// ask sends the keepalive of OpenSSH; any answer to it, a refusal too, is a
// byte heard. It ends with the connection at the latest.
func (p *pulse) ask() {
	defer p.asking.Store(false)
	_, _, _ = p.conn.SendRequest("keepalive@openssh.com", true, nil)
}
