package main

import (
	"context"
	"fmt"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
)

// unaskedLine is hosts that were last looked at before playbooks, as they are
// now, were in force: their standings do not tell of these.
type unaskedLine struct {
	Hosts     int      `json:"hosts"`
	Playbooks []string `json:"playbooks"`
}

// unasked finds them, nil if there are none.
func (w *workspace) unasked(ctx context.Context, hosts []engine.HostOutlook) (*unaskedLine, error) {
	playbooks := reportPlaybooks(w.library)
	if err := w.readSince(ctx, playbooks, w.a.now()); err != nil {
		return nil, err
	}
	var first, last time.Time // looks from here on were asked something, or everything
	for i := range hosts {
		if st := hosts[i].State; st.Standing != remediate.StandUnseen && (first.IsZero() || st.SeenAt.Before(first)) {
			first = st.SeenAt
		}
	}
	out := &unaskedLine{}
	for _, p := range playbooks {
		if first.Before(p.Since) && !first.IsZero() {
			out.Playbooks = append(out.Playbooks, p.Name)
		}
		if p.Since.After(last) {
			last = p.Since
		}
	}
	if len(out.Playbooks) == 0 {
		return nil, nil //nolint:nilnil // as documented
	}
	for i := range hosts {
		if st := hosts[i].State; st.Standing != remediate.StandUnseen && st.SeenAt.Before(last) {
			out.Hosts++
		}
	}
	return out, nil
}

func (u *unaskedLine) String() string {
	return fmt.Sprintf("%s last looked at before these playbooks were added or changed ('oust scan' goes by them): %s",
		plural(u.Hosts, "host"), few(u.Playbooks, 60))
}
