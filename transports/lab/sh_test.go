package lab

import (
	"strings"
	"testing"
)

// shCase is a script and what a POSIX shell with GNU's tools makes of it: see
// TestShIsTrue, which asks a real one. Scripts run in an empty folder.
type shCase struct {
	name, script, out string
	exit              int
}

var shCases = []shCase{
	{"exit", "exit 7", "", 7},
	{"not found", "no-such-program; echo $?", "127\n", 0},
	{"not executable", "echo x >f; ./f; echo $?", "126\n", 0},
	{"script file", "printf '#!/bin/sh\\necho \"$0 $1\"; exit 4\\n' >f; chmod 755 f; ./f a; echo $?", "./f a\n4\n", 0},
	{"and or", "false && echo a || echo b; true || echo c", "b\n", 0},
	{"errexit", "set -e; false; echo not", "", 1},
	{"nounset", "set -u; echo \"${x-unset}\"", "unset\n", 0},
	{"noglob", "touch a; set -f; echo *; set +f; echo *", "*\na\n", 0},
	{"positional", "set -- a 'b c' d; echo $# \"$2\"; shift; echo \"$*\"", "3 b c\nb c d\n", 0},
	{"suffixes", "p=/a/b/c.d; echo ${p##*/} ${p%/*} ${p%.*} ${p#/a}", "c.d /a/b /a/b/c /b/c.d\n", 0},
	{"arithmetic", "i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i $((7 / 2)) $((7 % 2))", "3 3 1\n", 0},
	{"case", "for w in ab x; do case $w in a*) echo A ;; *) echo other ;; esac; done", "A\nother\n", 0},
	{"read", "printf 'a b c\\n' >f; read -r x y <f; echo \"$x|$y\"", "a|b c\n", 0},
	{"read without newline", "printf 'a' >f; read -r x <f; echo \"$x $?\"", "a 1\n", 0},
	{"read of nothing", "read -r x </dev/null; echo \"[$x] $?\"", "[] 1\n", 0},
	{"read lines", "printf '1\\n2\\n' >f; while read -r l; do echo \"<$l>\"; done <f", "<1>\n<2>\n", 0},
	{"read keeps the rest", "printf 'a\\nb\\n' | { read -r x; cat; echo \"$x\"; }", "b\na\n", 0},
	{"here document", "x=1; cat <<E\na $x\nE\ncat <<'E'\nb $x\nE\n", "a 1\nb $x\n", 0},
	{"pipe", "printf 'b\\na\\n' | sort | head -n 1", "a\n", 0},
	{"pipe's exit", "false | true; echo $?; true | false; echo $?", "0\n1\n", 0},
	{"substitution", "x=$(echo a; exit 3); echo \"$x $?\"", "a 3\n", 0},
	{"subshell", "(x=1; exit 2); echo \"${x-none} $?\"", "none 2\n", 0},
	{"stderr apart", "{ echo a; echo b >&2; } 2>/dev/null", "a\n", 0},
	{"append", "echo a >f; echo b >>f; cat f", "a\nb\n", 0},
	{"eval", "x='echo $((1 + 1))'; eval \"$x\"", "2\n", 0},
	{"eval with a background command", "eval 'sleep 0 & wait $!'; echo $?", "0\n", 0},
	{"dot", "echo 'y=2; echo in $1' >f; set -- a; . ./f; echo $y", "in a\n2\n", 0},
	{"dot, absent", ". ./none 2>/dev/null; echo not reached", "", 2},
	{"dot, absent, in a subshell", "(. ./none; echo not reached) 2>/dev/null; echo $?", "2\n", 0},
	{"eval of nonsense", "eval 'if' 2>/dev/null; echo not reached", "", 2},
	{"function", "f() { echo \"f $1\"; return 3; }; f x; echo $?", "f x\n3\n", 0},
	{"function hides a program", "cat() { echo mine; }; cat; command cat </dev/null; echo end", "mine\nend\n", 0},
	{"local", "f() { local x=1; echo $x; }; x=0; f; echo $x", "1\n0\n", 0},
	{"trap", "trap 'echo bye' EXIT; echo hi; exit 3", "hi\nbye\n", 3},
	{"command -v", "command -v cat >/dev/null; echo $?; command -v none; echo $?; command -v cd; f() { :; }; command -v f", "0\n127\ncd\nf\n", 0},
	{"exec", "exec echo a; echo b", "a\n", 0},
	{"exec redirection", "exec >f; echo a; exec cat f >&2", "", 0},
	{"pid", "[ $$ -gt 1 ] && sh -c '[ $PPID = '$$' ] && echo parent'", "parent\n", 0},
	{"background", "sh -c 'exit 5' & wait $!; echo $?", "5\n", 0},
	{"background reads nothing", "echo in | { cat & wait $!; }; echo end", "end\n", 0},
	{"background list", "{ true; exit 3; } & a=$!; false & b=$!; wait $a; echo $?; wait $b; echo $?; [ $a != $b ] && echo two", "3\n1\ntwo\n", 0},
	{"background variables", "x=1; (x=2; echo $x) & wait $!; echo $x", "2\n1\n", 0},
	{"background and its pid", "sh -c 'echo $$' >f & wait $!; read -r p <f; [ $p = $! ] && echo same", "same\n", 0},
	{"kill a background command", "sleep 60 & kill $!; wait $!; echo $?", "143\n", 0},
	{"kill a shell in the background", "sh -c 'sleep 60; echo not' & kill -KILL $!; wait $!; echo $?", "137\n", 0},
	{"kill -0", "sleep 60 & kill -0 $! && echo there; kill $!; wait $! || kill -0 $! 2>/dev/null || echo gone", "there\ngone\n", 0},
	{"wait for all", "{ sleep 0.02; echo late; } & wait; echo end", "late\nend\n", 0},
	{"umask", "umask 027; umask; touch f; mkdir d; stat -c '%a %n' d f; umask 077; sh -c umask", "0027\n750 d\n640 f\n0077\n", 0},
	{"same file", "echo a >f; ln f g; ln -s f h; echo b >i; [ f -ef g ] && [ f -ef h ] && echo same; [ f -ef i ] || echo other", "same\nother\n", 0},
	{"tests", "mkdir d; echo a >f; : >e; ln -s none l; for t in -e -f -d -h -s; do for p in d f e l; do [ $t $p ] && echo \"$t $p\"; done; done; true",
		"-e d\n-e f\n-e e\n-f f\n-f e\n-d d\n-h l\n-s d\n-s f\n", 0},
	{"globs", "mkdir d; touch d/a d/b .h; echo d/* *; echo none*", "d/a d/b d\nnone*\n", 0},
	{"cd", "mkdir -p a/b; cd a/b; cd ..; pwd | grep -c '/a$'; cd /none 2>/dev/null || echo no", "1\nno\n", 0},
	{"environment", "A=1 sh -c 'echo ${A-none}'; B=2; sh -c 'echo ${B-none}'; export B; sh -c 'echo ${B-none}'; env -i C=3 sh -c 'echo ${B-none} $C'", "1\nnone\n2\nnone 3\n", 0},
	{"sh with arguments", "sh -c 'echo $0 $1' name arg; echo 'echo \"$#\"' | sh -s a b; sh -euc 'false; echo not'; echo $?", "name arg\n2\n1\n", 0},
	{"noclobber is overridden", "set -C; echo a >f; echo b >|f; cat f", "b\n", 0},
	{"printf", "printf '%s-%d|%5s|%-3s|\\n' a 7 b c; printf '\\101\\n'", "a-7|    b|c  |\nA\n", 0},
}

