package cmdexe

import (
	"fmt"
	"io"
	"strings"
)

// switches parts the words of a command from its switches, in lower case.
func switches(t string) (paths []string, on map[string]bool) {
	on = map[string]bool{}
	for _, w := range split(t) {
		for strings.HasPrefix(w, "/") {
			next := strings.IndexByte(w[1:], '/') + 1
			if next == 0 {
				next = len(w)
			}
			on[strings.ToLower(w[1:next])] = true
			w = w[next:]
		}
		if w != "" {
			paths = append(paths, unquote(w))
		}
	}
	return paths, on
}

// match says whether a name fits a pattern with * and ?.
func match(pattern, name string) bool {
	pattern, name = strings.ToUpper(pattern), strings.ToUpper(name)
	if pattern == "*.*" {
		return true
	}
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*?") == ""
}

// glob is what a path with a pattern in its last step stands for.
func (s *session) glob(path string) []Info {
	dir, pattern := splitLast(s.abs(path))
	all, err := s.c.Files.List(dir)
	if err != nil {
		return nil
	}
	var out []Info
	for _, i := range all {
		if match(pattern, i.Name) {
			out = append(out, i)
		}
	}
	return out
}

func (s *session) del(t string) int {
	paths, on := switches(t)
	if len(paths) == 0 {
		return s.fail(1, "The syntax of the command is incorrect.")
	}
	s.level = 0
	for _, p := range paths {
		s.delPath(s.abs(p), p, on["s"], 0)
	}
	return 0
}

