package lab

import (
	"context"
	"io"
	"os"
	"time"
)

// The interpreter's pipes are the system's. Whoever waits for one there keeps
// simulated time from going on: in a bubble of testing/synctest only waits for
// channels and timers let it. So hosts of an offline fleet ask a pipe without
// waiting, and sleep by their own clock in between.
//
// What waits in the interpreter itself is not helped: `read` for the rest of a
// line whose begin is there, and its own output into a pipe that is full.

// How long a sleep between two questions is: it doubles from the least.
const (
	patienceLeast = time.Millisecond
	patienceMost  = time.Second
)

// patient waits for pipes by a clock. The zero value waits in the system.
type patient struct {
	ctx   context.Context
	clock Clock // nil to wait in the system
}

// patience is how processes of the host wait for pipes until ctx ends.
func (h *host) patience(ctx context.Context) patient {
	if !h.fleet.config.Offline {
		return patient{}
	}
	return patient{ctx, h.fleet.clock}
}

// until asks again and again until ready; an error is that of the context.
func (p patient) until(ready func() bool) error {
	for pause := patienceLeast; !ready(); pause = min(2*pause, patienceMost) {
		if err := p.clock.Sleep(p.ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// readable waits until a read of the file does not have to.
func (p patient) readable(f *os.File) error {
	return p.until(func() bool { return canRead(f) })
}

// writer is the end of a pipe to write to.
func (p patient) writer(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && p.clock != nil {
		return patientWriter{p, f}
	}
	return w
}

type patientWriter struct {
	patient
	file *os.File
}

// Write implements io.Writer.
func (w patientWriter) Write(b []byte) (int, error) {
	written := 0
	var failed error
	err := w.until(func() bool {
		var n int
		n, failed = writeNow(w.file, b[written:])
		written += n
		return failed != nil || written == len(b)
	})
	if failed == nil {
		failed = err
	}
	return written, failed
}

// emptyInput is a file without content.
func emptyInput() (*os.File, error) { return os.Open(os.DevNull) }
