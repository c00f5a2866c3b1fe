package probe

import (
	"regexp"
	"strconv"
	"strings"
)

// maxKeys is how many registry keys are read from one answer of reg.exe.
const maxKeys = 100_000

// A regKey is a key as reg query prints it:
//
//	HKEY_LOCAL_MACHINE\SOFTWARE\Some Key
//	    Name    REG_SZ    Data
//
// with an empty line between keys. What is translated on a Windows of another
// language is the name of a key's default value and what is said at the end.
type regKey struct {
	path   string
	values []regValue
}

type regValue struct {
	name, kind, data string
}

// valueLine: a name may hold blanks, so that the type ends it. Data may be
// empty.
var valueLine = regexp.MustCompile(`^    (.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$`)

// parseReg reads what reg query printed. Other lines, such as "End of search"
// or an error, come back as they are. Data that holds a line end goes on in
// lines of its own, up to an empty one. cut says that there were more keys
// than are read.
func parseReg(lines []string) (keys []regKey, other []string, cut bool) {
	open := false // the last value may go on
	for _, l := range lines {
		m := valueLine.FindStringSubmatch(l)
		switch {
		case l == "":
			open = false
		case strings.HasPrefix(l, `HKEY_`):
			if len(keys) == maxKeys {
				return keys, other, true
			}
			keys = append(keys, regKey{path: l})
			open = false
		case m != nil && len(keys) > 0:
			k := &keys[len(keys)-1]
			k.values = append(k.values, regValue{name: m[1], kind: m[2], data: m[3]})
			open = true
		case open:
			values := keys[len(keys)-1].values
			values[len(values)-1].data += "\n" + l
		default:
			other = append(other, l)
		}
	}
	return keys, other, false
}

// get is the data of the value of that name, or "". Windows takes no notice of
// case in names.
func (k regKey) get(name string) string {
	for _, v := range k.values {
		if strings.EqualFold(v.name, name) {
			return v.data
		}
	}
	return ""
}

// has reports whether a value of that name is there.
func (k regKey) has(name string) bool {
	for _, v := range k.values {
		if strings.EqualFold(v.name, name) {
			return true
		}
	}
	return false
}

// number is a REG_DWORD, which reg.exe prints as 0x1f.
func (k regKey) number(name string) (uint64, bool) {
	n, err := strconv.ParseUint(k.get(name), 0, 64)
	return n, err == nil
}

// value is the data of the first value of that name below a key whose path
// ends so.
func value(keys []regKey, suffix, name string) string {
	for _, k := range keys {
		if k.has(name) && endsFold(k.path, suffix) {
			return k.get(name)
		}
	}
	return ""
}

func endsFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

var guid = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}$`)

// productCode is a ProductCode or UpgradeCode with capital letters, or "" if
// the text is none.
func productCode(s string) string {
	if !guid.MatchString(s) {
		return ""
	}
	return strings.ToUpper(s)
}

var packedGUID = regexp.MustCompile(`^[0-9A-Fa-f]{32}$`)

// unpackGUID is the GUID that Windows Installer wrote packed: the first three
// groups back to front, then each pair of digits back to front. It is "" if
// the text is none.
func unpackGUID(s string) string {
	if !packedGUID.MatchString(s) {
		return ""
	}
	var b strings.Builder
	b.WriteByte('{')
	at := 0
	for i, width := range []int{8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2} {
		for j := at + width - 1; j >= at; j-- {
			b.WriteByte(s[j])
		}
		at += width
		if i <= 2 || i == 4 {
			b.WriteByte('-')
		}
	}
	b.WriteByte('}')
	return strings.ToUpper(b.String())
}
