package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/schedule"
)

// canaryTag puts a host into the first waves.
const canaryTag = "canary"

// Plan makes a plan for hosts from what the store has seen of them: no host
// is touched. Playbooks are matched anew against the kept facts, so that a
// playbook written after the scan counts. The plan is recorded in the store;
// apply refuses any plan that is not.
func (e *Engine) Plan(ctx context.Context, hosts []remediate.Host) (*remediate.Plan, error) {
	p, err := e.draft(ctx, canariesFirst(hosts), e.Store.HostState)
	if err != nil {
		return nil, err
	}
	p.cutWaves(e.Campaign.Waves)
	return p.seal(ctx)
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
}

// render makes the script for a host.
func (e *Engine) render(facts *remediate.Facts, findings []remediate.Finding) (remediate.Script, error) {
	return e.Library.Render(e.renderInput(facts, findings))
}

func (e *Engine) renderInput(facts *remediate.Facts, findings []remediate.Finding) playbooks.RenderInput {
	return playbooks.RenderInput{Facts: facts, Findings: findings, BusyWait: e.Campaign.Timing.BusyWait}
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
