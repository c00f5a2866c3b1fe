package playbooks

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

//go:embed prelude
var preludes embed.FS

// preludeOrder is the order in which parts of the prelude stand in a script.
var preludeOrder = []string{"base", "package", "dpkg", "rpm", "service", "process", "file", "script"}

// RenderInput is what a script is rendered from.
type RenderInput struct {
	Facts *remediate.Facts
	// Findings are those that Match gave for the facts.
	Findings []remediate.Finding
	// BusyWait is how long a step waits for another installer's lock, rounded
	// up to whole seconds; at most an hour.
	BusyWait time.Duration
}

// Render makes the script that removes the findings: products in the order
// that After asks for, then what each leaves behind. What cannot be removed
// here is named in the script's head and left alone, and so is every product
// that must go after it. When nothing is left to do, the error is an
// [*UnsupportedError]. Any other error is a fault of the caller or of oust.
//
// The script keeps the contract of remediate/script.go. Two things that the
// second look at the host decides do not end it with ScriptFailed: residue
// that cannot be removed is recorded as failed and the script goes on; and an
// uninstaller that reports success and leaves its package is recorded as
// failed with the uninstaller's exit code, and the script stops there with
// ScriptDone.
func (l *Library) Render(in RenderInput) (remediate.Script, error) {
	script, _, err := l.RenderLeaving(in)
	return script, err
}

// RenderLeaving is Render that also says what the script leaves alone.
func (l *Library) RenderLeaving(in RenderInput) (remediate.Script, []Left, error) {
	removals, left, err := l.removals(in.Facts, in.Findings)
	if err != nil {
		return remediate.Script{}, nil, err
	}
	if len(removals) == 0 {
		if len(left) == 0 {
			return remediate.Script{}, nil, fmt.Errorf("render: there are no findings")
		}
		return remediate.Script{}, left, &UnsupportedError{Left: left}
	}
	script, err := renderScript(in, removals, left)
	return script, left, err
}

func renderScript(in RenderInput, removals []removal, left []Left) (remediate.Script, error) {
	if in.Facts.Platform == remediate.Windows {
		return renderCmd(removals, left, in.BusyWait)
	}
	r := &renderer{}
	r.head(removals, left)
	if err := r.prelude(removals, in.BusyWait); err != nil {
		return remediate.Script{}, fmt.Errorf("render: %w", err)
	}
	r.steps(removals)
	if r.err != nil {
		return remediate.Script{}, fmt.Errorf("render: %w", r.err)
	}
	text := r.b.String()
	return remediate.Script{Digest: remediate.Digest([]byte(text)), Shell: remediate.ShellSh, Text: text}, nil
}

// renderer writes one script.
type renderer struct {
	b   strings.Builder
	err error
}

func (r *renderer) line(format string, args ...any) { fmt.Fprintf(&r.b, format+"\n", args...) }

// quote quotes a word and keeps the first error.
func (r *renderer) quote(s string) string {
	q, err := QuoteSh(s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%q: %w", s, err)
	}
	return q
}

// head is what a person reads first.
func (r *renderer) head(removals []removal, left []Left) {
	r.line("#!/bin/sh")
	for _, l := range headLines(removals, left) {
		r.line("# %s", l)
	}
	r.line("")
}

// headLines say what a script does.
func headLines(removals []removal, left []Left) []string {
	out := []string{"oust: removal of"}
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, m := range removals {
		add("  %s (playbook %s %s)", m.playbook.Title, m.playbook.Name, m.playbook.digest)
	}
	for _, m := range removals {
		if first := oneLine(m.playbook.First); first != "" {
			add("Before %s is removed, a person must: %s", m.playbook.Name, first)
		}
	}
	add("Steps:")
	n := 0
	for _, m := range removals {
		for _, a := range m.acts {
			n++
			add("  %d. %s", n, a.what)
		}
	}
	if len(left) > 0 {
		add("Left alone:")
		for _, l := range left {
			add("  %s", l)
		}
	}
	return out
}

func (r *renderer) prelude(removals []removal, busyWait time.Duration) error {
	used := map[string]bool{"base": true}
	for _, m := range removals {
		for _, a := range m.acts {
			for _, u := range a.uses {
				used[u] = true
			}
		}
	}
	for _, name := range preludeOrder {
		if !used[name] {
			continue
		}
		text, err := preludes.ReadFile("prelude/" + name + ".sh")
		if err != nil {
			return err
		}
		r.b.Write(text)
		r.line("")
	}
	if used["package"] {
		r.line("busy_wait=%d", seconds(busyWait))
	}
	if slices.ContainsFunc(removals, func(m removal) bool { return m.playbook.Reboot == RebootMaybe }) {
		r.line("asked=no")
		r.line("[ ! -e /run/reboot-required ] || asked=yes")
	}
	r.line("")
	return nil
}

func seconds(d time.Duration) int {
	d = min(max(d, 0), time.Hour)
	return int((d + time.Second - 1) / time.Second)
}

func (r *renderer) steps(removals []removal) {
	n := 0
	for _, m := range removals {
		r.line("# %s", m.playbook.Title)
		r.line("changed=no")
		for _, a := range m.acts {
			n++
			begin := "begin"
			if a.soft {
				begin = "leftover"
			}
			r.line("%s %d %s %s", begin, n, r.quote(a.playbook), r.quote(a.what))
			words := make([]string, len(a.call))
			for i, w := range a.call {
				words[i] = r.quote(w)
			}
			r.line("%s", strings.Join(words, " "))
		}
		switch m.playbook.Reboot {
		case RebootNeeded:
			r.line(`[ "$changed" = no ] || reboot=yes`)
		case RebootMaybe:
			r.line(`[ "$asked" = yes ] || [ ! -e /run/reboot-required ] || reboot=yes`)
		}
		r.line("")
	}
	r.line(`[ "$reboot" = no ] || exit %d`, remediate.ScriptReboot)
	r.line("exit %d", remediate.ScriptDone)
}
