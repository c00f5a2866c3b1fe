package playbooks

import (
	"strings"

	"oust/remediate"
)

// defenderHolds reports whether Microsoft Defender protects the host. Every
// value that turns it off counts, also by policy on a client, where newer ones
// take no notice of DisableAntiSpyware: a host is rather looked at once too
// often. Sources: Microsoft, "Microsoft Defender Antivirus compatibility with
// other security products" (passive mode, ForceDefenderPassiveMode) and
// "DisableAntiSpyware".
func defenderHolds(f *remediate.Facts) (standing, string) {
	if f.Windows == nil {
		return holdsNot, ""
	}
	if before8(f.OS.Version) {
		return holdsNot, "that of Windows " + oneLine(f.OS.Version) + " is no virus scanner"
	}
	if off := defenderOff(f.Windows); off != "" {
		return holdsNot, off
	}
	switch f.Runs(defenderService) {
	case remediate.ServiceRunning:
		return holds, ""
	case remediate.ServiceStopped:
		return holdsNot, "its service does not run"
	case remediate.ServiceAbsent:
		return holdsNot, "it is not installed"
	}
	return holdsUnknown, untold
}

// before8: the Defender of Windows 7 and Server 2008 R2, version 6.1, knows
// spyware alone.
func before8(version string) bool {
	return strings.HasPrefix(version, "5.") || version == "6.0" || version == "6.1"
}

// defenderOff are the values that turn Defender off or make it passive, such
// as "DisableAntiSpyware=1 by policy".
func defenderOff(w *remediate.WindowsFacts) string {
	var out []string
	for _, s := range w.Security {
		_, set, ok := strings.Cut(s.State, "=")
		if number, _, _ := strings.Cut(set, " "); s.Source == "defender" && ok && number != "0" {
			out = append(out, oneLine(s.State))
		}
	}
	return strings.Join(out, ", ")
}
