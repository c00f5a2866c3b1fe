package remediate

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSetCmdForms(t *testing.T) {
	cases := []struct{ in, want string }{
		{"", `set "X="`},
		{"plain value ", `set "X=plain value "`},
		{"a & b | c ^ d < > ( )", `set "X=a & b | c ^ d < > ( )"`},
		{"100%", `set "X=100%%"`},
		{"%PATH%", `set "X=%%PATH%%"`},
		{"!PATH!", `set "X=!PATH!"`},
		{`"C:\Program Files (x86)\u.exe" /S & del`, `set "X="C:\Program Files ^(x86^)\u.exe" /S & del"`},
		{`a"b&c"d`, `set "X=a"b^&c"d"`},
		{`"`, `set "X=""`},
		{"Лаборатория 😀", `set "X=Лаборатория 😀"`},
	}
	for _, c := range cases {
		got, err := SetCmd("X", c.in)
		if err != nil || got != c.want {
			t.Errorf("SetCmd(%q) = %s, %v; want %s", c.in, got, err, c.want)
		}
		if back := cmdReads(got); back != c.in {
			t.Errorf("cmd reads %q from %s, want %q", back, got, c.in)
		}
	}
}

func TestSetCmdRefuses(t *testing.T) {
	for _, bad := range []string{"a\nb", "a\rb", "a\x00b", "a\x1ab", "\xff", strings.Repeat("a", 8184), strings.Repeat("😀", 4092), strings.Repeat("%", 4092)} {
		if got, err := SetCmd("X", bad); !errors.Is(err, ErrCmdValue) {
			t.Errorf("SetCmd(%.20q) = %.20s, %v; want ErrCmdValue", bad, got, err)
		}
	}
	for _, most := range []string{strings.Repeat("a", 8183), strings.Repeat("😀", 4091)} {
		if _, err := SetCmd("X", most); err != nil {
			t.Errorf("SetCmd of %d bytes: %v", len(most), err)
		}
	}
}

// cmdReads is what cmd.exe makes of a line that SetCmd made, written from how
// its parser is described and not from SetCmd: percent signs, then quotes and
// carets, then the quotes of SET.
func cmdReads(line string) string {
	var percents strings.Builder
	for i := 0; i < len(line); i++ {
		if line[i] == '%' {
			if i+1 >= len(line) || line[i+1] != '%' {
				return "a percent sign stands alone"
			}
			i++
		}
		percents.WriteByte(line[i])
	}
	var signs strings.Builder
	quoted, escaped := false, false
	for _, r := range percents.String() {
		switch {
		case escaped:
			escaped = false
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '^':
			escaped = true
			continue
		case strings.ContainsRune("&|<>", r):
			return "a sign has its meaning"
		}
		signs.WriteRune(r)
	}
	rest, ok := strings.CutPrefix(signs.String(), `set "X=`)
	last := strings.LastIndex(rest, `"`)
	if !ok || last < 0 {
		return "no assignment"
	}
	return rest[:last]
}

func FuzzSetCmd(f *testing.F) {
	for _, s := range []string{"", "a", `"^&%!"`, "^", `"^`, "%%", "\t", "()", `\"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := SetCmd("X", s)
		holds := utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' }) < 0
		switch {
		case err != nil && holds && len(s) < 4000:
			t.Errorf("%q is refused: %v", s, err)
		case err == nil && !holds:
			t.Errorf("%q is taken", s)
		case err == nil:
			if back := cmdReads(line); back != s {
				t.Errorf("cmd reads %q from %s, want %q", back, line, s)
			}
		}
	})
}
