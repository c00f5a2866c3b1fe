package engine_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports"
	"oust/transports/lab"
)

// slowLaunch is a rig whose hosts take half a minute to begin a launch.
type slowLaunch struct {
	*bubbleRig
	cut atomic.Int64
}

func (d *slowLaunch) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	conn, err := d.bubbleRig.Dial(ctx, t)
	return &slowConn{conn, d}, err
}

type slowConn struct {
	transports.Conn
	d *slowLaunch
}

func (c *slowConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	const begins = 30 * time.Second
	if !bytes.Contains(cmd.Stdin, []byte("systemd-run")) {
		return c.Conn.Run(ctx, cmd)
	}
	time.Sleep(min(begins, cmd.Timeout))
	if cmd.Timeout <= begins {
		c.d.cut.Add(1)
		return transports.Result{}, &transports.Error{Class: transports.Timeout, Op: "run", Err: context.DeadlineExceeded}
	}
	cmd.Timeout -= begins
	return c.Conn.Run(ctx, cmd)
}

// TestSlowLaunch: a host that needs longer to take a job than a launch stays is
// given more time at the next one.
func TestSlowLaunch(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 3, Seed: 4}, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		d := &slowLaunch{bubbleRig: r}
		r.dialer = d
		sum := r.apply(plan, engine.ApplyOptions{})
		if sum.Outcomes[remediate.OutcomeRemoved] != len(plan.Hosts) || d.cut.Load() != int64(len(plan.Hosts)) {
			t.Errorf("%+v after %d launches that were cut off", sum, d.cut.Load())
		}
	})
}
