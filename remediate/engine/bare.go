package engine

import (
	"context"
	"fmt"
	"slices"
	"time"
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

// bareGrace is how long after its removal a host counts as protected: what
// takes over may need some minutes to start.
const bareGrace = 5 * time.Minute

// bare says what should protect a host and does not, once what the playbooks
// remove is gone.
func (e *Engine) bare(s *sight, removed []string) string {
	if len(removed) == 0 {
		return ""
	}
	return oneLine(e.Library.Bare(s.facts, removed))
}
