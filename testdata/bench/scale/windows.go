package main

import (
	"context"
	"errors"
	"fmt"

	"oust/transports/lab"
)

// serveWindows serves Windows hosts until ctx ends, a tenth of them without
// any of the products. It prints a line when the campaign is there.
func serveWindows(ctx context.Context, dir string, hosts int) error {
	// The hosts end after the last of their clients, not with ctx.
	fleet, err := lab.Start(context.WithoutCancel(ctx), lab.Config{Windows: hosts, Seed: 1, Clean: 0.1, Speed: labSpeed})
	if err != nil {
		return err
	}
	if err := fleet.WriteCampaign(dir); err != nil {
		return errors.Join(err, fleet.Close())
	}
	fmt.Println("serving", hosts, "simulated Windows hosts; the campaign is in", dir)
	<-ctx.Done()
	return fleet.Close()
}
