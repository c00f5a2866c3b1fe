package report

import (
	"iter"
	"net/netip"
	"regexp"
	"slices"

	"oust/remediate"
)

// subjects refers to the inventory items of hosts.
func (p *poam) subjects(hosts []int) []oscalSubject {
	out := make([]oscalSubject, 0, len(hosts))
	for _, i := range hosts {
		out = append(out, oscalSubject{UUID: p.hostID(i), Type: "inventory-item"})
	}
	return out
}

func (p *poam) hostID(i int) string { return p.id("host", p.s.Hosts[i].Name) }

// components are the products that were ever found.
func (p *poam) components() []oscalComponent {
	var out []oscalComponent
	known := map[string]bool{}
	for _, product := range p.s.Products {
		if product.Found > 0 || len(p.hosts.products[product.Playbook]) > 0 {
			known[product.Playbook] = true
			out = append(out, p.product(product.Playbook, product.Title, product.Present > 0))
		}
	}
	for i := range p.s.Hosts { // what a playbook found that is not in force any more
		for _, f := range p.s.Hosts[i].Findings {
			if !known[f.Playbook] {
				known[f.Playbook] = true
				out = append(out, p.product(f.Playbook, f.Title, true))
			}
		}
	}
	return out
}

func (p *poam) product(playbook, title string, present bool) oscalComponent {
	c := oscalComponent{
		UUID: p.id("component", "product", playbook), Type: "software", Title: oscalLine(title),
		Description: "Software that the campaign removes, as the playbook " + oscalQuote(playbook) + " recognises it.",
		Status:      oscalState{State: "disposition"},
	}
	if present {
		c.Status.State = "operational"
	}
	return c
}

// assets names this program as the tool of all observations.
func (p *poam) assets() oscalAssets {
	tool := oscalComponent{
		UUID: p.id("component", "oust"), Type: "software", Title: "oust",
		Description: "Looks at hosts without an agent, removes what playbooks recognise, and looks again.",
		Status:      oscalState{State: "operational"},
	}
	return oscalAssets{
		Components: []oscalComponent{tool},
		Platforms:  []oscalPlatform{{UUID: p.id("platform"), Uses: []oscalUse{{Component: tool.UUID}}}},
	}
}

// inventory yields the hosts that something is to be told of.
func (p *poam) inventory() iter.Seq[oscalInventoryItem] {
	return func(yield func(oscalInventoryItem) bool) {
		for i := range p.s.Hosts {
			if p.hosts.listed[i] && !yield(p.host(i)) {
				return
			}
		}
	}
}

func (p *poam) host(i int) oscalInventoryItem {
	h := &p.s.Hosts[i]
	item := oscalInventoryItem{
		UUID: p.hostID(i), Description: oscalQuote(oscalLine(h.Name)),
		Props: append([]oscalProp{{Name: "asset-id", Value: oscalLine(h.Name)}}, whereabouts(h)...),
		Has:   p.installed(h),
	}
	until := ""
	if h.Exempt {
		until = oscalWhen(h.Until)
	}
	item.Props = append(item.Props, own("standing", string(h.Standing), "exempt-until", until, "class", string(h.Class),
		"bare", h.Bare, "last-seen", oscalWhen(h.SeenAt), "first-found", oscalWhen(h.FoundAt), "removed-at", oscalWhen(h.RemovedAt),
		"last-outcome", string(h.Outcome), "site", h.Site, "owner", h.Owner, "next", h.Next)...)
	item.Remarks = sentences(sentence(h.Detail), sentence(h.Why))
	return item
}

// oscalDomain is a name with at least one dot, as DNS allows it for hosts.
var oscalDomain = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// whereabouts are a host's address and system, in OSCAL's own words.
func whereabouts(h *HostRow) []oscalProp {
	var out []oscalProp
	address, err := netip.ParseAddr(h.Address)
	switch {
	case err == nil && address.Is4():
		out = append(out, oscalProp{Name: "ipv4-address", Value: address.String()})
	case err == nil && address.Zone() == "":
		out = append(out, oscalProp{Name: "ipv6-address", Value: address.String()})
	case len(h.Address) <= 253 && oscalDomain.MatchString(h.Address):
		out = append(out, oscalProp{Name: "fqdn", Value: h.Address})
	}
	if h.OS != "" {
		out = append(out, oscalProp{Name: "os-name", Value: oscalLine(h.OS)})
	}
	return out
}

// installed are a host's findings, each product once.
func (p *poam) installed(h *HostRow) []oscalUse {
	var out []oscalUse
	for _, f := range h.Findings {
		id := p.id("component", "product", f.Playbook)
		at := slices.IndexFunc(out, func(u oscalUse) bool { return u.Component == id })
		if at < 0 {
			out = append(out, oscalUse{Component: id})
			at = len(out) - 1
		}
		if f.Kind != remediate.FindProduct {
			out[at].Props = append(out[at].Props, ours("kind", string(f.Kind)))
		}
		if f.Version != "" {
			out[at].Props = append(out[at].Props, oscalProp{Name: "software-version", Value: oscalLine(f.Version)})
		}
	}
	return out
}
