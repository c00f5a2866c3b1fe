package kdclab

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestKDC: MIT's own client gets a ticket, and is counted.
func TestKDC(t *testing.T) {
	t.Parallel()
	k := Start(t)
	k.Kinit()
	if as, tgs := k.Counter.Counts(); as != 2 || tgs != 0 {
		t.Errorf("%d AS exchanges and %d TGS exchanges, want 2 and 0", as, tgs)
	}
	if path := k.Service("HTTP/a.lab.test"); !strings.HasPrefix(string(k.read(path)), "\x05\x02") {
		t.Errorf("%s is not a keytab", path)
	}
}
