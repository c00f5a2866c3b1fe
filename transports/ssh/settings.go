package ssh

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"

	"oust/transports"
)

// hostSettings is what the ssh_config files say for one host.
type hostSettings struct {
	hostName, user, jump, certificate string
	port                              int
	identities, knownHosts            []string
	strange                           []strangeOption
}

// strangeOption is an option that is set and not honoured.
type strangeOption struct {
	file, option, value string
	line                int
	// fatal: to ignore it would connect elsewhere than the file says.
	fatal bool
}

// settings collects what the files say for a host that has these names: the
// one in the inventory and its address. The first value of an option counts,
// except for IdentityFile (ssh_config(5)).
func (f *configFile) settings(names ...string) (hostSettings, error) {
	c := &collector{names: names, first: make(map[string]bool)}
	for _, name := range names {
		c.lower = append(c.lower, strings.ToLower(name))
	}
	err := c.walk(f, nil)
	return c.out, err
}

type collector struct {
	names []string
	lower []string // the names in lower case
	first map[string]bool
	out   hostSettings
}

// walk takes the options of a file; unjudged is the Match block around it, if
// it is one of which nobody can say here whether it applies.
func (c *collector) walk(f *configFile, unjudged *matchLine) error {
	for _, block := range f.blocks.Hosts {
		applies, match := c.applies(f, block)
		if !applies {
			continue
		}
		if match == nil {
			match = unjudged
		}
		for _, node := range block.Nodes {
			option, ok := node.(*ssh_config.KV)
			if !ok {
				continue
			}
			if err := c.take(f, option, match); err != nil {
				return err
			}
		}
	}
	return nil
}

// applies reports whether a block applies, and the Match line if that cannot
// be said.
func (c *collector) applies(f *configFile, block *ssh_config.Host) (bool, *matchLine) {
	if len(block.Patterns) == 1 {
		if digits, ok := strings.CutPrefix(block.Patterns[0].String(), matchPattern); ok {
			n, err := strconv.Atoi(digits)
			if err != nil || n >= len(f.matches) {
				return false, nil
			}
			return c.matches(&f.matches[n])
		}
	}
	return matchesHost(block, c.names), nil
}

func (c *collector) matches(m *matchLine) (bool, *matchLine) {
	for _, criterion := range m.hosts {
		names := c.lower
		if !criterion.original && c.out.hostName != "" {
			name, err := expandTokens(c.out.hostName, map[byte]string{'h': c.names[0]})
			if err != nil {
				return true, m
			}
			names = []string{strings.ToLower(name)}
		}
		if !matchesHost(criterion.block, names) {
			return false, nil
		}
	}
	if m.plain {
		return true, nil
	}
	return true, m
}

// matchesHost reports whether one of the names matches and none is excluded.
func matchesHost(block *ssh_config.Host, names []string) bool {
	found := false
	for _, name := range names {
		if name == "" {
			continue
		}
		if block.Matches(name) {
			found = true
		} else if excluded(block, name) {
			return false
		}
	}
	return found
}

// excluded reports whether a !pattern of the block matches the name.
func excluded(block *ssh_config.Host, name string) bool {
	for _, p := range block.Patterns {
		text, negated := strings.CutPrefix(p.String(), "!")
		if !negated {
			continue
		}
		if inner, err := ssh_config.NewPattern(text); err == nil {
			if (&ssh_config.Host{Patterns: []*ssh_config.Pattern{inner}}).Matches(name) {
				return true
			}
		}
	}
	return false
}

// take takes one option.
func (c *collector) take(f *configFile, option *ssh_config.KV, unjudged *matchLine) error {
	key := strings.ToLower(option.Key)
	if option.Key == includeKey {
		n, err := strconv.Atoi(strings.TrimSpace(option.Value))
		if err != nil || n >= len(f.includes) {
			return fmt.Errorf("%s: bad Include", f.path)
		}
		for _, file := range f.includes[n].files {
			if err := c.walk(file, unjudged); err != nil {
				return err
			}
		}
		return nil
	}
	if c.first[key] && key != "identityfile" {
		return nil
	}
	at := strangeOption{file: f.path, line: option.Pos().Line, option: option.Key, value: transports.Clean(option.Value)}
	if unjudged != nil {
		c.unjudged(at, key, unjudged)
		return nil
	}
	c.first[key] = true
	if err := c.honour(key, option.Value); err != nil {
		return fmt.Errorf("%s:%d: %w", f.path, at.line, err)
	}
	if rule, known := rulings[key]; known && !strings.EqualFold(option.Value, rule.harmless) {
		at.fatal = rule.fatal
		c.out.strange = append(c.out.strange, at)
	}
	return nil
}

// honour takes the options that are honoured; others are left alone.
func (c *collector) honour(key, value string) error {
	var err error
	switch key {
	case "hostname":
		c.out.hostName = value
	case "user":
		c.out.user = value
	case "port":
		c.out.port, err = parsePort(value)
	case "proxyjump":
		c.first["proxycommand"] = true
		c.out.jump = value
	case "proxycommand":
		c.first["proxyjump"] = true
	case "identityfile":
		if !strings.EqualFold(value, "none") && !slices.Contains(c.out.identities, value) {
			c.out.identities = append(c.out.identities, value)
		}
	case "certificatefile":
		c.out.certificate = value
	case "userknownhostsfile":
		c.out.knownHosts = configWords(value)
	}
	return err
}

// unjudged notes an option under a Match line that cannot be judged.
func (c *collector) unjudged(at strangeOption, key string, m *matchLine) {
	at.value = "under Match " + m.criteria
	at.fatal = slices.Contains(routing, key)
	if !at.fatal {
		at.line, at.option = m.line, "Match"
	}
	c.out.strange = append(c.out.strange, at)
}

// routing options say where a connection goes and what it trusts.
var routing = []string{"hostname", "port", "proxyjump", "proxycommand", "hostkeyalias", "userknownhostsfile"}

// ruling says what becomes of an option that is not honoured.
type ruling struct {
	fatal bool
	// harmless is the value that changes nothing for us.
	harmless string
}

// rulings are of the options that change where or how a connection is made
// and that are not honoured, by lower-case name. What is neither here nor in
// honour is about interactive use (forwarding, multiplexing, terminals,
// logging) and says nothing to us.
var rulings = map[string]ruling{
	"proxycommand":                 {fatal: true, harmless: "none"},
	"hostkeyalias":                 {fatal: true},
	"addressfamily":                {harmless: "any"},
	"bindaddress":                  {},
	"bindinterface":                {},
	"canonicalizehostname":         {harmless: "no"},
	"casignaturealgorithms":        {},
	"ciphers":                      {},
	"globalknownhostsfile":         {},
	"gssapiauthentication":         {harmless: "no"},
	"hostbasedauthentication":      {harmless: "no"},
	"hostkeyalgorithms":            {},
	"identityagent":                {},
	"kbdinteractiveauthentication": {harmless: "yes"},
	"kexalgorithms":                {},
	"knownhostscommand":            {harmless: "none"},
	"macs":                         {},
	"passwordauthentication":       {harmless: "yes"},
	"pkcs11provider":               {harmless: "none"},
	"preferredauthentications":     {},
	"pubkeyacceptedalgorithms":     {},
	"pubkeyacceptedkeytypes":       {},
	"pubkeyauthentication":         {harmless: "yes"},
	"remotecommand":                {harmless: "none"},
	"revokedhostkeys":              {harmless: "none"},
	"securitykeyprovider":          {},
	"stricthostkeychecking":        {harmless: "yes"},
	"verifyhostkeydns":             {harmless: "no"},
}
