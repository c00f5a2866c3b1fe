package main

import (
	"context"
	"fmt"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
)

type hostStatusMessage struct {
	Type     string             `json:"type"`
	Host     remediate.Host     `json:"host"`
	Standing remediate.Standing `json:"standing"`
	Class    remediate.Class    `json:"class,omitempty"`
	Detail   string             `json:"detail,omitempty"`
	Next     engine.HostOutlook `json:"next"`
	Story    []chapter          `json:"story"`
}

func (a *app) runHostStatus(ctx context.Context, name string, full bool) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	if err := w.openStoreToRead(ctx); err != nil {
		return err
	}
	h, err := w.hostNamed(name)
	if err != nil {
		return err
	}
	st, err := w.store.HostState(ctx, name)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	story, err := w.story(ctx, name, full || a.json)
	if err != nil {
		return err
	}
	e, err := w.readingEngine()
	if err != nil {
		return err
	}
	outlook, err := e.Outlook(ctx, []remediate.Host{h}, w.hosts)
	if err != nil {
		return err
	}
	next := outlook.Hosts[0]
	if a.json {
		return a.printJSON(hostStatusMessage{Type: "host_status", Host: h, Standing: st.Standing, Class: st.Class, Detail: st.Detail, Next: next, Story: story})
	}
	return lines(a.Out, hostLines(h, st, next, story))
}

func hostLines(h remediate.Host, st remediate.HostState, next engine.HostOutlook, story []chapter) []string {
	out := []string{fmt.Sprintf("%s: %s", printable(h.Name), st.Standing)}
	if st.Class != "" {
		out = append(out, fmt.Sprintf("  last failure: %s: %s", st.Class, printable(st.Detail)), "  what to do: "+st.Class.Advice())
	}
	if st.Bare != "" {
		out = append(out, "  unprotected: "+printable(st.Bare))
	}
	out = append(out, "  next: "+nextText(next))
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		zone = nil // the inventory has checked it; a machine without zones tells UTC alone
	}
	for _, s := range story {
		out = append(out, fmt.Sprintf("#%-5d %s  %-8s %s", s.Record, moment(s.At, zone), s.What, printable(s.Text)))
		for _, l := range s.Log {
			out = append(out, "       | "+printable(l))
		}
	}
	return out
}
