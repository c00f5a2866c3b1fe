package winrm

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestInputThatWaits: a host that has input under way, or no room for it yet,
// is not one that refuses it.
func TestInputThatWaits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		code  uint32
		sends int32 // requests that carry the one piece of input
	}{
		{"under way", codeOperationTimeout, 1}, {"under way in older words", codeTimeout, 1}, {"no room", codeBusy, 3},
		{"no room, as an HRESULT", 0x80070000 | codeBusy, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var sends atomic.Int32
			s := newScripted(t, func(w http.ResponseWriter, action, _ string) bool {
				if action != "Send" || sends.Add(1) == 3 {
					return false
				}
				w.WriteHeader(http.StatusInternalServerError)
				fmt.Fprint(w, faultText(test.code, "TimedOut", "wait"))
				return true
			})
			conn, err := s.dial(t)
			if err != nil {
				t.Fatal(err)
			}
			res, err := conn.Run(t.Context(), transports.Command{Line: "cmd", Stdin: []byte("dir\r\n"), Timeout: 20 * time.Second})
			if err != nil || res.Exit != 0 || sends.Load() != test.sends {
				t.Errorf("%+v, %v, after %d sends; want %d", res, err, sends.Load(), test.sends)
			}
		})
	}
}

// TestCloseBesideRun: a connection that is closed at any moment of a command
// neither mixes up its seals nor waits.
func TestCloseBesideRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	for i := range 30 {
		conn := r.dial(t)
		done := make(chan struct{})
		timer := time.AfterFunc(time.Duration(i)*2*time.Millisecond, func() { _ = conn.Close(); close(done) })
		_, _ = conn.Run(t.Context(), transports.Command{Line: "cat", Stdin: make([]byte, i*1000), Timeout: 10 * time.Second})
		<-done
		timer.Stop()
	}
}
