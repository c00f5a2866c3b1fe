package probe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// system reads uname and os-release.
func (r *reader) system() error {
	l := r.lines("uname")
	if len(l) == 0 {
		return errors.New("uname printed nothing")
	}
	f := strings.Fields(l[0])
	if len(f) < 3 {
		return fmt.Errorf("uname printed %q", clean(l[0]))
	}
	os := &r.facts.OS
	os.Kernel, os.Arch = clean(f[1]), clean(f[len(f)-1])
	switch f[0] {
	case "Linux":
		r.facts.Platform = remediate.Linux
		r.linuxRelease()
	case "Darwin":
		r.facts.Platform = remediate.MacOS
		r.macRelease()
	default:
		return fmt.Errorf("the operating system %q is not one that oust knows", clean(f[0]))
	}
	return nil
}

// linuxRelease reads os-release(5), or the first line of an older release
// file.
func (r *reader) linuxRelease() {
	os := &r.facts.OS
	title, name := "", ""
	for _, l := range r.lines("release") {
		key, value, ok := strings.Cut(l, "=")
		value = clean(unquote(value))
		switch {
		case strings.HasPrefix(l, "#"):
		case !ok && title == "":
			title = clean(l)
		case key == "ID":
			os.ID = value
		case key == "VERSION_ID":
			os.Version = value
		case key == "NAME":
			name = value
		case key == "PRETTY_NAME":
			os.Name = value
		}
	}
	if name != "" {
		name = strings.TrimSpace(name + " " + os.Version)
	}
	os.Name = cmp.Or(os.Name, name, title, "Linux "+os.Kernel)
}

// unquote takes the quotes of os-release(5) away.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	if s[0] == '\'' {
		return s[1 : len(s)-1]
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`").Replace(s[1 : len(s)-1])
}

// macRelease reads sw_vers(1).
func (r *reader) macRelease() {
	os := &r.facts.OS
	os.ID = "macos"
	for _, l := range r.lines("release") {
		if v, ok := strings.CutPrefix(l, "ProductVersion:"); ok {
			os.Version = clean(strings.TrimSpace(v))
		}
	}
	os.Name = strings.TrimSpace("macOS " + os.Version)
}

// maxUptime is longer than any host has run: 100 years.
const maxUptime = 100 * 365 * 24 * time.Hour

// boot reads the boot id and the uptime.
func (r *reader) boot() error {
	l := r.lines("boot")
	if len(l) < 2 || !isUUID(strings.TrimSpace(l[0])) {
		r.incomplete("the host does not tell its boot id and uptime")
		return nil
	}
	r.facts.BootID = strings.TrimSpace(l[0])
	if r.facts.Platform == remediate.MacOS {
		return r.macUptime(l[1])
	}
	word, _, _ := strings.Cut(l[1], " ")
	seconds, err := strconv.ParseFloat(word, 64)
	if err != nil || !(seconds >= 0 && seconds <= maxUptime.Seconds()) {
		return fmt.Errorf("uptime is %q", clean(l[1]))
	}
	r.facts.Uptime = time.Duration(seconds * float64(time.Second)).Round(10 * time.Millisecond)
	return nil
}

// isUUID knows the form of RFC 9562, in which Linux and macOS print boot ids.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// macUptime reads "{ sec = 1717171717, usec = 0 } Fri May 31 ...": the time of
// the boot, so that the host's clock is needed as well.
func (r *reader) macUptime(line string) error {
	var sec int64
	if _, err := fmt.Sscanf(line, "{ sec = %d,", &sec); err != nil {
		return fmt.Errorf("kern.boottime is %q", clean(line))
	}
	now, err := r.hostSeconds()
	if err != nil {
		return err
	}
	if now > sec && sec > 0 {
		r.facts.Uptime = time.Duration(min(now-sec, int64(maxUptime/time.Second))) * time.Second
	}
	return nil
}

func (r *reader) hostSeconds() (int64, error) {
	l := r.lines("clock")
	if len(l) != 1 {
		return 0, errors.New("date printed no time")
	}
	n, err := strconv.ParseInt(strings.TrimSpace(l[0]), 10, 64)
	if err != nil || n < 0 || n > 253402300799 { // the year 9999
		return 0, fmt.Errorf("date printed %q", clean(l[0]))
	}
	return n, nil
}

func (r *reader) clock() error {
	n, err := r.hostSeconds()
	if err != nil {
		return err
	}
	r.facts.HostTime = time.Unix(n, 0).UTC()
	return nil
}

// who reads id(1): uid=0(root) gid=0(root) groups=... A user without a name
// is uid=1234 gid=1234.
func (r *reader) who() error {
	l := r.lines("who")
	if len(l) == 0 {
		return errors.New("id printed nothing")
	}
	rest, ok := strings.CutPrefix(l[0], "uid=")
	end := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	uid, err := strconv.Atoi(rest[:end])
	if !ok || err != nil {
		return fmt.Errorf("id printed %q", clean(l[0]))
	}
	name := rest[:end]
	if after, named := strings.CutPrefix(rest[end:], "("); named {
		name, _, _ = strings.Cut(after, ")")
	}
	r.facts.Privilege = remediate.Privilege{
		UID: uid, User: clean(name), Root: uid == 0, CanBecome: slices.Contains(l[1:], "can-become"),
	}
	return nil
}
