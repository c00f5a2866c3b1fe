package lab

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func mkdir(c *call) int {
	o, ok := c.options("pm:", "parents mode=")
	if !ok {
		return 1
	}
	if len(o.list) == 0 {
		return c.failf("missing operand")
	}
	perm := c.create(0o777)
	if m := o.has["m"] + o.has["mode"]; m != "" {
		n, err := strconv.ParseUint(m, 8, 32)
		if err != nil {
			return c.failf("invalid mode '%s'", m)
		}
		perm = fs.FileMode(n)
	}
	code, v := 0, c.view()
	for _, name := range o.list {
		full := c.path(name)
		if o.is("p") || o.is("parents") {
			if info, err := v.stat(full, true); err == nil && info.isDir() {
				continue
			}
			if err := v.mkdirAll(path.Dir(path.Clean(full)), c.create(0o777)|0o300); err != nil {
				code = c.failf("cannot create directory '%s': %s", name, strerror(err))
				continue
			}
		}
		if err := v.mkdir(full, perm); err != nil {
			code = c.failf("cannot create directory '%s': %s", name, strerror(err))
		}
	}
	return code
}

func rmdir(c *call) int {
	o, ok := c.options("p", "ignore-fail-on-non-empty")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range o.list {
		err := c.view().remove(c.path(name), true)
		if err != nil && !(o.is("ignore-fail-on-non-empty") && strerror(err) == strerror(syscall.ENOTEMPTY)) {
			code = c.failf("failed to remove '%s': %s", name, strerror(err))
		}
	}
	return code
}

func rm(c *call) int {
	o, ok := c.options("rRfdv", "recursive force one-file-system preserve-root")
	if !ok {
		return 1
	}
	force := o.is("f") || o.is("force")
	if len(o.list) == 0 && !force {
		return c.failf("missing operand")
	}
	code, v := 0, c.view()
	for _, name := range o.list {
		full := c.path(name)
		info, err := v.stat(full, false)
		switch {
		case err != nil:
			absent := strerror(err) == strerror(syscall.ENOENT) || strerror(err) == strerror(syscall.ENOTDIR)
			if !force || !absent {
				code = c.failf("cannot remove '%s': %s", name, strerror(err))
			}
		case info.isDir() && path.Clean(full) == "/":
			code = c.failf("it is dangerous to operate recursively on '/'")
		case info.isDir() && (o.is("r") || o.is("R") || o.is("recursive")):
			v.removeAll(path.Clean(full), func(at string, err error) {
				code = c.failf("cannot remove '%s': %s", at, strerror(err))
			})
		default:
			if err := v.remove(full, info.isDir() && o.is("d")); err != nil {
				code = c.failf("cannot remove '%s': %s", name, strerror(err))
			}
		}
	}
	return code
}

// into is the path that a file gets in a target, which may be a folder.
func (c *call) into(source, target string, whole bool) string {
	full := c.path(target)
	if info, err := c.view().stat(full, true); err == nil && info.isDir() && !whole {
		return path.Join(full, path.Base(source))
	}
	return full
}

// sources splits the arguments of mv, cp and ln and checks their number.
func (c *call) sources(list []string) (from []string, to string, ok bool) {
	switch len(list) {
	case 0:
		c.failf("missing file operand")
		return nil, "", false
	case 1:
		c.failf("missing destination file operand after '%s'", list[0])
		return nil, "", false
	}
	from, to = list[:len(list)-1], list[len(list)-1]
	info, err := c.view().stat(c.path(to), true)
	if len(from) > 1 && (err != nil || !info.isDir()) {
		c.failf("target '%s': Not a directory", to)
		return nil, "", false
	}
	return from, to, true
}

func mv(c *call) int {
	o, ok := c.options("fnTv", "force no-target-directory")
	if !ok {
		return 1
	}
	from, to, ok := c.sources(o.list)
	if !ok {
		return 1
	}
	code, v := 0, c.view()
	for _, name := range from {
		target := c.into(name, to, o.is("T") || o.is("no-target-directory"))
		if _, err := v.stat(c.path(name), false); err != nil {
			code = c.failf("cannot stat '%s': %s", name, strerror(err))
			continue
		}
		if _, err := v.stat(target, false); err == nil && o.is("n") {
			continue
		}
		if err := v.rename(c.path(name), target); err != nil {
			code = c.failf("cannot move '%s' to '%s': %s", name, to, strerror(err))
		}
	}
	return code
}

