package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func methodKey(m Method) topicKey {
	return topicKey{"method", m.Transport, string(m.Platform), m.Probe}
}

// methods are observations of how hosts were looked at, of the hosts that were
// always clear, and of those from which something was removed.
func (p *poam) methods() []topic {
	var out []topic
	for _, m := range p.s.Methods {
		t := topic{
			key:   methodKey(m),
			title: oscalLine(fmt.Sprintf("Hosts of %s, looked at over %s", m.Platform, m.Transport)),
			seen: fmt.Sprintf("The last successful look at %s was one of these, from %s to %s. The script that asked has the digest %s.",
				numbered(m.Hosts), p.moment(m.First), p.moment(m.Last), oscalQuote(oscalLine(m.Probe))),
			types: []string{"control-objective"}, collected: m.Last,
			props: own("transport", m.Transport, "platform", string(m.Platform), "probe", m.Probe),
		}
		out = append(out, t)
	}
	if p.hosts.clear > 0 {
		out = append(out, topic{
			key: topicKey{"clear"}, title: "Hosts on which nothing was ever found", types: []string{"control-objective"},
			seen: fmt.Sprintf("%s: the last look succeeded, and no look ever found anything. They are counted here; one of which "+
				"nothing else is to be told is not listed. The same report as CSV or JSON names each.", numbered(p.hosts.clear)),
			collected: p.s.At,
		})
	}
	if n := len(p.hosts.removed); n > 0 {
		out = append(out, topic{
			key: topicKey{"removed"}, title: "Hosts from which all that was found is gone", types: []string{"mitigation"},
			seen:  numbered(n) + ": something was found earlier, and the last look, in a new session, found nothing.",
			hosts: p.hosts.removed, collected: p.lastSeen(p.hosts.removed),
		})
	}
	return out
}

// products are those of which something was ever found.
func (p *poam) products() []topic {
	var out []topic
	for _, product := range p.s.Products {
		if product.Found == 0 && product.Present == 0 && product.Residue == 0 {
			continue
		}
		with := p.hosts.products[product.Playbook]
		t := topic{
			key: topicKey{"product", product.Playbook}, title: oscalLine(product.Title), types: []string{"finding"},
			hosts: with, collected: p.lastSeen(with),
			seen: sentences(fmt.Sprintf("It is on %s; only its remains are on %s; it was ever found on %s.",
				numbered(product.Present), numbered(product.Residue), numbered(product.Found)), versions(product.Versions)),
			props: own("playbook", product.Playbook, "playbook-digest", product.Digest, "present", fmt.Sprint(product.Present),
				"residue", fmt.Sprint(product.Residue), "found", fmt.Sprint(product.Found)),
		}
		if product.Embedded {
			t.seen += " It is the vendor's code inside another company's product."
		}
		if product.Counts {
			p.productRisk(&t, product, with)
		} else {
			t.seen += " The mandate does not count it."
		}
		out = append(out, t)
	}
	return out
}

func (p *poam) productRisk(t *topic, product Product, with []int) {
	t.statement = "Software that the mandate bans is on hosts."
	t.doing = "The playbook " + oscalQuote(product.Playbook) + " removes it."
	open := slices.ContainsFunc(with, func(i int) bool { return !p.s.Hosts[i].Exempt })
	switch {
	case product.Present == 0 && product.Residue == 0:
		t.status = riskClosed
		t.statement = "Software that the mandate bans was on hosts; no look finds it any more."
	case len(with) > 0 && !open:
		t.status = riskDeviation
	case p.begun:
		t.status = riskRemediating
	default:
		t.status = riskOpen
	}
}

func versions(list []Version) string {
	const most = 20
	var out []string
	for i, v := range list {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		name := oscalQuote(v.Version)
		if name == "" {
			name = "unknown"
		}
		out = append(out, fmt.Sprintf("%s (%s)", name, numbered(v.Hosts)))
	}
	if len(out) == 0 {
		return ""
	}
	return "Versions: " + strings.Join(out, ", ") + "."
}

// unseen are hosts that nobody may call clean.
func (p *poam) unseen() []topic {
	var out []topic
	for _, u := range p.s.Unseen {
		t := topic{
			key: topicKey{"unseen", string(u.Class), u.Why}, title: oscalLine("Hosts that were never seen: " + u.Why),
			types: []string{"finding"}, hosts: p.hosts.unseen[u.Why], collected: p.s.At, status: riskInvestigating,
			seen:      numbered(u.Hosts) + ": no look has succeeded.",
			statement: "What is on a host that was never seen is not known; it may have what the mandate bans.",
			doing:     cmp.Or(sentence(u.Doing), "Look at them with a scan."),
			props:     own("hosts", fmt.Sprint(u.Hosts), "class", string(u.Class)),
		}
		if u.Why == whyNeverTried {
			t.status = riskOpen
		}
		out = append(out, t)
	}
	return out
}

