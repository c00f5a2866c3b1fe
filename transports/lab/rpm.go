package lab

import (
	"fmt"
	"slices"
	"strings"
)

// rpmLock is what rpm locks while it changes something.
const rpmLock = "/var/lib/rpm/.rpm.lock"

// rpm erases and queries packages. Its texts and exit codes are those of rpm
// 4.16 to 4.18: an erasure that fails is 1, a query's code is the number of
// names that are not installed.
func rpm(c *call) int {
	o, ok := c.options("eqaivlf:", "erase query all qf= queryformat= allmatches nodeps noscripts test quiet eval= version verbose last")
	if !ok {
		return 1
	}
	is := func(names ...string) bool { return slices.ContainsFunc(names, o.is) }
	switch {
	case is("version"):
		return echoLine(c, "RPM version 4.16.1.3")
	case is("e", "erase"):
		return c.rpmErase(o.list, is("nodeps"))
	case is("q", "query"):
		format := o.has["qf"] + o.has["queryformat"]
		if !is("qf", "queryformat") {
			format = `%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n`
		}
		return c.rpmQuery(format, o.list, is("a", "all"))
	}
	fmt.Fprintln(c.err, "rpm: arguments to --root (-r) must begin with a /")
	return 1
}

func (c *call) rpmQuery(format string, names []string, all bool) int {
	h := c.proc.host
	f, err := parseRPMFormat(format)
	if err != nil {
		fmt.Fprintf(c.err, "error: incorrect format: %v\n", err)
		return 1
	}
	var b strings.Builder
	if all {
		for _, p := range h.packages() {
			f.write(&b, p)
		}
	}
	missing := 0
	for _, name := range names {
		if all {
			break
		}
		if p := h.packageNamed(name); p != nil {
			f.write(&b, p)
			continue
		}
		fmt.Fprintf(&b, "package %s is not installed\n", name)
		missing++
	}
	fmt.Fprint(c.out, b.String())
	return missing
}

// rpmFormat is a parsed query format: text, tags and conditions on a tag.
type rpmFormat []rpmPart

type rpmPart struct {
	text      string
	tag       string
	yes, no   rpmFormat
	condition bool
}

func parseRPMFormat(s string) (rpmFormat, error) {
	var f rpmFormat
	for s != "" {
		before, after, found := strings.Cut(s, "%")
		f = append(f, rpmPart{text: unescape.Replace(before)})
		if !found {
			return f, nil
		}
		part, rest, err := rpmTag(after)
		if err != nil {
			return nil, err
		}
		f, s = append(f, part), rest
	}
	return f, nil
}

// rpmTag parses what follows a percent sign: {TAG}, |TAG?{YES}:{NO}| or %.
func rpmTag(s string) (part rpmPart, rest string, err error) {
	switch {
	case strings.HasPrefix(s, "%"):
		return rpmPart{text: "%"}, s[1:], nil
	case strings.HasPrefix(s, "{"):
		tag, rest, ok := strings.Cut(s[1:], "}")
		if !ok {
			return part, "", fmt.Errorf("missing } after %%{")
		}
		return rpmPart{tag: strings.ToUpper(tag)}, rest, nil
	case strings.HasPrefix(s, "|"):
		return rpmCondition(s[1:])
	}
	return part, "", fmt.Errorf("missing { after %%")
}

func rpmCondition(s string) (part rpmPart, rest string, err error) {
	tag, s, ok := strings.Cut(s, "?{")
	if !ok {
		return part, "", fmt.Errorf("? expected in expression")
	}
	part = rpmPart{tag: strings.ToUpper(tag), condition: true}
	yes, s, ok := cutBraces(s)
	if !ok {
		return part, "", fmt.Errorf("} expected in expression")
	}
	if part.yes, err = parseRPMFormat(yes); err != nil {
		return part, "", err
	}
	s = strings.TrimPrefix(s, ":")
	if strings.HasPrefix(s, "{") {
		var no string
		if no, s, ok = cutBraces(s[1:]); !ok {
			return part, "", fmt.Errorf("} expected in expression")
		}
		if part.no, err = parseRPMFormat(no); err != nil {
			return part, "", err
		}
	}
	if !strings.HasPrefix(s, "|") {
		return part, "", fmt.Errorf("| expected at end of expression")
	}
	return part, s[1:], nil
}

