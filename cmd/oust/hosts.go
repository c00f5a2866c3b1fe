package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"oust/remediate"
)

func (a *app) hostsCommand() *cobra.Command {
	var limit string
	c := &cobra.Command{
		Use:   "hosts",
		Short: "Show the inventory as resolved, or its errors with file and line",
		Long: `Shows every host of the inventory as oust resolved it: address, port, transport,
credential, site and tags. All errors of the files are shown at once.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.runHosts(limit) },
	}
	addLimit(c, &limit)
	return c
}

func addLimit(c *cobra.Command, limit *string) {
	c.Flags().StringVar(limit, "limit", "", "only these hosts: names, globs, site= tag= owner= os= standing= class=; ',' is or, '+' is and, '!' is not")
}

type hostLine struct {
	Type string `json:"type"`
	remediate.Host
}

func (a *app) runHosts(limit string) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	hosts, err := w.selectHosts(limit, nil)
	if err != nil {
		return err
	}
	if a.json {
		for _, h := range hosts {
			if err := a.printJSON(hostLine{Type: "host", Host: h}); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tADDRESS\tPORT\tTRANSPORT\tCREDENTIAL\tSITE\tTAGS\tFROM")
	for _, h := range hosts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(h.Name), printable(h.DialAddress()), portText(h.Port),
			h.Transport, printable(h.Credential), printable(h.Site), printable(strings.Join(h.Tags, " ")), h.Origin)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%d hosts\n", len(hosts))
	return err
}

func portText(port int) string {
	if port == 0 {
		return "-"
	}
	return strconv.Itoa(port)
}
