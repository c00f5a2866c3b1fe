package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/job"
	"oust/transports"
)

// minFreeKiB is what the job's folder and a package manager need at least.
const minFreeKiB = 10 << 10

// begin looks at the host, compares with the plan, and launches.
func (t *hostTask) begin(ctx context.Context) (state, time.Duration) {
	if reason := t.moved(); reason != "" {
		return t.close(ctx, remediate.Outcome{Kind: remediate.OutcomeStale, Detail: reason}, nil)
	}
	if o, wait := t.notNow(); wait {
		return t.close(ctx, o, nil)
	}
	t.say("look")
	conn, err := t.a.e.dial(ctx, t.host)
	if err != nil {
		return t.fail(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	s, err := t.a.e.probe(ctx, conn, t.host)
	if err != nil {
		return t.fail(ctx, err)
	}
	t.before = s
	if o, look, over, err := t.stillWaits(ctx, s); err != nil {
		t.a.fail(err)
		return nil, 0
	} else if over {
		return t.close(ctx, o, look)
	}
	if o, look, over := t.judgeBefore(s); over {
		return t.close(ctx, o, look)
	}
	t.warnings = append(t.warnings, warnings(s.facts)...)
	if o, wait := t.notNow(); wait { // the look took its time
		return t.close(ctx, o, nil)
	}
	if t.a.dry {
		return t.close(ctx, remediate.Outcome{Kind: remediate.OutcomeReady, Detail: t.wouldRemove()}, nil)
	}
	return t.launch(ctx, conn)
}

// wouldRemove says what the planned script removes, and what it leaves alone.
func (t *hostTask) wouldRemove() string {
	s := "would remove " + products(t.planned.Goes())
	var stays []remediate.Finding
	for _, x := range t.planned.Stays {
		stays = append(stays, x.Finding)
	}
	if len(stays) > 0 {
		s += "; would leave alone " + products(stays)
	}
	return s
}

// notNow says why the host is not changed now although it was planned: it is
// exempt, or its window is not open for as long as the removal needs.
func (t *hostTask) notNow() (o remediate.Outcome, wait bool) {
	a := t.a
	if x, ok := a.exempt[t.planned.Name]; ok && x.Holds(a.e.Now()) {
		return remediate.Outcome{Kind: remediate.OutcomeExempt, Detail: oneLine(fmt.Sprintf(
			"exempt until %s by %s: %s", x.Until.UTC().Format("2006-01-02 15:04 UTC"), x.Approver, x.Reason))}, true
	}
	if a.dry || a.gate == nil {
		return o, false
	}
	if a.serves && a.halted() {
		return remediate.Outcome{Kind: remediate.OutcomeDeferred, Detail: "the campaign is held"}, true
	}
	opening, err := a.gate.At(t.host, a.e.Now(), a.gate.Need(t.playbooks()))
	switch {
	case err != nil:
		return remediate.Failed(remediate.ClassInternal, err.Error()), true
	case opening.Open:
		return o, false
	}
	t.opens = opening.Next
	return remediate.Outcome{Kind: remediate.OutcomeDeferred, Detail: oneLine(opening.Why)}, true
}

// moved says how the inventory's entry differs from the plan's.
func (t *hostTask) moved() string {
	h, known := t.a.hosts[t.planned.Name]
	switch {
	case !known:
		return "the host is not in the inventory any more"
	case h.DialAddress() != t.planned.Address || h.Port != t.planned.Port:
		return fmt.Sprintf("the inventory now gives another address: %s port %d; planned was %s port %d (0 is the default port)",
			h.DialAddress(), h.Port, t.planned.Address, t.planned.Port)
	}
	return ""
}

// stillWaits reports a host that an earlier attempt has left waiting for a
// restart, and that has not been restarted since: it is neither clean before
// that nor stale, unless it has again what was planned for.
func (t *hostTask) stillWaits(ctx context.Context, s *sight) (o remediate.Outcome, look *remediate.Look, over bool, err error) {
	e := t.a.e
	if !s.whole() || remediate.SameFindings(s.findings, t.planned.Findings) {
		return o, nil, false, nil
	}
	at, err := e.waitingAttempt(ctx, t.host.Name, s)
	if at == nil || err != nil || len(s.findings) > 0 && at.BootID == "" {
		return o, nil, false, err
	}
	t.attempt.BootID = at.BootID // the boot in which it waits
	l := e.newLook(t.host, remediate.LookVerify, t.a.run.ID, s)
	l.Bare, l.Complete = e.bare(s, t.playbooks()), false
	return at.Outcome, &l, true, nil
}

// judgeBefore decides whether the look before the act ends the matter.
func (t *hostTask) judgeBefore(s *sight) (o remediate.Outcome, look *remediate.Look, over bool) {
	e := t.a.e
	if f := s.incomplete(); f != nil {
		return f.outcome(), nil, true
	}
	// What is recorded here is a whole look in a session of its own, so it
	// moves the standing, and a new plan can rest on it.
	record := func() *remediate.Look {
		l := e.newLook(t.host, remediate.LookVerify, t.a.run.ID, s)
		l.Bare = e.bare(s, t.playbooks())
		return &l
	}
	if len(s.findings) == 0 {
		return remediate.Outcome{Kind: remediate.OutcomeNothingToDo}, record(), true
	}
	if !remediate.SameFindings(s.findings, t.planned.Findings) {
		return remediate.Outcome{Kind: remediate.OutcomeStale, Detail: oneLine(drift(t.planned.Findings, s.findings))}, record(), true
	}
	script, err := e.render(s.facts, s.findings)
	if err != nil || script.Digest != t.planned.Script {
		return remediate.Outcome{Kind: remediate.OutcomeStale, Detail: "the host now needs another script than the planned one; plan again"}, record(), true
	}
	if !s.facts.Privilege.Root {
		return remediate.Failed(remediate.ClassPrivilege, notRoot(s.facts)), nil, true
	}
	for _, f := range s.facts.FreeSpace {
		if f.KiB < minFreeKiB && (f.Path == "/var" || f.Path == "/var/lib" || f.Path == "/" || s.facts.Platform == remediate.Windows) {
			return remediate.Failed(remediate.ClassUnsupported, fmt.Sprintf(
				"%d KiB free at %s; the removal needs %d KiB: make room first", f.KiB, f.Path, minFreeKiB)), nil, true
		}
	}
	return remediate.Outcome{}, nil, false
}

// notRoot says what a person has to change.
func notRoot(f *remediate.Facts) string {
	if f.Platform == remediate.Windows {
		return fmt.Sprintf("logged in as %s, without an administrator's rights; use a domain account that is an administrator of the host, or for "+
			"another local account than Administrator set LocalAccountTokenFilterPolicy=1 there", f.Privilege.User)
	}
	return fmt.Sprintf("logged in as %s, not root; set become: sudo on the credential, or use root", f.Privilege.User)
}

// warnings are what a person should know before a change.
func warnings(f *remediate.Facts) []string {
	var out []string
	for _, r := range f.RebootPending {
		out = append(out, "a reboot was pending before: "+oneLine(r))
	}
	for _, l := range f.Locks {
		out = append(out, fmt.Sprintf("%s is busy: %s is held by process %d", l.Manager, l.Path, l.PID))
	}
	return out
}

// products names what was found, for a person.
func products(fs []remediate.Finding) string {
	names := make([]string, 0, len(fs))
	for _, f := range fs {
		name := f.Playbook
		if f.Version != "" {
			name += " " + f.Version
		}
		if f.Kind != remediate.FindProduct {
			name += " (" + string(f.Kind) + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// drift says how findings differ from the plan's.
func drift(planned, now []remediate.Finding) string {
	was, is := products(planned), products(now)
	if was != is {
		return fmt.Sprintf("planned for %s; the host now has %s", was, is)
	}
	return fmt.Sprintf("the evidence for %s has changed since the plan; plan again", was)
}

// launch writes the intent and starts the job. It stays for a quick job's end.
func (t *hostTask) launch(ctx context.Context, conn transports.Conn) (state, time.Duration) {
	e := t.a.e
	text, ok := t.a.plan.ScriptText(t.planned.Script)
	if !ok {
		return t.fail(ctx, fmt.Errorf("script %s is not in the plan", t.planned.Script))
	}
	secrets, err := t.secrets()
	if err != nil {
		return t.fail(ctx, err)
	}
	if err := t.intend(ctx); err != nil {
		t.a.fail(err)
		return nil, 0
	}
	nonce := remediate.NewNonce()
	shell := shellOf(t.host.Platform)
	stdin, err := shell.scripts.Launch(job.Spec{
		ID: t.attempt.ID, Campaign: t.a.plan.CampaignID, Controller: e.Controller,
		Script: []byte(text), Secrets: secrets, Wait: e.Campaign.Timing.LaunchWait,
	}, nonce)
	if err != nil {
		return t.fail(ctx, err)
	}
	if ctx.Err() != nil {
		return nil, 0
	}
	t.launches++
	t.say("launch")
	res, err := conn.Run(ctx, transports.Command{
		Line: shell.line, Stdin: stdin, Elevate: shell.elevate,
		Timeout: shell.launchTime(e.Campaign.Timing, t.launches), MaxOutput: job.MaxReport,
	})
	report, perr := job.ParseReport(res.Stdout, nonce)
	return t.launched(ctx, report, res, err, perr)
}

// intend makes the attempt and writes it before the act.
func (t *hostTask) intend(ctx context.Context) error {
	e := t.a.e
	t.deadline = e.Monotonic().Add(e.Campaign.Timing.Job)
	if t.began {
		return nil
	}
	now := e.Now().UTC()
	t.attempt = remediate.Attempt{
		ID: remediate.NewID(now), Run: t.a.run.ID, Host: t.host.Name, Plan: t.a.plan.ID,
		Script: t.planned.Script, Phase: remediate.PhaseIntended, Address: e.address(t.host), BootID: t.before.facts.BootID,
		Playbooks: PlaybookNames(t.planned.Findings),
		Started:   now, Updated: now,
	}
	if err := e.record(ctx, func(ctx context.Context) error { return e.Store.BeginAttempt(ctx, t.attempt) }); err != nil {
		return err
	}
	t.began = true
	return nil
}

// secrets reveals the values that the host's playbooks ask for, encoded as
// they want them. They travel on the launch's standard input only.
func (t *hostTask) secrets() (map[string]string, error) {
	out := map[string]string{}
	for _, f := range t.planned.Findings {
		p, ok := t.a.e.Library.Get(f.Playbook)
		if !ok {
			continue
		}
		for _, s := range p.Secrets {
			secret, have := t.a.secrets[s.Name]
			switch {
			case !have && s.Optional:
				continue
			case !have:
				return nil, &failure{class: remediate.ClassUnsupported, detail: fmt.Sprintf(
					"playbook %s asks for the secret %s: %v", p.Name, s.Name, ErrNoSecret), err: ErrNoSecret}
			}
			value, err := s.Encode([]byte(secret.Reveal()))
			if err != nil {
				return nil, err
			}
			out[s.Name] = string(value)
		}
	}
	return out, nil
}

// launched decides what the launch's answer means.
func (t *hostTask) launched(ctx context.Context, r job.Report, res transports.Result, err, perr error) (state, time.Duration) {
	switch {
	case r.State == job.StateAccepted:
		if err := t.save(ctx, remediate.PhaseLaunched); err != nil {
			t.a.fail(err)
			return nil, 0
		}
		return t.join, t.a.e.Campaign.Timing.Poll
	case r.State != "" && perr == nil:
		return t.reported(ctx, r)
	case err == nil:
		// The script ended and said nothing that can be read: it did not run.
		return t.fail(ctx, &failure{class: remediate.ClassUnsupported, err: perr, detail: oneLine(fmt.Sprintf(
			"launch: %v (exit code %d); the host said: %s", perr, res.Exit, t.a.mask.Replace(string(res.Stderr))))})
	case transports.ClassOf(err) == transports.Privilege:
		return t.fail(ctx, err)
	default:
		// It may or may not have started: find out before anything else.
		t.launchErr = err
		return t.lost(ctx, err, t.join)
	}
}
