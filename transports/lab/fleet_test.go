package lab

import (
	"context"
	"fmt"
	"math"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drawn is what the tests compare of a lot.
func drawn(c Config) []string {
	var out []string
	for _, l := range c.WithDefaults().lots() {
		out = append(out, fmt.Sprintf("%s %b %s", l.kind.id, l.products, l.fault))
	}
	return out
}

func everyFault(hosts int) FaultMix {
	var mix FaultMix
	for _, f := range Faults() {
		mix = append(mix, FaultShare{Fault: f.Name, Hosts: hosts})
	}
	return mix
}

// TestLots: the seed alone decides the fleet, and shares are exact.
func TestLots(t *testing.T) {
	c := Config{Hosts: 200, Seed: 7, Clean: 0.25, Faults: everyFault(3)}
	if diff := cmp.Diff(drawn(c), drawn(c)); diff != "" {
		t.Errorf("equal seeds, other fleets:\n%s", diff)
	}
	other := c
	other.Seed = 8
	if cmp.Equal(drawn(c), drawn(other)) {
		t.Error("other seeds, equal fleets")
	}
	faults, systems, clean := map[string]int{}, map[string]int{}, 0
	faultyKinds := map[string]bool{}
	for _, l := range c.lots() {
		systems[l.kind.id]++
		if l.products == 0 {
			clean++
		} else if l.kind.manager == managerApk {
			t.Error("Alpine has a product")
		}
		if l.fault == "" {
			continue
		}
		faults[l.fault]++
		faultyKinds[l.kind.id] = true
		if f, _ := faultNamed(l.fault); f.product && l.products == 0 {
			t.Errorf("the fault %s has fallen on a clean host", l.fault)
		}
	}
	if clean != 50 {
		t.Errorf("%d hosts are clean, want 50", clean)
	}
	for _, f := range Faults() {
		if faults[f.Name] != 3 {
			t.Errorf("%d hosts have the fault %s, want 3", faults[f.Name], f.Name)
		}
	}
	if len(faultyKinds) < 4 {
		t.Errorf("faults fall on %v only", faultyKinds)
	}
	for _, k := range kinds {
		if want := k.weight * 2; math.Abs(float64(systems[k.id]-want)) > 5 {
			t.Errorf("%d hosts of 200 are %s, want about %d", systems[k.id], k.id, want)
		}
	}
}

// TestLotsOfSmallFleets: what cannot all be met gives way, and nothing breaks.
func TestLotsOfSmallFleets(t *testing.T) {
	for n := 1; n <= 30; n++ {
		for _, clean := range []float64{0, 0.3, 1} {
			c := Config{Hosts: n, Seed: uint64(n), Clean: clean}
			if n >= len(Faults()) {
				c.Faults = everyFault(1)
			}
			without := 0
			for _, l := range c.lots() {
				if l.kind == nil {
					t.Fatalf("%d hosts: one has no system", n)
				}
				if l.products == 0 {
					without++
				}
			}
			if want := min(rounded(clean*float64(n)), n-countProductFaults(c)); without != want {
				t.Errorf("%d hosts, clean %v: %d are, want %d", n, clean, without, want)
			}
		}
	}
}

func countProductFaults(c Config) int {
	byProduct, _ := c.Faults.names(c.Hosts)
	return len(byProduct)
}

func TestShares(t *testing.T) {
	for _, c := range []struct {
		share FaultShare
		of    int
		want  int
	}{
		{FaultShare{Share: 0.02}, 200, 4}, {FaultShare{Share: 0.02}, 10, 1}, {FaultShare{Share: 0}, 10, 0},
		{FaultShare{Share: 1}, 10, 10}, {FaultShare{Hosts: 3}, 10, 3}, {FaultShare{Share: 0.25}, 10, 3},
	} {
		if got := c.share.count(c.of); got != c.want {
			t.Errorf("%+v of %d: %d, want %d", c.share, c.of, got, c.want)
		}
	}
}

func TestParseFaults(t *testing.T) {
	got, err := ParseFaults(" refused=2%, lies=3,slow=0.5%,,hangs=0 ")
	want := FaultMix{{Fault: "refused", Share: 0.02}, {Fault: "lies", Hosts: 3}, {Fault: "slow", Share: 0.005}, {Fault: "hangs"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := ParseFaults(""); err != nil || got != nil {
		t.Errorf("an empty text: %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"refusd=1":                "did you mean refused?",
		"lock_held=1":             "did you mean lock-held?",
		"reboot=1":                "reboot-needed",
		"xyzzy=1":                 "there are refused, silent, slow",
		"lies":                    "want NAME=NUMBER",
		"=1":                      "no fault is called",
		"lies=":                   "not a number of hosts",
		"lies=-1":                 "not a number of hosts",
		"lies=1.5":                "not a number of hosts",
		"lies=20001":              "not a number of hosts",
		"lies=101%":               "not a share",
		"lies=-1%":                "not a share",
		"lies=NaN%":               "not a share",
		"lies=%":                  "not a share",
		"lies=1,lies=2":           "lies stands twice",
		strings.Repeat("x", 5000): "longer than",
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("refused=2%,silent=1%,lies=3")
	f.Fuzz(func(t *testing.T, text string) {
		mix, err := ParseFaults(text)
		if err != nil {
			return
		}
		for _, s := range mix {
			if _, ok := faultNamed(s.Fault); !ok || s.Hosts < 0 || s.Hosts > mostHosts || !(s.Share >= 0 && s.Share <= 1) {
				t.Errorf("%q: %+v", text, s)
			}
		}
	})
}

func TestConfigRefuses(t *testing.T) {
	for want, c := range map[string]Config{
		"want 1 to 20000":             {Hosts: -1},
		"20001 hosts":                 {Hosts: 20_001},
		"speed -1":                    {Speed: -1},
		"speed NaN":                   {Speed: math.NaN()},
		"clean 1.5":                   {Clean: 1.5},
		"clean NaN":                   {Clean: math.NaN()},
		"delay":                       {Delay: -1},
		"no fault is called \"lie\"":  {Faults: FaultMix{{Fault: "lie", Hosts: 1}}},
		"faults for 4 hosts, and the": {Hosts: 3, Faults: FaultMix{{Fault: "lies", Hosts: 2}, {Fault: "slow", Share: 0.5}}},
		"listen":                      {Hosts: 1, Listen: "192.0.2.1"},
	} {
		if f, err := Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
			if err == nil {
				_ = f.Close()
			}
		}
	}
}

func TestFileLimit(t *testing.T) {
	if err := checkFileLimit(1); err != nil {
		t.Error(err)
	}
	if err := checkFileLimit(1 << 30); err == nil || !strings.Contains(err.Error(), "ulimit -Hn") {
		t.Errorf("a thousand million hosts: %v", err)
	}
}

// TestRefusedPort: a refused host's port is nobody else's, and opens again.
func TestRefusedPort(t *testing.T) {
	f, h := oneHost(t, "debian")
	address := h.net.addr.String()
	client := dial(t, f, h, "root")
	if err := f.SetFault(h.name, faultRefused); err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(); err == nil {
		t.Error("a connection has outlived the port")
	}
	if c, err := net.Dial("tcp", address); err == nil {
		t.Error("the port is not refused")
		_ = c.Close()
	}
	if l, err := net.Listen("tcp", address); err == nil {
		t.Error("the port was given away")
		_ = l.Close()
	}
	if err := f.SetFault(h.name, ""); err != nil {
		t.Fatal(err)
	}
	if got := remote(t, dial(t, f, h, "root"), "id -u", ""); got.Out != "0\n" {
		t.Errorf("after the fault: %+v", got)
	}
	if err := f.SetFault(h.name, "refusd"); err == nil {
		t.Error("an unknown fault was set")
	}
	for _, err := range []error{f.SetFault("lab-0002", ""), f.Reboot("x"), f.Drop("x")} {
		if err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Error(err)
		}
	}
}

// TestDrop: the network goes and comes back, and what runs goes on.
func TestDrop(t *testing.T) {
	f, h := oneHostWith(t, Config{Speed: 100}, lot{kind: kindNamed(t, "debian")})
	client := dial(t, f, h, "root")
	if got := remote(t, client, shLine, "systemd-run -q -u job sleep 1000000"); got.Exit != 0 {
		t.Fatal(got)
	}
	if err := f.Drop(h.name); err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(); err == nil {
		t.Error("the connection has outlived the drop")
	}
	waitFor(t, func() bool {
		h.net.mu.Lock()
		defer h.net.mu.Unlock()
		return h.net.away == 0
	})
	if got := remote(t, dial(t, f, h, "root"), "/bin/systemctl is-active job", ""); got.Out != "active\n" {
		t.Errorf("after the drop: %+v", got)
	}
}

// TestEnds: a fleet ends with its context, and may be closed more than once.
func TestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Start(ctx, Config{Hosts: 3})
	if err != nil {
		t.Fatal(err)
	}
	client := dial(t, f, f.hosts[0], "root")
	cancel()
	if err := client.Wait(); err == nil {
		t.Error("the connection has outlived the fleet")
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if c, err := net.Dial("tcp", f.hosts[1].net.addr.String()); err == nil {
		t.Error("a port is still open")
		_ = c.Close()
	}
}

// TestHostInfo: what must become of a host follows from its products and its
// fault.
func TestHostInfo(t *testing.T) {
	f := newFleet(t, Config{Hosts: 40, Seed: 3, Clean: 0.4, Faults: everyFault(1)})
	for _, h := range f.Hosts() {
		fault, faulty := faultNamed(h.Fault)
		want := outcomeRemoved
		switch {
		case faulty && fault.Class != "":
			want = outcomeFailed
		case len(h.Products) == 0:
			want = outcomeNothingToDo
		case faulty:
			want = fault.Outcome
		}
		if h.Outcome != want || (h.Class != "") != (want == outcomeFailed) {
			t.Errorf("%+v: want outcome %s", h, want)
		}
		if !slices.IsSorted(h.Products) {
			t.Errorf("%s: products %v are not sorted", h.Name, h.Products)
		}
	}
}

// TestImages: each kind's list of packages can be read.
func TestImages(t *testing.T) {
	for _, k := range kinds {
		ps := parsePackages(k)
		if len(ps) < 50 {
			t.Errorf("%s: %d packages", k.id, len(ps))
		}
		for _, p := range ps {
			if p.name == "" || p.version == "" || p.arch == "" || k.manager == managerRPM && p.release == "" {
				t.Errorf("%s: %+v", k.id, p)
			}
		}
	}
}

// TestMemory: idle hosts are small, also after they have worked: neither a
// script nor its processes are kept.
func TestMemory(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const hosts, mostIdle, mostAfter = 300, 16 << 10, 40 << 10 // bytes
	before := heap()
	f := newFleet(t, Config{Hosts: hosts, Speed: 1000})
	if got := (heap() - before) / hosts; got > mostIdle {
		t.Errorf("an idle host takes %d bytes, want at most %d", got, mostIdle)
	}
	for _, h := range f.hosts {
		run(t, h, `job() { systemd-run -q --unit=job --wait sh -c 'sleep 0 & wait $!; sh -c "exit 0"'; }
mkdir -p /var/lib/oust/x; echo x >/var/lib/oust/x/f; job & job; wait $!; { sleep 1000000 & kill $!; wait $!; }; rm -rf /var/lib/oust`)
	}
	if got := (heap() - before) / hosts; got > mostAfter {
		t.Errorf("a host that has worked takes %d bytes, want at most %d", got, mostAfter)
	}
	for _, h := range f.hosts {
		if len(h.procs)+len(h.units) > 0 {
			t.Errorf("%s: %d processes, %d units are kept", h.name, len(h.procs), len(h.units))
		}
	}
}
