package lab

import (
	"errors"
	"path"
	"strings"
	"syscall"
)

var errNoProgram = errors.New("not found")

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lookPath finds a program's file by PATH. A name with a slash is a path; its
// error then says why it cannot be run.
func (c *call) lookPath(name string) (string, error) {
	v := c.view()
	if strings.Contains(name, "/") {
		file := c.path(name)
		info, err := v.stat(file, true)
		switch {
		case errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR):
			return "", errNoProgram
		case err != nil:
			return "", err
		case info.isDir() || !v.may(&info.node, mayExec):
			return "", syscall.EACCES
		}
		return file, nil
	}
	dirs := c.env.Get("PATH")
	list := dirs.String()
	if !dirs.IsSet() {
		list = defaultPath
	}
	for dir := range strings.SplitSeq(list, ":") {
		file := path.Join(absolute(c.dir, dir), name)
		info, err := v.stat(file, true)
		if err == nil && info.mode.IsRegular() && v.may(&info.node, mayExec) {
			return file, nil
		}
	}
	return "", errNoProgram
}
