package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
	"oust/remediate/schedule"
)

// canaryTag puts a host into the first waves.
const canaryTag = "canary"

// Plan makes a plan for hosts from what the store has seen of them: no host
// is touched. Playbooks are matched anew against the kept facts, so that a
// playbook written after the scan counts. The plan is recorded in the store;
// apply refuses any plan that is not.
func (e *Engine) Plan(ctx context.Context, hosts []remediate.Host) (*remediate.Plan, error) {
	p, err := e.draft(ctx, canariesFirst(hosts))
	if err != nil {
		return nil, err
	}
	p.cutWaves(e.Campaign.Waves)
	return p.seal(ctx)
}

// draft plans hosts in their order, without waves.
func (e *Engine) draft(ctx context.Context, hosts []remediate.Host) (*planner, error) {
	id, err := e.Store.CampaignID(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the campaign id: %w", err)
	}
	exempt, err := e.exemptions(ctx)
	if err != nil {
		return nil, err
	}
	now := e.Now().UTC()
	p := &planner{e: e, scripts: map[string]bool{}, exempt: exempt, plan: &remediate.Plan{
		Format: remediate.PlanFormat, ID: remediate.NewID(now),
		Campaign: e.Campaign.Name, CampaignID: id,
		Created: now, Expires: now.Add(e.Campaign.Timing.PlanExpiry),
		Playbooks: e.Library.Refs(),
	}}
	for _, h := range hosts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.host(ctx, h); err != nil {
			return nil, fmt.Errorf("plan host %s: %w", h.Name, err)
		}
	}
	return p, nil
}

// seal gives the plan its digest and records it.
func (p *planner) seal(ctx context.Context) (*remediate.Plan, error) {
	p.plan.Secrets = p.e.secretsFor(p.plan.Hosts)
	var err error
	if p.plan.Digest, err = PlanDigest(p.plan); err != nil {
		return nil, err
	}
	if err := p.e.Store.SavePlan(ctx, p.plan.ID, p.plan.Digest, p.plan.Created); err != nil {
		return nil, fmt.Errorf("record the plan: %w", err)
	}
	return p.plan, nil
}

// secretsFor names the secrets that the playbooks of the hosts' findings ask
// for, sorted and distinct: nobody is asked for a password that nothing needs.
func (e *Engine) secretsFor(hosts []remediate.PlanHost) []string {
	needed := map[string]bool{}
	for _, h := range hosts {
		for _, f := range h.Findings {
			needed[f.Playbook] = true
		}
	}
	var out []string
	for name := range needed {
		if p, ok := e.Library.Get(name); ok {
			for _, s := range p.Secrets {
				out = append(out, s.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// canariesFirst puts hosts tagged canary first and keeps the order otherwise.
func canariesFirst(hosts []remediate.Host) []remediate.Host {
	out := slices.Clone(hosts)
	rank := func(h remediate.Host) int {
		if h.HasTag(canaryTag) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b remediate.Host) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

type planner struct {
	e       *Engine
	plan    *remediate.Plan
	scripts map[string]bool
	exempt  map[string]remediate.Exemption
}

func (p *planner) leave(h remediate.Host, reason, detail string) {
	p.plan.Left = append(p.plan.Left, remediate.PlanLeft{Name: h.Name, Reason: reason, Detail: detail})
}

// host plans one host, or says why not.
func (p *planner) host(ctx context.Context, h remediate.Host) error {
	if x, ok := p.exempt[h.Name]; ok {
		p.leave(h, remediate.LeftExempt, fmt.Sprintf("until %s by %s: %s", x.Until.UTC().Format("2006-01-02"), x.Approver, x.Reason))
		return nil
	}
	state, err := p.e.Store.HostState(ctx, h.Name)
	if err != nil {
		return err
	}
	if state.RawDigest == "" {
		detail := "run 'oust scan'"
		if state.Class != "" {
			detail = fmt.Sprintf("%s: %s", state.Class, state.Detail)
		}
		p.leave(h, remediate.LeftUnseen, detail)
		return nil
	}
	raw, err := p.e.Store.Raw(ctx, state.RawDigest)
	if err != nil {
		return fmt.Errorf("read the kept facts: %w", err)
	}
	facts, err := probe.Reparse(raw)
	if err != nil {
		return fmt.Errorf("read the kept facts: %w", err)
	}
	findings, noted := remediate.Part(p.e.Library.Match(facts))
	if len(findings) == 0 {
		p.leaveClean(h, state, facts, noted)
		return nil
	}
	script, err := p.e.render(facts, findings)
	if unsupported, ok := errors.AsType[*playbooks.UnsupportedError](err); ok {
		p.leave(h, remediate.LeftUnsupported, unsupported.Error())
		return nil
	}
	if err != nil {
		return err
	}
	if !p.scripts[script.Digest] {
		p.scripts[script.Digest] = true
		p.plan.Scripts = append(p.plan.Scripts, script)
	}
	p.plan.Hosts = append(p.plan.Hosts, remediate.PlanHost{
		Name: h.Name, Address: h.DialAddress(), Port: h.Port, Platform: facts.Platform,
		Findings: findings, Facts: state.RawDigest, FactsAt: state.SeenAt, Script: script.Digest,
	})
	return nil
}

// leaveClean says that nothing was found that counts, or that it cannot be
// known.
func (p *planner) leaveClean(h remediate.Host, state remediate.HostState, facts *remediate.Facts, noted []remediate.Finding) {
	if len(facts.Incomplete) > 0 {
		p.leave(h, remediate.LeftUnseen, "the look was not complete: "+oneLine(facts.Incomplete[0]))
		return
	}
	if paths := p.e.Library.Unanswered(facts); len(paths) > 0 {
		p.leave(h, remediate.LeftUnseen, "the last look did not ask about "+paths[0]+", which a playbook wants to know; scan again")
		return
	}
	detail := "last seen " + state.SeenAt.UTC().Format("2006-01-02 15:04 UTC")
	if len(noted) > 0 {
		detail += "; inside other products, which the mandate does not count: " + products(noted)
	}
	p.leave(h, remediate.LeftClean, detail)
}

// render makes the script for a host.
func (e *Engine) render(facts *remediate.Facts, findings []remediate.Finding) (remediate.Script, error) {
	return e.Library.Render(playbooks.RenderInput{
		Facts: facts, Findings: findings, BusyWait: e.Campaign.Timing.BusyWait,
	})
}

// cutWaves gives each host its wave.
func (p *planner) cutWaves(sizes []remediate.WaveSize) {
	p.plan.Waves = schedule.Waves(len(p.plan.Hosts), sizes)
	i := 0
	for w, n := range p.plan.Waves {
		for range n {
			p.plan.Hosts[i].Wave = w + 1
			i++
		}
	}
}
