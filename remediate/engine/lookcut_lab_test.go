package engine_test

import (
	"context"
	"testing"

	"oust/remediate"
	"oust/transports"
	"oust/transports/lab"
)

// cutLooks is a rig whose hosts' first answers come without their end.
type cutLooks struct {
	*bubbleRig
	cut  int // answers of each host
	said map[string]int
}

func (d *cutLooks) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	conn, err := d.bubbleRig.Dial(ctx, t)
	return &cutConn{conn, d, t.Host}, err
}

type cutConn struct {
	transports.Conn
	d    *cutLooks
	host string
}

func (c *cutConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	res, err := c.Conn.Run(ctx, cmd)
	if c.d.said[c.host]++; c.d.said[c.host] <= c.d.cut {
		res.Stdout = res.Stdout[:len(res.Stdout)/2]
	}
	return res, err
}

// TestLookCutOff: a look whose end is missing is repeated once.
func TestLookCutOff(t *testing.T) {
	for _, c := range []struct {
		name  string
		cut   int
		stand remediate.Standing
		class remediate.Class
	}{
		{"once", 1, remediate.StandClear, ""},
		{"always", 99, remediate.StandUnseen, remediate.ClassUnsupported},
	} {
		inBubbleNamed(t, c.name, lab.Config{Hosts: 1, Seed: 4, Clean: 1}, func(t *testing.T, r *bubbleRig) {
			d := &cutLooks{bubbleRig: r, cut: c.cut, said: map[string]int{}}
			r.dialer = d
			if _, err := r.engine().Scan(t.Context(), nil, r.hosts); err != nil {
				t.Fatal(err)
			}
			name := r.hosts[0].Name
			if st := r.state(name); st.Standing != c.stand || st.Class != c.class || d.said[name] != 2 {
				t.Errorf("%s %s (%s) after %d answers", st.Standing, st.Class, st.Detail, d.said[name])
			}
		})
	}
}
