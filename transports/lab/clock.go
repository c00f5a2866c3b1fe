package lab

import (
	"context"
	"time"
)

// Clock is the time of the simulated hosts. Everything on a host goes by it:
// what `sleep` waits, how long an uninstaller takes, and what `date` says.
type Clock interface {
	Now() time.Time
	// Sleep waits for d of the clock's time, or until ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// NewClock returns a clock that runs speed times as fast as real time, from
// the real time of its making on.
func NewClock(speed float64) Clock {
	return &clock{start: time.Now(), speed: speed}
}

type clock struct {
	start time.Time
	speed float64
}

func (c *clock) Now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.speed)).Round(0)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(time.Duration(float64(d) / c.speed))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ Clock = (*clock)(nil)
