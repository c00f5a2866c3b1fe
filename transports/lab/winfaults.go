package lab

import (
	"oust/transports/lab/windows"
	"oust/transports/lab/wsman"
)

// faultCertificate is a fault of Windows machines alone.
const faultCertificate = "wrong-certificate"

// winFault is a fault of a Windows machine, with what the WinRM service does
// wrong: once, when an uninstaller has begun, if the fault is a product's, and
// else always.
type winFault struct {
	Fault
	inject string
}

// winFaults are all faults of Windows machines. Their outcome is that of a
// product that asks for no restart.
func winFaults() []winFault {
	plain := func(name, meaning, class, outcome string, product bool) winFault {
		return winFault{Fault: Fault{name, meaning, class, outcome, product}}
	}
	out := []winFault{
		plain(faultRefused, "nothing listens on the port", "unreachable", outcomeFailed, false),
		plain(faultSilent, "the port accepts and says nothing", "timeout", outcomeFailed, false),
		plain(faultSlow, "every packet takes its time", "", outcomeRemoved, false),
		plain(faultCertificate, "the certificate is signed by a stranger", "untrusted", outcomeFailed, false),
		plain(faultLogin, "every login is refused", "auth", outcomeFailed, false),
	}
	for _, f := range windows.Faults() {
		class, outcome := winMachineOutcome(f.Name)
		out = append(out, plain(f.Name, f.Meaning, class, outcome, true))
	}
	for _, i := range []struct{ name, inject, meaning string }{
		{"shell-killed", wsman.FaultShellKilled, "the shell is gone in mid-uninstall; the job goes on"},
		{"no-exit-code", wsman.FaultNoExitCode, "the end of the command that uninstalls comes without an exit code"},
		{"not-xml", wsman.FaultNotXML, "an answer in mid-uninstall is not XML"},
		{"stall", wsman.FaultStall, "an answer in mid-uninstall stops in its middle"},
	} {
		out = append(out, winFault{Fault{i.name, i.meaning, "", outcomeRemoved, true}, i.inject})
	}
	quota := Fault{"quota", "no shell can be opened: the account has too many", "busy", outcomeFailed, false}
	return append(out, winFault{quota, wsman.FaultShellsQuota})
}

// winMachineOutcome is how a removal must end under a fault of the machine.
func winMachineOutcome(name string) (class, outcome string) {
	switch name {
	case windows.FaultBusy:
		return "busy", outcomeFailed
	case windows.FaultFails:
		return "uninstaller", outcomeFailed
	case windows.FaultPassword:
		return "protected", outcomeFailed
	case windows.FaultLies:
		return "still-present", outcomeFailed
	case windows.FaultResidue:
		return "residue", outcomeFailed
	case windows.FaultHangs:
		return "timeout", outcomeFailed
	case windows.FaultNoScheduler:
		return "unsupported", outcomeFailed
	case windows.FaultReboot, windows.FaultRebootSlow, windows.FaultRebootTwice, windows.FaultRebootLost, windows.FaultLoggedOn:
		return "", outcomeRebootPending
	}
	return "", outcomeRemoved
}

// WindowsFaults lists the faults of Windows machines, with what each must lead
// to. Where the product itself asks for a restart, "removed" is
// "reboot-pending".
func WindowsFaults() []Fault {
	var out []Fault
	for _, f := range winFaults() {
		out = append(out, f.Fault)
	}
	return out
}

func winFaultNamed(name string) (winFault, bool) {
	for _, f := range winFaults() {
		if f.Name == name {
			return f, true
		}
	}
	return winFault{}, false
}

// winNames is names for Windows machines.
func (m FaultMix) winNames(n int) (byProduct, others []string) {
	for _, share := range m {
		f, _ := winFaultNamed(share.Fault)
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

// info is what is to be known of a Windows machine from outside.
func (w *winHost) info() HostInfo {
	addr := w.port.where()
	w.mu.Lock()
	fault := w.fault
	w.mu.Unlock()
	info := HostInfo{Name: w.name, Address: addr.IP.String(), Port: addr.Port, OS: w.image.Release.ID, Fault: fault}
	restarts := false
	for _, p := range w.image.Products() {
		info.Products = append(info.Products, p.Name)
		restarts = restarts || p == windows.KES
	}
	f, ok := winFaultNamed(fault)
	switch {
	case ok && (f.Outcome == outcomeFailed && !f.product || len(info.Products) > 0):
		info.Outcome, info.Class = f.Outcome, f.Class
	case len(info.Products) == 0:
		info.Outcome = outcomeNothingToDo
	default:
		info.Outcome = outcomeRemoved
	}
	if info.Outcome == outcomeRemoved && restarts {
		info.Outcome = outcomeRebootPending
	}
	info.restarted()
	return info
}

// state is the truth about a Windows machine.
func (w *winHost) state() HostState {
	s := HostState{
		HostInfo: w.info(), Installed: []string{}, BootID: w.machine.BootID(), Restarts: w.machine.Restarts(), Warnings: w.machine.Warnings(),
	}
	for _, p := range w.image.Products() {
		if w.machine.Installed(p) {
			s.Installed = append(s.Installed, p.Name)
		}
		s.Files = append(s.Files, w.machine.Left(p)...)
	}
	for _, start := range w.machine.Starts() {
		if s.Counts == nil {
			s.Counts = map[string]int{}
		}
		s.Counts[start.Product]++
		s.Starts = append(s.Starts, Uninstall{start.Product, start.Attempt, start.At})
	}
	return s
}
