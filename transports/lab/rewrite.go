package lab

import (
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
	// altered is true when the program is not as it was written.
	altered bool
	// funcs are the names of the functions that it declares.
	funcs []string
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
	p := parsed{file: file}
	w := rewriter{parsed: &p, known: known}
	syntax.Walk(file, w.names)
	if w.err != nil {
		return parsed{}, w.err
	}
	if w.background {
		w.stmts(&file.Stmts)
		syntax.Walk(file, w.lists)
	}
	return p, nil
}

type rewriter struct {
	*parsed
	known      map[string]bool
	background bool
	err        error
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
		case syntax.RdrClob:
			n.Op = syntax.RdrOut // the same without `set -C`
			w.altered = true
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
	var name string
	switch n.Param.Value {
	case "$":
		name = varPID
	case "PPID":
		name = varPPID
	case "!":
		name = varBack
	default:
		return
	}
	w.altered = true
	lit := *n.Param
	lit.Value = name
	n.Param, n.Short = &lit, false
}

// lists finds all lists of statements below a node.
func (w *rewriter) lists(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Block:
		w.stmts(&n.Stmts)
	case *syntax.Subshell:
		w.stmts(&n.Stmts)
	case *syntax.CmdSubst:
		w.stmts(&n.Stmts)
	case *syntax.IfClause:
		w.stmts(&n.Cond)
		w.stmts(&n.Then)
	case *syntax.WhileClause:
		w.stmts(&n.Cond)
		w.stmts(&n.Do)
	case *syntax.ForClause:
		w.stmts(&n.Do)
	case *syntax.CaseItem:
		w.stmts(&n.Stmts)
	}
	return true
}

// stmts turns each background command of a list, `S &`, into
//
//	__lab_back=$(.lab.fork)
//	{ __lab_self=$__lab_back; if ( S ); then .lab.end 0; else .lab.end $?; fi } </dev/null &
//
// The first is a command of its own: a background command runs at once with
// what is there when it starts.
func (w *rewriter) stmts(list *[]*syntax.Stmt) {
	var out []*syntax.Stmt
	for _, s := range *list {
		if !s.Background {
			out = append(out, s)
			continue
		}
		w.altered = true
		s.Background = false
		out = append(out, w.fork(), w.wrapped(s))
	}
	*list = out
}

func (w *rewriter) fork() *syntax.Stmt {
	return stmt(&syntax.CallExpr{Assigns: []*syntax.Assign{{
		Name:  &syntax.Lit{Value: varBack},
		Value: &syntax.Word{Parts: []syntax.WordPart{&syntax.CmdSubst{Stmts: []*syntax.Stmt{stmt(simple(cmdFork))}}}},
	}}})
}

func (w *rewriter) wrapped(s *syntax.Stmt) *syntax.Stmt {
	body := []*syntax.Stmt{stmt(assign(varSelf, variable(varBack)))}
	if w.isProgram(s) {
		body = append(body, stmt(assign(varTake, variable(varBack))))
	}
	end := &syntax.IfClause{
		Cond: []*syntax.Stmt{stmt(&syntax.Subshell{Stmts: []*syntax.Stmt{s}})},
		Then: []*syntax.Stmt{stmt(simple(cmdEnd, word(&syntax.Lit{Value: "0"})))},
		Else: &syntax.IfClause{Then: []*syntax.Stmt{stmt(simple(cmdEnd, word(variable("?"))))}},
	}
	out := stmt(&syntax.Block{Stmts: append(body, stmt(end))})
	out.Redirs = []*syntax.Redirect{{Op: syntax.RdrIn, Word: word(&syntax.Lit{Value: "/dev/null"})}}
	out.Background = true
	return out
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

func stmt(c syntax.Command) *syntax.Stmt { return &syntax.Stmt{Cmd: c} }

func word(parts ...syntax.WordPart) *syntax.Word { return &syntax.Word{Parts: parts} }

func simple(name string, args ...*syntax.Word) *syntax.CallExpr {
	return &syntax.CallExpr{Args: append([]*syntax.Word{word(&syntax.Lit{Value: name})}, args...)}
}

func variable(name string) *syntax.ParamExp {
	return &syntax.ParamExp{Short: true, Param: &syntax.Lit{Value: name}}
}

func assign(name string, value syntax.WordPart) *syntax.CallExpr {
	return &syntax.CallExpr{Assigns: []*syntax.Assign{{Name: &syntax.Lit{Value: name}, Value: word(value)}}}
}

// rewriteText rewrites code that the interpreter will parse itself.
func rewriteText(code, name string, known map[string]bool) (string, []string, error) {
	p, err := parseShell(code, name, known)
	if err != nil || !p.altered {
		return code, p.funcs, err
	}
	var b strings.Builder
	if err := syntax.NewPrinter().Print(&b, p.file); err != nil {
		return "", nil, fmt.Errorf("print: %w", err)
	}
	return b.String(), p.funcs, nil
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
