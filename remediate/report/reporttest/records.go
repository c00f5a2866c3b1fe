package reporttest

import (
	"slices"
	"time"

	"oust/remediate"
	"oust/remediate/report"
)

func sortMoves(moves []remediate.Move) {
	slices.SortStableFunc(moves, func(a, b remediate.Move) int { return a.At.Compare(b.At) })
}

func milestones() []report.MilestoneState {
	return []report.MilestoneState{
		{Name: "identify", What: "identify the products on all systems and report them", Date: "2026-10-31", State: "met", MetAt: date(2026, 10, 29).Add(14 * time.Hour), DaysLeft: -40, Why: "the identify report was handed in on 2026-10-29"},
		{Name: "plan", What: "a detailed plan to remove and discontinue them", Date: "2026-11-30", State: "met", Late: true, MetAt: date(2026, 12, 2).Add(10 * time.Hour), DaysLeft: -10, Why: "the plan report was handed in on 2026-12-02"},
		{Name: "begin", What: "begin to carry out the plan", Date: "2026-12-30", State: "met", MetAt: date(2026, 12, 1).Add(4 * time.Hour), DaysLeft: 20, Why: "the first removal was begun on 2026-12-01"},
		{Name: "finish", What: "removed from every host", Date: "2026-12-30", State: "due", DaysLeft: 20, Why: "hosts are open"},
	}
}

func duties() []report.DutyState {
	return []report.DutyState{{Name: "status", What: "a status report every 30 days until it is finished", Next: "2027-01-29", DaysLeft: 50, Missed: []string{"2026-11-29"}, Done: 1}}
}

func submissions() []remediate.Submission {
	return []remediate.Submission{
		{Report: remediate.ReportIdentify, At: date(2026, 10, 29).Add(14 * time.Hour), By: "ann@ctl01", To: "DHS, FNR.BOD@hq.dhs.gov",
			Files: []remediate.FileDigest{{Name: "identify.html", Digest: digest("identify.html")}, {Name: "identify.csv", Digest: digest("identify.csv")}}},
		{Report: remediate.ReportPlan, At: date(2026, 12, 2).Add(10 * time.Hour), By: "ann@ctl01", To: "DHS", Files: []remediate.FileDigest{{Name: "plan.json", Digest: digest("plan.json")}}},
	}
}

// exemptions are one of each state, and one with hostile text.
func exemptions() []remediate.Exemption {
	return []remediate.Exemption{
		{Host: "app15", Reason: "quarter-end closing", Approver: "J. Doe, CISO", At: date(2026, 10, 20), Until: date(2026, 11, 1), By: "ann@ctl01"},
		{Host: "app17", Reason: "vendor support call open", Approver: "J. Doe, CISO", At: date(2026, 10, 21), Until: date(2027, 1, 1), By: "ann@ctl01", Ended: date(2026, 11, 20)},
		{Host: "app37", Reason: "medical device, removed with its replacement", Approver: "J. Doe, CISO", At: date(2026, 11, 10), Until: date(2027, 3, 1), By: "ann@ctl01", Mitigation: "isolated VLAN, no route to the internet"},
		{Host: "app38", Reason: Hostile, Approver: "+1-202-555-0100", At: date(2026, 11, 11), Until: date(2028, 1, 1), By: "ann@ctl01"},
		{Host: "lap46", Reason: "in the store of the legal department", Approver: "J. Doe, CISO", At: date(2026, 11, 12), Until: date(2027, 2, 1), By: "ann@ctl01"},
	}
}

func waves() []report.Wave {
	approved := date(2026, 12, 1).Add(3 * time.Hour)
	return []report.Wave{
		{Plan: "plan2", Wave: 1, Approved: approved, Hosts: 1, Done: 1},
		{Plan: "plan2", Wave: 2, Approved: approved, Hosts: 5, Done: 5},
		{Plan: "plan2", Wave: 3, Approved: approved, Hosts: 16, Done: 3, Failed: 9, Unreachable: 1, Waiting: 2, Other: 1, Current: true},
		{Plan: "plan2", Wave: 4, Approved: approved, Hosts: 7, Waiting: 7},
	}
}

func timeline() []report.Stage {
	return []report.Stage{
		{What: "Wave 3", Hosts: 2, From: date(2026, 12, 12).Add(3 * time.Hour), To: date(2026, 12, 12).Add(9 * time.Hour)},
		{What: "Wave 4", Hosts: 7, From: date(2026, 12, 13).Add(3 * time.Hour), To: date(2026, 12, 20).Add(9 * time.Hour), Note: "no window reaches 1 of them"},
		{What: "In no plan yet", Hosts: 2, Note: "make a plan with 'oust plan'"},
	}
}

