package ssh

import (
	"strings"
	"testing"
)

func TestParseJump(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want, err string }{
		{"", "", ""}, {"none", "", ""}, {"NONE", "", ""}, {"a", "a", ""}, {"a , u@b:22,[::1]:2200", "a u@b:22 [::1]:2200", ""},
		{"ssh://u@a:2200/", "u@a:2200", ""}, {"fe80::1%eth0", "[fe80::1%eth0]", ""}, {"[::1]", "[::1]", ""},
		{"a,", "", "the address is empty"}, {"@a", "", "bad user"}, {"a:0", "", "not a number from 1 to 65535"}, {"a:x", "", "port"},
		{"-oProxyCommand=x", "", "is not a name"}, {"a b", "", "is not a name"}, {"$(id)", "", "is not a name"}, {"[a", "", "is not a name"},
		{"a,a,a,a,a,a,a,a,a", "", "at most 8"},
	} {
		hops, err := parseJump(c.text)
		var words []string
		for _, h := range hops {
			words = append(words, h.String())
		}
		if got := strings.Join(words, " "); got != c.want || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: %q, %v; want %q, %q", c.text, got, err, c.want, c.err)
		}
	}
}

// FuzzParseJump: what is taken is written as it is read.
func FuzzParseJump(f *testing.F) {
	f.Add("u@a:22,[::1]:2200,ssh://x/")
	f.Add("fe80::1%eth0,[a]:1")
	f.Fuzz(func(t *testing.T, text string) {
		hops, err := parseJump(text)
		if err != nil {
			return
		}
		var words []string
		for _, h := range hops {
			words = append(words, h.String())
		}
		again, err := parseJump(strings.Join(words, ","))
		if err != nil || len(again) != len(hops) {
			t.Fatalf("%q is written as %q: %v", text, words, err)
		}
		for i := range hops {
			if again[i] != hops[i] {
				t.Errorf("%q: %+v is read again as %+v", text, hops[i], again[i])
			}
		}
	})
}
