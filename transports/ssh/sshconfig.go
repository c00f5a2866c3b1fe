package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kevinburke/ssh_config"

	"oust/transports"
)

// Bounds of ssh_config files.
const (
	configMost      = 1 << 20 // bytes of one file
	includeDepth    = 8
	includeFiles    = 256 // of one Include line
	includeAllFiles = 1024
)

// configFile is one ssh_config file: blocks in the order of the file.
//
// The ssh_config library reads the lines; what it cannot do is taken out
// before: it knows few Match criteria and refuses the whole file for another,
// and it reads included files of any size.
type configFile struct {
	path     string
	blocks   *ssh_config.Config
	includes []includeLine
	matches  []matchLine
}

type includeLine struct{ files []*configFile }

// matchLine is a Match block. In blocks it stands as a Host block with a
// pattern that no host has.
type matchLine struct {
	line     int
	criteria string
	// hosts are its host and originalhost criteria; the block applies only to
	// hosts that match each of them.
	hosts []hostCriterion
	// plain is true if there is no other criterion, so that it can be judged.
	plain bool
}

// hostCriterion is a list of patterns in a Match line, for the name that was
// asked for (original) or for what HostName made of it so far.
type hostCriterion struct {
	original bool
	block    *ssh_config.Host
}

// Stand-ins for lines that the library does not get to see. The bytes 0x01
// are in no name and no option.
const (
	matchPattern = "\x01match"
	includeKey   = "OustInclude"
)

// configLoader reads a file and those that it includes.
type configLoader struct {
	cfg   Config
	files int
}

func (l *configLoader) load(path string, depth int) (*configFile, error) {
	if l.files++; l.files > includeAllFiles {
		return nil, fmt.Errorf("%s: more than %d included files", path, includeAllFiles)
	}
	raw, err := readBounded(path, configMost)
	if err != nil {
		return nil, err
	}
	file := &configFile{path: path}
	text, err := l.prepare(file, raw, depth)
	if err != nil {
		return nil, err
	}
	if file.blocks, err = ssh_config.DecodeBytes(text); err != nil {
		return nil, fmt.Errorf("%s: %s", path, transports.Clean(err.Error()))
	}
	return file, nil
}

// prepare replaces Match and Include lines by stand-ins, line by line, so
// that line numbers stay.
func (l *configLoader) prepare(file *configFile, raw []byte, depth int) ([]byte, error) {
	if bytes.ContainsAny(raw, "\x00\x01") {
		return nil, fmt.Errorf("%s: not a text file", file.path)
	}
	lines := strings.Split(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n")
	for i, line := range lines {
		key, rest := splitOption(line)
		switch key {
		case "match":
			file.matches = append(file.matches, parseMatch(i+1, rest))
			lines[i] = fmt.Sprintf("Host %s%d", matchPattern, len(file.matches)-1)
		case "include":
			included, err := l.include(rest, depth)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: include: %w", file.path, i+1, err)
			}
			file.includes = append(file.includes, includeLine{included})
			lines[i] = fmt.Sprintf("%s %d", includeKey, len(file.includes)-1)
		}
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// include loads the files of one Include line: paths and globs, relative ones
// from ~/.ssh. A path that matches nothing is no error (ssh_config(5)).
func (l *configLoader) include(rest string, depth int) ([]*configFile, error) {
	if depth >= includeDepth {
		return nil, fmt.Errorf("nested deeper than %d; does a file include itself?", includeDepth)
	}
	var out []*configFile
	for _, pattern := range configWords(rest) {
		path := l.cfg.path(pattern)
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.cfg.Home, ".ssh", path)
		}
		found, err := filepath.Glob(path)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", pattern, err)
		}
		if len(found) > includeFiles {
			return nil, fmt.Errorf("%q: more than %d files", pattern, includeFiles)
		}
		for _, name := range found {
			file, err := l.load(name, depth+1)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, file)
		}
	}
	return out, nil
}

// splitOption splits "Key value", "Key=value" and "Key = value"; the key is
// lower case, and empty for comments and empty lines.
func splitOption(line string) (key, rest string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), ""
	}
	rest = strings.TrimLeft(line[end:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	return strings.ToLower(line[:end]), rest
}

// configWords splits a value into words; double quotes keep spaces, and a
// word that begins with # ends the line.
func configWords(rest string) []string {
	var words []string
	for rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#'; rest = strings.TrimLeft(rest, " \t") {
		if rest[0] == '"' {
			word, after, _ := strings.Cut(rest[1:], `"`)
			words, rest = append(words, word), after
			continue
		}
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			return append(words, rest)
		}
		words, rest = append(words, rest[:end]), rest[end:]
	}
	return words
}

// parseMatch reads a Match line as far as it can be judged here.
func parseMatch(line int, rest string) matchLine {
	m := matchLine{line: line, criteria: transports.Clean(rest), plain: true}
	words := configWords(rest)
	for i := 0; i < len(words); i++ {
		name := strings.ToLower(words[i])
		if name == "all" {
			continue
		}
		value := ""
		if i+1 < len(words) && !slices.Contains(bareCriteria, name) {
			i++
			value = words[i]
		}
		host, err := hostPatterns(strings.ToLower(value)) // unlike those of Host
		if (name != "host" && name != "originalhost") || err != nil {
			m.plain = false
			continue
		}
		m.hosts = append(m.hosts, hostCriterion{original: name == "originalhost", block: host})
	}
	if len(words) == 0 {
		m.plain = false
	}
	return m
}

// bareCriteria take no value.
var bareCriteria = []string{"canonical", "final", "!canonical", "!final"}

func hostPatterns(list string) (*ssh_config.Host, error) {
	h := &ssh_config.Host{}
	for _, p := range strings.Split(list, ",") {
		pattern, err := ssh_config.NewPattern(p)
		if err != nil {
			return nil, err
		}
		h.Patterns = append(h.Patterns, pattern)
	}
	return h, nil
}
