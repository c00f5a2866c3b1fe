package wsman

import (
	"crypto/tls"
	"net"
	"net/http"
)

// stall sends the head of an answer and a part of its body, and waits.
func (x *exchange) stall() {
	kind, start := contentSOAP, `<s:Envelope xmlns:s="`+nsSOAP+`"><s:Header>`
	if x.sealer != nil {
		kind, start = contentSealed, sealBoundary+"\r\n\tContent-Type: "
	}
	x.w.Header().Set("Content-Type", kind)
	x.w.Header().Set("Content-Length", "4096")
	x.hurry()
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write([]byte(start))
	_ = http.NewResponseController(x.w).Flush()
	x.hold()
}

// hold waits until the client goes away or the server is closed, and ends the
// connection without a word more.
func (x *exchange) hold() {
	select {
	case <-x.r.Context().Done():
	case <-x.server.done:
	}
	panic(http.ErrAbortHandler)
}

// reset cuts the connection off, as a host that loses its network driver
// does.
func (x *exchange) reset() {
	conn := x.connection().conn
	for {
		switch c := conn.(type) {
		case *tls.Conn:
			conn = c.NetConn()
			continue
		case *watchedConn:
			conn = c.Conn
			continue
		case *net.TCPConn:
			_ = c.SetLinger(0)
		}
		break
	}
	if conn != nil {
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}
