package windows

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

func encoded(text string) string {
	var data []byte
	for _, u := range utf16.Encode([]rune(text)) {
		data = append(data, byte(u), byte(u>>8))
	}
	return base64.StdEncoding.EncodeToString(data)
}

func TestPowerShell(t *testing.T) {
	t.Parallel()
	m := newMachine(t, nil)
	const start = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted "
	for _, c := range []struct {
		line, out string
		exit      int
	}{
		{start + "-EncodedCommand " + encoded("hostname"), "LAB-0001\r\n", 0},
		{start + "-enc " + encoded("hostname; whoami;"), "LAB-0001\r\nlab\\ops\r\n", 0},
		{start + "-EC " + encoded(`reg query "HKLM\SOFTWARE\none ; (of) these"; hostname`), "LAB-0001\r\n", 0},
		{start + "-e " + encoded("hostname; exit 7"), "LAB-0001\r\n", 1},
	} {
		if r := m.as("ops", c.line); r.out != c.out || r.exit != c.exit {
			t.Errorf("%s: %q %q exit %d; want %q, %d", c.line, r.out, r.err, r.exit, c.out, c.exit)
		}
	}
	for _, line := range []string{
		start + "-e " + encoded("Get-Process | Out-Null"), start + "-e nonsense!", start + "-e", "powershell -Command -",
	} {
		if r := m.as("ops", line); r.exit != 9009 || r.out != "" || !strings.Contains(r.err, "is not recognized") {
			t.Errorf("%s: %q %q exit %d, want 9009", line, r.out, r.err, r.exit)
		}
	}
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`hostname "$x"`, `'$' at letter 11`},
		{"echo a\nb", `'\n' at letter 7`},
		{"a | b", `'|' at letter 3`},
		{`"a | b; c"`, ""},
		{"a 50%", `'%' at letter 5`},
		{`echo "a`, "a quote is not closed"},
		{" ; ", "the command is empty"},
	} {
		_, err := plainLines(c.text)
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != c.want {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}
