package lab

import (
	"io/fs"
	"path"
	"syscall"
)

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
	o, ok := c.options("fnT", "force no-target-directory")
	if !ok {
		return 1
	}
	from, to, ok := c.sources(o.list)
	if !ok {
		return 1
	}
	code, v := 0, c.view()
	for _, name := range from {
		target := c.into(name, to, o.any("T", "no-target-directory"))
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
	o, ok := c.options("rRfpaT", "recursive force preserve no-target-directory archive")
	if !ok {
		return 1
	}
	from, to, ok := c.sources(o.list)
	if !ok {
		return 1
	}
	code, keep := 0, o.any("p", "preserve", "a", "archive")
	for _, name := range from {
		target := c.into(name, to, o.any("T", "no-target-directory"))
		if err := c.copyTree(c.path(name), target, o.any("r", "R", "recursive", "a", "archive"), keep); err != nil {
			code = c.failf("cannot copy '%s': %s", name, strerror(err))
		}
	}
	return code
}

// copyTree copies a file or, with folders, a folder with all in it; with keep
// the copies have the mode and the time of what they are copies of.
func (c *call) copyTree(from, to string, folders, keep bool) error {
	if err := c.copyFile(from, to, folders, keep); err != nil || !keep {
		return err
	}
	v := c.view()
	info, err := v.stat(from, !folders)
	if err != nil || info.isLink() {
		return err
	}
	if err := v.chmod(to, func(fs.FileMode) fs.FileMode { return info.mode &^ fs.ModeType }); err != nil {
		return err
	}
	return v.chtime(to, info.mtime)
}

func (c *call) copyFile(from, to string, folders, keep bool) error {
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
		if err := c.copyTree(path.Join(from, k.name), path.Join(to, k.name), true, keep); err != nil {
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
	soft := o.any("s", "symbolic")
	for _, name := range from {
		target := c.into(name, to, o.any("T", "no-target-directory", "n", "no-dereference"))
		if o.any("f", "force") {
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