// failed are hosts that were seen once and stand failed, by class.
func (p *poam) failed() []topic {
	var out []topic
	for _, f := range p.s.Failures {
		hosts := p.hosts.failed[f.Class]
		if len(hosts) == 0 {
			continue // all of them were never seen
		}
		t := topic{
			key: topicKey{"failed", string(f.Class)}, title: oscalLine("Hosts that stand failed: " + f.Class.Meaning()),
			types: []string{"finding"}, hosts: hosts, collected: p.s.At, status: riskOpen,
			seen: sentences(fmt.Sprintf("Of those that have been seen, %s; in all, %s.", numbered(len(hosts)), numbered(f.Hosts)), labelled("What happened:", f.What)),
			statement: fmt.Sprintf("The last look or removal on these hosts failed. %d are tried again by themselves, %d wait for a person.",
				f.Retried, f.Person),
			doing: cmp.Or(sentence(f.Advice), sentence(f.Class.Advice())),
			props: own("class", string(f.Class), "hosts", fmt.Sprint(len(hosts))),
		}
		if f.Retried > 0 {
			t.status = riskRemediating
			t.tasks = append(t.tasks, p.retry(f))
		}
		out = append(out, t)
	}
	return out
}

// retry is the next try of those that are tried by themselves.
func (p *poam) retry(f Failure) oscalTask {
	task := oscalTask{
		UUID: p.id("retry", string(f.Class)), Type: "action", Title: "Try again",
		Description: numbered(f.Retried) + " are tried again, the first at this time.",
	}
	if at := oscalWhen(f.Next); at != "" {
		task.Timing = &oscalTiming{On: &oscalOn{Date: at}}
	} else {
		task.Description = numbered(f.Retried) + " are tried again; when is not known yet."
	}
	return task
}

// marked are hosts on which something came back, that nothing protects, or
// that are exempt.
func (p *poam) marked() []topic {
	var out []topic
	if hosts := p.hosts.named(p.s.Reappeared); len(hosts) > 0 {
		out = append(out, topic{
			key: topicKey{"reappeared"}, title: "Hosts on which something came back", types: []string{"finding"},
			hosts: hosts, collected: p.lastSeen(hosts), status: riskOpen,
			seen:      numbered(len(hosts)) + ": it was removed, and a later look found it again.",
			statement: "Something puts the software back, such as a deployment tool, an image or a policy.",
			doing:     "Find what installs it and stop that; then remove it again.",
		})
	}
	if hosts := p.hosts.bare; len(hosts) > 0 {
		out = append(out, topic{
			key: topicKey{"bare"}, title: "Hosts that nothing protects after a removal", types: []string{"finding"},
			hosts: hosts, collected: p.lastSeen(hosts), status: riskOpen,
			seen:      numbered(len(hosts)) + ": what should protect it in place of what was removed does not.",
			statement: "A host without protection against malware is worse off than before.",
			doing:     "Install or switch on the replacement.",
		})
	}
	if t, any := p.exempt(); any {
		out = append(out, t)
	}
	return out
}

// exempt tells the exemptions that hold as mitigating factors, and all of them
// in the risk's log.
func (p *poam) exempt() (topic, bool) {
	t := topic{
		key: topicKey{"exempt"}, title: "Hosts that are exempt", types: []string{"finding"}, collected: p.s.At, status: riskClosed,
		statement: "An exempt host may keep what the mandate bans until its exemption ends.",
		doing:     "Each exemption ends by itself on its day; the host is planned again then.",
	}
	var names []string
	for i, e := range p.s.Exemptions {
		text := exemptionText(e)
		at := p.moment(e.At)
		title := "Exempt: "
		if e.State == ExemptionRetired {
			title = "Left the inventory for good: "
		}
		t.log = append(t.log, oscalEntry{
			UUID: p.id("exemption", e.Host, fmt.Sprint(i), at), Title: oscalLine(title + e.Host), Description: text, Start: at,
			Props: append([]oscalProp{{Name: "type", Value: "dr-approved"}}, own("state", e.State)...),
		})
		if e.State != "holds" {
			continue
		}
		names = append(names, e.Host)
		if t.status == riskClosed {
			t.status = riskDeviation
		}
		if e.Against != "" {
			t.status = riskOpen
		}
		factor := oscalFactor{UUID: p.id("factor", e.Host, fmt.Sprint(i), at), Description: text}
		if at, there := p.hosts.exempt[e.Host]; there {
			factor.Subjects = p.subjects([]int{at})
		}
		t.factors = append(t.factors, factor)
	}
	if len(t.log) == 0 {
		return t, false
	}
	sortEntries(t.log)
	t.hosts = p.hosts.named(names)
	t.seen = fmt.Sprintf("%d exemptions hold, of %d that were recorded.", len(t.factors), len(p.s.Exemptions))
	return t, true
}

func exemptionText(e Exemption) string {
	text := []string{sentence(e.Reason), "Approved by " + oscalQuote(oscalLine(e.Approver)) + "."}
	if until := oscalWhen(e.Until); until != "" && e.State != ExemptionRetired {
		text = append(text, "It ends at "+until+".")
	}
	return sentences(append(text, labelled("Ground:", e.Ground), labelled("Done instead:", e.Mitigation),
		labelled("Renewed:", e.Renewal()), labelled("It goes against the mandate:", e.Against))...)
}
