package remediate

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testNonce = Nonce("0123456789abcdef0123456789abcdef")

// framed is what a script prints that frames its output as Nonce says.
func framed(kind string, sections ...Frame) []byte {
	var b bytes.Buffer
	line := func(words string) { b.WriteString("\n@" + string(testNonce) + " " + words + "\n") }
	line("begin " + kind)
	for _, s := range sections {
		line("section " + s.Name)
		b.Write(s.Data)
	}
	line("end")
	return b.Bytes()
}

func TestParseFrames(t *testing.T) {
	t.Parallel()
	whole := string(framed("probe 1", Frame{"a", []byte("one\ntwo")}, Frame{"b", nil}, Frame{"c", []byte("three\n")}))
	sections := []Frame{{"a", []byte("one\ntwo")}, {"b", []byte{}}, {"c", []byte("three\n")}}
	begin := "@" + string(testNonce) + " begin probe 1"
	upToTwo, _, _ := strings.Cut(whole, "two")
	tests := map[string]struct {
		out      string
		err      error
		sections []Frame
	}{
		"alone":                  {whole, nil, sections},
		"noise around":           {"Welcome!\nno newline" + whole + "logout\n@" + string(testNonce) + " section d\n", nil, sections},
		"CRLF":                   {strings.ReplaceAll(whole, "\n", "\r\n"), nil, []Frame{{"a", []byte("one\r\ntwo")}, {"b", []byte{}}, {"c", []byte("three\r\n")}}},
		"a begin inside a line":  {"x" + begin + "\n", ErrNoFrame, nil},
		"another run's frames":   {strings.ReplaceAll(whole, "0123", "3210"), ErrNoFrame, nil},
		"nothing":                {"", ErrNoFrame, nil},
		"cut in the begin":       {begin[:len(begin)-9], ErrNoFrame, nil},
		"cut in a section":       {upToTwo, ErrCutOff, []Frame{{"a", []byte("one")}}},
		"cut after the sections": {whole[:strings.LastIndex(whole, "\n@")], ErrCutOff, []Frame{{"a", []byte("one\ntwo")}, {"b", []byte{}}, {"c", []byte("three")}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := ParseFrames([]byte(tt.out), testNonce)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v; want %v", err, tt.err)
			}
			if d := cmp.Diff(tt.sections, f.Sections); d != "" {
				t.Error(d)
			}
		})
	}
	if _, err := ParseFrames([]byte(whole), "short"); err == nil || errors.Is(err, ErrNoFrame) {
		t.Errorf("a bad nonce: %v", err)
	}
}

// FuzzFrames frames any bytes, with any noise before and after, and cuts the
// whole anywhere: what comes back is what was framed, or it is called cut.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("Welcome\n"), []byte("one\n"), []byte("\n@ end\n"), uint16(0))
	f.Add([]byte("@0123456789abcdef begin"), []byte("\r\n"), []byte{}, uint16(70))
	f.Fuzz(func(t *testing.T, noise, one, two []byte, cut uint16) {
		mark := []byte("@" + testNonce)
		if bytes.Contains(noise, mark) || bytes.Contains(one, mark) || bytes.Contains(two, mark) {
			return // nobody can guess the nonce
		}
		text := framed("probe 1", Frame{"one", one}, Frame{"two", two})
		out := append(append(append([]byte{}, noise...), text...), noise...)
		got, err := ParseFrames(out, testNonce)
		if err != nil {
			t.Fatal(err)
		}
		// One CR before a frame line is taken for a part of it.
		want := []Frame{{"one", bytes.TrimSuffix(one, []byte("\r"))}, {"two", bytes.TrimSuffix(two, []byte("\r"))}}
		if got.Kind != "probe 1" || len(got.Sections) != 2 {
			t.Fatalf("kind %q, %d sections", got.Kind, len(got.Sections))
		}
		for i, s := range got.Sections {
			if s.Name != want[i].Name || !bytes.Equal(s.Data, want[i].Data) {
				t.Errorf("section %s: %q came back as %s %q", want[i].Name, want[i].Data, s.Name, s.Data)
			}
		}
		again, err := ParseKept(got.Raw)
		if d := cmp.Diff(got, again); err != nil || d != "" {
			t.Errorf("kept: %v, %s", err, d)
		}
		whole := len(noise) + len(text) - 1 // the last newline says nothing
		if n := min(int(cut), len(out)); n < whole {
			if _, err := ParseFrames(out[:n], testNonce); !errors.Is(err, ErrNoFrame) && !errors.Is(err, ErrCutOff) {
				t.Errorf("cut after %d of %d bytes: %v", n, len(out), err)
			}
		}
	})
}
