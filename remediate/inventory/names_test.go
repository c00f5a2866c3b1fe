package inventory

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNamesInAnyOrder: a name that is there twice is found in every order, and
// told with the place of the first.
func TestNamesInAnyOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		names := rapid.SliceOfN(rapid.IntRange(0, 30), 1, 40).Draw(rt, "names")
		if sorted := rapid.IntRange(0, len(names)).Draw(rt, "sorted"); sorted > 0 {
			for i := range sorted { // as most inventories begin
				names[i] = i
			}
		}
		var text strings.Builder
		var want []string
		first := map[int]int{}
		for i, n := range names {
			fmt.Fprintf(&text, "host%02d\n", n)
			if at, twice := first[n]; twice {
				want = append(want, fmt.Sprintf("hosts.txt:%d: host \"host%02d\" is there already, at hosts.txt:%d; a name is unique in a campaign", i+1, n, at))
				continue
			}
			first[n] = i + 1
		}
		write(t, dir, "hosts.txt", text.String())
		inv, err := Load([]string{"hosts.txt"}, Options{Dir: dir})
		if len(want) == 0 {
			if err != nil || len(inv.Hosts) != len(names) {
				rt.Fatalf("%d hosts, %v", len(inv.Hosts), err)
			}
			return
		}
		if err == nil || strings.ReplaceAll(err.Error(), dir+"/", "") != strings.Join(want, "\n") {
			rt.Fatalf("got:\n%v\nwant:\n%s", err, strings.Join(want, "\n"))
		}
	})
}
