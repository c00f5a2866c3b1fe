package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// story tells in order what is recorded of a host.
func (w *workspace) story(ctx context.Context, host string) ([]chapter, error) {
	var out []chapter
	for look, err := range w.store.HostLooks(ctx, host) {
		if err != nil {
			return nil, fmt.Errorf("read the looks: %w", err)
		}
		out = append(out, lookChapter(look))
	}
	for at, err := range w.store.HostAttempts(ctx, host) {
		if err != nil {
			return nil, fmt.Errorf("read the attempts: %w", err)
		}
		out = append(out, attemptChapters(at)...)
	}
	slices.SortStableFunc(out, func(a, b chapter) int { return a.At.Compare(b.At) })
	return out, nil
}

func lookChapter(l remediate.Look) chapter {
	c := chapter{At: l.At, What: string(l.Kind)}
	switch {
	case l.Class != "":
		c.Text = fmt.Sprintf("%s: %s", l.Class, l.Detail)
	case len(l.Findings) == 0 && l.Complete:
		c.Text = "nothing found"
	case len(l.Findings) == 0:
		c.Text = "nothing found, but the look was not complete"
	default:
		var ev []string
		for _, f := range l.Findings {
			for _, e := range f.Evidence {
				ev = append(ev, e.Kind+" "+e.Value)
			}
		}
		c.Text = "found " + findingsText(l.Findings) + " (" + strings.Join(ev, ", ") + ")"
	}
	for _, note := range []string{l.Detail, l.Bare} {
		if l.Class == "" && note != "" {
			c.Text += "; note: " + note
		}
	}
	return c
}

func attemptChapters(at remediate.Attempt) []chapter {
	started := chapter{At: at.Started, What: "attempt", Text: at.ID}
	if at.Script != "" {
		started.Text += " runs script " + shortDigest(at.Script)
	}
	for _, j := range at.Journal {
		if at.Script != "" {
			started.Log = append(started.Log, fmt.Sprintf("%s %s", j.At.UTC().Format("2006-01-02 15:04:05 UTC"), j.Phase))
		}
	}
	if at.Phase != remediate.PhaseClosed && at.Phase != remediate.PhaseCleaned {
		started.Text += ", open in phase " + string(at.Phase)
		return []chapter{started}
	}
	ended := chapter{At: at.Updated, What: "outcome", Text: outcomeText(at.Outcome)}
	if at.Script == "" {
		return []chapter{ended}
	}
	if steps, err := remediate.ParseStepResults(at.Result); err == nil {
		for _, s := range steps {
			ended.Log = append(ended.Log, fmt.Sprintf("step %d %s, exit code %d: %s", s.Step, s.Verdict, s.Exit, s.What))
		}
	}
	ended.Log = append(ended.Log, lastLines(at.Log)...)
	return []chapter{started, ended}
}

// lastLines are the end of a log, where errors stand.
func lastLines(log []byte) []string {
	const most = 20
	text := strings.TrimRight(strings.ToValidUTF8(string(log), "?"), "\n")
	if text == "" {
		return nil
	}
	ls := strings.Split(text, "\n")
	if len(ls) > most {
		ls = append([]string{fmt.Sprintf("(%d lines before)", len(ls)-most)}, ls[len(ls)-most:]...)
	}
	return ls
}
