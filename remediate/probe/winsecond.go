package probe

import (
	"strconv"
	"strings"

	"oust/remediate"
)

// Bounds of what is taken from one second answer.
const (
	maxAppx    = 10_000
	maxAppxFor = 1000 // users of one package
	maxHives   = 10_000
)

// host reads the language mode and the version, and warns of one that is too
// old to answer.
func (s *secondReader) host(lines []string) bool {
	for _, l := range lines {
		switch word, rest, _ := strings.Cut(l, " "); {
		case word == "version":
			major, _, _ := strings.Cut(rest, ".")
			if n, err := strconv.Atoi(major); err != nil || n < 3 {
				s.warn("it is of version %s; 3.0 is needed", rest)
			}
		case word == "language":
			s.language = rest
		}
	}
	return true
}

// appx reads packages: a name begins each, and what follows belongs to it.
func (s *secondReader) appx(lines []string) bool {
	var out []remediate.AppxPackage
	for _, l := range lines {
		word, rest, _ := strings.Cut(l, " ")
		if word == "name" {
			if len(out) == maxAppx {
				s.warn("more than %d Appx packages", maxAppx)
				return false
			}
			out = append(out, remediate.AppxPackage{Name: clean(rest)})
			s.windows.Appx = out
			continue
		}
		if len(out) == 0 {
			continue
		}
		p := &out[len(out)-1]
		switch word {
		case "family":
			p.Family = clean(rest)
		case "publisher":
			p.Publisher = clean(rest)
		case "version":
			p.Version = clean(rest)
		case "framework":
			p.Framework = true
		case "user":
			sid, state, _ := strings.Cut(rest, " ")
			if state == "Installed" && len(p.Users) < maxAppxFor {
				p.Users = append(p.Users, clean(sid))
			}
		}
	}
	return true
}

// securityCenter reads what root/SecurityCenter2 has of virus scanners. A
// Windows server has no such place.
func (s *secondReader) securityCenter(lines []string) bool {
	var cur *remediate.SecurityProduct
	for _, l := range lines {
		switch word, rest, _ := strings.Cut(l, " "); {
		case word == "name" && len(s.windows.Security) < maxServices:
			s.windows.Security = append(s.windows.Security, remediate.SecurityProduct{Source: "security-center-wmi", Name: clean(rest)})
			cur = &s.windows.Security[len(s.windows.Security)-1]
		case word == "state" && cur != nil && rest != "":
			cur.State = clean("productState=" + rest)
		case word == "path" && cur != nil:
			cur.Path = clean(rest)
		}
	}
	return true
}

// profiles reads the uninstall entries of users who are not logged on. It
// reports whether every user's were read.
func (s *secondReader) profiles(lines []string) bool {
	whole := true
	for i := 0; i < len(lines); i++ {
		word, rest, _ := strings.Cut(lines[i], " ")
		switch sid, why, _ := strings.Cut(rest, " "); word {
		case "hive":
			end := i + 1
			for end < len(lines) && (strings.HasPrefix(lines[end], "r ") || lines[end] == "r") {
				end++
			}
			last := ""
			if end < len(lines) {
				last = lines[end]
			}
			whole = s.copiedHive(sid, lines[i+1:end], last) && whole
			i = min(end, len(lines)-1)
			if last != "none" && last != "rc 0" { // it belongs to what follows
				i = end - 1
			}
		case "failed":
			whole = false
			s.warn("the uninstall entries of %s: %s", sid, why)
		case "late":
			whole = false
			s.warn("the uninstall entries of %s: there was no time for them", sid)
		case "left":
			s.warn("this stays on the host until the next look: %s", rest)
		}
	}
	s.sortEntries()
	return whole
}

// copiedHive reads the uninstall entries of one user.
func (s *secondReader) copiedHive(sid string, said []string, last string) bool {
	if !remediate.UserSID(sid) || len(s.windows.Hives) >= maxHives {
		s.warn("it names a user %q", sid)
		return false
	}
	if s.windows.SeesHive(sid) {
		return true // logged on since
	}
	if last != "none" && last != "rc 0" {
		s.warn("the uninstall entries of %s: reg.exe ended with %q", sid, last)
		return false
	}
	for i, l := range said {
		said[i] = strings.TrimPrefix(strings.TrimPrefix(l, "r"), " ")
	}
	keys, _, cut := parseReg(said)
	entries, holes := len(s.windows.Uninstall), len(s.facts.Incomplete)
	s.entries(`HKU\`+sid, remediate.ViewBoth, keys)
	for i := range s.windows.Uninstall[entries:] {
		s.windows.Uninstall[entries+i].Offline = true
	}
	for _, hole := range s.facts.Incomplete[holes:] {
		s.warn("%s", hole)
	}
	s.facts.Incomplete = s.facts.Incomplete[:holes]
	if cut || len(s.windows.Uninstall) > maxPackages {
		s.windows.Uninstall = s.windows.Uninstall[:min(len(s.windows.Uninstall), maxPackages)]
		s.warn("the uninstall entries of %s: there are too many", sid)
		return false
	}
	s.windows.Hives = append(s.windows.Hives, remediate.UserHive{SID: sid, Offline: true})
	return true
}
