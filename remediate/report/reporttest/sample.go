// Package reporttest has campaigns by hand, for tests of what is drawn from a
// report.Snapshot.
package reporttest

import (
	"fmt"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/report"
)

// Now is when the samples are made.
var Now = time.Date(2026, 12, 10, 15, 30, 0, 0, time.UTC)

// Sample is a campaign with every standing, outcome and class of failure,
// exemptions of every state, waves, duties, submissions, and texts from hosts
// and persons that are hostile to each format.
func Sample(kind remediate.ReportKind) report.Snapshot { return mustBuild(SampleInput(kind)) }

// NilSample is a campaign in which nothing was found, and six of forty hosts
// could not be looked at.
func NilSample(kind remediate.ReportKind) report.Snapshot { return mustBuild(NilInput(kind)) }

func mustBuild(in report.Input) report.Snapshot {
	s, err := report.Build(in)
	if err != nil {
		panic(err) // the samples are fixed, so tests fail at once
	}
	return s
}

// Hostile is text that a host could print, or a person type.
const Hostile = `=HYPERLINK("http://evil.example","click")<script>alert(1)</script>` + "\t\"quoted\", 'single' & \u202etxt.exe\u202c \x07"

// campaign is what all samples share.
func campaign() remediate.Campaign {
	return remediate.Campaign{
		Name: "kaspersky-2026", Issued: date(2026, 10, 1), Form: form(),
	}
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func digest(of string) string { return remediate.Digest([]byte(of)) }

// Products of the samples.
const (
	kesl    = "kaspersky/kesl"
	kes     = "kaspersky/kes-windows"
	agent   = "kaspersky/klnagent"
	engines = "kaspersky/embedded-engine"
)

func playbooks() []report.Playbook {
	return []report.Playbook{
		{Name: kesl, Title: "Kaspersky Endpoint Security for Linux", Digest: digest(kesl)},
		{Name: kes, Title: "Kaspersky Endpoint Security for Windows", Digest: digest(kes)},
		{Name: agent, Title: "Kaspersky Network Agent", Digest: digest(agent)},
		{Name: engines, Title: "Kaspersky engine in other companies' products", Digest: digest(engines), Embedded: true},
	}
}

func finding(playbook, version string, kind remediate.FindingKind) remediate.Finding {
	for _, p := range playbooks() {
		if p.Name == playbook {
			return remediate.Finding{Playbook: playbook, Kind: kind, Product: p.Title, Version: version,
				Evidence: []remediate.Evidence{{Kind: remediate.EvidencePackage, Value: "dpkg " + playbook + " " + version}}}
		}
	}
	panic("no playbook " + playbook)
}

// SampleInput is what Sample is built from.
func SampleInput(kind remediate.ReportKind) report.Input { return InputFor("bod-17-01", kind) }

// SampleFor is Sample under another of the built-in mandates.
func SampleFor(mandate string, kind remediate.ReportKind) report.Snapshot {
	return mustBuild(InputFor(mandate, kind))
}

// InputFor is what SampleFor is built from.
func InputFor(mandate string, kind remediate.ReportKind) report.Input {
	in := report.Input{
		Report: kind, Now: Now, By: "ann@ctl01", Campaign: campaign(), CampaignID: "9b2f4c1e7d8a4f3ab6c5d4e3f2a1b0c9",
		Ledger: head(1482), Playbooks: playbooks(), Gone: []string{"old-nas01"},
		Submissions: submissions(), Exemptions: exemptions(),
		Held: &remediate.Hold{At: Now.Add(-2 * time.Hour), Reason: "more than 5% of wave 3 failed: 2 of 16 hosts", Run: "run7", Plan: "plan2", Wave: 3},
	}
	in.Hosts, in.Moves = fleet()
	in.Waves = waves()
	in.Timeline = timeline()
	under(mandate, &in)
	return in
}

func head(size int64) report.Head {
	return report.Head{
		Size: size, Root: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		Key: "oust/kaspersky-2026+1f3a9c42+AQ2k9vXcYh0m0s1kBzq5mJ7n1m5c0vT3v5V7p9o1w3u5",
		Note: strings.Join([]string{
			"oust/kaspersky-2026", fmt.Sprint(size), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "",
			"— oust/kaspersky-2026 HzqcQsample", "",
		}, "\n"),
	}
}

// NilInput is what NilSample is built from.
func NilInput(kind remediate.ReportKind) report.Input {
	in := report.Input{
		Report: kind, Now: date(2026, 10, 29).Add(9 * time.Hour), By: "ann@ctl01", Campaign: campaign(), CampaignID: "9b2f4c1e7d8a4f3ab6c5d4e3f2a1b0c9",
		Ledger: head(94), Playbooks: playbooks(),
	}
	for i := range 40 {
		h := nilHost(i)
		in.Hosts = append(in.Hosts, h)
		if h.State.Standing == remediate.StandClear {
			in.Moves = append(in.Moves, remediate.Move{Host: h.Host.Name, At: h.State.SeenAt, From: remediate.StandUnseen, To: remediate.StandClear})
		}
	}
	under("bod-17-01", &in)
	return in
}

// nilHost is one of forty: three do not answer, one refuses the login, one was
// never tried, one look was incomplete.
func nilHost(i int) report.HostInput {
	x := host(fmt.Sprintf("hq%02d", i+1), i%2 == 1, "hq")
	seen := date(2026, 10, 20+i%5).Add(time.Duration(8+i%9) * time.Hour)
	see(&x, seen, remediate.StandClear)
	unseen := func(class remediate.Class, detail string, next report.Next) {
		x.State = remediate.HostState{Host: x.Host.Name, Standing: remediate.StandUnseen, Class: class, Detail: detail, Tries: 3, FailedAt: seen}
		x.Next = next
	}
	retry := report.Next{Work: "look", At: date(2026, 10, 29).Add(10 * time.Hour)}
	switch i {
	case 3, 17, 28:
		retry.Why = "unreachable, 3 times"
		unseen(remediate.ClassUnreachable, "dial tcp 10.1.1.9:22: i/o timeout", retry)
	case 11:
		unseen(remediate.ClassAuth, "the host refused the login", report.Next{Work: "person", Person: true, Why: "auth, once"})
	case 21:
		x.State = remediate.HostState{Host: x.Host.Name, Standing: remediate.StandUnseen}
		x.Next = report.Next{Work: "look", At: date(2026, 10, 29).Add(9 * time.Hour), Why: "never looked at"}
	case 30:
		x.State.Standing = remediate.StandUnseen
		x.Next = retry
	}
	return x
}
