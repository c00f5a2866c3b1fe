package inventory

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"oust/remediate"
)

// column is a thing that an inventory says of a host.
type column int

const (
	colName column = iota
	colAddress
	colPort
	colUser
	colPlatform
	colTransport
	colCredential
	colSite
	colZone
	colOwner
	colTags
	numColumns
)

// columnNames are the names in a CSV file's header and in our YAML.
var columnNames = []string{"name", "address", "port", "user", "platform", "transport", "credential", "site", "zone", "owner", "tags"}

// columnNamed finds a column; the error names the nearest one.
func columnNamed(name string) (column, error) {
	if i := slices.Index(columnNames, name); i >= 0 {
		return column(i), nil
	}
	return 0, unknown("column", name, columnNames)
}

// unknown says what somebody may have meant.
func unknown(what, typed string, known []string) error {
	if near := remediate.Nearest(strings.ToLower(typed), known); near != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", what, typed, near)
	}
	return fmt.Errorf("unknown %s %q; there are %s", what, typed, strings.Join(known, ", "))
}

// entry is a host as it is written, before any check.
type entry struct {
	place Place
	text  [numColumns]string
}

// check knows what was checked before, so that 100,000 hosts of one zone ask
// for it once, and hold it once.
type check struct {
	full  bool // the hosts' bound was told
	zones map[string]error
	words map[string]string
}

func newCheck() check {
	return check{zones: map[string]error{}, words: map[string]string{}}
}

// word returns the same string for equal texts.
func (c *check) word(s string) string {
	const most = 10_000
	if known, ok := c.words[s]; ok {
		return known
	}
	if len(c.words) < most {
		s = strings.Clone(s)
		c.words[s] = s
	}
	return s
}

// host checks an entry; every problem is reported at the entry's place.
func (c *check) host(r *report, e *entry, def remediate.HostDefaults) (remediate.Host, bool) {
	ok := true
	fail := func(col column, err error) {
		if err != nil {
			ok = false
			r.problem(e.place, "%s: %v", columnNames[col], err)
		}
	}
	t := &e.text
	h := remediate.Host{
		Name: t[colName], Address: t[colAddress], User: t[colUser],
		Site: c.word(or(t[colSite], def.Site)), Owner: c.word(t[colOwner]), Zone: c.word(or(t[colZone], def.Zone)),
		Credential: c.word(or(t[colCredential], def.Credential)),
		Transport:  c.word(or(t[colTransport], def.Transport, remediate.TransportSSH)),
		Platform:   remediate.Platform(c.word(or(t[colPlatform], string(def.Platform)))),
		Origin:     e.place.String(),
	}
	fail(colName, checkName(h.Name))
	if h.Address != "" || ok {
		fail(colAddress, checkAddress(h.DialAddress()))
	}
	var err error
	h.Port, err = parsePort(t[colPort])
	fail(colPort, err)
	fail(colZone, c.zone(h.Zone))
	h.Tags, err = c.tags(t[colTags])
	fail(colTags, err)
	fail(colTransport, oneOf("transport", h.Transport, transports))
	fail(colPlatform, oneOf("platform", string(h.Platform), platforms))
	return h, ok
}

var (
	transports = []string{remediate.TransportSSH, remediate.TransportWinRM}
	platforms  = []string{string(remediate.Linux), string(remediate.MacOS), string(remediate.Windows)}
)

func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func oneOf(what, typed string, known []string) error {
	if typed == "" || slices.Contains(known, typed) {
		return nil
	}
	return unknown(what, typed, known)
}

func checkName(s string) error {
	const most = 253
	switch {
	case s == "":
		return errors.New("missing")
	case len(s) > most:
		return fmt.Errorf("%d bytes long; at most %d", len(s), most)
	case s[0] == '-':
		return fmt.Errorf("%q begins with '-'", s)
	}
	for _, r := range s {
		if r == ',' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return fmt.Errorf("%q has %q in it; a name has no white space, comma or invisible character", s, r)
		}
	}
	return nil
}

func checkAddress(s string) error {
	const most = 253
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	switch {
	case len(s) > most:
		return fmt.Errorf("%d bytes long; at most %d", len(s), most)
	case s[0] == '-':
		return fmt.Errorf("%q begins with '-'", s)
	}
	return nil
}

func parsePort(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 || s[0] == '+' {
		return 0, fmt.Errorf("%q is not a number from 1 to 65535", s)
	}
	return n, nil
}

func (c *check) zone(name string) error {
	if name == "" {
		return nil
	}
	err, known := c.zones[name]
	if !known {
		if _, err = time.LoadLocation(name); err != nil || name == "Local" {
			err = fmt.Errorf("%q is not a time zone of the IANA database, such as Europe/Berlin or UTC", name)
		}
		c.zones[name] = err
	}
	return err
}

// tags are separated by spaces, commas, semicolons or bars.
func (c *check) tags(s string) ([]string, error) {
	var out []string
	for t := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' || r == '|' || unicode.IsSpace(r) }) {
		if err := checkName(t); err != nil {
			return nil, err
		}
		if !slices.Contains(out, t) {
			out = append(out, c.word(t))
		}
	}
	return out, nil
}
