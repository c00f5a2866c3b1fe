package report

import (
	"encoding/json"
	"fmt"
	"slices"
)

// observations has one for each topic. They are TESTs: a script was run on the
// hosts, and what it printed was judged.
func (p *poam) observations() []oscalObservation {
	out := make([]oscalObservation, 0, len(p.topics))
	for _, t := range p.topics {
		out = append(out, oscalObservation{
			UUID: p.of("observation", t.key), Title: t.title, Description: t.seen, Props: t.props,
			Methods: []string{"TEST"}, Types: t.types, Origins: p.tool,
			Subjects: p.subjects(t.hosts), Evidence: p.proof, Collected: p.moment(t.collected),
		})
	}
	return out
}

// risks has one for each topic with a status.
func (p *poam) risks() []oscalRisk {
	var out []oscalRisk
	for _, t := range p.topics {
		if t.status == "" {
			continue
		}
		risk := oscalRisk{
			UUID: p.of("risk", t.key), Title: t.title, Description: t.seen, Statement: t.statement, Props: t.props,
			Status: t.status, Origins: p.tool, Factors: t.factors, Deadline: oscalWhen(p.finish),
			Remediations: []oscalResponse{p.response(t)},
			Observations: p.observed(t),
		}
		if len(t.log) > 0 {
			risk.Log = &oscalLog{Entries: t.log}
		}
		out = append(out, risk)
	}
	return out
}

// response is what is done about a topic. The day by which the mandate must be
// finished, where it has one, is a milestone of each.
func (p *poam) response(t topic) oscalResponse {
	r := oscalResponse{
		UUID: p.of("response", t.key), Lifecycle: "planned", Title: "What is done: " + t.title,
		Description: t.doing, Tasks: slices.Clone(t.tasks),
	}
	if t.status == riskClosed {
		r.Lifecycle = "completed"
	}
	if finish := oscalWhen(p.finish); t.key[0] != "campaign" && finish != "" {
		r.Tasks = append(r.Tasks, oscalTask{
			UUID: p.of("finish", t.key), Type: "milestone", Title: "The mandate must be finished",
			Timing: &oscalTiming{On: &oscalOn{Date: finish}},
		})
	}
	return r
}

// items has one for each risk.
func (p *poam) items() []oscalItem {
	var out []oscalItem
	for _, t := range p.topics {
		if t.status == "" {
			continue
		}
		out = append(out, oscalItem{
			UUID: p.of("item", t.key), Title: t.title, Description: t.seen,
			Props: append([]oscalProp{ours("status", t.status)}, t.props...), Origins: p.tool,
			Observations: p.observed(t), Risks: []oscalRiskRef{{UUID: p.of("risk", t.key)}}, Remarks: t.remarks,
		})
	}
	return out
}

// of is the UUID of something that a topic has one of.
func (p *poam) of(what string, key topicKey) string {
	return p.id(append([]string{what}, key...)...)
}

// observed refers to a topic's own observation, and to those that it rests on.
func (p *poam) observed(t topic) []oscalObservedRef {
	refs := []oscalObservedRef{{UUID: p.of("observation", t.key)}}
	for _, key := range t.also {
		refs = append(refs, oscalObservedRef{UUID: p.of("observation", key)})
	}
	return refs
}

// evidence says which records of the ledger the snapshot rests on.
func (p *poam) evidence() []oscalEvidence {
	head := p.s.Ledger
	if head.Size <= 0 {
		return nil
	}
	return []oscalEvidence{{
		Href: "#" + p.id("resource", "ledger"),
		Description: fmt.Sprintf("Records 0 to %d of the campaign's ledger, whose root is %s; 'oust audit' checks them.",
			head.Size-1, oscalQuote(head.Root)),
	}}
}

// resources are the ledger's head and the mandate's sources.
func (p *poam) resources() []oscalResource {
	var out []oscalResource
	if head := p.s.Ledger; head.Size > 0 {
		text := []byte(head.Note)
		if len(text) == 0 {
			text, _ = json.Marshal(head) // strings and a number
		}
		out = append(out, oscalResource{
			UUID: p.id("resource", "ledger"), Title: "Head of the campaign's ledger",
			Description: "A signed note, see golang.org/x/mod/sumdb/note. 'oust audit --bundle' exports the records under it.",
			Props: append([]oscalProp{{Name: "type", Value: "evidence"}},
				own("ledger-size", fmt.Sprint(head.Size), "ledger-root", head.Root, "ledger-key", head.Key)...),
			Base64: &oscalBase64{Filename: "ledger-head", MediaType: "text/plain", Value: text},
		})
	}
	for i, source := range p.s.Mandate.Sources {
		resource := oscalResource{
			UUID: p.id("source", fmt.Sprint(i), source), Title: oscalLine(p.s.Mandate.Title),
			Props: []oscalProp{{Name: "type", Value: "citation"}}, Citation: &oscalCitation{Text: oscalQuote(oscalLine(source))},
		}
		if oscalURI(source) {
			resource.Links = []oscalLink{{Href: source}}
		}
		out = append(out, resource)
	}
	return out
}
