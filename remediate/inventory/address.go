package inventory

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// checkAddress takes an IP address or a host name as SSH clients do, which is
// wider than DNS: names of ssh_config's Host lines are names too.
func checkAddress(s string) error {
	const most = 253
	rest := s
	if likelyIP(s) {
		if ip, err := netip.ParseAddr(s); err == nil {
			rest = ip.Zone() // such as eth0 of fe80::1%eth0
		}
	}
	switch {
	case len(s) > most:
		return fmt.Errorf("%d bytes long; at most %d", len(s), most)
	case s[0] == '-':
		return fmt.Errorf("%q begins with '-'", s)
	case strings.Contains(s, "://"):
		return fmt.Errorf("%q is a URL; write the host's name or IP address", s)
	case rest != "" && strings.ContainsRune(s, '.') && strings.Trim(s, "0123456789.") == "":
		return fmt.Errorf("%q is not an IPv4 address", s)
	}
	for _, r := range rest {
		if r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return badRune(s, r)
		}
	}
	return nil
}

func badRune(s string, r rune) error {
	switch r {
	case '@':
		return fmt.Errorf("%q is not a host name or IP address; the user has a column of its own", s)
	case ':':
		return fmt.Errorf("%q is not a host name or IP address; a port is digits behind one colon, and in a table has a column of its own", s)
	case '/':
		return fmt.Errorf("%q is not a host name or IP address; ranges of addresses cannot stand here", s)
	}
	return fmt.Errorf("%q is not a host name or IP address: it has %q in it", s, r)
}

// likelyIP saves most names the attempt to read them as an address.
func likelyIP(s string) bool {
	return strings.ContainsRune(s, ':') || s[0] >= '0' && s[0] <= '9'
}

// splitPort takes host:port and [host]:port apart. An IPv6 address without
// brackets has no port; neither has what is not one colon and digits.
func splitPort(s string) (host, port string) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		inner, after, ok := strings.Cut(rest, "]")
		if _, err := netip.ParseAddr(inner); ok && (after == "" || after[0] == ':') && (err == nil || !strings.ContainsRune(inner, ':')) {
			return inner, strings.TrimPrefix(after, ":")
		}
	}
	before, after, ok := cutLastOutside(s)
	if ok && after != "" && strings.Trim(after, "0123456789") == "" {
		return before, after
	}
	return s, ""
}

// cutLastOutside cuts at a colon that stands alone outside of brackets.
func cutLastOutside(s string) (before, after string, ok bool) {
	depth, at := 0, -1
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		case ':':
			if depth == 0 && at >= 0 {
				return s, "", false
			}
			if depth == 0 {
				at = i
			}
		}
	}
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}
