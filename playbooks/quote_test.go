package playbooks

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestQuoteShForms(t *testing.T) {
	cases := []struct{ in, want string }{
		{"", `''`},
		{"kesl-gui", "kesl-gui"},
		{"/opt/kaspersky/kesl", "/opt/kaspersky/kesl"},
		{"-rf", `'-rf'`},
		{"--", `'--'`},
		{"a b", `'a b'`},
		{"it's", `'it'\''s'`},
		{"$(reboot)", `'$(reboot)'`},
		{"A=b", `'A=b'`},
		{"~root", `'~root'`},
		{"{a,b}", `'{a,b}'`},
		{"a\nb", "'a\nb'"},
		{"\xff", "'\xff'"},
		{"Ö", "'Ö'"},
	}
	for _, c := range cases {
		got, err := QuoteSh(c.in)
		if err != nil || got != c.want {
			t.Errorf("QuoteSh(%q) = %s, %v; want %s", c.in, got, err, c.want)
		}
	}
	if _, err := QuoteSh("a\x00b"); !errors.Is(err, ErrNUL) {
		t.Errorf("QuoteSh of a NUL byte: error %v, want ErrNUL", err)
	}
}

// shells are those that read the quoted words back.
var shells = [][]string{{"dash"}, {"bash"}, {"bash", "--posix"}, {"busybox", "ash"}, {"mksh"}}

// echoed has one process of a shell print all values and returns what came.
func echoed(t testing.TB, shell []string, values []string) []string {
	t.Helper()
	need(t, shell[0])
	// Some shells have no printf of their own: many values go into one call.
	const some = 100
	var script strings.Builder
	for chunk := range slices.Chunk(values, some) {
		script.WriteString(`printf '%s\000'`)
		for _, v := range chunk {
			q, err := QuoteSh(v)
			if err != nil {
				t.Fatalf("QuoteSh(%q): %v", v, err)
			}
			script.WriteString(" " + q)
		}
		script.WriteString("\n")
	}
	cmd := exec.Command(shell[0], append(shell[1:], "-c", `eval "$(cat)"`)...)
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", shell, err)
	}
	got := strings.Split(string(out), "\x00")
	return got[:len(got)-1]
}

func compareEchoed(t testing.TB, shell []string, values []string) {
	t.Helper()
	got := echoed(t, shell, values)
	if len(got) != len(values) {
		t.Fatalf("%v printed %d values, want %d", shell, len(got), len(values))
	}
	for i, v := range values {
		if got[i] != v {
			t.Errorf("%v: %q came back as %q", shell, v, got[i])
		}
	}
}

func TestQuoteShRoundTrip(t *testing.T) {
	var values []string
	for a := 1; a < 256; a++ {
		values = append(values, string([]byte{byte(a)}), "x"+string([]byte{byte(a)}), string([]byte{byte(a), '\''}),
			string([]byte{'\'', byte(a), '\\'}), string([]byte{byte(a), byte(256 - a)}), "\n"+string([]byte{byte(a)})+"\n")
	}
	values = append(values, "'", "''", `\'`, `"$x"`, "`id`", "!!", "a\r\nb", "\xc3\x28", strings.Repeat("'\\", 5000))
	for _, shell := range shells {
		t.Run(strings.Join(shell, " "), func(t *testing.T) { compareEchoed(t, shell, values) })
	}
}

func FuzzQuoteSh(f *testing.F) {
	f.Add([]byte("it's"), byte(' '))
	f.Add([]byte("$(id)`id`\\"), byte('\n'))
	f.Add([]byte{0x81, 0x88, 0xff, 0xc3}, byte(0x81))
	f.Fuzz(func(t *testing.T, data []byte, cut byte) {
		var values []string
		for _, v := range bytes.Split(bytes.ReplaceAll(data, []byte{0}, nil), []byte{cut}) {
			values = append(values, string(v))
		}
		for _, shell := range shells {
			if _, err := exec.LookPath(shell[0]); err == nil {
				compareEchoed(t, shell, values)
			}
		}
	})
}
