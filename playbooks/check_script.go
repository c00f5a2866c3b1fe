package playbooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func (c *checker) script(s *ScriptStep, at []any) {
	text := append(slices.Clone(at), "text")
	switch {
	case strings.TrimSpace(s.Text) == "":
		c.err(ruleRequired, "text is missing", text...)
	case strings.Contains(s.Text, "\x00"):
		c.err(ruleValue, "text holds a NUL byte", text...)
	default:
		c.posix(s.Text, text)
	}
	if len(s.Exit) == 0 {
		c.err(ruleExit, "a script step must say what its exit codes mean; write exit: {0: ok}", at...)
	}
	c.exit(s.Exit, append(at, "exit"))
}

// posix demands text that every sh reads: hosts have dash, bash, busybox and
// others by that name.
func (c *checker) posix(text string, at []any) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if bad, ok := errors.AsType[syntax.ParseError](err); ok {
		c.scriptErr(bad.Pos, bad.Text, at)
		return
	}
	if bad, ok := errors.AsType[syntax.LangError](err); ok {
		c.scriptErr(bad.Pos, "found "+bad.Feature, at)
		return
	}
	if err != nil {
		c.err(ruleStep, fmt.Sprintf("the script is not POSIX sh: %v", err), at...)
		return
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			if bad := bashism(call.Args); bad != "" {
				c.scriptErr(call.Args[0].Pos(), bad, at)
			}
		}
		return true
	})
	c.shFailures(file, at)
}

// scriptErr is a problem at a place in the text of a script step.
func (c *checker) scriptErr(in syntax.Pos, msg string, at []any) {
	p := c.p.problem(ruleStep, "the script is not POSIX sh: "+msg, at...)
	if line, col, ok := c.p.pos.within(c.p.text, int(in.Line()), int(in.Col()), at...); ok {
		p.Line, p.Column, p.Excerpt = line, col, excerpt(c.p.text, line, col)
	} else {
		p.Message += fmt.Sprintf(" (line %d of the text)", in.Line())
	}
	c.problems = append(c.problems, p)
}

// bashCommands are builtins of bash that other shells do not have, each with
// what to write instead.
var bashCommands = map[string]string{
	"[[": "[", "source": ".", "declare": "an assignment", "typeset": "an assignment", "let": "x=$((x + 1))",
	"shopt": "set", "mapfile": "while read", "readarray": "while read", "pushd": "cd", "popd": "cd", "coproc": "&",
}

var appends = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\+=`)

// bashism says what in a command only bash and its like understand, or "".
func bashism(args []*syntax.Word) string {
	name := args[0].Lit()
	if instead, ok := bashCommands[name]; ok {
		return fmt.Sprintf("%s is of bash; use %s", name, instead)
	}
	if appends.MatchString(name) {
		return "+= is of bash; write x=$x..."
	}
	if name == "[" || name == "test" {
		for _, a := range args[1:] {
			if a.Lit() == "==" {
				return "== in a test is of bash; use ="
			}
		}
	}
	return ""
}
