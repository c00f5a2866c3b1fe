package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/sourcegraph/conc"

	"oust/playbooks"
	"oust/remediate"
)

// draftBlock is how many hosts are drafted before their parts are put together.
const draftBlock = 256

// draft plans hosts in their order, without waves. state says what the store has
// of a host.
func (e *Engine) draft(ctx context.Context, hosts []remediate.Host, state stateOf) (*planner, error) {
	id, err := e.Store.CampaignID(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the campaign id: %w", err)
	}
	exempt, err := e.exemptions(ctx)
	if err != nil {
		return nil, err
	}
	now := e.Now().UTC()
	p := &planner{e: e, scripts: map[string]bool{}, plan: &remediate.Plan{
		Format: remediate.PlanFormat, ID: remediate.NewID(now),
		Campaign: e.Campaign.Name, CampaignID: id,
		Created: now, Expires: now.Add(e.Campaign.Timing.PlanExpiry),
		Playbooks: e.Library.Refs(),
	}}
	d := drafter{e: e, exempt: exempt, state: state}
	for block := range slices.Chunk(hosts, draftBlock) {
		parts, err := d.block(ctx, block)
		if err != nil {
			return nil, err
		}
		for i := range parts {
			p.add(&parts[i])
		}
	}
	return p, nil
}

// add puts a host's part into the plan.
func (p *planner) add(d *drafted) {
	if d.left.Name != "" {
		p.plan.Left = append(p.plan.Left, d.left)
		return
	}
	if !p.scripts[d.script.Digest] {
		p.scripts[d.script.Digest] = true
		p.plan.Scripts = append(p.plan.Scripts, d.script)
	}
	p.plan.Hosts = append(p.plan.Hosts, d.host)
}

// stateOf reads what is known of a host.
type stateOf func(ctx context.Context, host string) (remediate.HostState, error)

// drafter plans single hosts. It is safe for concurrent use.
type drafter struct {
	e      *Engine
	exempt map[string]remediate.Exemption
	state  stateOf
}

// drafted is one host's part of a plan: its place there, or why it has none.
type drafted struct {
	left   remediate.PlanLeft
	host   remediate.PlanHost
	script remediate.Script
}

// block drafts hosts side by side. Of several errors it returns that of the
// first host.
func (d *drafter) block(ctx context.Context, hosts []remediate.Host) ([]drafted, error) {
	parts, errs := make([]drafted, len(hosts)), make([]error, len(hosts))
	var next atomic.Int64
	var workers conc.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(hosts)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(hosts); i = int(next.Add(1)) - 1 {
				if ctx.Err() != nil {
					return
				}
				parts[i], errs[i] = d.host(ctx, hosts[i])
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("plan host %s: %w", hosts[i].Name, err)
		}
	}
	return parts, nil
}

func left(h remediate.Host, reason, detail string) drafted {
	return drafted{left: remediate.PlanLeft{Name: h.Name, Reason: reason, Detail: detail}}
}

// host plans one host, or says why not.
func (d *drafter) host(ctx context.Context, h remediate.Host) (drafted, error) {
	if x, ok := d.exempt[h.Name]; ok {
		return left(h, remediate.LeftExempt, fmt.Sprintf("until %s by %s: %s", x.Until.UTC().Format("2006-01-02"), x.Approver, x.Reason)), nil
	}
	state, err := d.state(ctx, h.Name)
	if err != nil {
		return drafted{}, err
	}
	if state.RawDigest == "" {
		detail := "run 'oust scan'"
		if state.Class != "" {
			detail = fmt.Sprintf("%s: %s", state.Class, state.Detail)
		}
		return left(h, remediate.LeftUnseen, detail), nil
	}
	raw, err := d.e.Store.Raw(ctx, state.RawDigest)
	if err != nil {
		return drafted{}, fmt.Errorf("read the kept facts: %w", err)
	}
	facts, err := d.e.readFacts(raw)
	if err != nil {
		return drafted{}, fmt.Errorf("read the kept facts: %w", err)
	}
	findings, noted := remediate.Part(d.e.Library.Match(facts))
	if len(findings) == 0 {
		out := d.clean(h, state, facts, noted)
		out.left.Stays = d.stays(facts, nil, noted, nil)
		return out, nil
	}
	script, alone, err := d.e.Library.RenderLeaving(d.e.renderInput(facts, findings))
	if unsupported, ok := errors.AsType[*playbooks.UnsupportedError](err); ok {
		out := left(h, remediate.LeftUnsupported, unsupported.Error())
		out.left.Stays = d.stays(facts, findings, noted, unsupported.Left)
		return out, nil
	}
	if err != nil {
		return drafted{}, err
	}
	return drafted{script: script, host: remediate.PlanHost{
		Name: h.Name, Address: h.DialAddress(), Port: h.Port, Platform: facts.Platform,
		Findings: findings, Facts: state.RawDigest, FactsAt: state.SeenAt, Script: script.Digest,
		Stays: d.stays(facts, findings, noted, alone),
	}}, nil
}

// clean says that nothing was found that counts, or that it cannot be known.
func (d *drafter) clean(h remediate.Host, state remediate.HostState, facts *remediate.Facts, noted []remediate.Finding) drafted {
	if len(facts.Incomplete) > 0 {
		return left(h, remediate.LeftUnseen, "the look was not complete: "+oneLine(facts.Incomplete[0]))
	}
	if paths := d.e.Library.Unanswered(facts); len(paths) > 0 {
		return left(h, remediate.LeftUnseen, "the last look did not ask about "+paths[0]+", which a playbook wants to know; scan again")
	}
	detail := "last seen " + state.SeenAt.UTC().Format("2006-01-02 15:04 UTC")
	if len(noted) > 0 {
		detail += "; inside other products, which the mandate does not count: " + products(noted)
	}
	return left(h, remediate.LeftClean, detail)
}
