package engine

// roster finds hosts by name. Records come by name, and inventories mostly do
// too: so it looks first among those that stand behind the host that was found
// last, as long as that helps.
type roster struct {
	hosts  []*served
	byName map[string]int // made when it is needed
	next   int
	missed int // in a row, behind the last host
}

const (
	// nearby is how many hosts without a record may stand between two with one.
	nearby = 64
	// mostMissed is how many are missed in a row in an inventory in order: hosts
	// that have left it.
	mostMissed = 16
)

// find returns nil where there is no such host.
func (r *roster) find(name string) *served {
	if r.missed < mostMissed {
		for i := r.next; i < min(r.next+nearby, len(r.hosts)); i++ {
			if r.hosts[i].host.Name == name {
				r.next, r.missed = i+1, 0
				return r.hosts[i]
			}
		}
		r.missed++
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
func (r *roster) rewind() { r.next, r.missed = 0, 0 }
