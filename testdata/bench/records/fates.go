package main

import (
	"fmt"
	"math/rand/v2"

	"oust/remediate"
)

// fate is what has become of a host.
type fate int

const (
	unseen     fate = iota // never looked at
	unreached              // its look failed
	clear                  // nothing was found
	removed                // found, planned, removed
	waiting                // its wave has not come
	unplanned              // found, and in no plan
	tried                  // its removal failed, and is tried again
	stuck                  // its removal failed, and a person has to help
	silent                 // it was not reached when its turn came
	reappeared             // found again after its removal
	restarting             // waits for a restart
	exempt                 // planned, and taken out by a person
	under                  // a removal is under way
	numFates
)

// perMille is how many hosts of a thousand have each fate; the rest is clear.
var perMille = [numFates]int{
	unseen: 30, unreached: 20, removed: 330, waiting: 170, unplanned: 10, tried: 15, stuck: 10,
	silent: 10, reappeared: 10, restarting: 10, exempt: 5, under: 1,
}

// planned reports whether a host of this fate is in the approved plan.
func (f fate) planned() bool {
	switch f {
	case unseen, unreached, clear, unplanned:
		return false
	}
	return true
}

// found reports whether the first look found something.
func (f fate) found() bool { return f.planned() || f == unplanned }

// member is one host of the campaign.
type member struct {
	host  remediate.Host
	fate  fate
	boot  string
	found model
	clean model
}

var (
	zones   = []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "America/Sao_Paulo"}
	retried = []remediate.Class{remediate.ClassUninstaller, remediate.ClassBusy, remediate.ClassStillPresent, remediate.ClassTimeout, remediate.ClassResidue}
	helped  = []remediate.Class{remediate.ClassAuth, remediate.ClassProtected, remediate.ClassPrivilege, remediate.ClassUntrusted, remediate.ClassUnsupported}
)

// members are the hosts in the order of the inventory, with fates strewn
// among them; the same number gives the same fates.
func members(n int, m *models) []member {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	out := make([]member, n)
	for i := range out {
		x := &out[i]
		x.fate = drawFate(rng)
		x.found, x.clean = m.found[rng.IntN(len(m.found))], m.clean[rng.IntN(len(m.clean))]
		for x.clean.look.Platform != x.found.look.Platform {
			x.clean = m.clean[rng.IntN(len(m.clean))]
		}
		x.boot = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", rng.Uint32(), rng.Uint32()&0xffff, rng.Uint32()&0xfff, rng.Uint32()&0xfff, rng.Uint64()&0xffffffffffff)
		x.host = remediate.Host{
			Name: fmt.Sprintf("pc%06d.example.org", i), Address: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255),
			Platform: x.found.look.Platform, Transport: remediate.TransportSSH, Credential: "linux",
			Site: fmt.Sprintf("site%d", i%50), Zone: zones[i%50%len(zones)], Owner: fmt.Sprintf("team-%d@example.org", i%100), Tags: []string{"office"},
		}
		if rng.IntN(5) == 0 {
			x.host.Tags = []string{"server", "gold"}
		}
		if x.host.Platform == remediate.Windows {
			x.host.Transport, x.host.Credential = remediate.TransportWinRM, "windows"
		}
	}
	return out
}

func drawFate(rng *rand.Rand) fate {
	n := rng.IntN(1000)
	for f, share := range perMille {
		if n -= share; n < 0 {
			return fate(f)
		}
	}
	return clear
}
