package cmdexe

import (
	"fmt"
	"strconv"
	"strings"
)

// percent does the first phase of a line: %X%, %1 and their forms.
func (s *session) percent(line string) string {
	var b strings.Builder
	for i := 0; i < len(line) && b.Len() <= 2*maxLine; {
		if line[i] != '%' {
			b.WriteByte(line[i])
			i++
			continue
		}
		rest := line[i+1:]
		if s.frame != nil {
			if rest != "" && rest[0] == '%' {
				b.WriteByte('%')
				i += 2
				continue
			}
			if v, n := s.argument(rest); n > 0 {
				b.WriteString(v)
				i += 1 + n
				continue
			}
		}
		end := strings.IndexByte(rest, '%')
		if end <= 0 {
			if s.frame == nil {
				b.WriteByte('%')
			}
			i++
			continue
		}
		v, ok := s.variable(rest[:end])
		switch {
		case ok:
			b.WriteString(v)
		case s.frame == nil:
			b.WriteByte('%')
			i++
			continue
		default: // of a form of what is not set, the form stays
			if colon := strings.IndexByte(rest[:end], ':'); colon > 0 && colon < end-1 {
				i += colon + 2
				continue
			}
		}
		i += end + 2
	}
	return b.String()
}

// argument is the value of 0 to 9, * or ~dp0 and the like, and its length.
func (s *session) argument(rest string) (string, int) {
	switch {
	case rest == "":
		return "", 0
	case rest[0] == '*':
		return s.frame.rest, 1
	case rest[0] >= '0' && rest[0] <= '9':
		return s.frame.arg(int(rest[0] - '0')), 1
	case rest[0] != '~':
		return "", 0
	}
	i := 1
	for i < len(rest) && strings.IndexByte("fdpnxsatz", rest[i]|0x20) >= 0 {
		i++
	}
	if i >= len(rest) || rest[i] < '0' || rest[i] > '9' {
		return "", 0
	}
	v := s.frame.arg(int(rest[i] - '0'))
	if rest[i] == '0' && i > 1 {
		v = s.frame.path
	}
	return s.modify(v, rest[1:i]), i + 1
}

// variable is the value of what stands between two percent signs.
func (s *session) variable(text string) (string, bool) {
	if v, ok := s.get(text); ok {
		return v, true
	}
	name, form, has := strings.Cut(text, ":")
	v, ok := s.get(name)
	if !has || !ok || form == "" {
		return "", false
	}
	if form[0] == '~' {
		from, count, _ := strings.Cut(form[1:], ",")
		return substring(v, from, count), true
	}
	old, with, has := strings.Cut(form, "=")
	if !has || old == "" {
		return "", false
	}
	if old[0] == '*' && len(old) > 1 {
		if i := indexFold(v, old[1:]); i >= 0 {
			return with + v[i+len(old)-1:], true
		}
		return v, true
	}
	var b strings.Builder
	for b.Len() <= 2*maxLine {
		i := indexFold(v, old)
		if i < 0 {
			break
		}
		b.WriteString(v[:i] + with)
		v = v[i+len(old):]
	}
	return b.String() + v, true
}

// indexFold is strings.Index without regard to the case of a to z.
func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}

func substring(v, from, count string) string {
	clamp := func(n int) int { return max(0, min(n, len(v))) }
	a, _ := strconv.Atoi(strings.TrimSpace(from))
	if a < 0 {
		a += len(v)
	}
	a = clamp(a)
	b := len(v)
	if count != "" {
		n, _ := strconv.Atoi(strings.TrimSpace(count))
		if b = clamp(a + clamp(n)); n < 0 {
			b = clamp(len(v) + max(n, -len(v)))
		}
	}
	return v[a:max(a, b)]
}

// modify does the modifiers of %~dpnxsfatz1.
func (s *session) modify(v, mods string) string {
	v = unquote(v)
	if mods == "" {
		return v
	}
	mods = strings.ToLower(mods)
	full := s.abs(v)
	dir, name := splitLast(full)
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name, ext = name[:i], name[i:]
	}
	info, err := s.c.Files.Stat(full)
	var out []string
	if strings.Contains(mods, "a") && err == nil {
		a := []byte("---------")
		if info.Dir {
			a[0] = 'd'
		} else {
			a[2] = 'a'
		}
		if info.Link {
			a[8] = 'l'
		}
		out = append(out, string(a))
	}
	if strings.Contains(mods, "t") && err == nil {
		out = append(out, info.Time.Format("01/02/2006 03:04 PM"))
	}
	if strings.Contains(mods, "z") && err == nil {
		out = append(out, fmt.Sprint(info.Size))
	}
	path := ""
	switch all := strings.Contains(mods, "f") || mods == "s"; {
	case all:
		path = full
	default:
		if strings.Contains(mods, "d") {
			path += full[:2]
		}
		if strings.Contains(mods, "p") {
			path += strings.TrimSuffix(dir[2:], `\`) + `\`
		}
		if strings.Contains(mods, "n") {
			path += name
		}
		if strings.Contains(mods, "x") {
			path += ext
		}
	}
	if path != "" {
		out = append(out, path)
	}
	return strings.Join(out, " ")
}

// loopVars puts the variables of FOR into a text.
func (s *session) loopVars(t string) string {
	if len(s.vars) == 0 || strings.IndexByte(t, '%') < 0 {
		return t
	}
	var b strings.Builder
	for i := 0; i < len(t) && b.Len() <= 4*maxLine; i++ {
		if t[i] == '%' && i+1 < len(t) {
			if v, ok := s.vars[t[i+1]]; ok {
				b.WriteString(v)
				i++
				continue
			}
			if n, v := s.modified(t[i+1:]); n > 0 {
				b.WriteString(v)
				i += n
				continue
			}
		}
		b.WriteByte(t[i])
	}
	return b.String()
}

// modified reads ~dpx of a variable of FOR: its length and value.
func (s *session) modified(t string) (int, string) {
	if t[0] != '~' {
		return 0, ""
	}
	i := 1
	for i < len(t) && strings.IndexByte("fdpnxsatz", t[i]|0x20) >= 0 {
		i++
	}
	for ; i >= 1; i-- {
		if i < len(t) {
			if v, ok := s.vars[t[i]]; ok {
				return i + 1, s.modify(v, t[1:i])
			}
		}
	}
	return 0, ""
}

// late does the last phases: variables of FOR, then !X!.
func (s *session) late(t string) string {
	t = s.loopVars(t)
	if !s.delayed || strings.IndexByte(t, '!') < 0 {
		return t
	}
	var b strings.Builder
	for i := 0; i < len(t) && b.Len() <= 4*maxLine; i++ {
		switch {
		case t[i] == '^' && i+1 < len(t):
			i++
			b.WriteByte(t[i])
		case t[i] == '!':
			end := strings.IndexByte(t[i+1:], '!')
			if end < 0 {
				continue
			}
			v, _ := s.variable(t[i+1 : i+1+end])
			b.WriteString(v)
			i += end + 1
		default:
			b.WriteByte(t[i])
		}
	}
	return b.String()
}

func unquote(s string) string {
	if len(s) > 0 && s[0] == '"' {
		s = s[1:]
		if n := len(s); n > 0 && s[n-1] == '"' {
			s = s[:n-1]
		}
	}
	return s
}

// splitLast cuts a path at its last backslash.
func splitLast(p string) (dir, name string) {
	i := strings.LastIndexByte(p, '\\')
	if i < 0 {
		return p, ""
	}
	return p[:i], p[i+1:]
}
