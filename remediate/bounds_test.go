package remediate_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"oust/remediate"
)

func TestClipLog(t *testing.T) {
	full := bytes.Repeat([]byte("0123456789abcdef"), remediate.MaxLog/16)
	if got := remediate.ClipLog(full); !bytes.Equal(got, full) {
		t.Error("a log of the bound was altered")
	}
	long := append(append([]byte("first\n"), full...), "last\n"...)
	got := remediate.ClipLog(long)
	if len(got) != remediate.MaxLog {
		t.Errorf("%d bytes are left, not %d", len(got), remediate.MaxLog)
	}
	for _, want := range []string{"[oust: cut from 1048587 bytes]"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("the cut log lacks %q", want)
		}
	}
	if !bytes.HasPrefix(got, []byte("first\n")) || !bytes.HasSuffix(got, []byte("last\n")) {
		t.Error("the cut log lacks its beginning or its end")
	}
	if got := remediate.ClipLog(nil); got != nil {
		t.Errorf("no log became %q", got)
	}
}

func TestClipText(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"empty":   {"", ""},
		"bound":   {strings.Repeat("x", remediate.MaxText), strings.Repeat("x", remediate.MaxText)},
		"over":    {strings.Repeat("x", remediate.MaxText+1), strings.Repeat("x", remediate.MaxText-3) + "..."},
		"umlauts": {strings.Repeat("ü", remediate.MaxText), strings.Repeat("ü", remediate.MaxText/2-2) + "..."},
	} {
		got := remediate.ClipText(c.in)
		if got != c.want || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes ending in %q", name, len(got), got[max(0, len(got)-8):])
		}
	}
}

func TestClipResult(t *testing.T) {
	whole := strings.Repeat("1 ok 0\n", remediate.MaxResult/7)
	for name, c := range map[string]struct {
		in   string
		want int
	}{
		"within":          {whole, len(whole)},
		"last line over":  {whole + "2 failed 1\n", len(whole)},
		"one long line":   {strings.Repeat("x", remediate.MaxResult+1), 0},
		"line at the end": {strings.Repeat("x", remediate.MaxResult-1) + "\n" + "y\n", remediate.MaxResult},
	} {
		if got := remediate.ClipResult(c.in); len(got) != c.want || !strings.HasPrefix(c.in, got) {
			t.Errorf("%s: %d bytes are left, not %d", name, len(got), c.want)
		}
	}
}
