package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports"
)

// maxProbeOutput bounds what one look may print, in bytes. A host with 20,000
// packages prints about 1.5 MiB.
const maxProbeOutput = 4 << 20

// failure is why a host could not be looked at or worked on, in the words of
// the domain.
type failure struct {
	class  remediate.Class
	detail string
	err    error
}

func (f *failure) Error() string    { return f.detail }
func (f *failure) Unwrap() error    { return f.err }
func (f *failure) outcome() outcome { return remediate.Failed(f.class, f.detail) }

type outcome = remediate.Outcome

// failed translates an error of a transport, or any other, into a failure.
func failed(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	class := remediate.Class(transports.ClassOf(err))
	if !class.Known() {
		class = remediate.ClassInternal
	}
	return &failure{class: class, detail: oneLine(errorText(err)), err: err}
}

// errorText leaves out the host's name, which stands beside it anyway.
func errorText(err error) string {
	if e, ok := errors.AsType[*transports.Error](err); ok {
		s := fmt.Sprintf("%s: %v", e.Op, e.Err)
		if e.Advice != "" {
			s += "; " + e.Advice
		}
		return s
	}
	return err.Error()
}

// oneLine makes text fit for one line of a report.
func oneLine(s string) string {
	const most = 400
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// dial connects to a host and logs in.
func (e *Engine) dial(ctx context.Context, h remediate.Host) (transports.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	target, err := e.Target(h)
	if err != nil {
		return nil, err
	}
	return e.Dialer.Dial(ctx, target)
}

// sight is what one look at a host saw.
type sight struct {
	facts *remediate.Facts
	// findings are those that count, noted the others: they are only recorded.
	findings, noted []remediate.Finding
	// remembered is what an earlier look found and this one could not see.
	remembered []remediate.Finding
	raw        []byte
	// passing: what the look lacks may be answered another time, for all that is
	// known.
	passing bool
}

// probe looks at a host over a connection.
func (e *Engine) probe(ctx context.Context, conn transports.Conn, h remediate.Host) (*sight, error) {
	began, nonce := e.Monotonic(), remediate.NewNonce()
	facts, raw, err := e.readLook(ctx, conn, h, nonce, began)
	if err != nil {
		return nil, err
	}
	s := &sight{facts: facts, raw: slices.Clone(raw)}
	if err := e.askAgain(ctx, conn, h, s, began); err != nil {
		return nil, err
	}
	if s.facts.Platform == remediate.Windows {
		if err := e.probeWindows(ctx, conn, h, nonce, s); err != nil {
			return nil, err
		}
	}
	s.findings, s.noted = remediate.Part(e.Library.Match(s.facts))
	e.withoutSecrets(h, s)
	return s, nil
}

// readLook runs a look and reads what it prints. One whose end is missing is
// repeated once, where its time allows.
func (e *Engine) readLook(ctx context.Context, conn transports.Conn, h remediate.Host, nonce remediate.Nonce, began time.Time) (*remediate.Facts, []byte, error) {
	command, err := e.lookCommand(h, nonce)
	if err != nil {
		return nil, nil, err
	}
	for repeated := false; ; repeated = true {
		res, err := conn.Run(ctx, command)
		if err != nil {
			return nil, nil, err
		}
		facts, raw, err := probe.Parse(res.Stdout, nonce)
		if err == nil {
			return facts, raw, nil
		}
		left, ok := e.timeAgain(began)
		if repeated || !ok || res.Truncated || !errors.Is(err, remediate.ErrCutOff) {
			return nil, nil, probeFailure(h, res, err)
		}
		if err := rest(ctx, againPause); err != nil {
			return nil, nil, err
		}
		e.Logger.Debug("the look was cut off, and is repeated", logHost, h.Name)
		command.Timeout = left
	}
}

// keptSight is the last look at a host that the store has, or nil. After a
// re-join it is the one before the act: what comes after is not recorded until
// the attempt is closed.
func (e *Engine) keptSight(ctx context.Context, h remediate.Host) (*sight, error) {
	state, err := e.Store.HostState(ctx, h.Name)
	if err != nil || state.RawDigest == "" {
		return nil, err
	}
	raw, err := e.Store.Raw(ctx, state.RawDigest)
	if err != nil {
		return nil, fmt.Errorf("read the kept facts: %w", err)
	}
	facts, err := e.readFacts(raw)
	if err != nil {
		return nil, fmt.Errorf("read the kept facts: %w", err)
	}
	return &sight{facts: facts}, nil
}

// lookCommand is the look for a host's platform.
func (e *Engine) lookCommand(h remediate.Host, nonce remediate.Nonce) (transports.Command, error) {
	q, ok := e.questions[h.Platform]
	if !ok {
		return transports.Command{}, &failure{class: remediate.ClassUnsupported,
			detail: fmt.Sprintf("no look is known for platform %q", h.Platform)}
	}
	shell := shellOf(h.Platform)
	script, err := shell.look(q, nonce)
	return transports.Command{
		Line: shell.line, Stdin: script, Elevate: shell.elevate,
		Timeout: e.Campaign.Timing.Probe, MaxOutput: maxProbeOutput,
	}, err
}

// probeFailure says why the look's output could not be read.
func probeFailure(h remediate.Host, res transports.Result, err error) error {
	detail := fmt.Sprintf("look: %v", err)
	if said := oneLine(string(res.Stderr)); said != "" {
		detail += "; the host said: " + said
	}
	switch {
	case res.Truncated:
		detail = fmt.Sprintf("look: the host printed more than %d MiB", maxProbeOutput>>20)
	case errors.Is(err, remediate.ErrNoFrame) && h.Platform == remediate.Windows:
		detail += "; check that this is a Windows host, and that cmd works for this user"
	case errors.Is(err, remediate.ErrNoFrame):
		detail += "; check that /bin/sh works for this user"
	}
	return &failure{class: remediate.ClassUnsupported, detail: detail, err: err}
}

// newLook makes the record of a look that succeeded.
func (e *Engine) newLook(h remediate.Host, kind remediate.LookKind, run string, s *sight) remediate.Look {
	return remediate.Look{
		Host: h.Name, Kind: kind, Run: run, At: e.Now().UTC(),
		Raw: s.raw, RawDigest: remediate.Digest(s.raw), Transport: h.Transport, Address: e.address(h), Probe: e.probes[h.Platform],
		Platform: s.facts.Platform, OS: s.facts.OS.Name, BootID: s.facts.BootID,
		Findings: s.known(), Complete: len(s.facts.Incomplete) == 0 && !e.asksNothing(), Detail: e.lookMask().Replace(s.warnings()),
	}
}

// failedLook makes the record of a look that failed.
func (e *Engine) failedLook(h remediate.Host, kind remediate.LookKind, run string, f *failure) remediate.Look {
	return remediate.Look{
		Host: h.Name, Kind: kind, Run: run, At: e.Now().UTC(), Class: f.class, Detail: e.lookMask().Replace(f.detail),
		Transport: h.Transport, Address: e.address(h),
	}
}

// incomplete says what a look could not answer, or nil.
func (s *sight) incomplete() *failure {
	if len(s.facts.Incomplete) == 0 || len(s.findings) > 0 {
		return nil
	}
	class := remediate.ClassUnsupported
	switch {
	case !s.facts.Privilege.Root:
		class = remediate.ClassPrivilege
	case s.passing:
		class = remediate.ClassTimeout
	}
	return &failure{class: class, detail: oneLine("found nothing, but the look was not complete: " +
		strings.Join(s.facts.Incomplete, "; "))}
}

// whole reports whether the look says all that it was asked, or has found
// something.
func (s *sight) whole() bool { return s.incomplete() == nil }

// since is the time that work on a host has taken.
func (e *Engine) since(start time.Time) time.Duration { return e.Now().Sub(start) }
