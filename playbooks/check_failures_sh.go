package playbooks

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shFailures looks for what has gone wrong elsewhere in a script of sh.
func (c *checker) shFailures(file *syntax.File, at []any) {
	say := func(rule, msg string, pos syntax.Pos) { c.atLine(rule, msg, int(pos.Line()), int(pos.Col()), at) }
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			c.shCommand(n, say)
			for _, w := range n.Args {
				if v := bareExpansion(w); v != "" {
					say(ruleUnquoted, v+" stands outside quotes, and its value may hold blanks and wildcards", w.Pos())
				}
			}
		case *syntax.Redirect:
			if n.Word == nil || n.Op == syntax.Hdoc || n.Op == syntax.DashHdoc {
				return true
			}
			if v := bareExpansion(n.Word); v != "" {
				say(ruleUnquoted, v+" stands outside quotes, and its value may hold blanks and wildcards", n.Word.Pos())
			}
		}
		return true
	})
}

// bareExpansion is a variable or the output of a command that stands outside
// quotes, or "". Numbers such as $? need none.
func bareExpansion(w *syntax.Word) string {
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.ParamExp:
			if !p.Length && !slices.Contains([]string{"?", "#", "$", "!"}, p.Param.Value) {
				return "$" + p.Param.Value
			}
		case *syntax.CmdSubst:
			return "$(...)"
		}
	}
	return ""
}

// wrappers run the command that follows them.
var wrappers = []string{"sudo", "exec", "nohup", "env", "command", "setsid", "nice", "ionice", "timeout", "systemd-run", "busybox", "doas"}

// shCommand judges one command: none restarts the host, and none deletes more
// than the product's own.
func (c *checker) shCommand(call *syntax.CallExpr, say func(rule, msg string, pos syntax.Pos)) {
	args := call.Args
	for len(args) > 1 && slices.Contains(wrappers, path.Base(args[0].Lit())) {
		args = args[1:]
		for len(args) > 1 && (strings.HasPrefix(args[0].Lit(), "-") || strings.Trim(args[0].Lit(), "0123456789smhd") == "" || strings.Contains(args[0].Lit(), "=")) {
			args = args[1:]
		}
	}
	if len(args) == 0 {
		return
	}
	command, _ := literal(args[0])
	name, pos := path.Base(command), args[0].Pos()
	next := ""
	if len(args) > 1 {
		next = args[1].Lit()
	}
	switch {
	case name == "eval":
		var words []string
		for _, w := range args[1:] {
			text, _ := literal(w)
			words = append(words, text)
		}
		c.shText(strings.Join(words, " "), pos, say)
	case name == "trap", slices.Contains(textShells, name) && slices.ContainsFunc(args[1:], func(w *syntax.Word) bool { return w.Lit() == "-c" }):
		for _, w := range args[1:] {
			text, _ := literal(w)
			c.shText(text, w.Pos(), say)
		}
	case slices.Contains([]string{"reboot", "halt", "poweroff", "shutdown"}, name),
		(name == "init" || name == "telinit") && (next == "0" || next == "6"),
		name == "systemctl" && slices.ContainsFunc(args[1:], func(w *syntax.Word) bool {
			return slices.Contains([]string{"reboot", "poweroff", "halt", "kexec", "soft-reboot", "rescue", "emergency"}, strings.TrimSuffix(w.Lit(), ".target"))
		}):
		say(ruleReboots, "a step restarts no host; say reboot: needed, and the campaign decides when", pos)
	case slices.Contains(packageManagers, name) && slices.ContainsFunc(args[1:], func(w *syntax.Word) bool { return slices.Contains(breaksOthers, w.Lit()) }):
		say(ruleSystem, "other packages break or go with it; use a package step, which leaves what others need", pos)
	case name == "rm" && slices.ContainsFunc(args[1:], recursive):
		for _, w := range args[1:] {
			if text, plain := literal(w); !plain || !strings.HasPrefix(text, "-") {
				c.shDelete(w, say)
			}
		}
	case name == "rm":
		c.shWildcards(args[1:], say)
	case name == "find" && slices.ContainsFunc(args, func(w *syntax.Word) bool { return w.Lit() == "-delete" || path.Base(w.Lit()) == "rm" }):
		c.shFind(args[1:], say)
	case name == "xargs" && slices.ContainsFunc(args, func(w *syntax.Word) bool { return path.Base(w.Lit()) == "rm" }):
		say(ruleWildcard, "what is deleted is what another command prints, and may be more than the product's; name each path in a file step", pos)
	}
}

