package ssh

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"oust/transports"
)

// hopSpec is one bastion as ProxyJump names it: [user@]host[:port].
type hopSpec struct {
	user, host string
	port       int // 0: not said
}

// hopsMost bounds a chain of bastions.
const hopsMost = 8

// parseJump reads the value of ProxyJump: "none", or bastions in the order in
// which they are passed, separated by commas. The form ssh://user@host:port is
// taken too (ssh_config(5)).
func parseJump(value string) ([]hopSpec, error) {
	value = strings.TrimSpace(value)
	if value == "" || strings.EqualFold(value, "none") {
		return nil, nil
	}
	parts := strings.Split(value, ",")
	if len(parts) > hopsMost {
		return nil, fmt.Errorf("ProxyJump has %d bastions, at most %d are taken", len(parts), hopsMost)
	}
	hops := make([]hopSpec, 0, len(parts))
	for _, part := range parts {
		hop, err := parseHop(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("ProxyJump %q: %w", part, err)
		}
		hops = append(hops, hop)
	}
	return hops, nil
}

func parseHop(text string) (hopSpec, error) {
	rest, uri := strings.CutPrefix(text, "ssh://")
	if uri {
		rest = strings.TrimSuffix(rest, "/")
	}
	var hop hopSpec
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		hop.user, rest = rest[:at], rest[at+1:]
		if hop.user == "" || strings.ContainsAny(hop.user, " \t,:") {
			return hopSpec{}, fmt.Errorf("bad user %q", hop.user)
		}
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return hopSpec{}, err
	}
	hop.host, hop.port = host, port
	return hop, validAddress(host)
}

// splitPort takes host, host:port, [v6], [v6]:port or a bare IPv6 address.
func splitPort(text string) (host string, port int, err error) {
	if strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") {
		return text, 0, nil
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.TrimSuffix(inner, "]"), 0, nil
	}
	if !strings.Contains(text, ":") {
		return text, 0, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, errors.New("want host or host:port")
	}
	port, err = parsePort(digits)
	return host, port, err
}

func parsePort(digits string) (int, error) {
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("port %q is not a number from 1 to 65535", transports.Clean(digits))
	}
	return int(port), nil
}

// validAddress refuses what is no name or address, and what would have a
// meaning in a known_hosts line.
func validAddress(host string) error {
	if host == "" {
		return errors.New("the address is empty")
	}
	for _, r := range host {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r > 0x7f:
		case strings.ContainsRune("-._:%", r):
		default:
			return fmt.Errorf("%q is not a name or an IP address", transports.Clean(host))
		}
	}
	if host[0] == '-' {
		return fmt.Errorf("%q is not a name or an IP address", transports.Clean(host))
	}
	return nil
}

// String writes the hop as parseJump reads it.
func (h hopSpec) String() string {
	s := h.host
	if h.port != 0 {
		s = net.JoinHostPort(h.host, strconv.Itoa(h.port))
	} else if strings.Contains(h.host, ":") {
		s = "[" + h.host + "]"
	}
	if h.user != "" {
		s = h.user + "@" + s
	}
	return s
}
