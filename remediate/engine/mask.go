package engine

import (
	"strings"

	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
	"oust/transports"
)

const masked = "[redacted]"

// mask takes secrets out of text that a host has printed: an uninstaller may
// repeat its password in its output, and a host may have it in its registry.
// Each secret is looked for as it is and in the forms of maskForms. What stands
// in another form, such as a checksum or a code page other than UTF-8, is not
// recognised.
type mask struct {
	all   *strings.Replacer
	forms []string // longest first
}

func makeMask(forms []string) *mask {
	m := &mask{forms: sortForms(forms)}
	pairs := make([]string, 0, 2*len(m.forms))
	for _, form := range m.forms {
		pairs = append(pairs, form, masked)
	}
	m.all = strings.NewReplacer(pairs...)
	return m
}

// Replace puts "[redacted]" in the place of secrets, and of a part of one that
// stands at an end of the text, which may have been cut there.
func (m *mask) Replace(text string) string {
	if len(m.forms) == 0 {
		return text
	}
	return m.cutEnds(m.all.Replace(text))
}

// log is Replace for the log of a job, of which a part in the middle may be
// left out.
func (m *mask) log(text []byte) []byte {
	parts := strings.Split(string(text), job.CutNote)
	for i, part := range parts {
		const ends = "\r\n"
		inner := strings.Trim(part, ends)
		if inner == "" {
			continue
		}
		before, after, _ := strings.Cut(part, inner)
		parts[i] = before + m.Replace(inner) + after
	}
	return []byte(strings.Join(parts, job.CutNote))
}

// minPart is how long a part of a secret must be to be recognised, in bytes.
const minPart = 6

func (m *mask) cutEnds(text string) string {
	const ellipsis = "..." // as oneLine ends what it has cut
	body, cut := strings.CutSuffix(text, ellipsis)
	head, tail := 0, 0
	for _, form := range m.forms {
		for n := len(form) - 1; n >= minPart; n-- {
			if n > head && strings.HasPrefix(body, form[len(form)-n:]) {
				head = n
			}
			if n > tail && strings.HasSuffix(body, form[:n]) {
				tail = n
			}
		}
	}
	if tail > 0 {
		body = body[:len(body)-tail] + masked
	}
	if head > 0 && head+tail <= len(text) {
		body = masked + body[head:]
	}
	if cut {
		body += ellipsis
	}
	return body
}

// newMask makes the mask for the secrets of playbooks, those of given and as
// far as they can be had the others, and for Config.Hidden.
func (e *Engine) newMask(given map[string]transports.Secret) (*mask, error) {
	var forms []string
	for _, p := range e.Library.List() {
		for _, s := range p.Secrets {
			value, there := given[s.Name]
			if !there {
				value, _ = e.Secret(s.Name) // who needs it, says that it is missing
			}
			encoded, err := s.Encode([]byte(value.Reveal()))
			if err != nil && there {
				return nil, err
			}
			forms = append(forms, string(encoded), strings.ToUpper(string(encoded)))
			forms = append(forms, maskForms(value.Reveal())...)
		}
	}
	for _, s := range e.Hidden {
		if plain := s.Reveal(); len(plain) >= minHidden {
			forms = append(forms, maskForms(plain)...)
		}
	}
	return makeMask(forms), nil
}

// minHidden is how long a login's secret must be to be recognised: a shorter
// one stands by chance in much that hosts print.
const minHidden = 4

// lookMask is the mask for looks. It is made at the first one.
func (e *Engine) lookMask() *mask {
	e.masking.Do(func() {
		m, err := e.newMask(nil)
		if err != nil { // only given secrets give errors
			m = makeMask(nil)
		}
		e.looks = m
	})
	return e.looks
}

// withoutSecrets takes secrets out of what a look is about to keep: the text,
// and the facts and findings that come of it.
func (e *Engine) withoutSecrets(h remediate.Host, s *sight) {
	facts, raw, ok := e.maskFacts(s.facts, s.raw)
	if !ok {
		e.Logger.Warn("a secret is also a part of what products are recognised by, and stays in the look; give it another value", logHost, h.Name)
		return
	}
	if facts == s.facts {
		return
	}
	mask := e.lookMask()
	facts.Incomplete = make([]string, 0, len(s.facts.Incomplete))
	for _, text := range s.facts.Incomplete {
		facts.Incomplete = append(facts.Incomplete, mask.Replace(text))
	}
	s.facts, s.raw = facts, raw
	s.findings, s.noted = remediate.Part(e.Library.Match(facts))
}

// readFacts reads facts that were kept, without secrets that the look which
// kept them did not know.
func (e *Engine) readFacts(raw []byte) (*remediate.Facts, error) {
	facts, err := probe.Reparse(raw)
	if err != nil {
		return nil, err
	}
	facts, _, _ = e.maskFacts(facts, raw)
	return facts, nil
}

// maskFacts gives a look's facts and text without secrets. It gives them as
// they are, and false, where other products would be recognised then: a
// password that is a product's name must not make a host clean.
func (e *Engine) maskFacts(facts *remediate.Facts, raw []byte) (*remediate.Facts, []byte, bool) {
	m := e.lookMask()
	if len(m.forms) == 0 {
		return facts, raw, true
	}
	whole := string(raw)
	if facts.Windows != nil {
		whole = string(probe.Unfold(raw))
	}
	text := m.all.Replace(whole)
	if text == whole {
		return facts, raw, true
	}
	without, err := probe.Reparse([]byte(text))
	if err != nil || without.Platform != facts.Platform || without.BootID != facts.BootID ||
		!sameProducts(e.Library.Match(facts), e.Library.Match(without)) {
		return facts, raw, false
	}
	return without, []byte(text), true
}

// sameProducts reports whether the same was found, whatever proves it.
func sameProducts(a, b []remediate.Finding) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Playbook != b[i].Playbook || a[i].Kind != b[i].Kind || a[i].Version != b[i].Version {
			return false
		}
	}
	return true
}
