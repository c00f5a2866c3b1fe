package lab

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// dpkgQuery is dpkg-query: -W with a format, -l, -s and -L.
func dpkgQuery(c *call) int {
	o, ok := c.options("WlsLf:S", "show list status listfiles showformat= admindir= no-pager")
	if !ok {
		return usage
	}
	switch {
	case o.is("W") || o.is("show"):
		format := o.has["f"] + o.has["showformat"]
		if !o.is("f") && !o.is("showformat") {
			format = `${binary:Package}\t${Version}\n`
		}
		return c.dpkgShow(format, o.list)
	case o.is("l") || o.is("list"):
		fmt.Fprint(c.out, dpkgListHead)
		return c.dpkgShow(`${db:Status-Abbrev} ${Package;-14} ${Version;-12} ${Architecture;-12} ${binary:Summary}\n`, o.list)
	case o.is("s") || o.is("status"):
		return c.dpkgStatus(o.list)
	case o.is("L") || o.is("listfiles"):
		return c.dpkgFiles(o.list)
	}
	fmt.Fprintln(c.err, "dpkg-query: error: need an action option")
	return usage
}

const dpkgListHead = `Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
||/ Name           Version      Architecture Description
+++-==============-============-============-=================================
`

// dpkgShow prints a line for each package that a pattern fits; none means all
// packages.
func (c *call) dpkgShow(format string, patterns []string) int {
	h, code := c.proc.host, 0
	f := parseDpkgFormat(format)
	if len(patterns) == 0 {
		var b strings.Builder
		for _, p := range h.packages() {
			f.write(&b, p, h.packageState(p.name))
		}
		fmt.Fprint(c.out, b.String())
		return 0
	}
	for _, pattern := range patterns {
		var b strings.Builder
		pattern = strings.TrimSuffix(pattern, ":amd64")
		if !strings.ContainsAny(pattern, "*?[") {
			if p := h.packageNamed(pattern); p != nil {
				f.write(&b, p, h.packageState(p.name))
			}
		} else {
			for _, p := range h.packages() {
				if ok, err := path.Match(pattern, p.name); ok && err == nil {
					f.write(&b, p, h.packageState(p.name))
				}
			}
		}
		if b.Len() == 0 {
			fmt.Fprintf(c.err, "dpkg-query: no packages found matching %s\n", pattern)
			code = 1
		}
		fmt.Fprint(c.out, b.String())
	}
	return code
}

// dpkgFormat is a parsed output format: text and fields in turn.
type dpkgFormat []dpkgPart

type dpkgPart struct {
	text  string // literal, if field is empty
	field string
	width int // negative is left-aligned, 0 is none
}

func parseDpkgFormat(s string) dpkgFormat {
	var f dpkgFormat
	for s != "" {
		before, after, found := strings.Cut(s, "${")
		f = append(f, dpkgPart{text: unescape.Replace(before)})
		if !found {
			break
		}
		field, rest, _ := strings.Cut(after, "}")
		name, width, _ := strings.Cut(field, ";")
		n, _ := strconv.Atoi(width)
		f, s = append(f, dpkgPart{field: name, width: n}), rest
	}
	return f
}

var unescape = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\\`, `\`)

func (f dpkgFormat) write(b *strings.Builder, p *pkg, s pkgState) {
	for _, part := range f {
		switch {
		case part.field == "":
			b.WriteString(part.text)
		case part.width == 0:
			b.WriteString(p.dpkgField(part.field, s))
		default:
			fmt.Fprintf(b, "%*s", part.width, p.dpkgField(part.field, s))
		}
	}
}

func (p *pkg) dpkgField(name string, s pkgState) string {
	switch name {
	case "Package", "binary:Package":
		return p.name
	case "Version":
		return p.version
	case "Architecture":
		return p.arch
	case "Status":
		return s.want + " ok " + s.state
	case "db:Status-Status":
		return s.state
	case "db:Status-Want":
		return s.want
	case "db:Status-Eflag":
		return "ok"
	case "db:Status-Abbrev":
		return s.abbrev()
	case "Maintainer":
		return p.vendor
	case "Section":
		return p.section
	case "binary:Summary", "Description":
		return p.summary
	case "Installed-Size":
		return "1024"
	case "Priority":
		return "optional"
	}
	return ""
}

// abbrev is the state as `dpkg -l` shows it.
func (s pkgState) abbrev() string {
	want := map[string]string{"install": "i", "deinstall": "r", "purge": "p"}[s.want]
	state := map[string]string{stateInstalled: "i", stateConfigFiles: "c", stateHalfInstalled: "H", stateAbsent: "n"}[s.state]
	return want + state + " "
}

const dpkgNotInstalled = "dpkg-query: package '%s' is not installed and no information is available\n" +
	"Use dpkg --info (= dpkg-deb --info) to examine archive files.\n"

func (c *call) dpkgStatus(names []string) int {
	code := 0
	for _, name := range names {
		p := c.proc.host.packageNamed(name)
		if p == nil {
			fmt.Fprintf(c.err, dpkgNotInstalled, name)
			code = 1
			continue
		}
		fmt.Fprint(c.out, p.dpkgRecord(c.proc.host.packageState(name)))
	}
	return code
}

func (p *pkg) dpkgRecord(s pkgState) string {
	depends := ""
	if len(p.depends) > 0 {
		depends = "Depends: " + strings.Join(p.depends, ", ") + "\n"
	}
	return fmt.Sprintf("Package: %s\nStatus: %s ok %s\nPriority: optional\nSection: %s\nMaintainer: %s\nArchitecture: %s\nVersion: %s\n%sDescription: %s\n\n",
		p.name, s.want, s.state, p.section, p.vendor, p.arch, p.version, depends, p.summary)
}

// dpkgStatusFile is the content of /var/lib/dpkg/status.
func dpkgStatusFile(h *host) []byte {
	var b strings.Builder
	for _, p := range h.packages() {
		b.WriteString(p.dpkgRecord(h.packageState(p.name)))
	}
	return []byte(b.String())
}

func (c *call) dpkgFiles(names []string) int {
	code := 0
	for _, name := range names {
		p := c.proc.host.packageNamed(name)
		if p == nil {
			fmt.Fprintf(c.err, "dpkg-query: package '%s' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n", name)
			code = 1
			continue
		}
		files := []string{"/usr/share/doc/" + p.name}
		if p.product != nil {
			files = p.product.files
		}
		fmt.Fprintf(c.out, "/.\n%s\n", strings.Join(files, "\n"))
	}
	return code
}
