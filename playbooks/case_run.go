package playbooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// CaseResult is what a case gave.
type CaseResult struct {
	// Problems are what is not as the case says; none is well. Golden is not
	// compared here.
	Problems []string
	// Golden is what the case must go on to give: what was found, what is left to
	// a person, and the script without the functions that all scripts share.
	Golden string
	// Facts are those of the case.
	Facts *remediate.Facts
}

// caseBusyWait is how long the scripts of cases wait for another installer.
const caseBusyWait = time.Minute

// RunCase matches the whole library against the facts of a case and renders what
// was found. A finding that the case does not name is a problem. parse reads a
// look that was kept (probe.Reparse).
func (l *Library) RunCase(c *Case, parse func([]byte) (*remediate.Facts, error)) (CaseResult, error) {
	var r CaseResult
	if c.Look != "" {
		var err error
		if r.Facts, err = parse(c.look); err != nil {
			return r, fmt.Errorf("%s: read the look %s: %w", c.file, c.Look, err)
		}
	} else {
		r.Facts = c.Facts.facts(l.Questions(c.Facts.Platform))
	}
	findings := l.Match(r.Facts)
	r.Problems = append(r.Problems, c.unexpected(findings)...)
	if c.Facts != nil && len(r.Problems) > 0 {
		if unknown := c.Facts.unknownTo(l.Questions(c.Facts.Platform)); len(unknown) > 0 {
			r.Problems = append(r.Problems, "no playbook asks about "+strings.Join(unknown, ", ")+", which the facts name: a case has a path or key as its playbook has it")
		}
	}
	counted, noted := remediate.Part(findings)
	r.Golden = "found" + foundText(counted, noted)
	if len(counted) == 0 || c.Kind == CaseNearMiss {
		return r, nil
	}
	script, err := l.Render(RenderInput{Facts: r.Facts, Findings: counted, BusyWait: caseBusyWait})
	unsupported, ok := errors.AsType[*UnsupportedError](err)
	switch {
	case ok:
		r.Golden += "\nunsupported\n"
		for _, left := range unsupported.Left {
			r.Golden += "  " + left.String() + "\n"
		}
		if c.Unsupported == "" || !strings.Contains(unsupported.Error(), c.Unsupported) {
			r.Problems = append(r.Problems, fmt.Sprintf("nothing can be removed: %s; the case says %q under unsupported", unsupported, c.Unsupported))
		}
	case err != nil:
		return r, fmt.Errorf("%s: %w", c.file, err)
	default:
		if c.Unsupported != "" {
			r.Problems = append(r.Problems, "there is a script, and the case says that nothing can be removed: "+c.Unsupported)
		}
		r.Golden += "\nscript " + script.Shell + "\n" + withoutPrelude(script.Text)
	}
	return r, nil
}

// unexpected says what was found that the case does not name, and the other way
// round.
func (c *Case) unexpected(findings []remediate.Finding) (out []string) {
	own := CaseNothing
	for _, f := range findings {
		switch {
		case f.Playbook == c.playbook:
			own = string(f.Kind)
		case !slices.Contains(c.Also, f.Playbook):
			out = append(out, fmt.Sprintf("%s finds the %s, too (%s); name it under also, if it is really there", f.Playbook, f.Kind, firstOf(f.Evidence)))
		}
	}
	if own != c.Found {
		out = append(out, fmt.Sprintf("%s finds %s; the case says %s", c.playbook, own, c.Found))
	}
	for _, a := range c.Also {
		if !slices.ContainsFunc(findings, func(f remediate.Finding) bool { return f.Playbook == a }) {
			out = append(out, fmt.Sprintf("%s finds nothing, and the case names it under also", a))
		}
	}
	return out
}

// foundText is findings, those that only are recorded last.
func foundText(counted, noted []remediate.Finding) string {
	if len(counted)+len(noted) == 0 {
		return " nothing\n"
	}
	var b strings.Builder
	for _, f := range slices.Concat(counted, noted) {
		fmt.Fprintf(&b, "\n  %s: %s", f.Playbook, f.Kind)
		if f.Version != "" {
			b.WriteString(" " + f.Version)
		}
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "\n    %s %s", e.Kind, e.Value)
		}
	}
	return b.String() + "\n"
}

var digestPattern = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// withoutPrelude is a script with line ends of Unix, without the functions that
// all scripts share, and without the digests of playbooks, which change with
// every comment in them.
func withoutPrelude(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	cut := func(folder, ext, comment string, names []string) {
		for _, name := range names {
			part, err := preludes.ReadFile(folder + name + ext)
			if err == nil {
				text = strings.Replace(text, strings.TrimRight(string(part), "\n")+"\n", comment+" the functions of "+name+"\n", 1)
			}
		}
	}
	cut("prelude/", ".sh", "#", preludeOrder)
	cut("prelude/cmd/", ".cmd", "::", cmdPreludeOrder)
	return digestPattern.ReplaceAllString(text, "sha256:...")
}
