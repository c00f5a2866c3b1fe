package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentClient asks the ssh-agent for its keys once for all hosts, over one
// connection. After an error it connects anew.
type agentClient struct {
	socket string
	// patience bounds each answer: a person may have to touch a token.
	patience time.Duration

	mu     sync.Mutex
	asked  *agentKeys // nil: not asked, or to be asked again
	closed bool
}

// agentKeys is what one asking came to. All that want keys meanwhile wait for
// it, so that a silent agent costs its patience once and not once for each host.
type agentKeys struct {
	ready   chan struct{} // closed when the rest is set
	signers []xssh.Signer
	err     error
	until   time.Time // until when err counts
	conn    net.Conn  // under agentClient.mu
}

var errAgentClosed = errors.New("the dialer is closed")

// keys returns the agent's signers. Each tells failed why it could not sign.
func (a *agentClient) keys(ctx context.Context, failed func(error)) ([]xssh.Signer, error) {
	k, err := a.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	out := make([]xssh.Signer, len(k.signers))
	for i, s := range k.signers {
		out[i] = &agentSigner{Signer: s, failed: func(err error) { a.forget(k); failed(err) }}
	}
	return out, nil
}

// list waits for the agent's keys, and asks for them unless that has been done.
func (a *agentClient) list(ctx context.Context) (*agentKeys, error) {
	if a.socket == "" {
		return nil, errors.New("SSH_AUTH_SOCK is not set")
	}
	a.mu.Lock()
	k := a.asked
	switch {
	case a.closed:
		a.mu.Unlock()
		return nil, errAgentClosed
	case k == nil || k.spent():
		k = &agentKeys{ready: make(chan struct{})}
		a.asked = k
		go a.ask(k)
	}
	a.mu.Unlock()
	select {
	case <-k.ready:
		return k, k.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// spent reports whether an asking has failed and its failure no longer counts.
func (k *agentKeys) spent() bool {
	select {
	case <-k.ready:
		return k.err != nil && !time.Now().Before(k.until)
	default:
		return false
	}
}

// ask asks. Of an agent that gave no answer in time nobody else asks for one
// for as long again.
func (a *agentClient) ask(k *agentKeys) {
	defer close(k.ready)
	begun := time.Now()
	dialer := net.Dialer{Timeout: a.patience}
	conn, err := dialer.DialContext(context.Background(), "unix", a.socket) // others wait for the answer too
	if err == nil {
		if err = a.hold(k, conn); err == nil {
			k.signers, err = agent.NewClient(&agentWire{conn: conn, patience: a.patience}).Signers()
		}
	}
	if k.err = err; err == nil {
		return
	}
	if conn != nil {
		_ = conn.Close()
	}
	if time.Since(begun) >= a.patience { // the library does not keep the cause
		k.until = time.Now().Add(a.patience)
	}
}

// hold notes the connection, so that close can end it.
func (a *agentClient) hold(k *agentKeys, conn net.Conn) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errAgentClosed
	}
	k.conn = conn
	return nil
}

// forget drops the connection, so that the next dial makes a new one.
func (a *agentClient) forget(k *agentKeys) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked == k {
		_ = k.conn.Close()
		a.asked = nil
	}
}

func (a *agentClient) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.asked != nil && a.asked.conn != nil {
		_ = a.asked.conn.Close()
	}
}

// agentWire bounds each exchange with the agent. It has no Close on purpose:
// the agent library then sends one request at a time, and starts no goroutine.
type agentWire struct {
	conn     net.Conn
	patience time.Duration
}

func (w *agentWire) Read(p []byte) (int, error) { return w.conn.Read(p) }

func (w *agentWire) Write(p []byte) (int, error) {
	if err := w.conn.SetDeadline(time.Now().Add(w.patience)); err != nil {
		return 0, err
	}
	return w.conn.Write(p)
}

// agentSigner is an agent's key that tells when the agent no longer answers.
type agentSigner struct {
	xssh.Signer
	failed func(error)
}

// SignWithAlgorithm implements xssh.AlgorithmSigner.
func (s *agentSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*xssh.Signature, error) {
	inner, ok := s.Signer.(xssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("ssh-agent: the key takes no algorithm")
	}
	sig, err := inner.SignWithAlgorithm(rand, data, algorithm)
	if err != nil {
		err = fmt.Errorf("ssh-agent: %w", err)
		s.failed(err)
		return nil, err
	}
	return sig, nil
}

var _ xssh.AlgorithmSigner = (*agentSigner)(nil)
