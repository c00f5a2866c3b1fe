package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"oust/remediate"
)

// connections are Ansible's connection plugins that come down to a transport
// of ours, and the prefixes of their variables, the stronger ones last.
var connections = map[string]struct {
	transport string
	prefixes  []int // indexes in prefixes
}{
	"":             {"", []int{0, 1}}, // smart: SSH
	"smart":        {"", []int{0, 1}},
	"ssh":          {remediate.TransportSSH, []int{0, 1}},
	"libssh":       {remediate.TransportSSH, []int{0, 1}},
	"paramiko":     {remediate.TransportSSH, []int{0, 1, 2}},
	"paramiko_ssh": {remediate.TransportSSH, []int{0, 1, 2}},
	"winrm":        {remediate.TransportWinRM, []int{0, 3}},
	"psrp":         {remediate.TransportWinRM, []int{0, 4}},
}

// addAnsible makes an entry of a host's variables. A host of a connection
// that oust does not have is left out, with a warning.
func (l *loader) addAnsible(h *groupedHost, tags []string, vars *settings) {
	e := entry{place: h.place}
	e.text[colName] = h.name
	good := true
	take := func(c column, v *variable) {
		if v == nil {
			return
		}
		text, err := v.plain(c, h.name)
		if err != nil && c == colUser {
			l.warn(v.place, h.name, err.Error()+"; the user of the credential logs in")
			return
		}
		if err != nil {
			good = false
			l.problemOnce(v.place, err)
			return
		}
		e.set(c, text, v.place)
	}
	for c := colAddress; c < numColumns; c++ {
		take(c, vars[varOurs+varID(c)])
	}
	kind := ""
	if v := vars[varConnection]; v != nil && vars[varOurs+varID(colTransport)] == nil {
		take(colTransport, v)
		kind = e.text[colTransport]
	}
	if !good {
		return
	}
	conn, ok := connections[pluginName(kind)]
	if !ok {
		l.warn(vars[varConnection].place, h.name, fmt.Sprintf("the connection %q is none that oust has (SSH, WinRM): left out", cut(kind)))
		return
	}
	if kind != "" {
		e.text[colTransport] = conn.transport
	}
	for part, c := range []column{colAddress, colPort, colUser} {
		if vars[varOurs+varID(c)] != nil {
			continue
		}
		var strongest *variable
		for _, p := range conn.prefixes {
			if v := vars[varID(p)*numParts+varID(part)]; v != nil {
				strongest = v
			}
		}
		take(c, strongest)
	}
	if good {
		e.text[colTags] = strings.Join(append(tags[:len(tags):len(tags)], e.text[colTags]), ",")
		l.add(&e)
	}
}

// pluginName takes the collection off the names of plugins that come with
// Ansible.
func pluginName(s string) string {
	for _, collection := range []string{"ansible.builtin.", "ansible.legacy.", "ansible.netcommon."} {
		s = strings.TrimPrefix(s, collection)
	}
	return s
}

var hostnameTemplate = regexp.MustCompile(`\{\{\s*inventory_hostname(_short)?\s*\}\}`)

// plain is a variable's text for a column of a host. Templates are left to
// Ansible, but for those of the host's own name.
func (v *variable) plain(c column, host string) (string, error) {
	name := varNames[v.id]
	switch v.value.kind {
	case valueNone:
		return "", nil
	case valueText:
		return strings.TrimSpace(v.value.text), nil
	case valueList:
		if c == colTags {
			return v.value.text, nil
		}
		return "", fmt.Errorf("%s: want one word", name)
	case valueVault:
		return "", fmt.Errorf("%s is encrypted with Ansible Vault, which oust does not open; write it in plain, or set %s%s", name, ourPrefix, columnNames[c])
	case valueTemplate:
		text := hostnameTemplate.ReplaceAllStringFunc(v.value.text, func(m string) string {
			if strings.Contains(m, "_short") {
				return shortName(host)
			}
			return host
		})
		if !strings.Contains(text, "{{") && !strings.Contains(text, "{%") {
			return strings.TrimSpace(text), nil
		}
		return "", fmt.Errorf("%s is a template, which oust does not evaluate; write the value, or set %s%s", name, ourPrefix, columnNames[c])
	}
	return "", fmt.Errorf("%s: want one word", name)
}

// shortName is Ansible's inventory_hostname_short.
func shortName(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	short, _, _ := strings.Cut(host, ".")
	return short
}

// problemOnce reports what many hosts may have in common.
func (l *loader) problemOnce(at Place, err error) {
	p := Problem{Place: at, Msg: err.Error()}
	if !l.told[p] {
		l.told[p] = true
		l.problem(at, "%s", p.Msg)
	}
}
