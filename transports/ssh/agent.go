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

	mu      sync.Mutex
	conn    net.Conn
	signers []xssh.Signer
}

// keys returns the agent's signers. Each tells failed why it could not sign.
func (a *agentClient) keys(ctx context.Context, failed func(error)) ([]xssh.Signer, error) {
	signers, conn, err := a.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	out := make([]xssh.Signer, len(signers))
	for i, s := range signers {
		out[i] = &agentSigner{Signer: s, failed: func(err error) { a.forget(conn); failed(err) }}
	}
	return out, nil
}

// list asks the agent for its keys, unless that has been done.
func (a *agentClient) list(ctx context.Context) ([]xssh.Signer, net.Conn, error) {
	if a.socket == "" {
		return nil, nil, errors.New("SSH_AUTH_SOCK is not set")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != nil {
		return a.signers, a.conn, nil
	}
	conn, err := (&net.Dialer{Timeout: a.patience}).DialContext(ctx, "unix", a.socket)
	if err != nil {
		return nil, nil, err
	}
	signers, err := agent.NewClient(&agentWire{conn: conn, patience: a.patience}).Signers()
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	a.conn, a.signers = conn, signers
	return signers, conn, nil
}

// forget drops the connection, so that the next dial makes a new one.
func (a *agentClient) forget(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn == conn {
		_ = conn.Close()
		a.conn, a.signers = nil, nil
	}
}

func (a *agentClient) close() {
	a.mu.Lock()
	conn := a.conn
	a.mu.Unlock()
	if conn != nil {
		a.forget(conn)
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
