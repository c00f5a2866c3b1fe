package lab

import (
	"slices"
	"strings"
)

// options are a program's parsed arguments: letters that were given, values
// of those that take one, long options, and the rest.
type options struct {
	has  map[string]string
	list []string
}

func (o options) is(name string) bool {
	_, ok := o.has[name]
	return ok
}

// any reports whether one of the names was given.
func (o options) any(names ...string) bool { return slices.ContainsFunc(names, o.is) }

// options parses arguments by a specification like getopt's: "rf" are
// letters, "n:" takes a value, and long options stand with a space between,
// as "force quiet unit=". An argument that the specification does not have is
// an error that the program reports itself: ok is false then.
func (c *call) options(short, long string) (o options, ok bool) {
	o.has = make(map[string]string)
	args := c.args[1:]
	for len(args) > 0 {
		a := args[0]
		switch {
		case a == "--":
			o.list = append(o.list, args[1:]...)
			return o, true
		case strings.HasPrefix(a, "--"):
			args, ok = o.long(a[2:], long, args[1:])
		case len(a) > 1 && a[0] == '-':
			args, ok = o.letters(a[1:], short, args[1:])
		default:
			o.list = append(o.list, a)
			args, ok = args[1:], true
		}
		if !ok {
			c.failf("unrecognized option '%s'", a)
			return o, false
		}
	}
	return o, true
}

func (o *options) long(a, spec string, rest []string) ([]string, bool) {
	name, value, given := strings.Cut(a, "=")
	for _, s := range strings.Fields(spec) {
		want, takes := strings.CutSuffix(s, "=")
		if name != want {
			continue
		}
		if takes && !given {
			if len(rest) == 0 {
				return nil, false
			}
			value, rest = rest[0], rest[1:]
		}
		o.add(name, value)
		return rest, takes || !given
	}
	return nil, false
}

// add keeps the values of a repeated option, one a line.
func (o *options) add(name, value string) {
	if old, ok := o.has[name]; ok && old != "" {
		value = old + "\n" + value
	}
	o.has[name] = value
}

func (o *options) letters(a, spec string, rest []string) ([]string, bool) {
	for i := 0; i < len(a); i++ {
		at := strings.IndexByte(spec, a[i])
		if at < 0 || a[i] == ':' {
			return nil, false
		}
		if at+1 == len(spec) || spec[at+1] != ':' {
			o.has[a[i:i+1]] = ""
			continue
		}
		value := a[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, false
			}
			value, rest = rest[0], rest[1:]
		}
		o.add(a[i:i+1], value)
		break
	}
	return rest, true
}
