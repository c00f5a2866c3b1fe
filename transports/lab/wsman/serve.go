package wsman

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer s.running.Done()
	w.Header().Set("Server", "Microsoft-HTTPAPI/2.0")
	x := &exchange{server: s, w: w, r: r}
	var err error
	if x.data, err = s.read(w, r); err != nil {
		w.Header().Set("Connection", "close")
		x.status(http.StatusRequestEntityTooLarge)
		return
	}
	switch {
	case !isPath(r.URL.Path):
		x.status(http.StatusNotFound)
	case r.Method != http.MethodPost:
		x.status(http.StatusMethodNotAllowed)
	case strings.HasSuffix(r.URL.Path, anonPath), r.Header.Get("WSMANIDENTIFY") == "unauthenticated":
		x.identify(false)
	case x.login():
		x.serve()
	}
}

// Paths, under which Windows listens.
const (
	wsmanPath = "/wsman"
	anonPath  = "/wsman-anon/identify"
)

func isPath(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return strings.EqualFold(path, wsmanPath) || path == anonPath
}

// enter counts a request, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// read takes the whole body, within the time and size that are allowed. After
// it nothing bounds the connection's reading: a deadline that passes while an
// operation waits would look like the client's going away.
func (s *Server) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.config.Grace))
	most := int64(s.config.EnvelopeLimit + sealOverhead)
	data, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, errors.New("the request is too large")
	}
	_ = control.SetReadDeadline(time.Time{})
	return data, nil
}

// exchange is one request and its answer.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	data   []byte
	who    account
	// sealer seals the answer, if the request was sealed.
	sealer sealer
}

// account is who has logged in.
type account struct{ user, domain string }

func (a account) String() string {
	if a.domain == "" {
		return a.user
	}
	return a.domain + `\` + a.user
}

// is compares names as Windows does, without regard to case.
func (a account) is(b account) bool {
	return strings.EqualFold(a.user, b.user) && strings.EqualFold(a.domain, b.domain)
}

// sealer is the session of a login that can seal.
type sealer interface {
	Seal(plain []byte) (sealed, signature []byte)
	Unseal(sealed, signature []byte) (plain []byte, err error)
}

// serve answers a request of an account that has logged in.
func (x *exchange) serve() {
	s := x.server
	if len(x.data) == 0 { // the login alone, as clients do before they seal
		x.status(http.StatusOK)
		return
	}
	if x.sealer == nil && x.r.TLS == nil && !s.config.AllowUnencrypted {
		s.config.Logger.Debug("a message that is not sealed", "user", x.who)
		x.status(http.StatusInternalServerError)
		return
	}
	req, fault := parseRequest(x.data, s.config.EnvelopeLimit)
	if fault == nil && req.body.Identify != nil {
		x.identify(true)
		return
	}
	x.tell(req)
	if x.misbehave(req) {
		return
	}
	var answer []byte
	if fault == nil {
		answer, fault = s.operate(x, req)
	}
	if fault == errGone {
		panic(http.ErrAbortHandler)
	}
	if fault != nil {
		s.config.Logger.Debug("fault", "action", req.action, "code", fault.Code)
		x.write(http.StatusInternalServerError, fault.envelope(s.config.Machine, req.id))
		return
	}
	x.write(http.StatusOK, answer)
}

// tell tells OnRequest of a message.
func (x *exchange) tell(r *request) {
	if told := x.server.config.OnRequest; told != nil {
		told(Seen{
			Action: r.action[strings.LastIndexByte(r.action, '/')+1:], User: x.who.String(), Remote: x.r.RemoteAddr,
			Sealed: x.sealer != nil, TLS: x.r.TLS != nil,
		})
	}
}

func (x *exchange) identify(known bool) { x.write(http.StatusOK, identifyReply(known)) }

// hurry bounds the writing of the answer. The deadline stands until the next
// answer of the connection sets its own.
func (x *exchange) hurry() {
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.server.config.Grace))
}

// status is an answer without a body.
func (x *exchange) status(code int) {
	x.w.Header().Set("Content-Length", "0")
	x.hurry()
	x.w.WriteHeader(code)
}

// write sends an answer, sealed if the request was.
func (x *exchange) write(status int, envelope []byte) {
	kind := contentSOAP
	if x.sealer != nil && !x.server.faults.take(FaultStripSealing) {
		envelope, kind = sealMessage(x.sealer, envelope), contentSealed
	}
	x.w.Header().Set("Content-Type", kind)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(envelope)))
	x.hurry()
	x.w.WriteHeader(status)
	_, _ = x.w.Write(envelope)
}
