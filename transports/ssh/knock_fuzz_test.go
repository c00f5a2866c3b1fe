package ssh

import (
	"bytes"
	"net"
	"testing"
	"time"

	"oust/transports"
)

// FuzzKnock has a host say anything, in two parts, and hang up: a knock ends,
// and takes for alive what begins a line with a version within the bound.
func FuzzKnock(f *testing.F) {
	for _, text := range []string{
		"", "SSH-2.0-x\r\n", "SSH-", "SSH", "welcome\r\nSSH-2.0-x", "no SSH-2.0 here", "Exceeded MaxStartups\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n", "\x00\xff\nSSH-1.99",
	} {
		f.Add([]byte(text), 3)
	}
	p := newPlace(f)
	f.Fuzz(func(t *testing.T, said []byte, cut int) {
		cut = min(max(cut, 0), len(said))
		p.at(address, func(conn net.Conn) {
			_, _ = conn.Write(said[:cut])
			_, _ = conn.Write(said[cut:])
			_ = conn.Close()
		})
		d := newDialer(t, p.config())
		start := time.Now()
		err := transports.Knock(t.Context(), d, p.target())
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
		first := said[:min(len(said), firstMost)]
		alive := bytes.HasPrefix(first, []byte("SSH-")) || bytes.Contains(first, []byte("\nSSH-"))
		if (err == nil) != alive {
			t.Errorf("%q: %v", said, err)
		}
		if err != nil && transports.ClassOf(err) == transports.Internal {
			t.Errorf("class internal: %v", err)
		}
	})
}
