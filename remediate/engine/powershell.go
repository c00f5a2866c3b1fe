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
func (e *Engine) probeWindows(ctx context.Context, conn transports.Conn, h remediate.Host, nonce remediate.Nonce, s *sight) error {
	if e.Campaign.Look.PowerShell {
		if err := e.askPowerShell(ctx, conn, h, nonce, s); err != nil {
			return err
		}
	}
	if slices.Contains(s.facts.Windows.Answered, "profiles") {
		return nil
	}
	state, err := e.Store.HostState(ctx, h.Name)
	if err != nil {
		return fmt.Errorf("read the last findings: %w", err)
	}
	for _, f := range state.Findings {
		if _, asked := e.Library.Get(f.Playbook); asked && remediate.Counts([]remediate.Finding{f}) {
			s.outOfSight(f)
		}
	}
	return nil
}

// askPowerShell asks the second question and joins its answer to the look. A
// host that does not answer is not worse off than one that was not asked: the
// facts say why, as a warning.
func (e *Engine) askPowerShell(ctx context.Context, conn transports.Conn, h remediate.Host, nonce remediate.Nonce, s *sight) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	res, err := conn.Run(ctx, transports.Command{
		Line: windowsShell.line, Stdin: probe.PowerShell(nonce), Elevate: windowsShell.elevate,
		Timeout: powerShellTime, MaxOutput: maxProbeOutput,
	})
	reason := ""
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		reason = failed(err).detail
	case res.Truncated:
		reason = fmt.Sprintf("the host printed more than %d MiB", maxProbeOutput>>20)
	}
	s.facts, s.raw, err = probe.Second(s.raw, res.Stdout, reason)
	if err != nil {
		return err
	}
	for _, w := range s.facts.Windows.Warnings {
		e.Logger.Warn("not all was answered", logHost, h.Name, logDetail, e.lookMask().Replace(w))
	}
	return nil
}

// outOfSight keeps a host from being clean because a user has logged off: what
// was found in the hive of a user is not gone when a look cannot see that hive.
// Such a look is not complete, and remembers it.
func (s *sight) outOfSight(f remediate.Finding) {
	var unseen []remediate.Evidence
	for _, ev := range f.Evidence {
		user, ok := strings.CutPrefix(ev.Value, `HKU\`)
		sid, _, _ := strings.Cut(user, " ")
		if !ok || ev.Kind != remediate.EvidenceUninstall || !remediate.UserSID(sid) || s.facts.Windows.SeesHive(sid) {
			continue
		}
		unseen = append(unseen, ev)
		said := fmt.Sprintf("%s was found with the user %s, who is not logged on now; look: {powershell: true} can see it", f.Product, sid)
		if !slices.Contains(s.facts.Incomplete, said) {
			s.facts.Incomplete = append(s.facts.Incomplete, said)
		}
	}
	if len(unseen) > 0 {
		f.Evidence = unseen
		s.remembered = append(s.remembered, f)
	}
}

// known is what is recorded as found: where something was, also what is
// remembered, or the next look would have nothing to remember it by. Where
// nothing was, the look is not complete, and the store keeps what it has.
func (s *sight) known() []remediate.Finding {
	out := slices.Concat(s.findings, s.noted)
	remediate.SortFindings(out)
	if len(s.findings) == 0 || len(s.remembered) == 0 {
		return out
	}
	for _, r := range s.remembered {
		i := slices.IndexFunc(out, func(f remediate.Finding) bool { return f.Playbook == r.Playbook && f.Kind == r.Kind })
		if i < 0 {
			out = append(out, r)
		} else {
			out[i].Evidence = slices.Concat(out[i].Evidence, r.Evidence)
		}
	}
	remediate.SortFindings(out)
	return out
}

// warnings is what a look did not answer that does not count, in one line.
func (s *sight) warnings() string {
	if s.facts.Windows == nil {
		return ""
	}
	return oneLine(strings.Join(s.facts.Windows.Warnings, "; "))
}
