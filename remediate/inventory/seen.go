package inventory

// seen finds the first of many hosts that has something: a hash table of their
// numbers, which is smaller and faster than a map with what they have.
type seen struct {
	slots []int32 // the number of a host, from 1; 0 is empty
	used  int
	hash  func(i int) uint64 // of what host i has
}

// newSeen makes room for n hosts; it takes more.
func newSeen(n int, hash func(i int) uint64) *seen {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &seen{slots: make([]int32, size), hash: hash}
}

// find returns the host that was put for something with that hash, or -1. same
// says whether it is what host i has.
func (s *seen) find(hash uint64, same func(i int) bool) int {
	for slot := s.first(hash); s.slots[slot] != 0; slot = s.after(slot) {
		if i := int(s.slots[slot]) - 1; same(i) {
			return i
		}
	}
	return -1
}

// put takes in host i, for which find has found nothing.
func (s *seen) put(hash uint64, i int) {
	if s.used++; 2*s.used > len(s.slots) {
		old := s.slots
		s.slots = make([]int32, 2*len(old))
		for _, n := range old {
			if n != 0 {
				s.set(s.hash(int(n)-1), n)
			}
		}
	}
	s.set(hash, int32(i)+1)
}

func (s *seen) set(hash uint64, n int32) {
	slot := s.first(hash)
	for s.slots[slot] != 0 {
		slot = s.after(slot)
	}
	s.slots[slot] = n
}

func (s *seen) first(hash uint64) int { return int(hash & uint64(len(s.slots)-1)) }

func (s *seen) after(slot int) int { return (slot + 1) & (len(s.slots) - 1) }
