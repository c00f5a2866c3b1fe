package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one way in which a simulated host misbehaves.
type Fault struct {
	Name string
	// Meaning is one clause that says what the host does.
	Meaning string
	// Class is the failure class that a removal of its products must end
	// with; empty if the fault must not make it fail.
	Class string
	// Outcome is how the removal must end: removed, reboot-pending or failed.
	Outcome string
	// product faults work through a product's uninstaller, and fall on hosts
	// that have one only.
	product bool
}

// The names of the faults.
const (
	faultRefused     = "refused"
	faultSilent      = "silent"
	faultSlow        = "slow"
	faultHostKey     = "wrong-host-key"
	faultLogin       = "login-refused"
	faultDrop        = "drop"
	faultLock        = "lock-held"
	faultUninstaller = "uninstaller-fails"
	faultLies        = "lies"
	faultResidue     = "residue"
	faultHangs       = "hangs"
	faultReboot      = "reboot-needed"
	faultRebootSlow  = "reboot-slow"
	faultRebootTwice = "reboot-twice"
	faultRebootLost  = "reboot-lost"
	faultLoggedOn    = "user-logged-on"
)

// rebootFaults are those with which a product asks for a reboot.
var rebootFaults = []string{faultReboot, faultRebootSlow, faultRebootTwice, faultRebootLost, faultLoggedOn}

// Outcomes of a removal, as Fault.Outcome has them.
const (
	outcomeRemoved       = "removed"
	outcomeNothingToDo   = "nothing-to-do"
	outcomeRebootPending = "reboot-pending"
	outcomeFailed        = "failed"
)

// Faults lists all faults, with what each must lead to.
func Faults() []Fault {
	return []Fault{
		{faultRefused, "nothing listens on the port", "unreachable", outcomeFailed, false},
		{faultSilent, "the port accepts and says nothing", "timeout", outcomeFailed, false},
		{faultSlow, "every packet takes its time", "", outcomeRemoved, false},
		{faultHostKey, "the host key is not the one in known_hosts", "untrusted", outcomeFailed, false},
		{faultLogin, "every login is refused", "auth", outcomeFailed, false},
		{faultDrop, "the network goes away in mid-uninstall, for a moment; the job goes on", "", outcomeRemoved, true},
		{faultLock, "another process holds the package manager's lock for ever", "busy", outcomeFailed, true},
		{faultUninstaller, "the product's uninstaller exits 1", "uninstaller", outcomeFailed, true},
		{faultLies, "the uninstaller exits 0 and leaves the product", "still-present", outcomeFailed, true},
		{faultResidue, "the product goes and leaves a file that nobody can remove", "residue", outcomeFailed, true},
		{faultHangs, "the uninstaller never ends", "timeout", outcomeFailed, true},
		{faultReboot, "the product goes and asks for a reboot", "", outcomeRebootPending, true},
		{faultRebootSlow, "the product asks for a reboot, which takes twenty minutes", "", outcomeRebootPending, true},
		{faultRebootTwice, "the product asks for a reboot, and a minute after it the host reboots once more", "", outcomeRebootPending, true},
		{faultRebootLost, "the product asks for a reboot, from which the host never comes back", "", outcomeRebootPending, true},
		{faultLoggedOn, "the product asks for a reboot, and somebody is logged on until then", "", outcomeRebootPending, true},
	}
}

func faultNamed(name string) (Fault, bool) {
	for _, f := range Faults() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

// FaultShare is a number of hosts or a share of them that have a fault.
type FaultShare struct {
	Fault string
	Hosts int     // 0 means Share counts
	Share float64 // 0 to 1
}

// FaultMix is which faults fall on a fleet.
type FaultMix []FaultShare

// mostFaultText bounds what ParseFaults reads, in bytes.
const mostFaultText = 4096

// ParseFaults reads a mix such as "refused=2%,silent=1%,lies=3": a name and a
// share of the hosts or a number of them, joined by commas. An empty text is
// no faults. An unknown name is an error with the nearest known one.
func ParseFaults(text string) (FaultMix, error) { return parseFaults(text, Faults()) }

// ParseWindowsFaults is ParseFaults for Windows hosts.
func ParseWindowsFaults(text string) (FaultMix, error) { return parseFaults(text, WindowsFaults()) }

func isFault(name string, known []Fault) bool {
	return slices.ContainsFunc(known, func(f Fault) bool { return f.Name == name })
}

func parseFaults(text string, faults []Fault) (FaultMix, error) {
	if len(text) > mostFaultText {
		return nil, fmt.Errorf("faults: longer than %d bytes", mostFaultText)
	}
	var mix FaultMix
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, amount, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("faults: %q: want NAME=NUMBER or NAME=SHARE%%", part)
		}
		if !isFault(name, faults) {
			return nil, unknownFault(name, faults)
		}
		if seen[name] {
			return nil, fmt.Errorf("faults: %s stands twice", name)
		}
		seen[name] = true
		share, err := parseShare(name, amount)
		if err != nil {
			return nil, err
		}
		mix = append(mix, share)
	}
	return mix, nil
}

func parseShare(name, amount string) (FaultShare, error) {
	if percent, ok := strings.CutSuffix(amount, "%"); ok {
		n, err := strconv.ParseFloat(percent, 64)
		if err != nil || !(n >= 0 && n <= 100) {
			return FaultShare{}, fmt.Errorf("faults: %s: %q is not a share from 0%% to 100%%", name, amount)
		}
		return FaultShare{Fault: name, Share: n / 100}, nil
	}
	n, err := strconv.Atoi(amount)
	if err != nil || n < 0 || n > mostHosts {
		return FaultShare{}, fmt.Errorf("faults: %s: %q is not a number of hosts", name, amount)
	}
	return FaultShare{Fault: name, Hosts: n}, nil
}

func unknownFault(name string, faults []Fault) error {
	best, least := "", len(name)/2+1
	for _, f := range faults {
		if d := distance(name, f.Name); d < least {
			best, least = f.Name, d
		}
	}
	if best != "" {
		return fmt.Errorf("faults: no fault is called %q; did you mean %s?", name, best)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	return fmt.Errorf("faults: no fault is called %q; there are %s", name, strings.Join(names, ", "))
}

// distance is the number of letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// faulty reports whether the host has the fault and it shows in this product.
// A fault shows in one product of a host: in kesl where it is, else in the
// first that there is.
func (h *host) faulty(name string, p *product) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault != name {
		return false
	}
	victim := h.image.products.list()
	return len(victim) > 0 && victim[0] == p
}

func (h *host) hasFault(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault == name
}
