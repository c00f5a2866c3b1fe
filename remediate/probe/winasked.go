package probe

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"oust/remediate"
)

var keyLine = regexp.MustCompile(`^key (64|32) ([0-9a-f]+) "(.*)"$`)

// askedKeys reads the answers about registry keys in a section:
//
//	key VIEW HEX "KEY AS CMD READ IT"
//	what reg.exe says against it
//	rc N
func (w *winReader) askedKeys(section string) ([]remediate.KeyFact, error) {
	var out []remediate.KeyFact
	var cur *remediate.KeyFact
	var said []string
	asked, item := -1, ""
	for _, l := range w.all(section) {
		m := keyLine.FindStringSubmatch(l)
		switch {
		case l == "":
		case m != nil:
			key, err := hex.DecodeString(m[2])
			if err != nil || len(key) > maxAsked {
				return nil, fmt.Errorf("%s: %q", section, clean(l))
			}
			cur, said = &remediate.KeyFact{Key: clean(string(key)), View: remediate.RegistryView(m[1]), Kind: remediate.KeyDenied}, nil
			if m[3] != string(key) {
				said = append(said, misreadAs+strconv.Quote(clean(m[3])))
			}
			item = m[0][:strings.IndexByte(m[0], '"')-1]
		case strings.HasPrefix(l, "rc ") && cur != nil:
			w.askedKey(cur, section, item, said, l)
			out, cur = append(out, *cur), nil
		case strings.HasPrefix(l, "asked "):
			asked, _ = strconv.Atoi(l[len("asked "):])
		default:
			said = append(said, l)
		}
	}
	if cur != nil || section == "keys" && w.has(section) && asked != len(out) {
		w.gap(section, "", "%s: not all registry keys were looked at: %d answers", section, len(out))
	}
	return out, nil
}

// misreadAs begins what is said of a key that cmd.exe took for another one.
const misreadAs = "cmd.exe read it as "

// askedKey decides what the host's words about a key and the end of reg.exe
// mean. It ends with 1 where it finds nothing.
func (w *winReader) askedKey(k *remediate.KeyFact, section, item string, said []string, end string) {
	w.asked++
	misread := len(said) > 0 && strings.HasPrefix(said[0], misreadAs)
	switch {
	case misread:
	case end == "rc 0":
		k.Kind = remediate.KeyPresent
		return
	case end == "rc 1" && w.isAbsent("key", said):
		k.Kind = remediate.KeyAbsent
		return
	}
	why := clean(strings.Join(said, " "))
	if why == "" {
		why = "reg.exe said nothing and ended with " + clean(strings.TrimPrefix(end, "rc "))
	}
	if misread || refused(why) {
		w.incomplete("registry key %s may not be looked at: %s", k.Key, why)
		return
	}
	w.gap(section, item, "registry key %s may not be looked at: %s", k.Key, why)
}

func (w *winReader) keys() error {
	keys, err := w.askedKeys("keys")
	for _, k := range keys {
		if w.bits32 && k.View == remediate.View64 {
			continue // the same key again: 32-bit Windows has one view
		}
		w.windows.Keys = append(w.windows.Keys, k)
	}
	return err
}

// A pathAnswer is what the host said of one path:
//
//	path HEX
//	is ATTRIBUTES "PATH AS CMD READ IT"
//	what dir says against it
type pathAnswer struct {
	path, attributes, read string
	said                   []string
}

var isLine = regexp.MustCompile(`^is (\S*) ?"(.*)"$`)

func (w *winReader) paths() error {
	var answers []pathAnswer
	asked := -1
	for _, l := range w.all("paths") {
		word, rest, _ := strings.Cut(l, " ")
		m := isLine.FindStringSubmatch(l)
		switch {
		case l == "":
		case word == "path":
			path, err := hex.DecodeString(rest)
			if err != nil || len(path) > maxAsked {
				return fmt.Errorf("paths: %q", clean(l))
			}
			answers = append(answers, pathAnswer{path: string(path)})
		case word == "asked":
			asked, _ = strconv.Atoi(rest)
		case len(answers) == 0:
			return fmt.Errorf("paths: %q", clean(l))
		case m != nil:
			answers[len(answers)-1].is(m[1], m[2])
		default:
			a := &answers[len(answers)-1]
			a.said = append(a.said, l)
		}
	}
	for _, a := range answers {
		read := w.path
		if _, _, users := remediate.PerUserPath(a.path); users {
			read = w.userPath
		}
		w.facts.Paths = append(w.facts.Paths, read(a))
	}
	if w.has("paths") && asked != len(answers) {
		w.gap("paths", "", "not all paths were looked at: %d answers", len(answers))
	}
	return nil
}

