package reporttest

import (
	"fmt"
	"time"

	"oust/remediate"
	"oust/remediate/report"
)

// host is a host that nobody has looked at.
func host(name string, windows bool, site string) report.HostInput {
	h := remediate.Host{
		Name: name, Address: name + "." + site + ".example", Platform: remediate.Linux, Transport: remediate.TransportSSH,
		Site: site, Zone: "America/New_York", Owner: "ops@example.gov", Tags: []string{"prod"}, Origin: "hosts.csv:2",
	}
	if windows {
		h.Platform, h.Transport = remediate.Windows, remediate.TransportWinRM
	}
	return report.HostInput{Host: h, State: remediate.HostState{Host: name, Standing: remediate.StandUnseen}, Next: report.Next{Work: "none"}}
}

// see fills in a successful look.
func see(x *report.HostInput, at time.Time, s remediate.Standing) {
	st := &x.State
	st.Standing, st.SeenAt, st.Platform, st.Transport = s, at, x.Host.Platform, x.Host.Transport
	st.OS, st.Probe, st.Run = "debian 13", digest("look.sh"), "run1"
	if st.Platform == remediate.Windows {
		st.OS, st.Probe = "Windows 11 Enterprise 10.0.26100", digest("look.cmd")
	}
}

// fleeter makes the hosts of the sample.
type fleeter struct {
	hosts []report.HostInput
	moves []remediate.Move
}

func (f *fleeter) move(host string, at time.Time, from, to remediate.Standing) {
	f.moves = append(f.moves, remediate.Move{Host: host, At: at, From: from, To: to})
}

// scanned is the first look at the n-th host.
func scanned(n int) time.Time { return date(2026, 10, 12).Add(time.Duration(n*7) * time.Hour) }

// clear adds a host on which nothing was found.
func (f *fleeter) clear(windows bool) *report.HostInput {
	n := len(f.hosts)
	x := host(fmt.Sprintf("web%02d", n+1), windows, site(n))
	see(&x, scanned(n), remediate.StandClear)
	f.move(x.Host.Name, scanned(n), remediate.StandUnseen, remediate.StandClear)
	f.hosts = append(f.hosts, x)
	return &f.hosts[n]
}

func site(n int) string { return []string{"hq", "dc1", "branch-west"}[n%3] }

// found adds a host on which something is.
func (f *fleeter) found(windows bool, fs ...remediate.Finding) *report.HostInput {
	n := len(f.hosts)
	x := host(fmt.Sprintf("app%02d", n+1), windows, site(n))
	see(&x, scanned(n), remediate.StandPresent)
	x.State.FoundAt, x.State.Findings = scanned(n), fs
	x.Next = report.Next{Work: "remove", At: date(2026, 12, 12).Add(3 * time.Hour), Why: "the next window opens"}
	f.move(x.Host.Name, scanned(n), remediate.StandUnseen, remediate.StandPresent)
	f.hosts = append(f.hosts, x)
	return &f.hosts[n]
}

// removed adds a host from which it was removed.
func (f *fleeter) removed(windows bool, at time.Time, fs ...remediate.Finding) *report.HostInput {
	x := f.found(windows, fs...)
	for _, one := range fs {
		x.Ever = append(x.Ever, report.FoundThing{Playbook: one.Playbook, Title: one.Product, Version: one.Version, Kind: one.Kind})
	}
	see(x, at, remediate.StandRemoved)
	x.State.Findings, x.State.RemovedAt = nil, at
	x.State.Last, x.State.LastAt = remediate.Outcome{Kind: remediate.OutcomeRemoved}, at
	x.Next = report.Next{Work: "verify", At: at.Add(7 * 24 * time.Hour), Why: "looked at again after its removal"}
	f.move(x.Host.Name, at, remediate.StandPresent, remediate.StandRemoved)
	return x
}

// failed lets a host stand failed.
func failed(x *report.HostInput, class remediate.Class, detail string, person bool) {
	at := date(2026, 12, 9).Add(4 * time.Hour)
	x.State.Class, x.State.Detail, x.State.Tries, x.State.FailedAt = class, detail, 2, at
	x.State.Last, x.State.LastAt = remediate.Failed(class, detail), at
	x.Next = report.Next{Work: "remove", At: Now.Add(6 * time.Hour), Why: string(class) + ", 2 times"}
	if person {
		x.Next = report.Next{Work: "person", Person: true, Why: string(class) + ", 2 times: " + class.Advice()}
	}
}

// fleet makes the hosts and their moves, oldest first.
func fleet() ([]report.HostInput, []remediate.Move) {
	f := &fleeter{}
	for i := range 14 {
		f.clear(i%3 == 0)
	}
	f.someRemoved()
	f.someFailed()
	f.someOpen()
	f.someUnseen()
	sortMoves(f.moves)
	return f.hosts, f.moves
}