// TestSh: the shell of the simulated hosts.
func TestSh(t *testing.T) {
	_, h := oneHost(t, "debian")
	runCases(t, h, shCases)
}

func runCases(t *testing.T, h *host, cases []shCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := "/tmp/" + strings.Map(func(r rune) rune {
				if r == ' ' || r == ',' || r == '/' || r == '\'' {
					return '_'
				}
				return r
			}, t.Name())
			got := run(t, h, "mkdir "+dir+" && cd "+dir+" || exit 99\n"+c.script)
			if got.Out != c.out || got.Exit != c.exit {
				t.Errorf("%s\nprints %q, exit %d (stderr %q)\nwant   %q, exit %d", c.script, got.Out, got.Exit, got.Err, c.out, c.exit)
			}
		})
	}
}

// TestShRefuses: code that a real sh may not understand is an error, and
// programs that are not simulated are not there.
func TestShRefuses(t *testing.T) {
	_, h := oneHost(t, "debian")
	for _, script := range []string{
		"[[ a = a ]]", "a=(1 2)", "cat <<<x", "function f { :; }", "((1))", "echo a &>/dev/null", "cat <(echo)", "for ((;;)); do :; done",
		"if true; then", "let x=1", "eval 'a=(1)'",
	} {
		if got := run(t, h, "echo before\n"+script); got.Exit != 2 || !strings.Contains(got.Err, "syntax error") {
			t.Errorf("%s: %+v, want exit 2 for a syntax error", script, got)
		}
	}
	for _, script := range []string{"pushd /", "shopt -s x", "mapfile x", "perl -e 1", "curl x"} {
		if got := run(t, h, script); got.Exit != exitNotFound {
			t.Errorf("%s: %+v, want exit 127", script, got)
		}
	}
}
