package lab

import "time"

// product is a banned product that can be installed on hosts. Names, paths
// and services: support.kaspersky.com/kes-for-linux 236383, 250484, 237152.
// What is simulated carries these names and nothing of the products.
type product struct {
	name     string // of its package
	version  string
	release  string
	depends  []string
	services []string
	summary  string
	// files are what the package owns.
	files []string
	// config is what a user has changed, and data what appeared at run time:
	// only `dpkg --purge` takes them away.
	config, data []string
	daemon       []string // the argument list of its daemon, nil for none
	// takes is how long the uninstaller works.
	takes time.Duration
	// residue is the file that the fault of that name leaves.
	residue string
}

var (
	kesl = &product{
		name: "kesl", version: "12.1.0", release: "1508", services: []string{"kesl"},
		summary: "Kaspersky Endpoint Security for Linux (simulated)",
		files: []string{
			"/opt/kaspersky/kesl/bin/kesl-control", "/opt/kaspersky/kesl/libexec/kesl",
			"/opt/kaspersky/kesl/libexec/kesl-supervisor", "/opt/kaspersky/kesl/lib64/libinterceptor.so",
			"/opt/kaspersky/kesl/doc/README", "/etc/init.d/kesl",
		},
		config:  []string{"/etc/opt/kaspersky/kesl/kesl.ini"},
		data:    []string{"/var/opt/kaspersky/kesl/private/storage.db", "/var/log/kaspersky/kesl/kesl.log"},
		daemon:  []string{"/opt/kaspersky/kesl/libexec/kesl", "--daemon"},
		takes:   4 * time.Second,
		residue: "/opt/kaspersky/kesl/lib64/libinterceptor.so",
	}
	keslGUI = &product{
		name: "kesl-gui", version: "12.1.0", release: "1508", depends: []string{"kesl"},
		summary: "Kaspersky Endpoint Security for Linux, graphical interface (simulated)",
		files:   []string{"/opt/kaspersky/kesl-gui/bin/kesl-gui", "/usr/share/applications/kesl-gui.desktop"},
		data:    []string{"/var/opt/kaspersky/kesl-gui/settings.db"},
		takes:   time.Second,
	}
	klnagent = &product{
		name: "klnagent64", version: "15.1.0", release: "20748", services: []string{"klnagent64"},
		summary: "Kaspersky Security Center Network Agent (simulated)",
		files: []string{
			"/opt/kaspersky/klnagent64/bin/klnagchk", "/opt/kaspersky/klnagent64/sbin/klnagent",
			"/etc/init.d/klnagent64",
		},
		config:  []string{"/etc/opt/kaspersky/klnagent/klnagent.conf"},
		data:    []string{"/var/opt/kaspersky/klnagent/1093/1103/1.0.0.0/data.db"},
		daemon:  []string{"/opt/kaspersky/klnagent64/sbin/klnagent", "-d"},
		takes:   2 * time.Second,
		residue: "/opt/kaspersky/klnagent64/sbin/klnagent",
	}
	allProducts = []*product{kesl, keslGUI, klnagent}
)

// productSet is a set of products as a bit mask over allProducts.
type productSet uint8

func (s productSet) has(p *product) bool {
	for i, q := range allProducts {
		if p == q {
			return s&(1<<i) != 0
		}
	}
	return false
}

func setOf(ps ...*product) productSet {
	var s productSet
	for i, p := range allProducts {
		for _, q := range ps {
			if p == q {
				s |= 1 << i
			}
		}
	}
	return s
}

// list returns the set's products in the order of allProducts.
func (s productSet) list() []*product {
	var out []*product
	for _, p := range allProducts {
		if s.has(p) {
			out = append(out, p)
		}
	}
	return out
}
