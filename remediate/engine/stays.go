package engine

import (
	"slices"

	"oust/playbooks"
	"oust/remediate"
)

// notCounted is why a script leaves alone what is inside other products.
const notCounted = "inside another company's product, which the mandate does not count"

// stays lists what was found on a host and no script touches: findings that are
// left alone, those that are only noted, and products that the campaign does not
// choose, where the order of one that goes names them.
func (d *drafter) stays(facts *remediate.Facts, findings, noted []remediate.Finding, alone []playbooks.Left) (out []remediate.PlanStay) {
	var goes []remediate.Finding
	for _, f := range findings {
		i := slices.IndexFunc(alone, func(l playbooks.Left) bool { return l.Playbook == f.Playbook })
		if i < 0 {
			goes = append(goes, f)
			continue
		}
		out = append(out, remediate.PlanStay{Finding: f, Why: alone[i].Reason, Manual: alone[i].Manual})
	}
	for _, f := range noted {
		out = append(out, remediate.PlanStay{Finding: f, Why: notCounted})
	}
	for _, u := range d.e.Library.Unchosen(facts, goes) {
		out = append(out, remediate.PlanStay{Finding: u.Finding, Why: u.Why, NotChosen: true})
	}
	return out
}
