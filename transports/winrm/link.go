package winrm

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"oust/transports"
)

// Bounds of what a peer may send, in bytes.
const (
	replyMost = 1 << 20  // the body of one reply
	headMost  = 64 << 10 // its head
	// idleTrusted is how long a connection may rest before it is looked at
	// again: servers close idle ones.
	idleTrusted = time.Second
)

var (
	errLong    = fmt.Errorf("the reply is longer than %d bytes", replyMost)
	errBroken  = errors.New("the connection is broken")
	errNotHTTP = errors.New("the answer is not HTTP")
)

// link is one TCP connection to a host, with its login. One exchange is under
// way at a time.
type link struct {
	raw    net.Conn // below TLS, so that closing it does not wait
	conn   net.Conn
	budget *budget
	reader *bufio.Reader
	url    *url.URL
	auth   string            // value of Authorization for each request, or ""
	sealer sealer            // nil if messages go as they are, within TLS
	cert   *x509.Certificate // the host's, with TLS
	// relogin sends a message along with a new login; nil where a login is
	// either known to hold or goes with each request anyway. forgotten is true
	// once the host was seen to forget one.
	relogin   func(ctx context.Context, contentType string, body []byte) (answer, error)
	forgotten atomic.Bool
	// asking is held from a message's seal to its answer's, for seals count.
	asking  sync.Mutex
	mu      sync.Mutex
	broken  bool
	last    time.Time
	closing sync.Once
}

func newLink(raw, conn net.Conn, u *url.URL) *link {
	b := &budget{r: conn}
	return &link{raw: raw, conn: conn, budget: b, reader: bufio.NewReader(b), url: u, last: time.Now()}
}

func (l *link) close() { l.closing.Do(func() { _ = l.raw.Close() }) }

// alive reports whether the connection can take another request, as far as
// can be seen from here.
func (l *link) alive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken || time.Since(l.last) < idleTrusted {
		return !l.broken
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil && !errors.Is(err, net.ErrClosed) {
		return true // a stream without deadlines, as through a bastion
	}
	l.budget.left = headMost
	_, err := l.reader.Peek(1)
	if !transports.IsTimeout(err) || l.conn.SetReadDeadline(time.Time{}) != nil {
		l.broken = true
		l.close()
	}
	return !l.broken
}

// answer is a reply of HTTP.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// exchange sends a request and reads its answer. When ctx ends the connection
// is closed and the call returns at once, with the context's cause. After any
// error the connection is broken.
func (l *link) exchange(ctx context.Context, contentType, auth string, body []byte) (answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return answer{}, errBroken
	}
	stop := context.AfterFunc(ctx, l.close)
	a, keep, err := l.converse(contentType, auth, body)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if ctx.Err() != nil && err != nil {
		err = context.Cause(ctx)
	}
	if err != nil || !keep {
		l.broken = true
		l.close()
	}
	l.last = time.Now()
	return a, err
}

func (l *link) converse(contentType, auth string, body []byte) (a answer, keep bool, err error) {
	req := &http.Request{
		Method: http.MethodPost, URL: l.url, Host: l.url.Host, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {contentType}, "User-Agent": {"oust"}}, Body: http.NoBody,
	}
	if len(body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if err := req.Write(l.conn); err != nil {
		return answer{}, false, err
	}
	l.budget.left = headMost + replyMost + sealRoom
	for range 4 { // answers of the kind 100 Continue come before the real one
		res, err := http.ReadResponse(l.reader, req)
		if err != nil {
			return answer{}, false, notHTTP(err)
		}
		if res.StatusCode/100 == 1 {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(res.Body, replyMost+sealRoom+1))
		_ = res.Body.Close() // a limit reached leaves the connection broken
		if err == nil && len(data) > replyMost+sealRoom {
			err = errLong
		}
		return answer{status: res.StatusCode, header: res.Header, body: data}, !res.Close, err
	}
	return answer{}, false, errNotHTTP
}

// notHTTP tells an answer of another kind from a connection's end.
func notHTTP(err error) error {
	if transports.IsDrop(err) || transports.IsTimeout(err) || errors.Is(err, errLong) {
		return err
	}
	return fmt.Errorf("%w: %s", errNotHTTP, transports.Clean(err.Error()))
}

// budget bounds what is read from a connection until it is renewed.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
