package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"oust/transports/lab"
)

type labOptions struct {
	hosts, windows        int
	seed                  uint64
	faults, windowsFaults string
	speed                 float64
	clean                 float64
}

func (a *app) labCommand() *cobra.Command {
	var o labOptions
	c := &cobra.Command{
		Use:   "lab --hosts N [--windows N] [--seed S] [--faults F] DIR",
		Short: "Serve a simulated fleet, and write a campaign folder for it",
		Long:  "Serves simulated hosts on loopback, with real SSH and WinRM on the wire and\nsimulated operating systems behind it, until Ctrl-C. DIR gets a campaign for the fleet, so\nthat every command can be rehearsed on it from another terminal.\n\n" + faultsHelp(),
		Example: "  oust lab --hosts 200 --faults refused=2%,lock-held=3,lies=1 fleet\n" +
			"  oust lab --hosts 0 --windows 100 --windows-faults wrong-password=3 fleet\n" +
			"  oust -C fleet scan        (in another terminal)",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.runLab(c.Context(), args[0], o) },
	}
	f := c.Flags()
	f.IntVar(&o.hosts, "hosts", 40, "how many Linux hosts, over SSH")
	f.IntVar(&o.windows, "windows", 0, "how many Windows hosts, over WinRM")
	f.Uint64Var(&o.seed, "seed", 1, "equal seeds give equal fleets")
	f.StringVar(&o.faults, "faults", "", "faults by name with a number or a share, such as refused=2%,lies=3")
	f.StringVar(&o.windowsFaults, "windows-faults", "", "the same for Windows hosts")
	f.Float64Var(&o.clean, "clean", 0.1, "share of hosts without any of the products, 0 to 1")
	f.Float64Var(&o.speed, "speed", 1, "how many times faster than real time uninstallers run")
	return c
}

func faultsHelp() string {
	var s string
	for _, part := range []struct {
		title  string
		faults []lab.Fault
	}{
		{"Faults, and how their hosts end:\n", lab.Faults()},
		{"\nFaults of Windows hosts (a product that asks for a restart ends reboot-pending,\nnot removed):\n", lab.WindowsFaults()},
	} {
		s += part.title
		for _, f := range part.faults {
			end := f.Outcome
			if f.Class != "" {
				end += ": " + f.Class
			}
			s += fmt.Sprintf("  %-18s %s\n  %-18s -> %s\n", f.Name, f.Meaning, "", end)
		}
	}
	return s
}

func (a *app) runLab(ctx context.Context, dir string, o labOptions) error {
	fleet, err := a.startLab(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = fleet.Close() }()
	if err := fleet.WriteCampaign(dir); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.Out, "Serving %s on loopback; the campaign is in %s. In another terminal:\n"+
		"  oust -C %[2]s scan\n  oust -C %[2]s plan -o plan.json\n  oust -C %[2]s apply plan.json\n"+
		"%[2]s/lab.json tells what has really happened on the hosts. Ctrl-C ends the lab.\n",
		plural(o.hosts+o.windows, "simulated host"), dir); err != nil {
		return err
	}
	select {
	case <-a.stop:
	case <-ctx.Done():
	}
	return nil
}

func (a *app) startLab(ctx context.Context, o labOptions) (*lab.Fleet, error) {
	faults, err := lab.ParseFaults(o.faults)
	if err != nil {
		return nil, fmt.Errorf("--faults: %w", err)
	}
	windows, err := lab.ParseWindowsFaults(o.windowsFaults)
	if err != nil {
		return nil, fmt.Errorf("--windows-faults: %w", err)
	}
	return lab.Start(ctx, lab.Config{
		Hosts: o.hosts, Windows: o.windows, Seed: o.seed, Faults: faults, WindowsFaults: windows, Clean: o.clean, Speed: o.speed,
		Logger: a.logger.Named("lab"),
	})
}
