package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// poam makes the parts of one plan of action and milestones.
type poam struct {
	s      *Snapshot
	space  oscalUUID // of the campaign
	hosts  hostGroups
	topics []topic
	tool   []oscalOrigin
	proof  []oscalEvidence
	// finish is the mandate's last moment, zero if it names none; begun says
	// that removals have begun.
	finish time.Time
	begun  bool
}

// topic is one thing that was observed. Where status is set it is a risk, and
// an item of the plan, too.
type topic struct {
	key         []string // names it in every report
	title, seen string
	types       []string
	hosts       []int // subjects, as indexes of Snapshot.Hosts
	collected   time.Time
	props       []oscalProp

	status    string
	statement string // what is wrong with it
	doing     string // what is done about it
	tasks     []oscalTask
	factors   []oscalFactor
	log       []oscalEntry
	remarks   string // of the item
	also      []topicKey
}

// topicKey names a topic.
type topicKey = []string

// The values of a risk's status.
const (
	riskOpen          = "open"
	riskInvestigating = "investigating"
	riskRemediating   = "remediating"
	riskDeviation     = "deviation-approved"
	riskClosed        = "closed"
)

func newPOAM(s *Snapshot) *poam {
	p := &poam{s: s, space: oscalSpace.name("campaign", s.CampaignID)}
	p.hosts = groupHosts(s)
	p.tool = []oscalOrigin{{Actors: []oscalActor{{Type: "tool", UUID: p.id("component", "oust")}}}}
	p.proof = p.evidence()
	p.finish = oscalDay(finishDay(s), s.Mandate.Zone)
	p.begun = len(s.Waves) > 0 || s.Totals.Standing[remediate.StandRemoved] > 0
	p.topics = append(p.topics, p.campaign())
	p.topics = append(p.topics, p.methods()...)
	p.topics = append(p.topics, p.products()...)
	p.topics = append(p.topics, p.unseen()...)
	p.topics = append(p.topics, p.failed()...)
	p.topics = append(p.topics, p.marked()...)
	return p
}

// id is the UUID of what the words name in this campaign.
func (p *poam) id(words ...string) string { return p.space.name(words...).String() }

// ours is a property of our own namespace.
func ours(name, value string) oscalProp {
	return oscalProp{Name: name, NS: oscalNS, Value: oscalLine(value)}
}

// own makes properties of names and values in turn, without those that have no
// value.
func own(pairs ...string) []oscalProp {
	var out []oscalProp
	for pair := range slices.Chunk(pairs, 2) {
		if oscalPlain(pair[1], oscalMaxLine) != "" {
			out = append(out, ours(pair[0], pair[1]))
		}
	}
	return out
}

// finishDay is the day of the milestone by which the mandate must be finished,
// empty if it has none.
func finishDay(s *Snapshot) string {
	for _, rule := range slices.Backward(s.Mandate.Milestones) {
		if rule.Met != remediate.MetFinished && rule.Met != remediate.MetCompleted {
			continue
		}
		for _, m := range s.Milestones {
			if m.Name == rule.Name {
				return m.Date
			}
		}
	}
	return ""
}

// hostGroups are indexes of Snapshot.Hosts, in its order.
type hostGroups struct {
	products map[string][]int          // by playbook: what the last look found
	unseen   map[string][]int          // by why, see Unseen
	failed   map[remediate.Class][]int // of those that have been seen and are not exempt
	exempt   map[string]int            // by name
	removed  []int
	bare     []int
	listed   []bool // has to be an inventory item
	clear    int    // as Totals counts them
	byName   map[string]int
}

func groupHosts(s *Snapshot) hostGroups {
	g := hostGroups{
		products: map[string][]int{}, exempt: map[string]int{}, byName: map[string]int{},
		unseen: map[string][]int{}, failed: map[remediate.Class][]int{},
		listed: make([]bool, len(s.Hosts)),
	}
	for i := range s.Hosts {
		h := &s.Hosts[i]
		g.byName[h.Name] = i
		g.listed[i] = h.Standing != remediate.StandClear || h.Exempt || h.Class != "" || h.Bare != "" || len(h.Findings) > 0
		g.add(i, h)
	}
	return g
}

// add puts a host into each group that it belongs to.
func (g *hostGroups) add(i int, h *HostRow) {
	for _, f := range h.Findings {
		if with := g.products[f.Playbook]; len(with) == 0 || with[len(with)-1] != i {
			g.products[f.Playbook] = append(with, i)
		}
	}
	switch {
	case h.Standing == remediate.StandUnseen:
		g.unseen[whyUnseen(h)] = append(g.unseen[whyUnseen(h)], i)
	case h.Class != "" && !h.Exempt:
		g.failed[h.Class] = append(g.failed[h.Class], i)
	}
	if h.Standing == remediate.StandClear && !h.Exempt {
		g.clear++
	}
	if h.Standing == remediate.StandRemoved && !h.Exempt {
		g.removed = append(g.removed, i)
	}
	if h.Bare != "" {
		g.bare = append(g.bare, i)
	}
	if h.Exempt {
		g.exempt[h.Name] = i
	}
}

// whyUnseen is why a host was never seen, as Unseen.Why says it.
func whyUnseen(h *HostRow) string {
	switch {
	case h.Class != "":
		return h.Class.Meaning()
	case !h.SeenAt.IsZero():
		return whyIncomplete
	}
	return whyNeverTried
}

// named are the hosts of some names, each once, as far as the snapshot has
// them.
func (g *hostGroups) named(names []string) []int {
	var out []int
	for _, name := range names {
		if i, there := g.byName[name]; there {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lastSeen is when the last of some hosts was seen, or the report's time.
func (p *poam) lastSeen(hosts []int) time.Time {
	var last time.Time
	for _, i := range hosts {
		if seen := p.s.Hosts[i].SeenAt; seen.After(last) {
			last = seen
		}
	}
	if oscalWhen(last) == "" {
		return p.s.At
	}
	return last
}

// numbered is a number of hosts in words.
func numbered(n int) string {
	if n == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", n)
}

// sentence ends a clause as a sentence, and is empty for an empty one.
func sentence(clause string) string {
	clause = oscalQuote(clause)
	if clause == "" || strings.HasSuffix(clause, ".") {
		return clause
	}
	return clause + "."
}

// labelled is a sentence after a label, and empty for an empty clause.
func labelled(label, clause string) string {
	if clause = sentence(clause); clause == "" {
		return ""
	}
	return label + " " + clause
}

// sentences joins those that say something.
func sentences(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}

// sortEntries puts a risk's log in order of time.
func sortEntries(entries []oscalEntry) []oscalEntry {
	slices.SortStableFunc(entries, func(a, b oscalEntry) int { return cmp.Compare(a.Start, b.Start) })
	return entries
}
