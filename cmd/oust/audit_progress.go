package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// terminal is the terminal that progress is drawn on, nil where there is none.
func (a *app) terminal() *os.File {
	f, ok := a.Err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return f
}

// auditLine shows on one line of a terminal how far an audit is; without a
// terminal it shows nothing. It belongs to one goroutine.
type auditLine struct {
	w     io.Writer // nil for none
	now   func() time.Time
	width int

	what  string
	since time.Time // of the step
	drawn time.Time
	last  string
}

func (a *app) newAuditLine() *auditLine {
	l := &auditLine{now: a.now, width: 80}
	f := a.terminal()
	if a.json || f == nil {
		return l
	}
	l.w = f
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width >= 20 {
		l.width = width - 1
	}
	return l
}

// step begins a step of the audit.
func (l *auditLine) step(what string) {
	l.what, l.since, l.drawn = what, l.now(), time.Time{}
}

// at tells how many records of how many the step has done.
func (l *auditLine) at(done, all int64) {
	const redraw = 200 * time.Millisecond
	if l.w == nil {
		return
	}
	now := l.now()
	if now.Sub(l.drawn) < redraw && done < all {
		return
	}
	l.drawn = now
	text := fmt.Sprintf("audit  %s  %s/%s records", l.what, thousands(int(done)), thousands(int(all)))
	if took := now.Sub(l.since); done > 0 && done < all && took > time.Second {
		text += fmt.Sprintf("  %s left", short(time.Duration(float64(took)/float64(done)*float64(all-done))))
	}
	if text = cut(text, l.width); text != l.last {
		l.last = text
		fmt.Fprintf(l.w, "\r%s\x1b[K", text)
	}
}

// Close takes the line away.
func (l *auditLine) Close() {
	if l.last != "" {
		l.last = ""
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}