// cutBraces cuts at the brace that closes one that is open.
func cutBraces(s string) (inside, rest string, ok bool) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return "", "", false
}

func (f rpmFormat) write(b *strings.Builder, p *pkg) {
	for _, part := range f {
		switch {
		case part.condition && p.rpmTag(part.tag) != none:
			part.yes.write(b, p)
		case part.condition:
			part.no.write(b, p)
		case part.tag == "":
			b.WriteString(part.text)
		default:
			b.WriteString(p.rpmTag(part.tag))
		}
	}
}

// none is what rpm prints for a tag that a package does not have.
const none = "(none)"

func (p *pkg) rpmTag(tag string) string {
	switch tag {
	case "NAME":
		return p.name
	case "VERSION":
		return p.version
	case "RELEASE":
		return p.release
	case "ARCH":
		return p.arch
	case "VENDOR":
		if p.vendor != "" {
			return p.vendor
		}
	case "NVRA", "NEVRA":
		return p.nevra()
	case "SUMMARY":
		return p.summary
	case "EPOCHNUM":
		return "0"
	}
	return none
}

func (c *call) rpmErase(names []string, nodeps bool) int {
	h := c.proc.host
	var todo []*pkg
	failed := 0
	for _, name := range names {
		p := h.packageNamed(name)
		if p == nil {
			fmt.Fprintf(c.err, "error: package %s is not installed\n", name)
			failed++
			continue
		}
		todo = append(todo, p)
	}
	if failed > 0 {
		return failed
	}
	if len(todo) == 0 {
		fmt.Fprintln(c.err, "rpm: no packages given for erase")
		return 1
	}
	lock := rpmLock
	if c.proc.user.uid != 0 {
		fmt.Fprintf(c.err, "error: can't create transaction lock on %s (Permission denied)\n", lock)
		return 1
	}
	if _, ok := c.proc.takeLock(lock); !ok {
		fmt.Fprintf(c.err, "error: can't create transaction lock on %s (Resource temporarily unavailable)\n", lock)
		return 1
	}
	if !nodeps && c.rpmNeeded(todo) {
		return 1
	}
	return c.rpmScripts(h.erasureOrder(todo))
}

// rpmNeeded prints which other packages need those that are to go.
func (c *call) rpmNeeded(todo []*pkg) bool {
	head := false
	for _, p := range todo {
		for _, d := range c.proc.host.dependents(p.name) {
			if slices.Contains(todo, d) {
				continue
			}
			if !head {
				fmt.Fprintln(c.err, "error: Failed dependencies:")
				head = true
			}
			fmt.Fprintf(c.err, "\t%s is needed by (installed) %s\n", p.name, d.nevra())
		}
	}
	return head
}

func (h *host) erasureOrder(todo []*pkg) []*pkg {
	var names []string
	for _, p := range todo {
		names = append(names, p.name)
	}
	var out []*pkg
	for _, n := range h.removalOrder(names) {
		if p := h.packageNamed(n); p != nil {
			out = append(out, p)
		}
	}
	return out
}

// rpmScripts erases packages. A script that fails leaves its package
// installed, and rpm goes on with the next.
func (c *call) rpmScripts(todo []*pkg) int {
	code := 0
	for _, p := range todo {
		err := c.rpmEraseOne(p)
		switch {
		case killed(c.ctx):
			return 128
		case err != nil:
			fmt.Fprintf(c.err, "error: %%preun(%s) scriptlet failed, %v\nerror: %[1]s: erase failed\n", p.nevra(), err)
			code = 1
		}
	}
	return code
}

// rpmEraseOne erases a package, with its scripts if it has any.
func (c *call) rpmEraseOne(p *pkg) error {
	if p.product != nil {
		u := &uninstaller{call: c, product: p.product}
		if err := u.begin(); err != nil {
			return err
		}
		if u.fails() {
			return errScript
		}
		if u.lies() {
			return nil
		}
		u.remove()
	}
	c.proc.host.setPackage(p.name, pkgState{"purge", stateAbsent})
	return nil
}