func cp(c *call) int {
	o, ok := c.options("rRfpaT", "recursive force preserve no-target-directory")
	if !ok {
		return 1
	}
	from, to, ok := c.sources(o.list)
	if !ok {
		return 1
	}
	code := 0
	for _, name := range from {
		target := c.into(name, to, o.is("T"))
		if err := c.copyTree(c.path(name), target, o.is("r") || o.is("R") || o.is("a")); err != nil {
			code = c.failf("cannot copy '%s': %s", name, strerror(err))
		}
	}
	return code
}

func (c *call) copyTree(from, to string, folders bool) error {
	v := c.view()
	info, err := v.stat(from, !folders)
	switch {
	case err != nil:
		return err
	case info.isLink():
		target, err := v.readlink(from)
		if err != nil {
			return err
		}
		return v.symlink(target, to)
	case !info.isDir():
		data, err := v.readFile(from)
		if err != nil {
			return err
		}
		return v.writeFile(to, data, c.create(info.mode.Perm()))
	case !folders:
		return syscall.EISDIR
	}
	if err := v.mkdirAll(to, c.create(info.mode.Perm())); err != nil {
		return err
	}
	kids, err := v.readDir(from)
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := c.copyTree(path.Join(from, k.name), path.Join(to, k.name), true); err != nil {
			return err
		}
	}
	return nil
}

func ln(c *call) int {
	o, ok := c.options("sfnT", "symbolic force no-dereference no-target-directory")
	if !ok {
		return 1
	}
	from, to, ok := c.sources(o.list)
	if !ok {
		return 1
	}
	code, v := 0, c.view()
	soft := o.is("s") || o.is("symbolic")
	for _, name := range from {
		target := c.into(name, to, o.is("T") || o.is("n"))
		if o.is("f") || o.is("force") {
			_ = v.remove(target, false)
		}
		if soft {
			if err := v.symlink(name, target); err != nil {
				code = c.failf("failed to create symbolic link '%s': %s", to, strerror(err))
			}
			continue
		}
		if _, err := v.stat(c.path(name), false); err != nil {
			code = c.failf("failed to access '%s': %s", name, strerror(err))
		} else if err := v.link(c.path(name), target); err != nil {
			code = c.failf("failed to create hard link '%s': %s", to, strerror(err))
		}
	}
	return code
}

func chmod(c *call) int {
	args := c.args[1:]
	for len(args) > 0 && (args[0] == "-f" || args[0] == "--") {
		args = args[1:]
	}
	recursive := len(args) > 0 && args[0] == "-R"
	if recursive {
		args = args[1:]
	}
	if len(args) < 2 {
		return c.failf("missing operand")
	}
	set, ok := parseMode(args[0])
	if !ok {
		return c.failf("invalid mode: '%s'", args[0])
	}
	code := 0
	for _, name := range args[1:] {
		c.chmodTree(c.path(name), set, recursive, func(err error) {
			code = c.failf("cannot access '%s': %s", name, strerror(err))
		})
	}
	return code
}

func (c *call) chmodTree(name string, set func(fs.FileMode) fs.FileMode, recursive bool, fail func(error)) {
	v := c.view()
	if err := v.chmod(name, set); err != nil {
		fail(err)
		return
	}
	kids, err := v.readDir(name)
	if !recursive || err != nil {
		return
	}
	for _, k := range kids {
		if !k.isLink() {
			c.chmodTree(path.Join(name, k.name), set, true, fail)
		}
	}
}

