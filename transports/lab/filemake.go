package lab

import (
	"path"
	"syscall"
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
		set, ok := parseMode(m)
		if !ok {
			return c.failf("invalid mode '%s'", m)
		}
		perm = set(0o777)
	}
	code, v := 0, c.view()
	for _, name := range o.list {
		full := c.path(name)
		if o.any("p", "parents") {
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
	o, ok := c.options("", "ignore-fail-on-non-empty")
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
	o, ok := c.options("rRfd", "recursive force one-file-system")
	if !ok {
		return 1
	}
	force := o.any("f", "force")
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
		case info.isDir() && (o.any("r", "R", "recursive")):
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

func touch(c *call) int {
	o, ok := c.options("cma", "no-create")
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
		case o.any("c", "no-create"):
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