// path makes a fact of an answer. Attributes are those of "for %~a", such as
// d-------- for a folder; an l among them is a reparse point: a link, a
// junction, or a file whose content stands elsewhere.
func (w *winReader) path(a pathAnswer) remediate.PathFact {
	w.asked++
	f := remediate.PathFact{Path: clean(a.path), Kind: remediate.PathDenied}
	variable, rest, _ := splitPath(a.path)
	switch {
	case variable == "" && a.read != a.path, variable != "" && !strings.HasSuffix(a.read, rest):
		w.incomplete("%s may not be looked at: cmd.exe read it as %q", f.Path, clean(a.read))
		return f
	case variable != "" && !strings.HasPrefix(a.read, "%"):
		f.Full = clean(a.read)
	}
	switch {
	case a.attributes != "":
		f.Kind = kindOf(a.attributes)
	case w.isAbsent("path", a.said):
		f.Kind = remediate.PathAbsent
	default:
		w.unread(a)
	}
	return f
}

// unread notes a path that could not be looked at, for a reason that may pass
// unless the host refuses it.
func (w *winReader) unread(a pathAnswer) {
	why := clean(strings.Join(a.said, " "))
	note := w.incomplete
	if !refused(why) {
		note = func(format string, args ...any) { w.gap("paths", fmt.Sprintf("path %x", a.path), format, args...) }
	}
	note("%s may not be looked at as %s: %s", clean(a.path), w.facts.Privilege.User, why)
}

// kindOf reads attributes, of which there is one at least.
func kindOf(attributes string) remediate.PathKind {
	switch {
	case strings.Contains(attributes, "l"):
		return remediate.PathLink
	case strings.HasPrefix(attributes, "d"):
		return remediate.PathDir
	}
	return remediate.PathFile
}

// disk reads the last line of dir: the number of folders, and the bytes that
// are free for the user, without separators.
func (w *winReader) disk() error {
	l := w.lines("disk")
	if len(l) == 0 {
		return nil
	}
	d := numbers.FindAllString(l[len(l)-1], -1)
	if len(d) < 2 {
		return nil
	}
	bytes, err := strconv.ParseInt(d[len(d)-1], 10, 64)
	if err != nil {
		return nil //nolint:nilerr // a number that is none: free space is not known
	}
	w.facts.FreeSpace = []remediate.FreeSpace{{Path: "%SystemDrive%", KiB: bytes / 1024}}
	return nil
}

func (w *winReader) installer() error {
	keys, err := w.askedKeys("installer")
	for _, k := range keys {
		if k.Kind == remediate.KeyPresent {
			w.facts.Locks = append(w.facts.Locks, remediate.Lock{Manager: remediate.ManagerMSI, Path: k.Key})
		}
	}
	return err
}

// reboot reads the marks by which parts of Windows ask for a reboot.
func (w *winReader) reboot() error {
	marks, err := w.askedKeys("reboot-keys")
	if err != nil {
		return err
	}
	pending := &w.facts.RebootPending
	for _, k := range marks {
		if k.Kind == remediate.KeyPresent {
			*pending = append(*pending, k.Key+" is there")
		}
	}
	keys := w.registry("reboot-values")
	for _, name := range []string{"PendingFileRenameOperations", "PendingFileRenameOperations2", "JoinDomain", "AvoidSpnSet", "DVDRebootSignal"} {
		k := first(keys, name)
		if data := k.get(name); k.has(name) && strings.Trim(data, `\0 `) != "" {
			*pending = append(*pending, clean(k.path)+" has "+name)
		}
	}
	if n, ok := first(keys, "UpdateExeVolatile").number("UpdateExeVolatile"); ok && n != 0 {
		*pending = append(*pending, fmt.Sprintf("UpdateExeVolatile is %d", n))
	}
	now, next := value(keys, `\ActiveComputerName`, "ComputerName"), value(keys, `\ComputerName\ComputerName`, "ComputerName")
	if now != "" && next != "" && !strings.EqualFold(now, next) {
		*pending = append(*pending, fmt.Sprintf("the computer's name changes from %s to %s", clean(now), clean(next)))
	}
	return nil
}
