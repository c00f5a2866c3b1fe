package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// checkLook refuses what no store takes and gives the look the form in which
// it is kept.
func (m *Memory) checkLook(l remediate.Look) (remediate.Look, error) {
	if err := errors.Join(checkName("host", l.Host), checkShort(l.Run, string(l.Platform), l.Transport, l.Probe), checkAddress(l.Address)); err != nil {
		return l, err
	}
	switch l.Kind {
	case remediate.LookScan, remediate.LookPrecheck, remediate.LookVerify:
	default:
		return l, fmt.Errorf("%q is no kind of look", l.Kind)
	}
	if l.Class != "" && !l.Class.Known() {
		return l, fmt.Errorf("%q is no class", l.Class)
	}
	if len(l.Raw) > remediate.MaxRaw {
		return l, fmt.Errorf("the raw text has %d bytes, more than %d", len(l.Raw), remediate.MaxRaw)
	}
	if len(l.Raw) > 0 {
		digest := remediate.Digest(l.Raw)
		if l.RawDigest != "" && l.RawDigest != digest {
			return l, errors.New("the digest is not that of the raw text")
		}
		l.RawDigest = digest
	}
	if hex, ok := strings.CutPrefix(l.RawDigest, "sha256:"); l.RawDigest != "" && (!ok || len(hex) != 64) {
		return l, fmt.Errorf("%q is no digest", l.RawDigest)
	}
	text, err := json.Marshal(l.Findings)
	if err != nil {
		return l, err
	}
	if len(text) > remediate.MaxFindings {
		return l, fmt.Errorf("the findings have %d bytes, more than %d", len(text), remediate.MaxFindings)
	}
	l.Raw = slices.Clone(l.Raw)
	l.At = m.stamp(l.At)
	l.Findings = cloneFindings(remediate.LegibleFindings(l.Findings))
	l.OS, l.BootID, l.Detail = remediate.ClipText(l.OS), remediate.ClipText(l.BootID), remediate.ClipText(l.Detail)
	l.Bare = remediate.ClipText(l.Bare)
	return l, nil
}

// holdsRaw refuses a look that comes without its text and names one that is
// not kept.
func (m *Memory) holdsRaw(l remediate.Look) error {
	if _, kept := m.raws[l.RawDigest]; kept || l.RawDigest == "" || len(l.Raw) > 0 {
		return nil
	}
	return fmt.Errorf("the raw text %s is neither given nor kept", l.RawDigest)
}

// addLook records a look that checkLook has let through.
func (m *Memory) addLook(l remediate.Look) {
	if len(l.Raw) > 0 {
		m.raws[l.RawDigest] = l.Raw
	}
	l.Raw = nil
	m.looks = append(m.looks, l)
	m.host(l.Host)
	m.ledger.append(l.Record())
}

// moveState moves the state of a host by a look.
func (m *Memory) moveState(l remediate.Look) {
	h := m.host(l.Host)
	s := &h.state
	if l.Class != "" {
		h.show(h.again(l.Class, l.Detail, l.At))
		return
	}
	found := remediate.Counts(l.Findings)
	s.Platform, s.OS, s.BootID, s.RawDigest, s.SeenAt = l.Platform, l.OS, l.BootID, l.RawDigest, l.At
	s.Transport, s.Probe, s.Run = l.Transport, l.Probe, l.Run
	if found && s.FoundAt.IsZero() {
		s.FoundAt = l.At
	}
	if found || l.Complete {
		s.Findings = l.Findings
	}
	if before := s.Standing; l.Kind != remediate.LookPrecheck {
		if h.stand(l, found); s.Standing != before {
			m.moves = append(m.moves, remediate.Move{Host: l.Host, At: l.At, From: before, To: s.Standing})
		}
	}
	switch h.owed.class {
	case remediate.ClassUnreachable, remediate.ClassAuth, remediate.ClassUntrusted:
		h.owed = failure{}
	}
	h.show(h.owed)
}

// stand moves the standing, and what protects the host, by a scan or verify.
func (h *memoryHost) stand(l remediate.Look, found bool) {
	s := &h.state
	if s.Bare = l.Bare; l.Bare == "" {
		s.BareSince = time.Time{}
	} else if s.BareSince.IsZero() {
		s.BareSince = l.At
	}
	if !found && !l.Complete {
		return
	}
	before := s.Standing
	s.Standing = before.Next(found)
	switch {
	case s.Standing != remediate.StandRemoved:
		s.RemovedAt = time.Time{}
	case before != remediate.StandRemoved:
		s.RemovedAt = l.At
	}
	if !found {
		h.owed = failure{}
	}
}

// again is the failure of a host that has just failed with class.
func (h *memoryHost) again(class remediate.Class, detail string, when time.Time) failure {
	f := failure{class: class, detail: detail, tries: 1, at: when}
	if h.state.Class == class {
		f.tries += h.state.Tries
	}
	return f
}

// show puts a failure, or none, into the state.
func (h *memoryHost) show(f failure) {
	h.state.Class, h.state.Detail, h.state.Tries, h.state.FailedAt = f.class, f.detail, f.tries, f.at
}

// host returns the record of a host, a new one if there is none.
func (m *Memory) host(name string) *memoryHost {
	h, ok := m.hosts[name]
	if !ok {
		h = &memoryHost{state: remediate.HostState{Host: name, Standing: remediate.StandUnseen}}
		m.hosts[name] = h
	}
	return h
}

func cloneFindings(in []remediate.Finding) []remediate.Finding {
	if len(in) == 0 {
		return nil
	}
	out := slices.Clone(in)
	for i := range out {
		out[i].Evidence = slices.Clone(out[i].Evidence)
	}
	return out
}
