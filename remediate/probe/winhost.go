package probe

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"

	"oust/remediate"
)

// alwaysWindows are the sections that every look at a Windows host prints.
var alwaysWindows = []string{
	"codepage", "absent", "arch", "os", "boot", "clock", "who", "uninstall64", "uninstall32", "users", "upgradecodes",
	"service-type", "service-start", "service-image", "service-name", "keys", "paths", "disk", "reboot-keys",
	"reboot-values", "installer", "security",
}

// winReader turns the sections of a look at a Windows host into facts.
type winReader struct {
	*reader
	windows *remediate.WindowsFacts
	letters *charmap.Charmap
	// absent is what the host says of things that are not there, in its own
	// language, by what was asked: list, key or path.
	absent map[string][]string
	bits32 bool // 32-bit Windows: it has one view of the registry
}

func readWindows(r *reader) error {
	w := &winReader{reader: r, windows: &remediate.WindowsFacts{}, absent: map[string][]string{}}
	r.facts.Platform, r.facts.Windows = remediate.Windows, w.windows
	for _, step := range []func() error{
		w.readCodePage, w.readAbsent, w.system, w.boot, w.clock, w.who, w.uninstall, w.userUninstall, w.upgradeCodes,
		w.services, w.running, w.keys, w.paths, w.disk, w.reboot, w.installer, w.security,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	w.lostLetters()
	return nil
}

// all gives the lines of a section, empty ones too: reg.exe parts with them.
func (w *winReader) all(section string) []string {
	data, _ := w.frames.Get(section)
	var out []string
	for line := range strings.SplitSeq(string(data), "\n") {
		out = append(out, w.decode(strings.TrimRight(line, "\r")))
	}
	return out
}

func (w *winReader) registry(section string) []regKey {
	keys, _, cut := parseReg(w.all(section))
	if cut {
		w.incomplete("the section %q has more than %d registry keys", section, maxKeys)
	}
	return keys
}

// readAbsent learns what the host says of keys and paths that are surely not
// there: the texts are in the host's language.
func (w *winReader) readAbsent() error {
	about := ""
	for _, l := range w.all("absent") {
		switch l {
		case "":
		case "list", "key", "path":
			about = l
		default:
			w.absent[about] = append(w.absent[about], l)
		}
	}
	return nil
}

// isAbsent reports whether all that the host said is what it says of things
// that are not there. Where it says nothing of those, nothing must be said; and
// of keys only there: reg.exe may end without a word if it could not be started,
// while dir is part of cmd.exe.
func (w *winReader) isAbsent(about string, said []string) bool {
	if len(said) == 0 {
		return about == "path" || len(w.absent[about]) == 0
	}
	for _, l := range said {
		if !slices.Contains(w.absent[about], l) {
			return false
		}
	}
	return true
}

var versionDigits = regexp.MustCompile(`\d+(?:\.\d+){2,3}`)

// system reads ver, which prints "[Version 10.0.22631.4460]" in the host's
// language, and what the registry says of the release.
func (w *winReader) system() error {
	l := w.lines("os")
	version := ""
	for _, line := range l[:min(len(l), 4)] {
		if version = versionDigits.FindString(line); version != "" {
			break
		}
	}
	if version == "" {
		return fmt.Errorf("ver printed %q", clean(strings.Join(l[:min(len(l), 2)], " ")))
	}
	keys := w.registry("os")
	get := func(name string) string { return clean(value(keys, "", name)) }
	f := strings.Split(version, ".")
	if build := get("CurrentBuild"); build != "" {
		f[2] = build
	}
	os := &w.facts.OS
	os.ID, os.Name, os.Version = "windows", get("ProductName"), f[0]+"."+f[1]
	os.Kernel = strings.Join(f[:3], ".")
	if ubr, err := strconv.ParseUint(value(keys, "", "UBR"), 0, 32); err == nil {
		os.Kernel += fmt.Sprintf(".%d", ubr)
	} else if len(f) == 4 {
		os.Kernel += "." + f[3]
	}
	os.Edition, os.InstallationType = get("EditionID"), get("InstallationType")
	if os.Name == "" {
		os.Name = "Windows " + os.Version
	}
	// Windows 11 calls itself 10 in ProductName; builds tell them apart
	// (Microsoft, "Windows 11 release information": 22000 is the first).
	if build, err := strconv.Atoi(f[2]); err == nil && build >= 22000 && os.InstallationType == "Client" {
		os.Name = strings.Replace(os.Name, "Windows 10", "Windows 11", 1)
	}
	return w.architecture()
}

var quotedPair = regexp.MustCompile(`^"([^"]*)" "([^"]*)"$`)

// architecture: a variable that is not set comes as its own name.
func (w *winReader) architecture() error {
	m := quotedPair.FindStringSubmatch(strings.Join(w.lines("arch"), " "))
	if m == nil {
		return fmt.Errorf("the architecture is %q", clean(strings.Join(w.lines("arch"), " ")))
	}
	w.facts.OS.Arch = clean(m[1])
	if m[2] != "" && !strings.HasPrefix(m[2], "%") {
		w.facts.OS.Arch = clean(m[2])
		w.incomplete("the look ran in a 32-bit shell, which Windows shows other folders")
	}
	w.bits32 = strings.EqualFold(w.facts.OS.Arch, "x86")
	return nil
}

var kernelStart = regexp.MustCompile(`<TimeCreated SystemTime=['"]([^'"]{10,40})['"]`)

// boot makes the boot id. The uptime is from the newest event 12 of
// Kernel-General, 0 where it cannot be read; see clock.
func (w *winReader) boot() error {
	w.facts.BootID = remediate.WindowsBootID(strings.Join(w.all("boot"), "\n"))
	return nil
}

// first is the first key that has such a value.
func first(keys []regKey, name string) regKey {
	for _, k := range keys {
		if k.has(name) {
			return k
		}
	}
	return regKey{}
}

var nowLine = regexp.MustCompile(`^now "([^"]*)" "([^"]*)"$`)

// clock reads %DATE% by the user's short form of dates, and the time zone's
// bias in minutes. Forms with names of months are not read, nor years of
// another calendar than ours.
func (w *winReader) clock() error {
	said := w.all("clock")
	keys := w.registry("clock")
	i := slices.IndexFunc(said, nowLine.MatchString)
	if i < 0 {
		return errors.New("the host printed no time")
	}
	m := nowLine.FindStringSubmatch(said[i])
	bias, _ := first(keys, "ActiveTimeBias").number("ActiveTimeBias")
	local, ok := localTime(m[1], m[2], value(keys, "", "sShortDate"))
	if !ok {
		return nil
	}
	w.facts.HostTime = local.Add(time.Duration(int32(bias)) * time.Minute)
	text, _ := w.frames.Get("boot")
	if e := kernelStart.FindSubmatch(text); e != nil {
		if started, err := time.Parse(time.RFC3339Nano, string(e[1])); err == nil {
			w.facts.Uptime = max(0, w.facts.HostTime.Sub(started).Truncate(time.Second))
		}
	}
	return nil
}

var numbers = regexp.MustCompile(`\d+`)

func localTime(date, clock, form string) (time.Time, bool) {
	if strings.Contains(form, "MMM") {
		return time.Time{}, false
	}
	order := ""
	for _, c := range form {
		if strings.ContainsRune("dMy", c) && !strings.ContainsRune(order, c) {
			order += string(c)
		}
	}
	d, t := numbers.FindAllString(date, -1), numbers.FindAllString(clock, -1)
	if len(order) != 3 || len(d) != 3 || len(t) < 2 {
		return time.Time{}, false
	}
	part := map[byte]int{}
	for i := range 3 {
		part[order[i]], _ = strconv.Atoi(d[i])
	}
	if part['y'] < 100 {
		part['y'] += 2000
	}
	hour, _ := strconv.Atoi(t[0])
	minute, _ := strconv.Atoi(t[1])
	second := 0
	if len(t) > 2 {
		second, _ = strconv.Atoi(t[2])
	}
	if up := strings.ToUpper(clock); strings.Contains(up, "PM") && hour < 12 {
		hour += 12
	} else if strings.Contains(up, "AM") && hour == 12 {
		hour = 0
	}
	at := time.Date(part['y'], time.Month(part['M']), part['d'], hour, minute, second, 0, time.UTC)
	good := part['y'] >= 2009 && part['y'] <= 2200 && at.Day() == part['d'] && hour < 24 && minute < 60 && second < 60
	return at, good && int(at.Month()) == part['M']
}

// who: the hive of the local service may be read by administrators alone.
func (w *winReader) who() error {
	l := w.lines("who")
	if len(l) < 2 || !strings.HasPrefix(l[0], `"`) || !strings.HasPrefix(l[len(l)-1], "rc ") {
		return fmt.Errorf("the user is %q", clean(strings.Join(l, " ")))
	}
	p := &w.facts.Privilege
	p.User = clean(w.decode(strings.Trim(l[0], `"`)))
	p.Root = l[len(l)-1] == "rc 0"
	return nil
}
