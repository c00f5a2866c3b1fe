package software

import (
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// flat is a product as a test sees it.
type flat struct {
	Product string
	Hosts   int
	On      map[string][]int
}

func flatten(t rapid.TB, ps []Product) []flat {
	t.Helper()
	out := []flat{}
	for _, p := range ps {
		f := flat{p.Manager + "|" + p.Name + "|" + p.Publisher, p.Hosts, map[string][]int{}}
		for _, v := range p.Versions {
			on := slices.Collect(v.Numbers())
			if len(on) != v.Hosts {
				t.Errorf("%s %s: %d hosts, and %d numbers", f.Product, v.Version, v.Hosts, len(on))
			}
			f.On[v.Version] = on
		}
		out = append(out, f)
	}
	return out
}

func TestCounter(t *testing.T) {
	t.Parallel()
	var c Counter
	c.Add(0, 2, []Installed{{"rpm", "kernel", "Fedora", "6.1"}, {"rpm", "kernel", "Fedora", "6.2"}})
	c.Add(2, 1, []Installed{{"rpm", "kernel", "Fedora", "6.2"}, {"rpm", "Zed", "", ""}, {"dpkg", "abc", "", "1"}, {"rpm", "kernel", "Else", "6.2"}})
	c.Add(300, 1, []Installed{{"rpm", "kernel", "Fedora", "6.2"}})
	want := []flat{
		{"dpkg|abc|", 1, map[string][]int{"1": {2}}},
		{"rpm|kernel|Else", 1, map[string][]int{"6.2": {2}}},
		{"rpm|kernel|Fedora", 4, map[string][]int{"6.1": {0, 1}, "6.2": {0, 1, 2, 300}}},
		{"rpm|Zed|", 1, map[string][]int{"": {2}}},
	}
	for range 2 { // reading changes nothing
		if diff := gocmp.Diff(want, flatten(t, c.Products())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestCounterBound(t *testing.T) {
	t.Parallel()
	c := Counter{most: 2}
	for i := range 3 {
		c.Add(i, 1, []Installed{{"rpm", "a", "", "1"}, {"rpm", "a", "", "2"}, {"rpm", "a", "", "3"}, {"rpm", "b", "", "1"}})
	}
	want := []flat{{"rpm|a|", 3, map[string][]int{"1": {0, 1, 2}, "2": {0, 1, 2}}}}
	if diff := gocmp.Diff(want, flatten(t, c.Products())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Left != 6 {
		t.Errorf("%d left, want 6", c.Left)
	}
}

// TestCounterCounts: whatever hosts have, each is counted where it belongs.
func TestCounterCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var c Counter
		want := map[string]map[string][]int{}
		hosts := map[string]map[int]bool{}
		for at, looks := 0, rapid.IntRange(0, 12).Draw(r, "looks"); looks > 0; looks-- {
			at += rapid.SampledFrom([]int{0, 0, 1, 200}).Draw(r, "gap")
			n := rapid.IntRange(1, 300).Draw(r, "hosts")
			has := rapid.SliceOfNDistinct(rapid.Custom(func(r *rapid.T) Installed {
				return Installed{Manager: "rpm", Name: rapid.SampledFrom([]string{"a", "b"}).Draw(r, "name"), Version: fmt.Sprint(rapid.IntRange(1, 3).Draw(r, "version"))}
			}), 0, 6, rapid.ID).Draw(r, "has")
			c.Add(at, n, has)
			for _, i := range has {
				key := i.Manager + "|" + i.Name + "|"
				if want[key] == nil {
					want[key], hosts[key] = map[string][]int{}, map[int]bool{}
				}
				for k := range n {
					want[key][i.Version] = append(want[key][i.Version], at+k)
					hosts[key][at+k] = true
				}
			}
			at += n
		}
		got := flatten(r, c.Products())
		if len(got) != len(want) {
			r.Fatalf("%d products, want %d", len(got), len(want))
		}
		for _, p := range got {
			if diff := gocmp.Diff(want[p.Product], p.On); diff != "" || p.Hosts != len(hosts[p.Product]) {
				r.Fatalf("%s on %d hosts, want %d (-want +got):\n%s", p.Product, p.Hosts, len(hosts[p.Product]), diff)
			}
		}
	})
}
