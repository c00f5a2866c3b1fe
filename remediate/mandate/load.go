package mandate

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"oust/remediate"
	"oust/remediate/strictyaml"
)

//go:embed builtin/*.yaml
var builtin embed.FS

//go:embed mandate.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of a mandate's file, for editors.
func Schema() []byte { return slices.Clone(schema) }

// Builtin lists the names of the mandates that are built in.
func Builtin() []string {
	entries, err := builtin.ReadDir("builtin")
	if err != nil {
		return nil // not reached: the folder is embedded
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
	}
	return out
}

// IsFile reports whether a campaign's mandate is the path of a file, and not
// the name of one that is built in.
func IsFile(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// Named returns the mandate that is built in under a name; of an unknown one
// the error lists them.
func Named(name string) (remediate.Mandate, error) {
	if !slices.Contains(Builtin(), name) {
		return remediate.Mandate{}, unknown(name)
	}
	data, err := builtin.ReadFile("builtin/" + name + ".yaml")
	if err != nil {
		return remediate.Mandate{}, err
	}
	return parse(name+".yaml", data)
}

func unknown(name string) error {
	near := ""
	if n := remediate.Nearest(name, Builtin()); n != "" {
		near = fmt.Sprintf(": did you mean %q?", n)
	}
	return fmt.Errorf("unknown mandate %q%s (built in: %s; or write the path of a file, such as ./own.yaml)",
		remediate.ClipText(name), near, strings.Join(Builtin(), ", "))
}

// File reads a mandate of a person's own. Errors name the file and the line.
func File(path string) (remediate.Mandate, error) {
	data, err := read(path)
	if err != nil {
		return remediate.Mandate{}, fmt.Errorf("read the mandate: %w", err)
	}
	m, err := parse(path, data)
	if err == nil && slices.Contains(Builtin(), m.Name) {
		err = placed(path, data, []problem{{"mandate", fmt.Sprintf("%s is built in; give your own another name", m.Name)}})
	}
	if err != nil {
		return remediate.Mandate{}, err
	}
	return m, nil
}

// read reads a file of at most the size that strictyaml takes, and one byte
// more so that it can say so.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, strictyaml.DefaultLimit+1))
}

// parse reads a mandate's text; name is for errors.
func parse(name string, data []byte) (remediate.Mandate, error) {
	var f file
	if err := strictyaml.Decode(name, data, &f); err != nil {
		return remediate.Mandate{}, err
	}
	if err := placed(name, data, f.check()); err != nil {
		return remediate.Mandate{}, err
	}
	return f.mandate(remediate.Digest(data)), nil
}

// Fields are the names under report.fields of a campaign that a mandate's
// reports ask for, sorted.
func Fields(m remediate.Mandate) []string {
	var out []string
	for _, r := range m.Reports {
		for _, i := range r.Items {
			if i.Field != "" && !slices.Contains(out, i.Field) {
				out = append(out, i.Field)
			}
		}
	}
	slices.Sort(out)
	return out
}

// placed joins problems into one error and gives each its line: that of its
// key, or of what the key is missing from.
func placed(name string, data []byte, found []problem) error {
	const most = 50
	if len(found) == 0 {
		return nil
	}
	lines := strictyaml.Lines(data)
	var texts []string
	for _, p := range found[:min(len(found), most)] {
		place := name
		for key := p.key; key != ""; key = parent(key) {
			if n, ok := lines[key]; ok {
				place += ":" + strconv.Itoa(n)
				break
			}
		}
		texts = append(texts, fmt.Sprintf("%s: %s: %s", place, readable(p.key), p.text))
	}
	if n := len(found) - most; n > 0 {
		texts = append(texts, fmt.Sprintf("%s: and %d more", name, n))
	}
	return errors.New(strings.Join(texts, "\n"))
}

// parent is the key above, such as milestones[2] above milestones[2].due.
func parent(key string) string {
	return key[:max(0, strings.LastIndexAny(key, ".["))]
}

var index = regexp.MustCompile(`\[(\d+)\]\.?`)

// readable writes milestones[1].due as "milestones, entry 2: due".
func readable(key string) string {
	text := index.ReplaceAllStringFunc(key, func(s string) string {
		n, err := strconv.Atoi(strings.Trim(s, "[]."))
		if err != nil {
			return s
		}
		return fmt.Sprintf(", entry %d: ", n+1)
	})
	return strings.TrimSuffix(text, ": ")
}
