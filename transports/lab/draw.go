package lab

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"golang.org/x/crypto/ssh"
)

// lot is what the seed has drawn for one host.
type lot struct {
	kind     *osKind
	products productSet
	fault    string
}

// lots draws the fleet. Counts and shares are met exactly, as far as they do
// not contradict each other: a fault of an uninstaller needs a product, and
// so do all hosts that are not clean; and Alpine has none.
func (c Config) lots() []lot {
	rnd := rand.New(rand.NewPCG(c.Seed, 0x6f757374)) //nolint:gosec // it must be the same again for the same seed
	out := make([]lot, c.Hosts)
	byProduct, others := c.Faults.names(c.Hosts)
	order := rnd.Perm(c.Hosts)
	clean := min(rounded(c.Clean*float64(c.Hosts)), c.Hosts-len(byProduct))
	with, without := order[clean:], order[:clean]
	for i, fault := range byProduct {
		out[with[i]].fault = fault
	}
	rest := append(append([]int(nil), with[len(byProduct):]...), without...)
	rnd.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for i, fault := range others {
		out[rest[i]].fault = fault
	}
	for _, at := range with {
		out[at].products = drawProducts(rnd)
	}
	dealKinds(rnd, out, without, with)
	return out
}

// names lists a mix's faults, each as often as it is to fall on n hosts: first
// those of uninstallers.
func (m FaultMix) names(n int) (byProduct, others []string) {
	for _, share := range m {
		f, _ := faultNamed(share.Fault)
		for range share.count(n) {
			if f.product {
				byProduct = append(byProduct, f.Name)
			} else {
				others = append(others, f.Name)
			}
		}
	}
	return byProduct, others
}

// drawProducts draws what is installed: the product and its agent on most
// hosts, the graphical interface on some.
func drawProducts(rnd *rand.Rand) productSet {
	switch n := rnd.IntN(100); {
	case n < 55:
		return setOf(kesl, klnagent)
	case n < 75:
		return setOf(kesl, keslGUI, klnagent)
	case n < 90:
		return setOf(kesl)
	default:
		return setOf(klnagent)
	}
}

// dealKinds gives the hosts operating systems by weight. Those for which there
// are no products go to hosts without one, as far as these reach.
func dealKinds(rnd *rand.Rand, lots []lot, without, with []int) {
	bare := func(k *osKind) bool { return k.manager == managerApk }
	rich := func(k *osKind) bool { return k.manager != managerApk }
	n := 0
	for _, k := range kinds {
		if bare(k) {
			n += max(1, rounded(float64(k.weight*len(lots))/100))
		}
	}
	n = min(n, len(without))
	deal(rnd, lots, without[:n], bare)
	deal(rnd, lots, without[n:], rich)
	deal(rnd, lots, with, rich)
}

// deal gives some of the hosts the kinds that fit, each as often as its weight
// says.
func deal(rnd *rand.Rand, lots []lot, some []int, fits func(*osKind) bool) {
	var among []*osKind // each as often as it has weight
	for _, k := range kinds {
		for range k.weight {
			if fits(k) {
				among = append(among, k)
			}
		}
	}
	for i, at := range rnd.Perm(len(some)) {
		lots[some[at]].kind = among[(2*i+1)*len(among)/(2*len(some))]
	}
}

func rounded(f float64) int { return int(f + 0.5) }

// draw is a number from 0 to below n that depends on the seed, the host and
// the purpose alone.
func (f *Fleet) draw(host, purpose string, n uint64) uint64 {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%d %s %s", f.config.Seed, host, purpose)
	return sum.Sum64() % n
}

// hostKey makes a host's key from the seed, so that the same fleet has the
// same keys again.
func (f *Fleet) hostKey(name string) (ssh.Signer, error) {
	seed := sha256.Sum256(fmt.Appendf(nil, "lab %d %s", f.config.Seed, name))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return nil, fmt.Errorf("lab: make the key of %s: %w", name, err)
	}
	return signer, nil
}
