package ssh

import (
	"bytes"
	"testing"

	"oust/transports"
)

// FuzzCapture: of what comes on two streams the first bytes are kept, the rest
// is counted, and after the end nothing is taken.
func FuzzCapture(f *testing.F) {
	f.Add([]byte("one two three"), uint8(4), uint16(7))
	f.Add(bytes.Repeat([]byte("x"), 5000), uint8(255), uint16(4096))
	f.Fuzz(func(t *testing.T, data []byte, step uint8, room uint16) {
		c := newCapture(int(room))
		most := int(room)
		if most == 0 {
			most = transports.DefaultMaxOutput
		}
		var want [2][]byte
		left := most
		for i, rest := 0, data; len(rest) > 0; i++ {
			n := min(int(step)+1, len(rest))
			c.add(i%2, rest[:n])
			keep := min(n, left)
			want[i%2], left = append(want[i%2], rest[:keep]...), left-keep
			rest = rest[n:]
		}
		seen := c.progress()
		res := c.seal(3)
		c.add(stdout, []byte("too late"))
		again := c.seal(3)
		if !bytes.Equal(res.Stdout, want[stdout]) || !bytes.Equal(res.Stderr, want[stderr]) || res.Exit != 3 {
			t.Errorf("kept %d and %d bytes, want %d and %d", len(res.Stdout), len(res.Stderr), len(want[stdout]), len(want[stderr]))
		}
		dropped := int64(max(0, len(data)-most))
		if seen != int64(len(data)) || res.Dropped != dropped || res.Truncated != (dropped > 0) {
			t.Errorf("seen %d, dropped %d, truncated %v of %d bytes", seen, res.Dropped, res.Truncated, len(data))
		}
		if !bytes.Equal(again.Stdout, res.Stdout) {
			t.Error("something was taken after the end")
		}
	})
}
