package report

import (
	"maps"
	"slices"
	"strings"

	"oust/remediate"
)

// formAnswer is what the campaign's form says to an item, and the key of
// campaign.yaml that says it.
func formAnswer(f remediate.Form, r remediate.ReportItem) (text []string, key string) {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	switch r.Item {
	case remediate.ItemAgency:
		return one(f.Agency), "report.agency"
	case remediate.ItemContact:
		return contactText(f.Contact), "report.contact"
	case remediate.ItemComponents:
		return f.Components, "report.components"
	case remediate.ItemMission:
		return one(f.Mission), "report.mission"
	case remediate.ItemContracts:
		return f.Contracts, "report.contracts"
	case remediate.ItemRequirements:
		for _, control := range slices.Sorted(maps.Keys(f.Requirements)) {
			text = append(text, control+": "+f.Requirements[control])
		}
		return text, "report.requirements"
	case remediate.ItemReplacement:
		return one(f.Replacement), "report.replacement"
	case remediate.ItemReplaceTime:
		return one(f.ReplaceBy), "report.replacement_timeline"
	case remediate.ItemChallenges:
		return f.Challenges, "report.challenges"
	case remediate.ItemCosts:
		for _, c := range f.Costs {
			text = append(text, c.What+": "+c.Amount)
		}
		return text, "report.costs"
	}
	return one(f.Fields[r.Field]), "report.fields." + r.Field
}

func contactText(c remediate.Contact) []string {
	var out []string
	for _, s := range []struct{ what, value string }{{"Name", c.Name}, {"Telephone", c.Phone}, {"Mail", c.Mail}} {
		if s.value != "" {
			out = append(out, s.what+": "+s.value)
		}
	}
	return out
}

// contactGaps are the keys of what the item asks of a point of contact, in its
// title, and the form leaves out.
func contactGaps(c remediate.Contact, r remediate.ReportItem) []string {
	if r.Item != remediate.ItemContact {
		return nil
	}
	var out []string
	for _, s := range []struct{ word, value, key string }{
		{"name", c.Name, "report.contact.name"}, {"telephone", c.Phone, "report.contact.phone"}, {"email", c.Mail, "report.contact.mail"},
	} {
		if s.value == "" && strings.Contains(r.Title, s.word) {
			out = append(out, s.key)
		}
	}
	return out
}
