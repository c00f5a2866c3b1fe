package remediate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var selectViews = []SelectorView{
	{Host: Host{Name: "web01", Site: "berlin", Tags: []string{"web", "gold"}, Owner: "ops", Platform: Linux}, Standing: StandPresent, OS: "debian 13"},
	{Host: Host{Name: "web02", Site: "paris", Tags: []string{"web"}, Owner: "ops", Platform: Linux}, Standing: StandRemoved, OS: "Ubuntu 24.04"},
	{Host: Host{Name: "db01", Site: "berlin", Tags: []string{"db"}, Owner: "dba", Platform: Linux}, Standing: StandPresent, Class: ClassBusy, OS: "rhel 9.4"},
	{Host: Host{Name: "mac01", Site: "paris", Platform: MacOS}, Standing: StandUnseen},
}

func TestSelector(t *testing.T) {
	cases := []struct{ expr, want string }{
		{"", "web01 web02 db01 mac01"},
		{"  ", "web01 web02 db01 mac01"},
		{"web01", "web01"},
		{"web*", "web01 web02"},
		{"web0[2-9]", "web02"},
		{"db01,web02", "web02 db01"},
		{"site=berlin", "web01 db01"},
		{"site=berlin+tag=gold", "web01"},
		{"site=berlin+!tag=gold", "db01"},
		{"!site=berlin", "web02 mac01"},
		{"tag=gold,mac*", "web01 mac01"},
		{"mac01, site=berlin + owner=dba", "db01 mac01"},
		{"os=debian", "web01"},
		{"os=debian 13", "web01"},
		{"os=UBUNTU*", "web02"},
		{"os=linux", "web01 web02 db01"},
		{"os=macos", "mac01"},
		{"standing=present", "web01 db01"},
		{"class=busy", "db01"},
		{"!class=*", ""}, // an empty class matches the glob *
		{"owner=ops+standing=re*", "web02"},
		{"!web*+!mac*", "db01"},
	}
	for _, c := range cases {
		t.Run(c.expr, func(t *testing.T) {
			s, err := ParseSelector(c.expr)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range selectViews {
				if s.Match(v) {
					got = append(got, v.Host.Name)
				}
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSelectorRefuses(t *testing.T) {
	cases := []struct{ expr, want string }{
		{"sit=berlin", "did you mean site=?"},
		{"colour=red", "there are site=, tag=, owner=, os=, standing=, class="},
		{"standing=presnt", "did you mean present?"},
		{"class=bussy", "did you mean busy?"},
		{"class=purple-elephants", "there are unreachable, "},
		{"a,,b", "a term is empty"},
		{"a+", "a term is empty"},
		{"!", "a term is empty"},
		{"tag=", "a term is empty"},
		{"web[", "is not a glob"},
		{strings.Repeat("a", maxSelector+1), "at most"},
		{strings.Repeat("a,", maxSelectorTerms) + "a", "more than"},
	}
	for _, c := range cases {
		if _, err := ParseSelector(c.expr); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseSelector(%.40q) = %v; want an error with %q", c.expr, err, c.want)
		}
	}
}

func TestSelectorAsks(t *testing.T) {
	s, err := ParseSelector("web01,db*,!web01+site=x,mac01")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"web01", "mac01"}, s.Names()); diff != "" {
		t.Error(diff)
	}
	for expr, want := range map[string]bool{"web*": false, "site=a+tag=b": false, "a,standing=clear": true, "os=x": true, "!class=busy": true} {
		if s, err := ParseSelector(expr); err != nil || s.NeedsState() != want {
			t.Errorf("NeedsState of %q: %v, %v; want %v", expr, s.NeedsState(), err, want)
		}
	}
}

func FuzzParseSelector(f *testing.F) {
	for _, seed := range []string{"", "web*", "a+b,!c", "os=debian 13", "standing=re*", "tag=[a-", "=", "!!a", `\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err != nil {
			return
		}
		for _, v := range selectViews {
			s.Match(v)
		}
		for _, n := range s.Names() {
			only, err := ParseSelector(n)
			if err != nil && strings.Contains(n, "!") {
				continue
			}
			if err != nil || (!strings.HasPrefix(n, "!") && !only.Match(SelectorView{Host: Host{Name: n}})) {
				t.Errorf("the name %q does not select itself: %v", n, err)
			}
		}
	})
}
