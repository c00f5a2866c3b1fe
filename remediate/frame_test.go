package remediate

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testNonce Nonce = "0123456789abcdef0123456789abcdef"

// framed has a real sh print sections with a nonce's commands.
func framed(t testing.TB, nonce Nonce, kind string, sections []Frame) []byte {
	t.Helper()
	var script strings.Builder
	script.WriteString(nonce.Begin(kind) + "\n")
	for _, s := range sections {
		script.WriteString(nonce.Section(s.Name) + "\nprintf '%s' '" + strings.ReplaceAll(string(s.Data), "'", `'\''`) + "'\n")
	}
	script.WriteString(nonce.End() + "\n")
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `eval "$(cat)"`)
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFramesComeBack(t *testing.T) {
	t.Parallel()
	sections := []Frame{
		{"empty", []byte{}}, {"line", []byte("a\n")}, {"no newline", []byte("a\nb")}, {"empty lines", []byte("\n\n")},
		{"frame-like", []byte("@ begin\n@0123 end\n x @" + string(testNonce) + " end\n")}, {"CR", []byte("a\rb\n")},
		{"other nonce", []byte("@" + strings.Repeat("f", 32) + " end\n")}, {"bytes", []byte("\xff\x01'\"$`\\\n")},
	}
	out := framed(t, testNonce, "test 1", sections)
	f, err := ParseFrames(append([]byte("banner\nno newline"), append(out, "logout\n"...)...), testNonce)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Frames{Kind: "test 1", Sections: sections, Raw: out[1:]}, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	kept, err := ParseKept(f.Raw)
	if err != nil || !cmp.Equal(f, kept) {
		t.Errorf("kept: error %v\n%s", err, cmp.Diff(f, kept))
	}
	if data, ok := f.Get("line"); !ok || string(data) != "a\n" {
		t.Errorf("line: %q, %v", data, ok)
	}
	if _, ok := f.Get("gone"); ok {
		t.Error("a section that is not there was found")
	}
}

func TestFramesThroughATerminal(t *testing.T) {
	t.Parallel()
	out := framed(t, testNonce, "test 1", []Frame{{"a", []byte("x\ny\n")}, {"b", []byte("z")}})
	f, err := ParseFrames(bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n")), testNonce)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Frame{{"a", []byte("x\r\ny\r\n")}, {"b", []byte("z")}}, f.Sections); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFramesCutOff: what was cut off says so, and never ends in time.
func TestFramesCutOff(t *testing.T) {
	t.Parallel()
	sections := []Frame{{"a", []byte("first\nsecond\n")}, {"b", []byte("third")}}
	out := framed(t, testNonce, "test 1", sections)
	for n := range len(out) - 1 {
		f, err := ParseFrames(out[:n], testNonce)
		if !errors.Is(err, ErrCutOff) && !errors.Is(err, ErrNoFrame) {
			t.Fatalf("after %d of %d bytes: error %v", n, len(out), err)
		}
		for i, s := range f.Sections {
			if whole := sections[i]; !strings.HasPrefix(whole.Name, s.Name) || s.Name == whole.Name && i < len(f.Sections)-1 && !bytes.Equal(s.Data, whole.Data) {
				t.Errorf("after %d bytes section %q holds %q", n, s.Name, s.Data)
			}
		}
	}
}

func TestFramesRefuse(t *testing.T) {
	t.Parallel()
	begin := "@" + string(testNonce) + " begin test 1\n"
	for name, c := range map[string]struct {
		out   string
		nonce Nonce
		want  string
	}{
		"nothing":          {"", testNonce, ErrNoFrame.Error()},
		"another nonce":    {begin, Nonce(strings.Repeat("f", 32)), ErrNoFrame.Error()},
		"not on its line":  {"x" + begin, testNonce, ErrNoFrame.Error()},
		"no end":           {begin, testNonce, ErrCutOff.Error()},
		"short nonce":      {begin, "0123", "bad nonce"},
		"empty nonce":      {begin, "", "bad nonce"},
		"upper case nonce": {begin, Nonce(strings.ToUpper(string(testNonce))), "bad nonce"},
	} {
		if _, err := ParseFrames([]byte(c.out), c.nonce); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, raw := range []string{"", "@", "x" + begin, "@" + strings.Repeat("z", 32) + " begin x\n@" + strings.Repeat("z", 32) + " end\n"} {
		if f, err := ParseKept([]byte(raw)); err == nil {
			t.Errorf("ParseKept(%q) = %+v", raw, f)
		}
	}
}

func TestNewNonce(t *testing.T) {
	t.Parallel()
	a, b := NewNonce(), NewNonce()
	if !a.valid() || !b.valid() || a == b {
		t.Errorf("nonces %q and %q", a, b)
	}
}

// FuzzParseFrames: frames that came whole are found again in what is kept of
// them, and printed once more they are the same.
func FuzzParseFrames(f *testing.F) {
	for _, seed := range []string{
		"", "begin x\n", "begin x\n\n@N section a\n1\n\n@N end\n", "begin x\r\n\r\n@N section a\r\n1\r\n\r\n@N end\r\n",
		"begin\n@N section a\n@N section a\n@N what\n@N end", "begin x\n@N end\n@N section b\n", "begin x\n\r\n@N end\n",
	} {
		f.Add([]byte("@" + string(testNonce) + " " + strings.ReplaceAll(seed, "@N", "@"+string(testNonce))))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		frames, err := ParseFrames(out, testNonce)
		if err != nil {
			if !errors.Is(err, ErrCutOff) && !errors.Is(err, ErrNoFrame) {
				t.Error(err)
			}
			return
		}
		kept, err := ParseKept(frames.Raw)
		if err != nil || !cmp.Equal(frames, kept) {
			t.Fatalf("kept: error %v\n%s", err, cmp.Diff(frames, kept))
		}
		var b bytes.Buffer
		b.WriteString("@" + string(testNonce) + " begin " + frames.Kind + "\n")
		for _, s := range frames.Sections {
			if strings.HasSuffix(s.Name, "\r") || strings.HasSuffix(frames.Kind, "\r") || bytes.HasSuffix(s.Data, []byte("\r")) {
				return // the line end of a terminal is not told from a name's last byte
			}
			b.WriteString("@" + string(testNonce) + " section " + s.Name + "\n")
			b.Write(s.Data)
			b.WriteString("\n")
		}
		b.WriteString("@" + string(testNonce) + " end\n")
		again, err := ParseFrames(b.Bytes(), testNonce)
		if err != nil || !cmp.Equal(frames.Sections, again.Sections) {
			t.Errorf("printed again: error %v\n%s", err, cmp.Diff(frames.Sections, again.Sections))
		}
	})
}
