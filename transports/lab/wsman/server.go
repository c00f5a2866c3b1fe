package wsman

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"oust/transports/lab/wsman/ntlm"
)

// Server is one Windows host's WinRM service. It is safe for concurrent use.
type Server struct {
	config Config
	tls    *tls.Config
	// keytab has the keys of Kerberos; nil without it.
	keytab *keytab.Keytab
	// bindings is the channel binding token of the TLS certificate.
	bindings []byte
	http     *http.Server
	faults   faultSet

	mu     sync.Mutex
	closed bool
	shells map[string]*shell // nil while there are none
	// done is closed by Close; running counts what Close waits for.
	done    chan struct{}
	running sync.WaitGroup
}

// New makes a server. It serves nothing until Serve, ServeConn or ServeHTTP is
// called.
func New(config Config) (*Server, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	s := &Server{config: config, done: make(chan struct{})}
	if config.TLS != nil {
		s.tls = config.TLS.Clone()
		s.tls.NextProtos = []string{"http/1.1"}
		if config.NTLM || config.Kerberos != nil {
			var err error
			if s.bindings, err = bindingsOf(config.TLS); err != nil {
				return nil, err
			}
		}
		if config.Certificate != nil && s.tls.ClientAuth == tls.NoClientCert {
			s.tls.ClientAuth = tls.RequestClientCert
		}
	}
	if config.Kerberos != nil {
		var err error
		if s.keytab, err = newKeytab(config.Kerberos.Keytab); err != nil {
			return nil, err
		}
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	s.http = &http.Server{
		Handler: s, ConnContext: s.ConnContext, Protocols: &protocols,
		ReadHeaderTimeout: config.Grace, IdleTimeout: config.Idle, MaxHeaderBytes: mostHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     config.Logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	if config.Logger.GetLevel() > hclog.Debug {
		s.http.ErrorLog = log.New(io.Discard, "", 0)
	}
	return s, nil
}

// bindingsOf is the channel binding token for a server's first certificate.
func bindingsOf(config *tls.Config) ([]byte, error) {
	if len(config.Certificates) == 0 || len(config.Certificates[0].Certificate) == 0 {
		return nil, errors.New("wsman: TLS with NTLM or Kerberos needs a certificate in TLS.Certificates")
	}
	certificate, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("wsman: the TLS certificate: %w", err)
	}
	return ntlm.Bindings(certificate), nil
}

// mostHeader bounds the head of a request; a login token is in it.
const mostHeader = 64 << 10

// Serve takes connections from l until it or the server is closed. It wraps
// them in TLS if the server has TLS, closes l, and never returns nil.
func (s *Server) Serve(l net.Listener) error {
	return s.http.Serve(&wrapper{Listener: l, server: s})
}

// ServeConn serves one connection, and returns when it is closed.
func (s *Server) ServeConn(c net.Conn) {
	watched := &watchedConn{Conn: c, ended: make(chan struct{})}
	_ = s.http.Serve(&oneConn{conn: s.wrap(watched), ended: watched.ended}) // http.ErrServerClosed, or io.EOF at the end
	_ = watched.Close()
}

// Close ends all commands and connections, and waits for the commands.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	shells := s.shells
	s.shells = nil
	s.mu.Unlock()
	for _, sh := range shells {
		sh.end(ErrShellGone)
	}
	err := s.http.Close()
	s.running.Wait()
	return err
}

// wrap makes a connection TLS where the server has it.
func (s *Server) wrap(c net.Conn) net.Conn {
	if s.tls == nil {
		return c
	}
	return tls.Server(c, s.tls)
}

type wrapper struct {
	net.Listener
	server *Server
}

func (w *wrapper) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return w.server.wrap(c), nil
}

// watchedConn tells when it is closed.
type watchedConn struct {
	net.Conn
	ended chan struct{}
	once  sync.Once
}

func (c *watchedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.ended) })
	return err
}

// oneConn is a listener that brings one connection, and ends with it.
type oneConn struct {
	conn  net.Conn
	taken bool
	ended chan struct{}
}

// Accept is called by http.Server alone, one call after the other.
func (l *oneConn) Accept() (net.Conn, error) {
	if !l.taken {
		l.taken = true
		return l.conn, nil
	}
	<-l.ended
	return nil, io.EOF
}

// Close is called when the server is closed, which closes the connection too.
func (l *oneConn) Close() error { return nil }

func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

type connKey struct{}

// ConnContext is for the http.Server of a caller that serves ServeHTTP on its
// own: it keeps the login of a connection. Without it every request stands
// alone, which is enough for Basic and certificates, not for NTLM.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &connection{conn: c})
}

var (
	_ http.Handler = (*Server)(nil)
	_ io.Closer    = (*Server)(nil)
)
