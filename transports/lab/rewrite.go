package lab

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// The interpreter knows neither the simulated processes nor their ids. Each
// text of shell code is therefore rewritten before it runs: $$, $PPID and $!
// become variables that the lab sets, and each background command gets a
// simulated process of its own.

// Names that rewritten code uses. They are of no use to a script.
const (
	varPID  = "__lab_pid"
	varPPID = "__lab_ppid"
	varBack = "__lab_back" // what $! is
	varSelf = "__lab_self" // in a background command: its process
	varTake = "__lab_take" // the next program takes over that process

	cmdFork = ".lab.fork" // makes the process of a background command
	cmdEnd  = ".lab.end"  // ends it with an exit code
)

// parsed is a shell program, ready to run.
type parsed struct {
	file *syntax.File
	// text is the code, rewritten where it had to be.
	text    string
	altered bool
	// funcs are the names of the functions that it declares.
	funcs []string
	// background: there are background commands in it.
	background bool
}

// errNotPOSIX: the code uses what dash and busybox do not have.
var errNotPOSIX = errors.New("not POSIX shell")

// parseShell parses code and rewrites it for the lab. Code that is not POSIX
// sh (with `local`) is an error: a real host's sh might not run it.
//
// known are functions that were declared before.
func parseShell(code, name string, known map[string]bool) (parsed, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(code), name)
	if err != nil {
		return parsed{}, err
	}
	w := rewriter{parsed: parsed{file: file, text: code}, known: known}
	syntax.Walk(file, w.names)
	if w.err != nil {
		return parsed{}, w.err
	}
	if w.background { // what is a function must be known before
		syntax.Walk(file, w.commands)
	}
	if len(w.edits) == 0 {
		return w.parsed, nil
	}
	w.altered, w.text = true, apply(w.edits, code)
	if w.file, err = syntax.NewParser().Parse(strings.NewReader(w.text), name); err != nil {
		return parsed{}, fmt.Errorf("the lab cannot run this: %w", err)
	}
	return w.parsed, nil
}

// edit puts text in the place of a part of the code.
type edit struct {
	from, to uint // offsets in bytes
	text     string
}

// apply makes edits, which do not overlap. Of those at one place, what is put
// in comes before what is replaced, and else the first in the list.
func apply(edits []edit, code string) string {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var b strings.Builder
	at := uint(0)
	for _, e := range edits {
		b.WriteString(code[at:e.from])
		b.WriteString(e.text)
		at = e.to
	}
	b.WriteString(code[at:])
	return b.String()
}

type rewriter struct {
	parsed
	known map[string]bool
	edits []edit
	err   error
}

func (w *rewriter) edit(from, to syntax.Pos, text string) {
	w.edits = append(w.edits, edit{from.Offset(), to.Offset(), text})
}

// names refuses what is not POSIX and replaces the process ids.
func (w *rewriter) names(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.ParamExp:
		w.param(n)
	case *syntax.FuncDecl:
		if n.RsrvWord {
			w.refuse(n, "the word function")
		} else if n.Name != nil {
			w.funcs = append(w.funcs, n.Name.Value)
		}
	case *syntax.Stmt:
		w.background = w.background || n.Background
		if n.Coprocess || n.Disown {
			w.refuse(n, "a coprocess")
		}
	case *syntax.ProcSubst:
		w.refuse(n, "process substitution")
	case *syntax.TestClause:
		w.refuse(n, "[[")
	case *syntax.ArrayExpr:
		w.refuse(n, "an array")
	case *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop, *syntax.ExtGlob:
		w.refuse(n, fmt.Sprintf("%T", n))
	case *syntax.Redirect:
		switch n.Op {
		case syntax.WordHdoc, syntax.RdrAll, syntax.AppAll:
			w.refuse(n, "the redirection "+n.Op.String())
		case syntax.RdrClob: // without `set -C` the same as >, and that is not simulated
			w.edits = append(w.edits, edit{n.OpPos.Offset(), n.OpPos.Offset() + uint(len(">|")), ">"})
		}
	}
	return w.err == nil
}

func (w *rewriter) refuse(n syntax.Node, what string) {
	if w.err == nil {
		w.err = fmt.Errorf("%s: %s: %w", n.Pos(), strings.TrimPrefix(what, "*syntax."), errNotPOSIX)
	}
}

func (w *rewriter) param(n *syntax.ParamExp) {
	if n.Param == nil {
		return
	}
	name, ours := map[string]string{"$": varPID, "PPID": varPPID, "!": varBack}[n.Param.Value]
	switch {
	case !ours:
	case n.Short:
		w.edit(n.Pos(), n.End(), "${"+name+"}")
	default:
		w.edit(n.Param.Pos(), n.Param.End(), name)
	}
}

// commands turns each background command, `S &`, into
//
//	__lab_back=$(.lab.fork); { __lab_self=$__lab_back; if ( S ); then .lab.end 0; else .lab.end $?; fi; } </dev/null &
//
// The first is a command of its own: a background command runs at once with
// what is there when it starts.
func (w *rewriter) commands(n syntax.Node) bool {
	s, ok := n.(*syntax.Stmt)
	if !ok || !s.Background {
		return true
	}
	before := varBack + "=$(" + cmdFork + "); { " + varSelf + "=$" + varBack + "; "
	if w.isProgram(s) {
		before += varTake + "=$" + varBack + "; "
	}
	w.edit(s.Pos(), s.Pos(), before+"if ( ")
	w.edit(s.Semicolon, s.Semicolon, " ); then "+cmdEnd+" 0; else "+cmdEnd+" $?; fi; } </dev/null ")
	return true
}

// isProgram reports whether a statement starts one program and nothing else,
// so that a real shell's child process becomes that program.
func (w *rewriter) isProgram(s *syntax.Stmt) bool {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 || s.Negated {
		return false
	}
	name := call.Args[0].Lit()
	if w.known[name] || slices.Contains(w.funcs, name) {
		return false
	}
	alone := true
	syntax.Walk(s, func(n syntax.Node) bool {
		_, subst := n.(*syntax.CmdSubst)
		alone = alone && !subst
		return alone
	})
	return alone
}

// readsScript reports whether the code is exactly eval "$(cat)": a shell that
// runs what it reads from its input.
func readsScript(file *syntax.File) bool {
	if len(file.Stmts) != 1 || len(file.Stmts[0].Redirs) > 0 || file.Stmts[0].Background || file.Stmts[0].Negated {
		return false
	}
	outer, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(outer.Assigns) > 0 || len(outer.Args) != 2 || outer.Args[0].Lit() != "eval" || len(outer.Args[1].Parts) != 1 {
		return false
	}
	quoted, ok := outer.Args[1].Parts[0].(*syntax.DblQuoted)
	if !ok || len(quoted.Parts) != 1 {
		return false
	}
	subst, ok := quoted.Parts[0].(*syntax.CmdSubst)
	if !ok || len(subst.Stmts) != 1 || len(subst.Stmts[0].Redirs) > 0 || subst.Stmts[0].Background {
		return false
	}
	cat, ok := subst.Stmts[0].Cmd.(*syntax.CallExpr)
	return ok && len(cat.Assigns) == 0 && len(cat.Args) == 1 && cat.Args[0].Lit() == "cat"
}
