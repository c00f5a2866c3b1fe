package engine

// roster finds hosts by name. Records come by name, and inventories mostly do
// too: so it looks first where the host after the last one stands.
type roster struct {
	hosts  []*served
	byName map[string]int
	next   int
}

// nearby is how many hosts without a record may stand between two with one.
const nearby = 8

// find returns nil where there is no such host.
func (r *roster) find(name string) *served {
	for i := r.next; i < min(r.next+nearby, len(r.hosts)); i++ {
		if r.hosts[i].host.Name == name {
			r.next = i + 1
			return r.hosts[i]
		}
	}
	if r.byName == nil {
		r.byName = make(map[string]int, len(r.hosts))
		for i, x := range r.hosts {
			r.byName[x.host.Name] = i
		}
	}
	i, ok := r.byName[name]
	if !ok {
		return nil
	}
	r.next = i + 1
	return r.hosts[i]
}

// rewind lets the next search begin with the first host.
func (r *roster) rewind() { r.next = 0 }