func (f *fleeter) someRemoved() {
	for i := range 8 {
		at := date(2026, 12, 1+i).Add(time.Duration(5+i) * time.Hour)
		if i%2 == 0 {
			f.removed(false, at, finding(kesl, "12.1.0-1508", remediate.FindProduct), finding(agent, "15.1.0.20748", remediate.FindProduct))
			continue
		}
		f.removed(true, at, finding(kes, "12.6.0.438", remediate.FindProduct))
	}
	f.hosts[len(f.hosts)-1].State.Bare = "Windows Defender is not running"
	restarted := &f.hosts[len(f.hosts)-3]
	restarted.State.Reboots = 1

	back := f.removed(false, date(2026, 12, 3).Add(9*time.Hour), finding(kesl, "12.1.0-1508", remediate.FindProduct))
	see(back, date(2026, 12, 8).Add(2*time.Hour), remediate.StandReappeared)
	back.State.Findings, back.State.RemovedAt = []remediate.Finding{finding(kesl, "12.1.0-1600", remediate.FindProduct)}, time.Time{}
	back.Next = report.Next{Work: "plan", Person: true, Why: "found, and in no approved plan"}
	f.move(back.Host.Name, date(2026, 12, 8).Add(2*time.Hour), remediate.StandRemoved, remediate.StandReappeared)
}

// someFailed adds a host for each class that leaves a product behind.
func (f *fleeter) someFailed() {
	for i, c := range remediate.Classes() {
		windows, kind := i%2 == 1, remediate.FindProduct
		playbook, version := kesl, "11.3.0-7441"
		if windows {
			playbook, version = kes, "12.3.0.493"
		}
		if c == remediate.ClassResidue {
			kind = remediate.FindResidue
		}
		x := f.found(windows, finding(playbook, version, kind))
		person := c != remediate.ClassUnreachable && c != remediate.ClassBusy && c != remediate.ClassTimeout && c != remediate.ClassLostContact
		failed(x, c, "step 2 ended with exit code 1", person)
	}
	hostile := &f.hosts[len(f.hosts)-1]
	hostile.State.Detail, hostile.State.OS, hostile.Host.Owner = Hostile, Hostile, Hostile
}

func (f *fleeter) someOpen() {
	f.found(false, finding(kesl, "12.1.0-1508", remediate.FindProduct))
	f.found(true, finding(kes, "12.6.0.438", remediate.FindProduct), finding(agent, "15.1.0.20748", remediate.FindProduct))
	waits := f.found(true, finding(kes, "12.6.0.438", remediate.FindResidue))
	waits.State.Last = remediate.Outcome{Kind: remediate.OutcomeRebootPending, Detail: "the product asks for a restart"}
	waits.State.LastAt = date(2026, 12, 9).Add(22 * time.Hour)
	waits.Next = report.Next{Work: "restart", At: date(2026, 12, 13).Add(3 * time.Hour), Why: "its restart waits for a window"}
	for _, kind := range []remediate.OutcomeKind{
		remediate.OutcomeStale, remediate.OutcomeDeferred, remediate.OutcomeNotStarted, remediate.OutcomeExempt, remediate.OutcomeNothingToDo,
	} {
		x := f.found(false, finding(agent, "14.2.0.26967", remediate.FindProduct))
		x.State.Last, x.State.LastAt = remediate.Outcome{Kind: kind}, date(2026, 12, 9).Add(23*time.Hour)
		if kind == remediate.OutcomeNothingToDo {
			x.Ever = []report.FoundThing{{Playbook: agent, Title: "Kaspersky Network Agent", Version: "14.2.0.26967", Kind: remediate.FindProduct}}
			see(x, x.State.LastAt, remediate.StandRemoved)
			x.State.Findings, x.State.RemovedAt = nil, x.State.LastAt
			x.Next = report.Next{Work: "none"}
			f.move(x.Host.Name, x.State.LastAt, remediate.StandPresent, remediate.StandRemoved)
		}
	}
	noted := f.clear(false)
	noted.State.Findings = []remediate.Finding{finding(engines, "8.5", remediate.FindEmbedded)}
}

func (f *fleeter) someUnseen() {
	add := func(class remediate.Class, detail string, next report.Next) *report.HostInput {
		n := len(f.hosts)
		x := host(fmt.Sprintf("lap%02d", n+1), true, site(n))
		x.State.Class, x.State.Detail = class, detail
		if class != "" {
			x.State.Tries, x.State.FailedAt = 9, date(2026, 12, 10).Add(11*time.Hour)
		}
		x.Next = next
		f.hosts = append(f.hosts, x)
		return &f.hosts[n]
	}
	for range 4 {
		add(remediate.ClassUnreachable, "dial tcp 10.9.8.7:5985: i/o timeout", report.Next{Work: "look", At: Now.Add(10 * time.Minute), Person: true, Why: "unreachable since 2026-11-20"})
	}
	add(remediate.ClassAuth, "the host refused the login of svc-oust", report.Next{Work: "person", Person: true, Why: "auth, once"})
	add(remediate.ClassUntrusted, "its key has changed", report.Next{Work: "person", Person: true, Why: "untrusted, once"})
	add("", "", report.Next{Work: "look", At: Now, Why: "never looked at"})
	partly := add("", "", report.Next{Work: "look", At: Now, Why: "never looked at"})
	see(partly, date(2026, 12, 1).Add(time.Hour), remediate.StandUnseen)
}
