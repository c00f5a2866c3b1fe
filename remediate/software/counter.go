package software

import (
	"encoding/binary"
	"slices"
	"strings"
)

// MaxVersions bounds how many versions, of all products together, are told
// apart: a fleet has some ten thousands of them.
const MaxVersions = 1_000_000

// Counter counts what hosts have. Its memory grows with the number of versions
// and, by about two bytes each, with the hosts that have them. The zero Counter
// is ready. It is not safe for concurrent use.
type Counter struct {
	// Left counts what was not counted because of MaxVersions, once a look.
	Left int

	most     int // instead of MaxVersions, if not 0
	products map[Installed]*counted
	versions int
}

// counted is a product under way; its key has no version.
type counted struct {
	runs
	versions map[string]*runs
}

// runs are ascending numbers of hosts, packed: for each run of neighbours how
// many numbers lie before it and how long it is.
type runs struct {
	packed     []byte
	hosts      int
	from, next int // the last run, which is not packed yet; next is the number after it
	end        int // the number after the last run that is packed
}

// add adds the n numbers from first on. Those that are there already are left.
func (r *runs) add(first, n int) {
	if first < r.next { // the same look, another version
		return
	}
	if first > r.next {
		r.pack()
		r.from = first
	}
	r.next, r.hosts = first+n, r.hosts+n
}

func (r *runs) pack() {
	if r.next == r.from {
		return
	}
	r.packed = binary.AppendUvarint(r.packed, uint64(r.from-r.end))
	r.packed = binary.AppendUvarint(r.packed, uint64(r.next-r.from))
	r.from, r.end = r.next, r.next
}

// Add counts what n hosts have whose looks are equal: those with the numbers
// first to first+n-1. Each call has a first behind the hosts of the one before.
func (c *Counter) Add(first, n int, has []Installed) {
	if c.products == nil {
		c.products = map[Installed]*counted{}
	}
	for _, i := range has {
		p, v := c.slots(i)
		if v == nil {
			c.Left++
			continue
		}
		p.add(first, n)
		v.add(first, n)
	}
}

// slots finds where a version is counted; nil where there is no room. What is
// kept is copied: i may hold on to the text of a whole look.
func (c *Counter) slots(i Installed) (*counted, *runs) {
	key := Installed{Manager: i.Manager, Name: i.Name, Publisher: i.Publisher}
	p := c.products[key]
	if p != nil {
		if v := p.versions[i.Version]; v != nil {
			return p, v
		}
	}
	most := MaxVersions
	if c.most > 0 {
		most = c.most
	}
	if c.versions >= most {
		return nil, nil
	}
	c.versions++
	if p == nil {
		p = &counted{versions: map[string]*runs{}}
		c.products[Installed{Manager: strings.Clone(key.Manager), Name: strings.Clone(key.Name), Publisher: strings.Clone(key.Publisher)}] = p
	}
	v := &runs{}
	p.versions[strings.Clone(i.Version)] = v
	return p, v
}

// Products are all products, sorted by name, publisher and manager.
func (c *Counter) Products() []Product {
	out := make([]Product, 0, len(c.products))
	for key, p := range c.products {
		product := Product{Manager: key.Manager, Name: key.Name, Publisher: key.Publisher, Hosts: p.hosts}
		for text, v := range p.versions {
			v.pack()
			product.Versions = append(product.Versions, Version{Version: text, Hosts: v.hosts, on: v.packed})
		}
		sortVersions(product.Versions)
		out = append(out, product)
	}
	slices.SortFunc(out, compare)
	return out
}
