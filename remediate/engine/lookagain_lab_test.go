package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports"
	"oust/transports/lab"
)

// failingQuery is a rig on whose hosts one query of a look fails: the list of
// packages, or the question for one registry key. The rest of what they say is
// theirs.
type failingQuery struct {
	*bubbleRig
	// says is what a host says in place of the nth answer, counted from 0; ""
	// leaves the answer as it is.
	says func(nth int) string

	mu    sync.Mutex
	looks map[string]int
	sent  map[string]int // bytes of the scripts
}

func (d *failingQuery) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	conn, err := d.bubbleRig.Dial(ctx, t)
	return &failingConn{conn, d, t.Host}, err
}

type failingConn struct {
	transports.Conn
	d    *failingQuery
	host string
}

var (
	packagesEnd  = regexp.MustCompile(`(\n@[0-9a-f]{32} section (?:dpkg|rpm|apk)-exit\n)0\n`)
	rebootAnswer = regexp.MustCompile(`(RebootInProgress"\r\n)[^@]*?rc 1\r\n`)
)

func (c *failingConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	res, err := c.Conn.Run(ctx, cmd)
	if !bytes.Contains(cmd.Stdin, []byte(probe.Kind)) && !bytes.Contains(cmd.Stdin, []byte(probe.KindWindows)) {
		return res, err
	}
	c.d.mu.Lock()
	nth := c.d.looks[c.host]
	c.d.looks[c.host]++
	c.d.sent[c.host] = len(cmd.Stdin)
	c.d.mu.Unlock()
	if words := c.d.says(nth); words != "" {
		res.Stdout = packagesEnd.ReplaceAll(res.Stdout, []byte("\nerror: "+words+"${1}2\n"))
		res.Stdout = rebootAnswer.ReplaceAll(res.Stdout, []byte("${1}"+words+"\r\nrc 1\r\n"))
	}
	return res, err
}

// TestLookAskedAgain: a host that fails a query once is seen whole by one round
// trip more, which asks for little; one that always fails it is told to be
// unread, after as much; and of a healthy one nothing is asked twice.
func TestLookAskedAgain(t *testing.T) {
	const words = "The system cannot execute the specified program."
	for _, c := range []struct {
		name  string
		says  func(nth int) string
		looks int
		class remediate.Class
	}{
		{"never", func(int) string { return "" }, 1, ""},
		{"once", func(nth int) string { return strings.Repeat(words, max(0, 1-nth)) }, 2, ""},
		{"in two ways", func(nth int) string { return strings.Repeat(words, max(0, 2-nth)) }, 3, ""},
		{"always", func(int) string { return words }, 2, remediate.ClassUnsupported},
		{"never alike", func(nth int) string { return fmt.Sprintf("%s (%d)", words, nth) }, 3, remediate.ClassTimeout},
	} {
		inBubbleNamed(t, c.name, lab.Config{Hosts: 8, Windows: 4, Seed: 4, Clean: 1}, func(t *testing.T, r *bubbleRig) {
			d := &failingQuery{bubbleRig: r, says: c.says, looks: map[string]int{}, sent: map[string]int{}}
			r.dialer = d
			if _, err := r.engine().Scan(t.Context(), nil, r.hosts); err != nil {
				t.Fatal(err)
			}
			for _, h := range r.hosts {
				st := r.state(h.Name)
				want := remediate.StandClear
				if c.class != "" {
					want = remediate.StandUnseen
				}
				if st.Standing != want || st.Class != c.class || c.class != "" && !strings.Contains(st.Detail, "not complete") {
					t.Errorf("%s: %s %s (%s), want %s %s", h.Name, st.Standing, st.Class, st.Detail, want, c.class)
				}
				if d.looks[h.Name] != c.looks {
					t.Errorf("%s was asked %d times, want %d", h.Name, d.looks[h.Name], c.looks)
				}
				if d.sent[h.Name] > 4096 && c.looks > 1 {
					t.Errorf("%s was asked again with %d bytes", h.Name, d.sent[h.Name])
				}
			}
		})
	}
}