// form leaves gaps: no phone, contracts or costs.
func form() remediate.Form {
	return remediate.Form{
		Agency: "Department of Examples", Contact: remediate.Contact{Name: "Ann Operator", Mail: "ann@example.gov"},
		Components: []string{"Headquarters", "Bureau of <Samples> & Tests"}, Mission: "Publishing of examples",
		Requirements: map[string]string{"anti-malware": "SI-3 rests on the removed product until its replacement runs", "encryption": "not affected"},
		Replacement:  "Microsoft Defender for Endpoint", ReplaceBy: "rolled out before each wave",
		Challenges: []string{"laptops that are away", "uninstall passwords of two former administrators"},
		SystemID:   "EX-0042", SystemIDScheme: "https://example.gov/systems",
	}
}

// mandateBOD is BOD 17-01 (82 FR 43782-43784) as a mandate.
func mandateBOD() remediate.Mandate {
	items := func(refs string, kinds ...remediate.ReportItem) []remediate.ReportItem {
		for i := range kinds {
			kinds[i].Ref = refs[i : i+1]
		}
		return kinds
	}
	item := func(k remediate.ItemKind, title string) remediate.ReportItem {
		return remediate.ReportItem{Item: k, Title: title}
	}
	return remediate.Mandate{
		Name: "bod-17-01", Title: "BOD 17-01: Removal of Kaspersky-branded products", Issuer: "Department of Homeland Security", Digest: digest("bod-17-01"),
		Sources: []string{"82 FR 43782-43784"}, Covers: []string{"products supplied directly or indirectly by AO Kaspersky Lab"},
		Excludes: []string{"the vendor's code inside other companies' products", "Threat Intelligence", "Security Training"},
		Milestones: []remediate.MilestoneRule{
			{Name: "identify", What: "identify the products on all systems and report them", Due: remediate.Due{Days: 30}, Met: remediate.MetReported, Report: remediate.ReportIdentify},
			{Name: "plan", What: "a detailed plan to remove and discontinue them", Due: remediate.Due{Days: 60}, Met: remediate.MetReported, Report: remediate.ReportPlan},
			{Name: "begin", What: "begin to carry out the plan", Due: remediate.Due{Days: 90}, Met: remediate.MetBegun},
			{Name: "finish", What: "removed from every host", Due: remediate.Due{Days: 90}, Met: remediate.MetFinished, Campaign: true},
		},
		Duties: []remediate.Duty{{Name: "status", What: "a status report every 30 days until it is finished", Report: remediate.ReportStatus, After: "begin", EveryDays: 30, Until: remediate.MetFinished}},
		Reports: []remediate.ReportRule{
			{Report: remediate.ReportIdentify, Title: "BOD 17-01: identification of Kaspersky-branded products", Items: items("abc",
				item(remediate.ItemProducts, "list of products found, or that none was found"),
				item(remediate.ItemEndpoints, "number of endpoints for each product"),
				item(remediate.ItemMethods, "methodologies used to identify"))},
			{Report: remediate.ReportPlan, Title: "BOD 17-01: plan of action", Items: items("abcdefghijklmn",
				item(remediate.ItemAgency, "agency"), item(remediate.ItemContact, "point of contact"), item(remediate.ItemProducts, "identified products"),
				item(remediate.ItemEndpoints, "endpoints"), item(remediate.ItemMethods, "methodologies"), item(remediate.ItemComponents, "components affected"),
				item(remediate.ItemMission, "mission function of the affected endpoints or systems"), item(remediate.ItemContracts, "contracts and agreements with the vendor"),
				item(remediate.ItemTimeline, "timeline to remove"), item(remediate.ItemRequirements, "performance requirements or security controls that removal touches"),
				item(remediate.ItemReplacement, "replacement, chosen or proposed"), item(remediate.ItemReplaceTime, "its timeline"),
				item(remediate.ItemChallenges, "foreseeable challenges"), item(remediate.ItemCosts, "costs"))},
			{Report: remediate.ReportStatus, Title: "BOD 17-01: status report", Items: []remediate.ReportItem{
				item(remediate.ItemProgress, "progress of removal"), item(remediate.ItemEndpoints, "endpoints"), item(remediate.ItemUnseen, "hosts that were not seen, and why"),
				item(remediate.ItemFailures, "failures, and what is being done"), item(remediate.ItemExemptions, "exemptions, with their ends"),
				item(remediate.ItemReappeared, "hosts on which something reappeared"), item(remediate.ItemEmbedded, "the vendor's code in other companies' products"),
				item(remediate.ItemHosts, "one row for each host")}},
		},
		Exemptions: remediate.ExemptionRule{MaxDays: 365},
	}
}
