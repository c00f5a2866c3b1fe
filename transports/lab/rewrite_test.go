package lab

import (
	"errors"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

func TestRewrite(t *testing.T) {
	const back, end = "__lab_back=$(.lab.fork); { __lab_self=$__lab_back; ", " ); then .lab.end 0; else .lab.end $?; fi; } </dev/null &"
	for code, want := range map[string]string{
		"echo hello":            "echo hello",
		"echo $$ ${PPID:-1} $!": "echo ${__lab_pid} ${__lab_ppid:-1} ${__lab_back}",
		"a >|f & b":             back + "__lab_take=$__lab_back; if ( a >f " + end + " b",
		"f() { :; }; f &":       "f() { :; }; " + back + "if ( f " + end,
		"$! &":                  back + "__lab_take=$__lab_back; if ( ${__lab_back} " + end,
		"(a; b $$) & c":         back + "if ( (a; b ${__lab_pid}) " + end + " c",
		"cat <<E & b\n$!\nE\n":  back + "__lab_take=$__lab_back; if ( cat <<E " + end + " b\n${__lab_back}\nE\n",
	} {
		got, err := parseShell(code, "sh", nil)
		if err != nil || got.text != want {
			t.Errorf("%s\nbecomes %q, %v\nwant    %q", code, got.text, err, want)
		}
	}
}

// FuzzRewrite: nothing runs in the background without the lab's knowledge.
func FuzzRewrite(f *testing.F) {
	for _, c := range shCases {
		f.Add(c.script)
	}
	f.Add("case $$ in (a|b) x & ;; esac; for i in `y &`; do (z & w) & done")
	f.Fuzz(func(t *testing.T, code string) {
		p, err := parseShell(code, "sh", nil)
		if err != nil {
			return
		}
		syntax.Walk(p.file, func(n syntax.Node) bool {
			if s, ok := n.(*syntax.Stmt); ok && s.Background {
				var b strings.Builder
				if err := syntax.NewPrinter().Print(&b, s); err != nil || !strings.Contains(b.String(), varSelf+"=") {
					t.Errorf("%q becomes %q, with a command in the background that is not the lab's (%v)", code, p.text, err)
				}
			}
			return true
		})
	})
}

func TestReadsScript(t *testing.T) {
	for code, want := range map[string]bool{
		`eval "$(cat)"`: true, `eval $(cat)`: false, `eval "$(cat f)"`: false, `eval "$(cat)" x`: false, `eval "$(cat)" &`: false,
		`eval "x$(cat)"`: false, `! eval "$(cat)"`: false, `A=1 eval "$(cat)"`: false, `eval "$(cat <f)"`: false, `eval "$(cat; cat)"`: false, "": false,
	} {
		p, err := parseShell(code, "sh", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := readsScript(p.file); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
	if _, err := parseShell("[[ a ]]", "sh", nil); !errors.Is(err, errNotPOSIX) {
		t.Error(err)
	}
}
