package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"oust/remediate"
)

// retire records where a host went that has left the inventory.
func (a *app) retire(ctx context.Context, w *workspace, host string, opt exemptOptions) error {
	if opt.until != "" || opt.ground != "" || opt.mitigation != "" || opt.against {
		return errors.New("--retired goes with --reason and --approver alone")
	}
	if err := opt.checkTexts(); err != nil {
		return err
	}
	if _, err := w.hostNamed(host); err == nil {
		return fmt.Errorf("host %s is in the inventory: --retired is for a host that has left it", host)
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	if err := w.recorded(ctx, host); err != nil {
		return err
	}
	x := remediate.Exemption{
		Host: host, Reason: opt.reason, Approver: opt.approver, Ground: remediate.GroundRetired,
		Until: time.Date(lastYear, 12, 31, 0, 0, 0, 0, time.UTC), At: a.now().UTC(), By: operator(),
	}
	return a.said(w.store.SaveExemption(ctx, x), exemptionMessage{Type: "exemption", Exemption: x},
		"%s is recorded as retired: %s (%s)\n", printable(host), printable(x.Reason), printable(x.Approver))
}

// mayHaveLeft adds to the error of a host that the inventory does not have what
// can be recorded of one that has left it.
func (a *app) mayHaveLeft(ctx context.Context, w *workspace, host string, err error) error {
	if _, missing := os.Lstat(filepath.Join(w.campaign.Dir, storeName)); missing != nil {
		return err
	}
	if e := w.openStoreToRead(ctx); e != nil {
		return err
	}
	if w.recorded(ctx, host) != nil {
		return err
	}
	return fmt.Errorf("host %s has left the inventory; --retired records where it went", host)
}

// recorded refuses a host of which nothing is recorded.
func (w *workspace) recorded(ctx context.Context, host string) error {
	var names []string
	for state, err := range w.store.HostStates(ctx) {
		if err != nil {
			return err
		}
		if state.Host == host {
			return nil
		}
		names = append(names, state.Host)
	}
	if near := remediate.Nearest(host, names); near != "" {
		return fmt.Errorf("nothing is recorded of a host %q; did you mean %s?", host, near)
	}
	return fmt.Errorf("nothing is recorded of a host %q", host)
}
