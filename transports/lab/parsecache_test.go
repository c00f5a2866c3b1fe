package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/syntax"

	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
)

// printed is what a program says, for comparing.
func printed(t testing.TB, p parsed) string {
	t.Helper()
	var b strings.Builder
	for _, s := range p.file.Stmts {
		if err := syntax.NewPrinter(syntax.Minify(true)).Print(&b, s); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// sameParse fails if the cache reads code in another way than the parser.
func sameParse(t testing.TB, cache *parseCache, code string) {
	t.Helper()
	want, wantErr := parseShell(code, "sh", nil)
	for range 2 {
		got, err := cache.shell(code, "sh", nil)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, want %v", code, err, wantErr)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(printed(t, want), printed(t, got)); diff != "" {
			t.Errorf("%q is read as\n%s", code, diff)
		}
		if got.text != want.text || got.altered != want.altered || got.background != want.background || !cmp.Equal(got.funcs, want.funcs) {
			t.Errorf("%q:\n%q %v %v %q\nwant\n%q %v %v %q", code, got.text, got.altered, got.background, got.funcs, want.text, want.altered, want.background, want.funcs)
		}
	}
}

var cutCodes = []string{
	"", "\n", "echo a", "f() {\necho a\n}\nf", "f() {\necho a\n}\nf &\n", "f &\nf() {\n:\n}\ng() {\nf & cat &\n}\n",
	"echo '\nf() {\necho a\n}\n'\nf() {\n:\n}\n", "cat <<E\nf() {\n:\n}\nE\n", "cat <<E\n'\nE\nf() {\n:\n}\necho $$ '\n}\n'",
	"echo \\\nf() {\n:\n}\n", "echo \\\\\nf() {\n:\n}\n", "# it's\nf() {\n# can't\n:\n}\necho \"it's\"\n", "f() {\n:\n}\n| cat\n",
	"{\n:\n}\nif f() {\n:\n}\nthen echo a; fi\n", "while\nf() {\n:\n}\ndo break; done", "x=\"$(echo \"\nf() {\n}\n\")\"\n", "f() {\nif\n}\n",
	"\\\\\\\nf() {\n:\n}\nf &", "\\\x00\nf() {\n:\n}\n", "0 #\\\nf() {\n:\n}\n", "f() {\n:\n}\nfoo[[ &\n", "a=1 \\\n\nf() {\n:\n}\n",
}

// TestParseCache: code is read in pieces as it is read whole, also from memory.
func TestParseCache(t *testing.T) {
	var cache parseCache
	codes := append([]string(nil), cutCodes...)
	for _, c := range shCases {
		codes = append(codes, c.script)
	}
	id, n := remediate.NewID(time.Unix(1_800_000_000, 0)), remediate.NewNonce()
	launch, err := job.Launch(job.Spec{ID: id, Campaign: "it's", Controller: "m", Script: []byte("f() {\necho 'a b'\n}\nf\n")}, n)
	if err != nil {
		t.Fatal(err)
	}
	join, err := job.Join(id, n)
	if err != nil {
		t.Fatal(err)
	}
	look := probe.Sh(remediate.Questions{}, n)
	for _, code := range append(codes, string(launch), string(join), string(look)) {
		sameParse(t, &cache, code)
	}
	for name, code := range map[string][]byte{"launch": launch, "join": join, "look": look} {
		if n := len(cutShell(string(code))); n < 8 {
			t.Errorf("the %s is cut into %d pieces", name, n)
		}
		for _, piece := range cutShell(string(code)) {
			if _, err := parseShell(piece, "sh", nil); err != nil {
				t.Errorf("the %s is cut in a wrong place: %v:\n%s", name, err, piece)
			}
		}
	}
}

// TestParseCacheBound: it does not grow for ever, and keeps what is used.
func TestParseCacheBound(t *testing.T) {
	var cache parseCache
	const used = "f() {\necho used\n}\n"
	for i := range 4 * mostParsed / 4096 {
		code := used + "echo " + strings.Repeat("x", 4096+i%7) + strings.Repeat("y", i%1000) + "\n"
		if _, err := cache.shell(code, "sh", nil); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for _, m := range []map[string]parsed{cache.fresh, cache.old} {
		for key := range m {
			size += len(key)
		}
	}
	if _, ok := cache.fresh[used]; size > 2*mostParsed+8192 || !ok {
		t.Errorf("%d bytes of code, the used one is there: %v", size, ok)
	}
}

func FuzzParseCache(f *testing.F) {
	for _, code := range cutCodes {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) { sameParse(t, &parseCache{}, code) })
}
