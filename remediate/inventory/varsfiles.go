package inventory

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxVarsFiles bounds the files of one group or host.
const maxVarsFiles = 100

// varsEndings are tried in this order; the first that is there counts
// (ansible/parsing/dataloader.py, find_vars_files).
var varsEndings = []string{"", ".yml", ".yaml", ".json"}

// varsFiles are the group_vars and host_vars of all sources.
type varsFiles struct {
	r       *report
	max     limits
	folders []*varsFolder
	bytes   int64 // that were read
	full    bool
}

// varsFolder is the folder of one source.
type varsFolder struct {
	files  *varsFiles
	path   string
	groups map[string]bool // the names in group_vars
	hosts  map[string]bool
	known  map[string][]variable // of groups
}

func newVarsFiles(r *report, folders []string, max limits) *varsFiles {
	files := &varsFiles{r: r, max: max}
	for _, path := range folders {
		files.folders = append(files.folders, &varsFolder{
			files: files, path: path, known: map[string][]variable{},
			groups: files.list(filepath.Join(path, "group_vars")), hosts: files.list(filepath.Join(path, "host_vars")),
		})
	}
	return files
}

// list are the names in a folder, once: asking for each host by itself would
// be four questions a host.
func (f *varsFiles) list(path string) map[string]bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		f.r.problem(Place{File: path}, "%v", cause(err))
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(4 * f.max.hosts)
	if err != nil && len(names) == 0 {
		return nil // empty
	}
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out
}

func (d *varsFolder) group(name string) []variable {
	vars, ok := d.known[name]
	if !ok {
		vars = d.files.find(filepath.Join(d.path, "group_vars"), d.groups, name)
		d.known[name] = vars
	}
	return vars
}

func (d *varsFolder) host(name string) []variable {
	return d.files.find(filepath.Join(d.path, "host_vars"), d.hosts, name)
}

// find reads the file, or the files of the folder, for one group or host.
func (f *varsFiles) find(path string, names map[string]bool, name string) []variable {
	for _, end := range varsEndings {
		if !names[name+end] { // names hold no path, so no name leads elsewhere
			continue
		}
		w := varsWalk{r: f.r}
		w.expand(filepath.Join(path, name+end), nil)
		var out []variable
		for _, p := range w.paths {
			for _, v := range f.read(p) {
				out = put(out, v)
			}
		}
		return out
	}
	return nil
}

// varsWalk collects the files of one group or host.
type varsWalk struct {
	r     *report
	paths []string
	seen  int // files and folders
}

// expand replaces a folder by the files in it, sorted, as Ansible does.
func (w *varsWalk) expand(path string, above []os.FileInfo) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		w.paths = append(w.paths, path)
		return
	}
	entries, above, err := enter(path, above)
	if err != nil {
		w.r.problem(Place{File: path}, "%v", err)
		return
	}
	for _, e := range entries {
		name, end := e.Name(), filepath.Ext(e.Name())
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || !slices.Contains(varsEndings, end) {
			continue
		}
		if w.seen++; w.seen > maxVarsFiles {
			if w.seen == maxVarsFiles+1 {
				w.r.problem(Place{File: path}, "more than %d files for one group or host", maxVarsFiles)
			}
			return
		}
		w.expand(filepath.Join(path, name), above)
	}
}

// read takes the variables of a file that oust has a use for. A file that
// names none is not parsed.
func (f *varsFiles) read(path string) []variable {
	at := Place{File: path}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		f.r.problem(at, "%v", cause(err))
		return nil
	case !info.Mode().IsRegular():
		f.r.problem(at, "not a file")
		return nil
	case info.Size() > int64(f.max.yaml):
		f.r.problem(at, "the file has %d bytes; at most %d are read", info.Size(), f.max.yaml)
		return nil
	}
	if f.bytes += info.Size(); f.bytes > int64(f.max.vars) {
		if !f.full {
			f.full = true
			f.r.problem(at, "more than %d bytes in group_vars and host_vars", f.max.vars)
		}
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.r.problem(at, "%v", cause(err))
		return nil
	}
	return f.parse(path, data)
}

func (f *varsFiles) parse(path string, data []byte) []variable {
	at := Place{File: path}
	if bytes.HasPrefix(data, vaultMark) {
		f.r.warn(at, "", "encrypted with Ansible Vault, and not read; an ansible_host, _port, _user or _connection in it is not seen")
		return nil
	}
	text, fault := decode(data)
	if fault == nil && !bytes.Contains(text, []byte("ansible_")) && !bytes.Contains(text, []byte(ourPrefix)) {
		return nil
	}
	var root *yaml.Node
	if fault == nil {
		root, fault = readYAML(text, f.max.yaml)
	}
	switch {
	case fault != nil:
		f.r.problem(Place{File: path, Line: fault.Line}, "%s", fault.Msg)
		return nil
	case root == nil:
		return nil
	}
	y := ansibleYAML{r: f.r, file: path, most: f.max.nodes}
	return y.variables(root)
}
