package main

import (
	"fmt"
	"strings"
	"time"

	"oust/testdata/bench/machine"
)

// table is what was measured, as Markdown.
func table(s settings, started time.Duration, lab machine.Use, rows []row) string {
	var b strings.Builder
	b.WriteString("| command | wall | hosts a second | oust: peak memory | oust: CPU a host | the hosts: CPU a host |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.2f s | %.0f | %s | %s | %s |\n", r.command, r.wall.Seconds(),
			float64(s.hosts)/r.wall.Seconds(), mebibytes(r.use.Memory), perHost(s, r.use.CPU), perHost(s, r.labCPU))
	}
	fmt.Fprintf(&b, "\nThe lab was ready after %.2f s and held %s at most.\n", started.Seconds(), mebibytes(lab.Memory))
	return b.String()
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

func perHost(s settings, d time.Duration) string {
	return fmt.Sprintf("%.2f ms", d.Seconds()*1000/float64(s.hosts))
}
