package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"oust/remediate"
)

var (
	transports = []string{remediate.TransportSSH, remediate.TransportWinRM}
	platforms  = []string{string(remediate.Linux), string(remediate.MacOS), string(remediate.Windows)}
)

// check makes hosts of entries. It knows what it has seen, so that 100,000
// hosts of one zone look the zone up once, and hold its name once.
type check struct {
	full        bool // the hosts' bound was told
	defaults    remediate.HostDefaults
	credentials []string
	zones       map[string]error
	words       map[string]string
	tagLists    map[string][]string // by the text that they were written as
}

func newCheck(opts Options) check {
	return check{defaults: opts.Defaults, credentials: opts.Credentials, zones: map[string]error{}, words: map[string]string{}, tagLists: map[string][]string{}}
}

// word returns the same string for equal texts.
func (c *check) word(s string) string {
	const most = 10_000
	if s == "" {
		return ""
	}
	if known, ok := c.words[s]; ok {
		return known
	}
	if len(c.words) < most {
		s = strings.Clone(s)
		c.words[s] = s
	}
	return s
}

// host checks an entry; each problem is reported at its value's place.
func (c *check) host(r *report, e *entry) (remediate.Host, bool) {
	good := true
	fail := func(col column, err error) {
		if err != nil {
			good = false
			r.problem(e.at(col), "%s: %v", columnNames[col], err)
		}
	}
	t := &e.text
	h := remediate.Host{Name: t[colName], User: t[colUser], Owner: c.word(t[colOwner]), Origin: e.place.String()}
	c.fill(&h, t)
	nameErr := checkName(h.Name)
	fail(colName, nameErr)
	h.Address = strings.TrimSuffix(strings.TrimPrefix(t[colAddress], "["), "]")
	switch {
	case h.Address != "":
		fail(colAddress, checkAddress(h.Address))
	case nameErr == nil:
		fail(colName, checkAddress(h.Name))
	}
	var err error
	h.Port, err = parsePort(t[colPort])
	fail(colPort, err)
	h.Tags, err = c.tags(t[colTags])
	fail(colTags, err)
	fail(colUser, checkUser(h.User))
	fail(colPlatform, oneOf("platform", string(h.Platform), platforms))
	fail(colTransport, c.transport(h))
	fail(colZone, c.zone(h.Zone))
	fail(colSite, checkText(h.Site))
	fail(colOwner, checkText(h.Owner))
	fail(colCredential, c.credential(t[colCredential]))
	if c.credentials != nil && h.Credential == "" {
		r.warn(e.place, h.Name, "no credential: write one, or defaults.credential in campaign.yaml")
	}
	return h, good
}

// fill completes what the entry leaves open from the campaign's defaults. The
// platform of a WinRM host is windows, whatever the default is.
func (c *check) fill(h *remediate.Host, t *[numColumns]string) {
	def := &c.defaults
	h.Site = c.word(or(t[colSite], def.Site))
	h.Zone = c.word(or(t[colZone], def.Zone))
	h.Credential = c.word(or(t[colCredential], def.Credential))
	h.Transport = c.word(or(strings.ToLower(t[colTransport]), def.Transport, remediate.TransportSSH))
	h.Platform = remediate.Platform(c.word(or(strings.ToLower(t[colPlatform]), string(def.Platform))))
	if h.Transport == remediate.TransportWinRM && t[colPlatform] == "" {
		h.Platform = remediate.Windows
	}
}

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

func (c *check) transport(h remediate.Host) error {
	if err := oneOf("transport", h.Transport, transports); err != nil {
		return err
	}
	if h.Transport == remediate.TransportWinRM && (h.Platform == remediate.Linux || h.Platform == remediate.MacOS) {
		return fmt.Errorf("a %s host is not reached over winrm; write ssh", h.Platform)
	}
	return nil
}

func (c *check) credential(name string) error {
	if c.credentials == nil {
		return checkText(name)
	}
	return oneOf("credential", name, c.credentials)
}

// checkName holds a name, or a tag, to what remediate.Host asks for.
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
	if visible(s) && strings.IndexByte(s, ' ') < 0 && strings.IndexByte(s, ',') < 0 {
		return nil
	}
	for _, r := range s {
		if r == ',' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return fmt.Errorf("%q has %q in it; white space, commas and invisible characters cannot stand here", s, r)
		}
	}
	return nil
}

// visible reports whether a text is of visible ASCII characters and blanks alone.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// checkText is for words that only people read.
func checkText(s string) error {
	const most = 253
	if len(s) > most {
		return fmt.Errorf("%d bytes long; at most %d", len(s), most)
	}
	if visible(s) {
		return nil
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%q has %q in it; invisible characters cannot stand here", s, r)
		}
	}
	return nil
}

// checkUser does not repeat what is written: somebody may have put a password
// there.
func checkUser(s string) error {
	switch {
	case strings.HasPrefix(s, "-"):
		return errors.New("a user's name that begins with '-'")
	case strings.ContainsRune(s, ':'):
		return errors.New("a user's name with ':' in it; passwords do not stand in inventories")
	case checkText(s) != nil:
		return errors.New("a user's name that is too long, or has invisible characters in it")
	}
	return nil
}

func parsePort(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 || s[0] == '+' || s[0] == '0' {
		return 0, fmt.Errorf("%q is not a number from 1 to 65535", cut(s))
	}
	return n, nil
}

// cut bounds what a message repeats.
func cut(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (c *check) zone(name string) error {
	if name == "" {
		return nil
	}
	err, known := c.zones[name]
	if !known {
		if _, err = time.LoadLocation(name); err != nil || name == "Local" {
			err = fmt.Errorf("%q is not a time zone of the IANA database, such as Europe/Berlin or UTC", cut(name))
		}
		c.zones[strings.Clone(name)] = err
	}
	return err
}

// tags returns the same list for equal texts.
func (c *check) tags(s string) ([]string, error) {
	const most = 10_000
	if s == "" {
		return nil, nil
	}
	if known, ok := c.tagLists[s]; ok {
		return known, nil
	}
	out, err := c.newTags(s)
	out = slices.Clip(out)
	if err == nil && len(c.tagLists) < most {
		c.tagLists[strings.Clone(s)] = out
	}
	return out, err
}

// newTags are separated by white space, commas, semicolons or bars.
func (c *check) newTags(s string) ([]string, error) {
	const most = 1000
	var out []string
	for t := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' || r == '|' || unicode.IsSpace(r) }) {
		if err := checkName(t); err != nil {
			return nil, err
		}
		if !slices.Contains(out, t) {
			out = append(out, c.word(t))
		}
		if len(out) > most {
			return nil, fmt.Errorf("more than %d tags", most)
		}
	}
	return out, nil
}
