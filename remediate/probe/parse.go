package probe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"oust/remediate"
)

// Bounds of what is taken from one look. More than that is no honest host.
const (
	maxPackages = 100_000
	maxServices = 20_000
	maxField    = 1024 // bytes of one name or version
)

// Parse reads the output of the script of Sh. raw is the framed part of out,
// which is what is worth keeping: Reparse reads it again. Errors wrap
// remediate.ErrNoFrame or remediate.ErrCutOff, or say what the host printed
// that no look prints.
func Parse(out []byte, nonce remediate.Nonce) (facts *remediate.Facts, raw []byte, err error) {
	f, err := remediate.ParseFrames(out, nonce)
	if err != nil {
		return nil, nil, fmt.Errorf("read the look: %w", err)
	}
	facts, err = read(f)
	return facts, f.Raw, err
}

// Reparse reads what Parse gave as raw.
func Reparse(raw []byte) (*remediate.Facts, error) {
	f, err := remediate.ParseKept(raw)
	if err != nil {
		return nil, fmt.Errorf("read the kept look: %w", err)
	}
	return read(f)
}

// reader turns sections into facts.
type reader struct {
	frames remediate.Frames
	facts  *remediate.Facts
}

func read(f remediate.Frames) (*remediate.Facts, error) {
	if f.Kind != Kind {
		return nil, fmt.Errorf("read the look: it is of kind %q, this program reads %q", clean(f.Kind), Kind)
	}
	r := &reader{frames: f, facts: &remediate.Facts{}}
	for _, step := range []func() error{
		r.system, r.boot, r.clock, r.who, r.packages, r.services, r.paths, r.disk, r.locks, r.reboot,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("read the look: %w", err)
		}
	}
	return r.facts, nil
}

// lines gives the lines of a section, cleaned; none if it is not there.
func (r *reader) lines(section string) []string {
	data, ok := r.frames.Get(section)
	if !ok {
		return nil
	}
	var out []string
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, len(data)+1)
	for s.Scan() {
		if line := strings.TrimRight(s.Text(), "\r"); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func (r *reader) has(section string) bool {
	_, ok := r.frames.Get(section)
	return ok
}

func (r *reader) incomplete(format string, args ...any) {
	r.facts.Incomplete = append(r.facts.Incomplete, fmt.Sprintf(format, args...))
}

// clean makes a word from a host safe to show and bounded.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "")
	}
	return s
}

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

// linuxRelease reads os-release(5), or the one line of an older release file.
func (r *reader) linuxRelease() {
	os := &r.facts.OS
	for _, l := range r.lines("release") {
		key, value, ok := strings.Cut(l, "=")
		if !ok {
			if os.Name == "" {
				os.Name = clean(l)
			}
			continue
		}
		value = clean(unquote(value))
		switch key {
		case "ID":
			os.ID = value
		case "VERSION_ID":
			os.Version = value
		case "PRETTY_NAME":
			os.Name = value
		}
	}
	if os.Name == "" {
		os.Name = "Linux " + os.Kernel
	}
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

// boot reads the boot id and the uptime.
func (r *reader) boot() error {
	l := r.lines("boot")
	if len(l) < 2 {
		r.incomplete("the host does not tell its boot id and uptime")
		return nil
	}
	r.facts.BootID = clean(strings.TrimSpace(l[0]))
	if r.facts.Platform == remediate.MacOS {
		return r.macUptime(l[1])
	}
	word, _, _ := strings.Cut(l[1], " ")
	seconds, err := strconv.ParseFloat(word, 64)
	if err != nil || seconds < 0 || seconds > 1e10 {
		return fmt.Errorf("uptime is %q", clean(l[1]))
	}
	r.facts.Uptime = time.Duration(seconds * float64(time.Second)).Round(10 * time.Millisecond)
	return nil
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
		r.facts.Uptime = time.Duration(now-sec) * time.Second
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

// who reads id(1): uid=0(root) gid=0(root) groups=...
func (r *reader) who() error {
	l := r.lines("who")
	if len(l) == 0 {
		return errors.New("id printed nothing")
	}
	rest, ok := strings.CutPrefix(l[0], "uid=")
	number, rest, _ := strings.Cut(rest, "(")
	uid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(number, " ", 2)[0]))
	if !ok || err != nil || uid < 0 {
		return fmt.Errorf("id printed %q", clean(l[0]))
	}
	name, _, _ := strings.Cut(rest, ")")
	r.facts.Privilege = remediate.Privilege{UID: uid, User: clean(name), Root: uid == 0}
	for _, extra := range l[1:] {
		if extra == "can-become" {
			r.facts.Privilege.CanBecome = true
		}
	}
	return nil
}
