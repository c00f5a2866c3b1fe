package lab

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

func readlink(c *call) int {
	o, ok := c.options("fen", "canonicalize")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range o.list {
		var target string
		var err error
		if o.any("f", "e", "canonicalize") {
			target, err = c.view().realpath(path.Clean(c.path(name)))
		} else {
			target, err = c.view().readlink(c.path(name))
		}
		if err != nil {
			code = 1 // readlink is silent
			continue
		}
		end := "\n"
		if o.is("n") {
			end = ""
		}
		fmt.Fprint(c.out, target+end)
	}
	return code
}

func stat(c *call) int {
	o, ok := c.options("c:L", "format= dereference")
	if !ok {
		return 1
	}
	format := o.has["c"] + o.has["format"]
	if format == "" {
		return c.failf("simulated with -c FORMAT only")
	}
	code := 0
	for _, name := range o.list {
		info, err := c.view().stat(c.path(name), o.any("L", "dereference"))
		if err != nil {
			code = c.failf("cannot statx '%s': %s", name, strerror(err))
			continue
		}
		line, bad := statFormat(format, name, info)
		if bad != 0 {
			return c.failf("the simulated stat does not know %%%c", bad)
		}
		fmt.Fprintln(c.out, line)
	}
	return code
}

// statFormat fills in the sequences of stat(1). bad is one that it does not
// know.
func statFormat(format, name string, i nodeInfo) (line string, bad byte) {
	var b strings.Builder
	for at := 0; at < len(format); at++ {
		if format[at] != '%' || at+1 == len(format) {
			b.WriteByte(format[at])
			continue
		}
		at++
		switch format[at] {
		case '%':
			b.WriteByte('%')
		case 'i':
			fmt.Fprint(&b, i.ino)
		case 'n':
			b.WriteString(name)
		case 's':
			fmt.Fprint(&b, i.size)
		case 'a':
			fmt.Fprintf(&b, "%o", octalMode(i.mode))
		case 'A':
			b.WriteString(modeString(i.mode))
		case 'U', 'G':
			b.WriteString(userName(i.uid))
		case 'u':
			fmt.Fprint(&b, i.uid)
		case 'g':
			fmt.Fprint(&b, i.gid)
		case 'h':
			fmt.Fprint(&b, i.nlink)
		case 'F':
			b.WriteString(kindName(i))
		case 'Y', 'X', 'Z':
			fmt.Fprint(&b, i.mtime)
		case 'y':
			b.WriteString(time.Unix(i.mtime, 0).UTC().Format("2006-01-02 15:04:05.000000000 -0700"))
		case 'D':
			fmt.Fprintf(&b, "%x", rootMajor<<8|rootMinor)
		case 'd':
			fmt.Fprint(&b, rootMajor<<8|rootMinor)
		default:
			return "", format[at]
		}
	}
	return b.String(), 0
}

func kindName(i nodeInfo) string {
	switch {
	case i.isDir():
		return "directory"
	case i.isLink():
		return "symbolic link"
	case i.mode&fs.ModeCharDevice != 0:
		return "character special file"
	case i.size == 0:
		return "regular empty file"
	}
	return "regular file"
}

func ls(c *call) int {
	o, ok := c.options("1ladinA", "almost-all all directory inode")
	if !ok {
		return usage
	}
	names := o.list
	if len(names) == 0 {
		names = []string{"."}
	}
	code := 0
	for n, name := range names {
		info, err := c.view().stat(c.path(name), !o.any("l", "n", "d", "directory"))
		if err != nil {
			c.failf("cannot access '%s': %s", name, strerror(err))
			code = usage
			continue
		}
		if !info.isDir() || o.any("d", "directory") {
			c.lsLine(o, name, c.path(name), info)
			continue
		}
		kids, err := c.view().readDir(c.path(name))
		if err != nil {
			c.failf("cannot open directory '%s': %s", name, strerror(err))
			code = usage
			continue
		}
		if len(names) > 1 {
			fmt.Fprintf(c.out, "%s%s:\n", map[bool]string{true: "\n"}[n > 0], name)
		}
		for _, k := range kids {
			if strings.HasPrefix(k.name, ".") && !o.any("a", "all", "A", "almost-all") {
				continue
			}
			c.lsLine(o, k.name, path.Join(c.path(name), k.name), k)
		}
	}
	return code
}

func (c *call) lsLine(o options, name, full string, i nodeInfo) {
	if o.any("i", "inode") {
		fmt.Fprintf(c.out, "%d ", i.ino)
	}
	if o.any("l", "n") {
		owner, group := userName(i.uid), userName(i.gid)
		if o.is("n") {
			owner, group = strconv.Itoa(int(i.uid)), strconv.Itoa(int(i.gid))
		}
		if i.isLink() {
			if target, err := c.view().readlink(full); err == nil {
				name += " -> " + target
			}
		}
		fmt.Fprintf(c.out, "%s %d %s %s %d %s ", modeString(i.mode), i.nlink, owner, group, i.size,
			time.Unix(i.mtime, 0).UTC().Format("Jan _2 15:04"))
	}
	fmt.Fprintln(c.out, name)
}

// df knows one file system for all paths, and one for /run.
func df(c *call) int {
	o, ok := c.options("Pkl", "portability")
	if !ok {
		return 1
	}
	fmt.Fprintln(c.out, "Filesystem     1024-blocks    Used Available Capacity Mounted on")
	names, code := o.list, 0
	if len(names) == 0 {
		names = []string{"/"}
	}
	for _, name := range names {
		real, err := c.view().realpath(c.path(name))
		if err == nil {
			_, err = c.view().stat(real, true)
		}
		switch {
		case err != nil:
			code = c.failf("%s: %s", name, strerror(err))
		case real == "/run" || strings.HasPrefix(real, "/run/"):
			fmt.Fprintln(c.out, "tmpfs               201440     720    200720       1% /run")
		default:
			fmt.Fprintln(c.out, "/dev/vda1         20509264 4119272  15323100      22% /")
		}
	}
	return code
}
