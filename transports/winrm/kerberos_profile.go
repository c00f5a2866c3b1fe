package winrm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// profile is what is used of a krb5.conf
// (https://web.mit.edu/kerberos/krb5-latest/doc/admin/conf_files/krb5_conf.html).
// The library's own reader fails on values that it does not know, also of
// settings that nobody asks it for.
type profile struct {
	realm    string              // default_realm
	noLookup bool                // dns_lookup_kdc is off
	kdcs     map[string][]string // by realm, in order
	domains  map[string]string   // domain_realm: .domain or host, to realm

	files int // read so far
}

// Bounds of includes.
const (
	profileFiles = 256
	profileDepth = 8
)

// read adds a file, and what it includes. What stands first holds, as with MIT.
func (p *profile) read(path string, depth int) error {
	if p.files++; p.files > profileFiles || depth > profileDepth {
		return errors.New("too many files are included")
	}
	text, err := readBounded(path)
	if err != nil {
		return err
	}
	return p.parse(text, func(path string) error { return p.read(path, depth+1) })
}

// parse adds a text; include is called for each file that it names.
func (p *profile) parse(text []byte, include func(path string) error) error {
	var where []string // section, and the names of open braces
	for lines, number := bufio.NewScanner(bytes.NewReader(text)), 1; ; number++ {
		if !lines.Scan() {
			return lines.Err()
		}
		line := strings.TrimSpace(lines.Text())
		key, value, assigned := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"`)
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			name, _, closed := strings.Cut(line[1:], "]")
			if !closed || len(where) > 1 {
				return fmt.Errorf("line %d: a section begins within another", number)
			}
			where = []string{strings.TrimSpace(name)}
		case len(where) <= 1 && (word == "include" || word == "includedir"):
			if err := p.include(word, strings.TrimSpace(rest), include); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		case line[0] == '}':
			if len(where) < 2 {
				return fmt.Errorf("line %d: a brace closes that was not opened", number)
			}
			where = where[:len(where)-1]
		case len(where) == 0:
			// MIT has modules here, which do not matter.
		case !assigned:
			return fmt.Errorf("line %d: neither a section nor a setting", number)
		case value == "{":
			if len(where) > profileDepth {
				return fmt.Errorf("line %d: too many braces", number)
			}
			where = append(where, key)
		default:
			p.set(where, key, value)
		}
	}
}

// set takes one setting.
func (p *profile) set(where []string, key, value string) {
	value, _, _ = strings.Cut(value, " #")
	value = strings.TrimSpace(value)
	switch section := where[0]; {
	case section == "libdefaults" && len(where) == 1 && key == "default_realm" && p.realm == "":
		p.realm = value
	case section == "libdefaults" && len(where) == 1 && key == "dns_lookup_kdc":
		switch strings.ToLower(value) {
		case "y", "yes", "t", "true", "1", "on":
		default:
			p.noLookup = true
		}
	case section == "realms" && len(where) == 2 && key == "kdc" && value != "":
		if p.kdcs == nil {
			p.kdcs = make(map[string][]string)
		}
		p.kdcs[where[1]] = append(p.kdcs[where[1]], value)
	case section == "domain_realm" && len(where) == 1:
		if p.domains == nil {
			p.domains = make(map[string]string)
		}
		if domain := strings.ToLower(key); p.domains[domain] == "" {
			p.domains[domain] = value
		}
	}
}

// included are the names that files of a folder have to be read.
var included = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.conf)?$|^[A-Za-z0-9_-][A-Za-z0-9._-]*\.conf$`)

// include reads a file, or all of a folder. A folder may be missing.
func (p *profile) include(word, path string, read func(path string) error) error {
	if word == "include" {
		return read(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if included.MatchString(e.Name()) && !e.IsDir() {
			if err := read(filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