func (s *session) delPath(full, shown string, deep bool, depth int) {
	if i, err := s.c.Files.Stat(full); err == nil && i.Dir {
		full += `\*`
	}
	dir, pattern := splitLast(full)
	found := false
	for _, i := range s.glob(full) {
		if i.Dir {
			continue
		}
		found = true
		if err := s.c.Files.Remove(dir + `\` + i.Name); err != nil {
			fmt.Fprintf(s.out, "%s\\%s\r\n", dir, i.Name)
			fmt.Fprint(s.err, words(err), "\r\n")
		}
	}
	if !found && !deep {
		fmt.Fprintf(s.err, "Could Not Find %s\r\n", full)
	}
	if !deep || depth > maxNesting {
		return
	}
	all, _ := s.c.Files.List(dir)
	for _, i := range all {
		if i.Dir && !i.Link && s.ctx.Err() == nil {
			s.delPath(dir+`\`+i.Name+`\`+pattern, shown, true, depth+1)
		}
	}
}

func (s *session) md(t string) int {
	paths, _ := switches(t)
	if len(paths) == 0 {
		return s.fail(1, "The syntax of the command is incorrect.")
	}
	for _, p := range paths {
		full := s.abs(p)
		if _, err := s.c.Files.Stat(full); err == nil {
			return s.fail(1, "A subdirectory or file "+p+" already exists.")
		}
		all := steps(full)
		for i := 2; i <= len(all); i++ {
			at := strings.Join(all[:i], `\`)
			if _, err := s.c.Files.Stat(at); err == nil {
				continue
			}
			if err := s.c.Files.Mkdir(at); err != nil {
				return s.fail(1, words(err))
			}
		}
	}
	return s.ok("")
}

// rd returns what || looks at, and leaves ERRORLEVEL alone.
func (s *session) rd(t string) int {
	paths, on := switches(t)
	code := 0
	for _, p := range paths {
		full := s.abs(p)
		i, err := s.c.Files.Stat(full)
		say := ""
		switch {
		case err != nil:
			say, code = words(err), 2
		case !i.Dir:
			say, code = "The directory name is invalid.", 267
		case on["s"] && !i.Link:
			if !s.removeAll(full, 0) {
				code = 5
			}
		default:
			if err := s.c.Files.Remove(full); err != nil {
				say, code = words(err), 145
			}
		}
		if say != "" {
			fmt.Fprint(s.err, say, "\r\n")
		}
	}
	return code
}

// removeAll removes what it can of a tree, and says what it cannot.
func (s *session) removeAll(dir string, depth int) bool {
	all, err := s.c.Files.List(dir)
	whole := err == nil && depth < maxNesting
	for _, i := range all {
		p := dir + `\` + i.Name
		if s.ctx.Err() != nil || !whole && depth >= maxNesting {
			return false
		}
		if i.Dir && !i.Link {
			whole = s.removeAll(p, depth+1) && whole
			continue
		}
		if err := s.c.Files.Remove(p); err != nil {
			fmt.Fprintf(s.err, "%s - %s\r\n", p, words(err))
			whole = false
		}
	}
	if !whole {
		return false
	}
	if err := s.c.Files.Remove(dir); err != nil {
		fmt.Fprintf(s.err, "%s - %s\r\n", dir, words(err))
		return false
	}
	return true
}

func (s *session) ren(t string) int {
	paths, _ := switches(t)
	if len(paths) != 2 || strings.ContainsAny(paths[1], `\/:`) {
		return s.fail(1, "The syntax of the command is incorrect.")
	}
	from := s.abs(paths[0])
	dir, _ := splitLast(from)
	if err := s.c.Files.Rename(from, dir+`\`+paths[1]); err != nil {
		return s.fail(1, words(err))
	}
	return s.ok("")
}

// into is where a file goes that is copied or moved to a path.
func (s *session) into(to, name string) string {
	full := s.abs(to)
	if i, err := s.c.Files.Stat(full); err == nil && i.Dir {
		return strings.TrimSuffix(full, `\`) + `\` + name
	}
	return full
}

func (s *session) move(t string) int {
	paths, _ := switches(t)
	if len(paths) != 2 {
		return s.fail(1, "The syntax of the command is incorrect.")
	}
	dir, _ := splitLast(s.abs(paths[0]))
	all := s.glob(paths[0])
	if len(all) == 0 {
		return s.fail(1, "The system cannot find the file specified.")
	}
	for _, i := range all {
		from, to := dir+`\`+i.Name, s.into(paths[1], i.Name)
		if old, err := s.c.Files.Stat(to); err == nil && !old.Dir && !i.Dir && !strings.EqualFold(from, to) {
			if err := s.c.Files.Remove(to); err != nil {
				return s.fail(1, words(err))
			}
		}
		if err := s.c.Files.Rename(from, to); err != nil {
			return s.fail(1, words(err))
		}
	}
	return s.ok(fmt.Sprintf("        %d file(s) moved.", len(all)))
}

func (s *session) copyFiles(t string) int {
	paths, _ := switches(t)
	if len(paths) == 1 {
		paths = append(paths, s.dir)
	}
	if len(paths) != 2 {
		return s.fail(1, "The syntax of the command is incorrect.")
	}
	dir, name := splitLast(s.abs(paths[0]))
	all := s.glob(paths[0])
	if isDevice(paths[0], "nul") {
		all = []Info{{Name: name}}
	}
	n := 0
	for _, i := range all {
		if i.Dir {
			continue
		}
		to := s.into(paths[1], i.Name)
		if strings.EqualFold(to, dir+`\`+i.Name) {
			return s.fail(1, "The file cannot be copied onto itself.\r\n        0 file(s) copied.")
		}
		if err := s.copyFile(dir+`\`+i.Name, to); err != nil {
			return s.fail(1, words(err)+"\r\n        0 file(s) copied.")
		}
		n++
	}
	if n == 0 {
		return s.fail(1, "The system cannot find the file specified.")
	}
	return s.ok(fmt.Sprintf("        %d file(s) copied.", n))
}

func (s *session) copyFile(from, to string) error {
	r, err := s.open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := s.create(to, false)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if e := w.Close(); err == nil {
		err = e
	}
	return err
}

// list is DIR. There are no serial numbers of volumes and no free space to
// speak of: a disk of the lab has 100 GB free.
func (s *session) list(t string) int {
	paths, on := switches(t)
	if len(paths) == 0 {
		paths = []string{s.dir}
	}
	code := 0
	for _, p := range paths {
		full := s.abs(p)
		dir, pattern := full, "*"
		i, err := s.c.Files.Stat(full)
		if err != nil || !i.Dir {
			dir, pattern = splitLast(full)
			if len(dir) == 2 {
				dir += `\`
			}
		}
		if !on["b"] {
			fmt.Fprintf(s.out, " Volume in drive %s has no label.\r\n Volume Serial Number is 0000-0000\r\n\r\n", dir[:1])
		}
		found, said := s.listFolder(dir, pattern, on, 0)
		if found {
			continue
		}
		if said == "" {
			said = "File Not Found"
		}
		code = s.fail(1, said)
	}
	s.level = code
	return code
}

func (s *session) listFolder(dir, pattern string, on map[string]bool, depth int) (found bool, said string) {
	all, err := s.c.Files.List(dir)
	if err != nil {
		if _, e := s.c.Files.Stat(dir); e != nil {
			return false, "The system cannot find the path specified."
		}
		return false, words(err)
	}
	dirs := on["a:d"] || on["ad"]
	files := on["a:-d"] || on["a-d"]
	group := func(n int64) string {
		t := fmt.Sprint(n)
		for i := len(t) - 3; i > 0 && !on["-c"]; i -= 3 {
			t = t[:i] + "," + t[i:]
		}
		return t
	}
	var size int64
	nd, nf := 0, 0
	if !on["b"] {
		fmt.Fprintf(s.out, " Directory of %s\r\n\r\n", dir)
		if pattern == "*" && len(dir) > len(`C:\`) && !files {
			i, _ := s.c.Files.Stat(dir)
			for _, name := range []string{".", ".."} {
				nd++
				fmt.Fprintf(s.out, "%s    <DIR>          %s\r\n", i.Time.Format("01/02/2006  03:04 PM"), name)
			}
		}
	}
	for _, i := range all {
		if !match(pattern, i.Name) || dirs && !i.Dir || files && i.Dir {
			continue
		}
		found = true
		kind := fmt.Sprintf("%17s", group(i.Size))
		if i.Dir {
			nd++
			kind = "   <DIR>         "
		} else {
			nf++
			size += i.Size
		}
		switch {
		case on["b"] && on["s"]:
			fmt.Fprintf(s.out, "%s\\%s\r\n", strings.TrimSuffix(dir, `\`), i.Name)
		case on["b"]:
			fmt.Fprintf(s.out, "%s\r\n", i.Name)
		default:
			fmt.Fprintf(s.out, "%s %s %s\r\n", i.Time.Format("01/02/2006  03:04 PM"), kind, i.Name)
		}
	}
	if !on["b"] && (found || pattern == "*") {
		fmt.Fprintf(s.out, "%16d File(s) %14s bytes\r\n%16d Dir(s)  %14s bytes free\r\n", nf, group(size), nd, group(100<<30))
		found = true
	}
	for _, i := range all {
		if on["s"] && i.Dir && !i.Link && depth < maxNesting && s.ctx.Err() == nil {
			below, _ := s.listFolder(strings.TrimSuffix(dir, `\`)+`\`+i.Name, pattern, on, depth+1)
			found = found || below
		}
	}
	return found, ""
}
