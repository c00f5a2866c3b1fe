package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"oust/remediate"
)

// TestRoster holds that every host is found, in whatever order hosts stand and
// are asked for, and no other.
func TestRoster(t *testing.T) {
	t.Parallel()
	const n = 3000
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shuffled := range []bool{false, true} {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		if shuffled {
			rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		r := roster{}
		for _, i := range order {
			r.hosts = append(r.hosts, &served{host: &remediate.Host{Name: fmt.Sprintf("host%05d", i)}})
		}
		for pass := range 3 {
			for i := 0; i < n; i += 1 + rng.IntN(1+200*pass) {
				name := fmt.Sprintf("host%05d", i)
				if x := r.find(name); x == nil || x.host.Name != name {
					t.Fatalf("shuffled %t, pass %d: %s is not found", shuffled, pass, name)
				}
				if i%40 == 0 && r.find(name+"x") != nil {
					t.Fatalf("a host is found that is not there")
				}
			}
			r.rewind()
		}
	}
}