var (
	packageManagers = []string{"apt", "apt-get", "aptitude", "dnf", "dpkg", "rpm", "yum", "zypper"}
	// breaksOthers are words by which these take away more than what is named, or
	// leave others without what they need.
	breaksOthers = []string{"--nodeps", "--force-all", "--force-depends", "--force-remove-essential", "--auto-remove", "--autoremove", "autoremove", "--clean-deps"}
)

// textShells run the text that follows -c; su, for another user.
var textShells = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "su"}

// shText judges what a command is given to run as text.
func (c *checker) shText(text string, pos syntax.Pos, say func(rule, msg string, pos syntax.Pos)) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil {
		return
	}
	here := func(rule, msg string, _ syntax.Pos) { say(rule, msg, pos) }
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok {
			c.shCommand(call, here)
		}
		return true
	})
}

// shWildcards judges an rm that goes into no folder: its wildcards have to be
// among names of the product.
func (c *checker) shWildcards(args []*syntax.Word, say func(rule, msg string, pos syntax.Pos)) {
	for _, w := range args {
		if text, plain := literal(w); !plain && strings.ContainsAny(text, "*?[") && !c.p.owned(text) && !ofJob(text, "$OUST_DIR/") {
			say(ruleWildcard, text+": a wildcard may delete more than the product's; name each path in a file step", w.Pos())
		}
	}
}

// shFind judges each place in which find looks for what it deletes.
func (c *checker) shFind(args []*syntax.Word, say func(rule, msg string, pos syntax.Pos)) {
	for len(args) > 1 && slices.Contains([]string{"-H", "-L", "-P"}, args[0].Lit()) {
		args = args[1:]
	}
	if strings.HasPrefix(args[0].Lit(), "-") {
		say(ruleWildcard, "find without a place deletes wherever the shell stands; name each path in a file step", args[0].Pos())
		return
	}
	for _, w := range args {
		if text, _ := literal(w); strings.HasPrefix(text, "-") || text == "(" || text == "!" {
			return
		}
		c.shDelete(w, say)
	}
}

func recursive(w *syntax.Word) bool {
	flag := w.Lit()
	return flag == "--recursive" || strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "--") && strings.ContainsAny(flag, "rR")
}

// shDelete judges what is deleted with all below it.
func (c *checker) shDelete(w *syntax.Word, say func(rule, msg string, pos syntax.Pos)) {
	text, plain := literal(w)
	switch {
	case ofJob(text, "$OUST_DIR/"):
		return
	case !plain:
		say(ruleWildcard, "a wildcard or a variable may delete more than the product's; name each path in a file step", w.Pos())
	case removalProblem(text) != "":
		say(ruleWildcard, fmt.Sprintf("%s: %s", text, removalProblem(text)), w.Pos())
	case !c.p.owned(text):
		say(ruleWildcard, text+": nothing in this path is the product's own", w.Pos())
	}
}

// literal is the text of a word, and whether it is one without variables and
// wildcards.
func literal(w *syntax.Word) (text string, plain bool) {
	plain = true
	var add func(parts []syntax.WordPart, quoted bool)
	add = func(parts []syntax.WordPart, quoted bool) {
		for _, part := range parts {
			switch p := part.(type) {
			case *syntax.Lit:
				plain = plain && (quoted || !strings.ContainsAny(p.Value, "*?[~"))
				text += strings.ReplaceAll(p.Value, `\`, "")
			case *syntax.SglQuoted:
				text += p.Value
			case *syntax.DblQuoted:
				add(p.Parts, true)
			case *syntax.ParamExp:
				plain = false
				text += "$" + p.Param.Value
			default:
				plain = false
			}
		}
	}
	add(w.Parts, false)
	return text, plain
}
