package inventory

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fleet writes an inventory of n hosts in a format.
func fleet(format string, n int) []byte {
	var b bytes.Buffer
	switch format {
	case "CSV":
		b.WriteString("name,address,port,platform,transport,credential,site,zone,owner,tags\n")
	case "YAML":
		b.WriteString("hosts:\n")
	case "INI":
		b.WriteString("[web:children]\nnorth\n[north:vars]\noust_site=berlin\n[north]\n")
	case "JSON":
		b.WriteString("{\"_meta\": {\"hostvars\": {\n\"none\": {}")
	}
	for i := range n {
		ip := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		switch format {
		case "CSV":
			fmt.Fprintf(&b, "host%06d.example.org,%s,22,linux,ssh,linux,site%d,Europe/Berlin,team-%d@example.org,web gold\n", i, ip, i%50, i%100)
		case "list":
			fmt.Fprintf(&b, "root@host%06d.example.org:2222\n", i)
		case "YAML":
			fmt.Fprintf(&b, "  - name: host%06d.example.org\n    address: %s\n    site: site%d\n    tags: [web, gold]\n", i, ip, i%50)
		case "INI":
			fmt.Fprintf(&b, "host%06d.example.org ansible_host=%s ansible_port=22 ansible_user=root\n", i, ip)
		case "JSON":
			fmt.Fprintf(&b, ",\n\"host%06d.example.org\": {\"ansible_host\": \"%s\", \"ansible_port\": 22, \"facts\": {\"a\": [1, 2, 3]}}", i, ip)
		}
	}
	if format == "JSON" {
		b.WriteString("}}}\n")
	}
	return b.Bytes()
}

// BenchmarkLoad reads 100,000 hosts; MB-held is what stays of them.
func BenchmarkLoad(b *testing.B) {
	const hosts = 100_000
	for _, format := range []string{"CSV", "list", "INI", "JSON", "YAML"} {
		b.Run(format, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "hosts")
			if err := os.WriteFile(path, fleet(format, hosts), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := held()
			var inv Inventory
			for b.Loop() {
				var err error
				if inv, err = Load([]string{path}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			if len(inv.Hosts) < hosts {
				b.Fatalf("%d hosts", len(inv.Hosts))
			}
			b.ReportMetric(float64(held()-before)/(1<<20), "MB-held")
			runtime.KeepAlive(inv)
		})
	}
}

// held is the heap in use.
func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestFleetOfEachFormat(t *testing.T) {
	t.Parallel()
	const hosts = 3000
	for _, format := range []string{"CSV", "list", "INI", "JSON", "YAML"} {
		inv, err := Load([]string{"-"}, Options{Stdin: bytes.NewReader(fleet(format, hosts))})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		n := 0
		for _, h := range inv.Hosts {
			if strings.HasPrefix(h.Name, "host") {
				n++
			}
		}
		if n != hosts || len(inv.Warnings) > 0 {
			t.Errorf("%s: %d hosts, %q", format, n, inv.Warnings)
		}
	}
}
