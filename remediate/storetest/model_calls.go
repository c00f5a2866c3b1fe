package storetest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"oust/remediate"
)

func (p *pair) close(r *rapid.T) {
	a := drawAttempt(r)
	var l *remediate.Look
	if rapid.Bool().Draw(r, "with look") {
		drawn := drawLook(r)
		drawn.Host = a.Host
		l = &drawn
	}
	p.both(r, func(s remediate.Store) error { return s.CloseAttempt(p.ctx, a, l) })
}

func (p *pair) run(r *rapid.T) {
	run := remediate.Run{
		ID: drawOf(r, "run", "run0", "run1", "run2"), Kind: drawOf(r, "kind", "scan", "apply"), Plan: drawOf(r, "plan", "", "plan1"),
		Started: drawTime(r), Ended: drawTime(r), Exit: rapid.IntRange(0, 2).Draw(r, "exit"),
		By: drawOf(r, "by", "", "kim"), Lowered: drawOf(r, "lowered", "", "ignore-windows"),
	}
	if rapid.Bool().Draw(r, "begin") {
		p.both(r, func(s remediate.Store) error { return s.BeginRun(p.ctx, run) })
		return
	}
	if rapid.Bool().Draw(r, "lower") {
		p.both(r, func(s remediate.Store) error { return s.LowerRun(p.ctx, run.ID, run.Lowered) })
		return
	}
	p.both(r, func(s remediate.Store) error { return s.EndRun(p.ctx, run) })
}

func (p *pair) approve(r *rapid.T) {
	a := remediate.Approval{Plan: drawOf(r, "plan", "plan1", "plan2", "plan3"), At: drawTime(r), Scripts: []string{drawOf(r, "script", "s1", "s2", "")}}
	for _, host := range rapid.SliceOfN(rapid.SampledFrom(hosts), 0, 3).Draw(r, "hosts") {
		a.Hosts = append(a.Hosts, remediate.Planned{Host: host, Wave: rapid.IntRange(0, 9).Draw(r, "wave")})
	}
	p.both(r, func(s remediate.Store) error { return s.Approve(p.ctx, a) })
}

func (p *pair) hold(r *rapid.T) {
	when, text := drawTime(r), drawOf(r, "text", "", "failed")
	if rapid.Bool().Draw(r, "release") {
		p.both(r, func(s remediate.Store) error { return s.ReleaseHold(p.ctx, when, text) })
		return
	}
	h := remediate.Hold{At: when, Reason: text, Run: "run1", Plan: "plan1", Wave: rapid.IntRange(0, 3).Draw(r, "wave")}
	p.both(r, func(s remediate.Store) error { return s.SaveHold(p.ctx, h) })
}

func (p *pair) exemption(r *rapid.T) {
	e := remediate.Exemption{Host: drawOf(r, "host", append(hosts, "")...), Reason: "why", Approver: "kim", At: drawTime(r), Until: drawTime(r)}
	if rapid.Bool().Draw(r, "end") {
		p.both(r, func(s remediate.Store) error { return s.EndExemption(p.ctx, e.Host, e.At) })
		return
	}
	p.both(r, func(s remediate.Store) error { return s.SaveExemption(p.ctx, e) })
}

func (p *pair) reboot(r *rapid.T) {
	b := remediate.Reboot{
		Host: drawOf(r, "host", hosts...), BootID: drawOf(r, "boot", "boot1", "boot2", "boot3", ""), Attempt: drawOf(r, "attempt", "", "a1"), At: drawTime(r),
	}
	if rapid.Bool().Draw(r, "end") {
		p.both(r, func(s remediate.Store) error { return s.EndReboot(p.ctx, b.Host, b.BootID, b.At) })
		return
	}
	budget := rapid.IntRange(-1, 3).Draw(r, "budget")
	p.both(r, func(s remediate.Store) error { return s.BeginReboot(p.ctx, b, budget) })
}

func (p *pair) submit(r *rapid.T) {
	s := remediate.Submission{Report: drawOf(r, "report", append(remediate.ReportKinds(), "")...), At: drawTime(r), To: drawOf(r, "to", "CISA", "PSPF")}
	p.both(r, func(store remediate.Store) error { return store.SaveSubmission(p.ctx, s) })
}

var hosts = []string{"web1", "web2", "web10"}

func drawOf[T any](r *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(r, label) }

func drawTime(r *rapid.T) time.Time { return at(rapid.IntRange(0, 9).Draw(r, "minute")) }

// fewClasses are few enough for chance to draw one twice in a row.
func fewClasses() []remediate.Class {
	return []remediate.Class{remediate.ClassBusy, remediate.ClassUnreachable, remediate.ClassUninstaller}
}

func drawLook(r *rapid.T) remediate.Look {
	l := look(drawOf(r, "host", hosts...),
		drawOf(r, "kind", remediate.LookScan, remediate.LookVerify, remediate.LookPrecheck), drawTime(r))
	if rapid.Bool().Draw(r, "found") {
		l.Findings = []remediate.Finding{kesl(rapid.StringN(0, 4, -1).Draw(r, "version"))}
	}
	l.Complete = rapid.Bool().Draw(r, "complete")
	l.BootID, l.Bare = drawOf(r, "boot", "boot1", "boot2"), drawOf(r, "bare", "", "no Defender", "nothing")
	l.Raw = []byte(drawOf(r, "raw", "one", "two", ""))
	if l.RawDigest = ""; len(l.Raw) == 0 {
		l.Raw = nil
	}
	if rapid.IntRange(0, 3).Draw(r, "fails") == 0 {
		l = failedLook(l.Host, l.At, drawOf(r, "class", append(fewClasses(), "odd")...), drawOf(r, "detail", "", "why"))
	}
	return l
}

func drawAttempt(r *rapid.T) remediate.Attempt {
	n := rapid.IntRange(0, 4).Draw(r, "attempt")
	a := intent(fmt.Sprint("a", n), hosts[n%len(hosts)], at(n/2))
	a.Playbooks = [][]string{{"a"}, {"b", "a", "a"}, nil, {"b"}, {"a"}}[n]
	if rapid.IntRange(0, 9).Draw(r, "moved") == 0 {
		a.Host = "web2"
	}
	a.Phase = drawOf(r, "phase", append(phases, "")...)
	a.Updated, a.Exit = drawTime(r), rapid.IntRange(0, 60).Draw(r, "exit")
	a.Playbooks = drawOf(r, "playbooks", a.Playbooks, a.Playbooks, a.Playbooks, nil)
	a.Result = drawOf(r, "result", "", "1 ok\n")
	a.Log = drawOf(r, "log", nil, []byte("log\n"), []byte("another log\n"))
	a.Outcome = remediate.Outcome{
		Kind:  drawOf(r, "outcome", remediate.Outcomes()...),
		Class: drawOf(r, "outcome class", "", "", remediate.ClassBusy, remediate.ClassUnreachable, remediate.ClassUninstaller),
	}
	if a.Outcome.Kind == remediate.OutcomeFailed && rapid.Bool().Draw(r, "sane") {
		a.Outcome.Class = drawOf(r, "failed class", fewClasses()...)
	}
	return a
}
