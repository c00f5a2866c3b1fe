package engine

import (
	"context"
	"fmt"
	"slices"

	"oust/remediate"
)

// removedFrom names the playbooks whose products attempts have removed from a
// host, or tried to.
func (e *Engine) removedFrom(ctx context.Context, host string) ([]string, error) {
	var out []string
	for at, err := range e.Store.HostAttempts(ctx, host) {
		if err != nil {
			return nil, fmt.Errorf("read the attempts: %w", err)
		}
		out = append(out, at.Playbooks...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// bare says what should protect a host and does not, once what the playbooks
// remove is gone; nothing is said of a host that still has it.
func (e *Engine) bare(s *sight, removed []string) string {
	if len(removed) == 0 || slices.ContainsFunc(s.findings, func(f remediate.Finding) bool { return f.Kind == remediate.FindProduct }) {
		return ""
	}
	return oneLine(e.Library.Bare(s.facts, removed))
}
