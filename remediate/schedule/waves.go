package schedule

import (
	"math"

	"oust/remediate"
)

// DefaultWaves is what a campaign without waves of its own gets: one host,
// five, then 5%, 25% and all that are left.
func DefaultWaves() []remediate.WaveSize {
	return []remediate.WaveSize{{Hosts: 1}, {Hosts: 5}, {Share: 0.05}, {Share: 0.25}, {Share: 1}}
}

// Waves cuts total hosts into waves and returns the size of each.
//
// A number is that many hosts. A share is of all hosts of the plan, not of
// those that are left, and is rounded up, so that 5% of 12 hosts is one. The
// last wave takes whatever is left, be it more or less than was asked for; a
// wave for which nobody is left does not exist. So no size is below 1, and
// they sum up to total. Sizes that ask for nobody are passed over; without
// any, DefaultWaves holds. A total below 1 has no waves.
func Waves(total int, sizes []remediate.WaveSize) []int {
	sizes = asking(sizes)
	if len(sizes) == 0 {
		sizes = DefaultWaves()
	}
	var out []int
	for i, s := range sizes {
		if total <= sum(out) {
			break
		}
		left := total - sum(out)
		n := min(hostsOf(s, total), left)
		if i == len(sizes)-1 {
			n = left
		}
		out = append(out, n)
	}
	return out
}

// asking drops the sizes that ask for nobody.
func asking(sizes []remediate.WaveSize) []remediate.WaveSize {
	var out []remediate.WaveSize
	for _, s := range sizes {
		if s.Hosts > 0 || s.Share > 0 {
			out = append(out, s)
		}
	}
	return out
}

// hostsOf is at least 1 and at most total.
func hostsOf(s remediate.WaveSize, total int) int {
	if s.Share <= 0 {
		return min(s.Hosts, total)
	}
	// 5% of 20 must be 1, although 0.05 is a little more in binary.
	n := math.Ceil(min(s.Share, 1)*float64(total) - slack)
	return min(max(int(n), 1), total)
}

// slack is below any difference between shares of whole hosts that a person
// means, and above the error of binary fractions for up to a billion hosts.
const slack = 1e-6

func sum(sizes []int) int {
	n := 0
	for _, s := range sizes {
		n += s
	}
	return n
}
