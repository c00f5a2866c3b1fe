package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports"
)

// powerShellTime bounds the second question. Its script begins nothing new
// after 35 s.
const powerShellTime = time.Minute

// probeWindows asks the second question, where the campaign wants it, and
// remembers what is now out of sight.
func (e *Engine) probeWindows(ctx context.Context, conn transports.Conn, h remediate.Host, nonce remediate.Nonce,
	facts *remediate.Facts, raw []byte,
) (*remediate.Facts, []byte, error) {
	if e.Campaign.Look.PowerShell {
		var err error
		if facts, raw, err = e.askPowerShell(ctx, conn, h, nonce, raw); err != nil {
			return nil, nil, err
		}
	}
	return facts, raw, e.outOfSight(ctx, h, facts)
}

// askPowerShell asks the second question and joins its answer to the look. A
// host that does not answer is not worse off than one that was not asked: the
// facts say why, as a warning.
func (e *Engine) askPowerShell(ctx context.Context, conn transports.Conn, h remediate.Host, nonce remediate.Nonce, raw []byte) (*remediate.Facts, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	res, err := conn.Run(ctx, transports.Command{
		Line: windowsShell.line, Stdin: probe.PowerShell(nonce), Elevate: windowsShell.elevate,
		Timeout: powerShellTime, MaxOutput: maxProbeOutput,
	})
	reason := ""
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		reason = failed(err).detail
	case res.Truncated:
		reason = fmt.Sprintf("the host printed more than %d MiB", maxProbeOutput>>20)
	}
	facts, raw, err := probe.Second(raw, res.Stdout, reason)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range facts.Windows.Warnings {
		e.Logger.Warn("not all was answered", logHost, h.Name, logDetail, w)
	}
	return facts, raw, nil
}

// outOfSight keeps a host from being clean because a user has logged off: what
// the last look found in the hive of a user is not gone when a look cannot see
// that hive. Such a look is not complete.
func (e *Engine) outOfSight(ctx context.Context, h remediate.Host, facts *remediate.Facts) error {
	if slices.Contains(facts.Windows.Answered, "profiles") {
		return nil
	}
	state, err := e.Store.HostState(ctx, h.Name)
	if err != nil {
		return fmt.Errorf("read the last findings: %w", err)
	}
	for _, f := range state.Findings {
		if _, asked := e.Library.Get(f.Playbook); !asked {
			continue
		}
		for _, ev := range f.Evidence {
			user, ok := strings.CutPrefix(ev.Value, `HKU\`)
			sid, _, _ := strings.Cut(user, " ")
			if !ok || ev.Kind != remediate.EvidenceUninstall || !remediate.UserSID(sid) || facts.Windows.SeesHive(sid) {
				continue
			}
			said := fmt.Sprintf("%s was found with the user %s, who is not logged on now; look: {powershell: true} can see it", f.Product, sid)
			if !slices.Contains(facts.Incomplete, said) {
				facts.Incomplete = append(facts.Incomplete, said)
			}
		}
	}
	return nil
}

// warnings is what a look did not answer that does not count, in one line.
func (s *sight) warnings() string {
	if s.facts.Windows == nil {
		return ""
	}
	return oneLine(strings.Join(s.facts.Windows.Warnings, "; "))
}
