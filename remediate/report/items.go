package report

import (
	"slices"
	"strings"

	"oust/remediate"
)

// items answers what the mandate asks of this report, in its order.
func (b *builder) items() []Item {
	asked := asks(b.in.Campaign.Terms, b.in.Report)
	out := make([]Item, len(asked))
	for i, r := range asked {
		out[i] = Item{ReportItem: r}
		out[i].State, out[i].Text = b.answer(r)
	}
	return out
}

// asks is what a report must contain: what the mandate says, or what its kind
// has by itself.
func asks(m remediate.Mandate, kind remediate.ReportKind) []remediate.ReportItem {
	for _, r := range m.Reports {
		if r.Report == kind {
			return r.Items
		}
	}
	kinds := map[remediate.ReportKind][]remediate.ItemKind{
		remediate.ReportIdentify: {remediate.ItemProducts, remediate.ItemEndpoints, remediate.ItemMethods, remediate.ItemUnseen, remediate.ItemEmbedded},
		remediate.ReportPlan: {
			remediate.ItemAgency, remediate.ItemContact, remediate.ItemProducts, remediate.ItemEndpoints, remediate.ItemMethods,
			remediate.ItemUnseen, remediate.ItemTimeline, remediate.ItemExemptions,
		},
		remediate.ReportStatus: {
			remediate.ItemProgress, remediate.ItemEndpoints, remediate.ItemUnseen, remediate.ItemFailures, remediate.ItemExemptions,
			remediate.ItemReappeared, remediate.ItemHosts,
		},
	}[kind]
	out := make([]remediate.ReportItem, len(kinds))
	for i, k := range kinds {
		out[i] = remediate.ReportItem{Item: k, Title: itemTitles[k]}
	}
	return out
}

// itemTitles are the titles of items that no mandate words.
var itemTitles = map[remediate.ItemKind]string{
	remediate.ItemProducts: "Products found", remediate.ItemEndpoints: "Endpoints with each product", remediate.ItemMethods: "How they were identified",
	remediate.ItemUnseen: "Hosts that were not seen, and why", remediate.ItemTimeline: "Timeline of the removal",
	remediate.ItemProgress: "Progress", remediate.ItemFailures: "Failures, and what is being done",
	remediate.ItemExemptions: "Exemptions", remediate.ItemReappeared: "Hosts on which something reappeared", remediate.ItemHosts: "Hosts",
	remediate.ItemEmbedded: "The vendor's code in other companies' products", remediate.ItemAgency: "Agency", remediate.ItemContact: "Point of contact",
}

// answer answers one item from the campaign's facts, or from its form.
func (b *builder) answer(r remediate.ReportItem) (ItemState, []string) {
	facts := map[remediate.ItemKind]func() (ItemState, []string){
		remediate.ItemProducts: b.productsItem, remediate.ItemEndpoints: b.endpointsItem, remediate.ItemMethods: b.methodsItem,
		remediate.ItemUnseen: b.unseenItem, remediate.ItemTimeline: b.timelineItem, remediate.ItemProgress: b.progressItem,
		remediate.ItemFailures: b.failuresItem, remediate.ItemExemptions: b.exemptionsItem, remediate.ItemReappeared: b.reappearedItem,
		remediate.ItemHosts: b.hostsItem, remediate.ItemEmbedded: b.embeddedItem, remediate.ItemAttest: b.attestItem,
	}
	if answer := facts[r.Item]; answer != nil {
		return answer()
	}
	text, key := formAnswer(b.in.Campaign.Form, r)
	switch missing := contactGaps(b.in.Campaign.Form.Contact, r); {
	case len(text) > 0 && len(missing) > 0:
		return ItemGap, append(text, "Nobody has said this yet: fill in "+strings.Join(missing, " and ")+" in campaign.yaml.")
	case len(text) > 0:
		return ItemAnswered, text
	case slices.Contains(ofAffected, r.Item) && b.nothingAnywhere():
		return ItemNone, []string{"Nothing was found on any host of the inventory, and each was looked at."}
	}
	return ItemGap, []string{"Nobody has said this yet: fill in " + key + " in campaign.yaml."}
}

// ofAffected are items about systems on which something was found: where
// nothing was, and everything was looked at, they do not apply.
var ofAffected = []remediate.ItemKind{
	remediate.ItemComponents, remediate.ItemMission, remediate.ItemRequirements, remediate.ItemReplacement, remediate.ItemReplaceTime,
	remediate.ItemChallenges, remediate.ItemCosts,
}

// nothingAnywhere: all hosts were seen, and nothing was ever found.
func (b *builder) nothingAnywhere() bool {
	t := b.s.Totals
	return t.Hosts > 0 && t.Never == 0 && t.Found == 0
}
