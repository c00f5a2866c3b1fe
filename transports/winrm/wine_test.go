package winrm

import (
	"testing"
	"time"

	"oust/transports"
	"oust/transports/transporttest"
	"oust/transports/transporttest/winelab"
)

// TestConformanceWine runs the suite on a cmd that was written by others. Of
// the programs that copy text wine has more, which adds ends of lines to
// longer ones.
func TestConformanceWine(t *testing.T) {
	h := winelab.Start(t, winelab.Options{})
	transporttest.Run(t, transporttest.Harness{
		Shell: "cmd", Copy: "more", CopyMost: 64, Target: h.Target, Parallel: 3, Patience: 10 * time.Second,
		Dialer: func(t *testing.T) transports.Dialer { return newDialer(t, Config{CAFile: h.CAFile}) },
	})
}
