package reporttest

import (
	"slices"
	"time"

	"oust/remediate"
	"oust/remediate/mandate"
	"oust/remediate/report"
	"oust/remediate/schedule"
)

func sortMoves(moves []remediate.Move) {
	slices.SortStableFunc(moves, func(a, b remediate.Move) int { return a.At.Compare(b.At) })
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
		{What: report.InNoPlan, Hosts: 2, Note: "make a plan with 'oust plan'"},
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

// under has the campaign carry out one of the built-in mandates.
func under(name string, in *report.Input) {
	terms, err := mandate.Named(name)
	if err != nil {
		panic(err)
	}
	if terms.Exemptions.Allows() == "" {
		terms.Exemptions.MaxDays = 365 // so that one of the sample goes against it
	}
	in.Campaign.Mandate, in.Campaign.Terms = name, terms
	s := mustBuild(*in)
	p := schedule.Progress{
		Issued: in.Campaign.Issued, Hosts: s.Totals.Hosts, Open: s.Totals.Open, Submissions: in.Submissions, Now: in.Now,
	}
	if s.Totals.Found > 0 {
		p.Found, p.Begun = scanned(14), date(2026, 12, 1).Add(4*time.Hour)
	}
	days, err := schedule.MilestoneStates(terms, p)
	if err != nil {
		panic(err)
	}
	duties, err := schedule.DutyStates(terms, p)
	if err != nil {
		panic(err)
	}
	for _, d := range days {
		in.Milestones = append(in.Milestones, report.MilestoneState(d))
	}
	for _, d := range duties {
		in.Duties = append(in.Duties, report.DutyState(d))
	}
}