// parseMode reads an octal or a symbolic mode of one clause, such as u+x.
func parseMode(s string) (func(fs.FileMode) fs.FileMode, bool) {
	if n, err := strconv.ParseUint(s, 8, 32); err == nil && n <= 0o7777 {
		mode := fs.FileMode(n & 0o777)
		if n&0o1000 != 0 {
			mode |= fs.ModeSticky
		}
		if n&0o4000 != 0 {
			mode |= fs.ModeSetuid
		}
		return func(fs.FileMode) fs.FileMode { return mode }, true
	}
	at := strings.IndexAny(s, "+-=")
	if at < 0 {
		return nil, false
	}
	var who, bits fs.FileMode
	for _, l := range s[:at] {
		m, ok := map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[l]
		if !ok {
			return nil, false
		}
		who |= m
	}
	if who == 0 {
		who = 0o777
	}
	for _, l := range s[at+1:] {
		m, ok := map[rune]fs.FileMode{'r': 0o444, 'w': 0o222, 'x': 0o111}[l]
		if !ok {
			return nil, false
		}
		bits |= m
	}
	bits &= who
	return func(old fs.FileMode) fs.FileMode {
		switch s[at] {
		case '+':
			return old | bits
		case '-':
			return old &^ bits
		}
		return old&^who | bits
	}, true
}

func touch(c *call) int {
	o, ok := c.options("cmad:r:t:", "no-create")
	if !ok {
		return 1
	}
	code, v := 0, c.view()
	for _, name := range o.list {
		full := c.path(name)
		_, err := v.stat(full, true)
		switch {
		case err == nil:
			err = v.chtime(full, c.proc.host.now().Unix())
		case o.is("c") || o.is("no-create"):
			continue
		default:
			err = v.writeFile(full, nil, c.create(0o666))
		}
		if err != nil {
			code = c.failf("cannot touch '%s': %s", name, strerror(err))
		}
	}
	return code
}

func readlink(c *call) int {
	o, ok := c.options("fenqsv", "canonicalize")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range o.list {
		var target string
		var err error
		if o.is("f") || o.is("e") || o.is("canonicalize") {
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
	o, ok := c.options("c:Lf", "format= dereference printf=")
	if !ok {
		return 1
	}
	format := o.has["c"] + o.has["format"]
	if format == "" {
		return c.failf("simulated with -c FORMAT only")
	}
	code := 0
	for _, name := range o.list {
		info, err := c.view().stat(c.path(name), o.is("L") || o.is("dereference"))
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

func octalMode(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	if m&fs.ModeSticky != 0 {
		n |= 0o1000
	}
	if m&fs.ModeSetuid != 0 {
		n |= 0o4000
	}
	return n
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

// modeString is a mode as ls shows it, such as drwxr-xr-x.
func modeString(m fs.FileMode) string {
	out := []byte("-rwxrwxrwx")
	switch {
	case m.IsDir():
		out[0] = 'd'
	case m&fs.ModeSymlink != 0:
		out[0] = 'l'
	case m&fs.ModeCharDevice != 0:
		out[0] = 'c'
	}
	for i := range 9 {
		if m&(1<<(8-i)) == 0 {
			out[i+1] = '-'
		}
	}
	if m&fs.ModeSticky != 0 {
		out[9] = map[byte]byte{'x': 't', '-': 'T'}[out[9]]
	}
	if m&fs.ModeSetuid != 0 {
		out[3] = map[byte]byte{'x': 's', '-': 'S'}[out[3]]
	}
	return string(out)
}

func ls(c *call) int {
	o, ok := c.options("1ladinAR", "almost-all all directory inode")
	if !ok {
		return usage
	}
	names := o.list
	if len(names) == 0 {
		names = []string{"."}
	}
	code := 0
	for n, name := range names {
		info, err := c.view().stat(c.path(name), !o.is("l") && !o.is("d") && !o.is("n"))
		if err != nil {
			c.failf("cannot access '%s': %s", name, strerror(err))
			code = usage
			continue
		}
		if !info.isDir() || o.is("d") {
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
			if strings.HasPrefix(k.name, ".") && !o.is("a") && !o.is("A") {
				continue
			}
			c.lsLine(o, k.name, path.Join(c.path(name), k.name), k)
		}
	}
	return code
}

func (c *call) lsLine(o options, name, full string, i nodeInfo) {
	if o.is("i") || o.is("inode") {
		fmt.Fprintf(c.out, "%d ", i.ino)
	}
	if o.is("l") || o.is("n") {
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
	o, ok := c.options("Pkhl", "portability output=")
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
