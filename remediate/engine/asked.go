package engine

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"

	"oust/remediate"
	"oust/remediate/probe"
)

// The ports of hosts for which the inventory gives none.
const (
	portSSH        = 22
	portWinRM      = 5986
	portWinRMPlain = 5985
)

// address is where a host is asked, HOST:PORT.
func (e *Engine) address(h remediate.Host) string {
	port := h.Port
	if port == 0 {
		port = portSSH
		if h.Transport == remediate.TransportWinRM {
			port = portWinRM
			if e.Campaign.WinRM.Plain {
				port = portWinRMPlain
			}
		}
	}
	return net.JoinHostPort(h.DialAddress(), strconv.Itoa(port))
}

// elsewhere says how the address of a host differs from that at which an
// attempt was begun; empty if it does not, or if that is not known. A default
// port is the same port, whichever it has come to be.
func (e *Engine) elsewhere(at remediate.Attempt, h remediate.Host) string {
	host, port, err := net.SplitHostPort(at.Address)
	if err != nil {
		return "" // of an earlier version
	}
	defaults := []string{strconv.Itoa(portSSH), strconv.Itoa(portWinRM), strconv.Itoa(portWinRMPlain)}
	if host == h.DialAddress() && (h.Port == 0 && slices.Contains(defaults, port) || strconv.Itoa(h.Port) == port) {
		return ""
	}
	return fmt.Sprintf("the inventory now gives another address: %s; it was begun at %s", e.address(h), at.Address)
}

// asksNothing reports whether the campaign names no playbooks: its looks are an
// inventory of software and move no standing, for nothing was looked for.
func (e *Engine) asksNothing() bool { return len(e.Library.List()) == 0 }

// probes are the digests of the scripts that look at hosts, by platform.
func probes(asked map[remediate.Platform]remediate.Questions, powershell bool) (map[remediate.Platform]string, error) {
	out := make(map[remediate.Platform]string, len(asked))
	for platform, q := range asked {
		var err error
		if out[platform], err = probe.Digest(platform, q, powershell); err != nil {
			return nil, fmt.Errorf("a playbook's question: %w", err)
		}
	}
	return out, nil
}

// Probes are the digests of the scripts that look at hosts, as Look.Probe
// names them. Each has the name of the platform whose hosts it is for, sorted;
// "unknown" are those whose platform is not known before the look.
func (e *Engine) Probes() []remediate.FileDigest {
	out := make([]remediate.FileDigest, 0, len(e.probes))
	for platform, digest := range e.probes {
		out = append(out, remediate.FileDigest{Name: cmp.Or(string(platform), "unknown"), Digest: digest})
	}
	slices.SortFunc(out, func(a, b remediate.FileDigest) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
