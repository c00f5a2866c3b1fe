package main

import (
	"fmt"
	"strings"

	"oust/playbooks"
	"oust/remediate"
)

// firstLines say what a person must do before the removals of a plan.
func firstLines(l *playbooks.Library, plan *remediate.Plan) []string {
	hosts := map[string]int{}
	for _, h := range plan.Hosts {
		for _, f := range h.Goes() {
			if f.Kind == remediate.FindProduct {
				hosts[f.Playbook]++
			}
		}
	}
	var out []string
	for _, p := range l.List() {
		if first := strings.Join(strings.Fields(p.First), " "); first != "" && hosts[p.Name] > 0 {
			out = append(out, "", fmt.Sprintf("Before %s is removed (%s), a person must:", printable(p.Title), plural(hosts[p.Name], "host")),
				"    "+printable(first))
		}
	}
	return out
}
