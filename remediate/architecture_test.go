package remediate_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const module = "oust"

// arrows says which packages of ours a package may import. A key or value
// that ends in "/..." stands for the folder and all below it; the longest key
// that fits a package holds. A package that no key fits may not exist.
var arrows = map[string][]string{
	"cmd/...":                     {"..."},
	"testdata/...":                {"..."},
	"docs":                        nil,
	"docs/verify":                 nil, // whoever checks the ledger with it does not have to trust the rest
	"remediate":                   nil,
	"remediate/strictyaml":        {"remediate"},
	"remediate/inventory":         {"remediate", "remediate/strictyaml"},
	"remediate/campaign":          {"remediate", "remediate/strictyaml"},
	"remediate/probe":             {"remediate"},
	"remediate/job":               {"remediate"},
	"remediate/schedule":          {"remediate"},
	"remediate/ledger":            {"remediate"},
	"remediate/mandate":           {"remediate", "remediate/strictyaml"},
	"remediate/report":            {"remediate"},
	"remediate/software":          {"remediate"},
	"remediate/report/reporttest": {"remediate", "remediate/report", "remediate/mandate", "remediate/schedule"},
	"remediate/sqlite":            {"remediate", "remediate/ledger"}, // what is recorded, and the log of it, are one transaction
	"remediate/storetest":         {"remediate", "remediate/ledger"},
	"remediate/engine":            {"remediate", "remediate/schedule", "remediate/probe", "remediate/job", "playbooks", "transports"},
	"playbooks":                   {"remediate", "remediate/strictyaml"},
	"transports":                  nil,
	"transports/...":              {"transports"},

	// Simulated Windows hosts: what reads their scripts, and the server in front.
	"transports/lab/windows": {"transports", "transports/lab/cmdexe", "transports/lab/wsman"},

	// Hosts of wine: the server in front of them, and lines that wine reads otherwise.
	"transports/transporttest/winelab": {"transports", "transports/lab/wsman", "remediate"},
}

// homes says where alone a module of others may be imported: one package for
// one dependency, so that it can be replaced, and reviewed, in one place.
var homes = map[string][]string{
	"modernc.org/sqlite":               {"remediate/sqlite", "cmd/..."},
	"github.com/pressly/goose/v3":      {"remediate/sqlite"},
	"golang.org/x/crypto/ssh":          {"transports/...", "testdata/..."},
	"golang.org/x/crypto/md4":          {"transports/lab/wsman/ntlm"}, // what NTLM makes of a password
	"github.com/skeema/knownhosts":     {"transports/..."},
	"github.com/kevinburke/ssh_config": {"transports/..."},
	"github.com/masterzen/winrm":       {"transports/winrm"},
	"github.com/bodgit/ntlmssp":        {"transports/winrm"},                         // the client's NTLM
	"github.com/jcmturner/gokrb5":      {"transports/winrm", "transports/lab/wsman"}, // Kerberos
	"golang.org/x/net/proxy":           {"transports/winrm"},
	"golang.org/x/time":                {"transports"}, // the rate of knocks
	"mvdan.cc/sh/v3/interp":            {"transports/..."},
	"mvdan.cc/sh/v3/syntax":            {"transports/...", "playbooks"}, // the linter reads a script step as sh
	"golang.org/x/mod":                 {"remediate/ledger"},
	"filippo.io/age":                   {"remediate/ledger", "transports/creds"},
	"github.com/spf13/cobra":           {"cmd/..."},
	"github.com/goccy/go-yaml":         {"remediate/strictyaml", "playbooks"},
	"golang.org/x/text":                {"remediate/probe"},     // code pages of Windows
	"go.yaml.in/yaml/v3":               {"remediate/inventory"}, // Ansible's YAML: aliases, merge keys, and large files
}

// standardOnly are the packages that import nothing but Go's own.
var standardOnly = []string{"remediate"}

// folders are those that may stand at the top; ones that begin with a dot, and
// bin, are not part of the source.
var folders = []string{"cmd", "docs", "playbooks", "remediate", "testdata", "transports"}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	complaints, files := inspect(t, os.DirFS(".."))
	if files < 10 {
		t.Errorf("only %d files were looked at; is this the module's root?", files)
	}
	for _, complaint := range complaints {
		t.Error(complaint)
	}
}

func TestArchitectureCanFail(t *testing.T) {
	t.Parallel()
	file := func(imports ...string) *fstest.MapFile {
		text := "package x\n"
		for _, i := range imports {
			text += "import _ " + strconv.Quote(i) + "\n"
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	got, files := inspect(t, fstest.MapFS{
		// Well.
		"cmd/oust/main.go":                  file("oust/remediate/engine", "oust/transports/ssh", "modernc.org/sqlite"),
		"remediate/doc.go":                  file("errors", "crypto/sha256"),
		"remediate/engine/engine.go":        file("oust/remediate", "oust/remediate/job", "github.com/sourcegraph/conc/pool"),
		"remediate/engine/engine_test.go":   file("oust/transports/lab"),
		"transports/ssh/ssh.go":             file("oust/transports", "golang.org/x/crypto/ssh/agent"),
		"transports/lab/os/os.go":           file("mvdan.cc/sh/v3/interp"),
		"remediate/sqlite/migrations/1.sql": file(),
		".cache/x.go":                       file("oust/cmd/oust"),
		// Not well.
		"helpers/x.go":                file(),
		"remediate/host.go":           file("oust/transports", "golang.org/x/sys/unix"),
		"remediate/probe/probe.go":    file("oust/remediate", "oust/remediate/job"),
		"remediate/engine/ssh.go":     file("oust/transports/ssh", "golang.org/x/crypto/ssh"),
		"remediate/sqlite/sqlite.go":  file("oust/remediate/engine", "modernc.org/sqlite"),
		"remediate/sqlitex/sqlite.go": file(),
		"transports/lab/lab.go":       file("oust/transports/ssh"),
		"transports/dial.go":          file("oust/transports/ssh"),
		"playbooks/vendors/x/load.go": file("github.com/goccy/go-yaml/ast"),
		"transports/retry.go":         file("github.com/goccy/go-yaml/ast"),
	})
	want := []string{
		"helpers: no such folder is foreseen at the top",
		"helpers: no such package is foreseen",
		"playbooks/vendors/x: no such package is foreseen",
		"remediate/engine/ssh.go: oust/transports/ssh: remediate/engine may not import it",
		"remediate/engine/ssh.go: golang.org/x/crypto/ssh is imported outside transports/..., testdata/...",
		"remediate/host.go: oust/transports: remediate may not import it",
		"remediate/host.go: golang.org/x/sys/unix: remediate imports the standard library only",
		"remediate/probe/probe.go: oust/remediate/job: remediate/probe may not import it",
		"remediate/sqlite/sqlite.go: oust/remediate/engine: remediate/sqlite may not import it",
		"remediate/sqlitex: no such package is foreseen",
		"transports/dial.go: oust/transports/ssh: transports may not import it",
		"transports/lab/lab.go: oust/transports/ssh: transports/lab may not import it",
		"transports/retry.go: github.com/goccy/go-yaml/ast is imported outside remediate/strictyaml, playbooks",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
	if files != 15 {
		t.Errorf("%d files were looked at, want 15", files)
	}
}

// inspect reads the source files themselves: a test that asked `go list` would
// be answered from go test's cache when it should not be.
func inspect(t *testing.T, root fs.FS) (complaints []string, files int) {
	t.Helper()
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case entry.IsDir():
			if strings.HasPrefix(entry.Name(), ".") || name == "bin" {
				return fs.SkipDir
			}
			if !strings.Contains(name, "/") && !slices.Contains(folders, name) {
				complaints = append(complaints, name+": no such folder is foreseen at the top")
			}
			return nil
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		files++
		found, err := inspectFile(root, name)
		for _, complaint := range found {
			if !slices.Contains(complaints, complaint) {
				complaints = append(complaints, complaint)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return complaints, files
}

func inspectFile(root fs.FS, name string) (complaints []string, err error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	pkg := path.Dir(name)
	allowed, known := allowedFor(pkg)
	if !known {
		return []string{pkg + ": no such package is foreseen"}, nil
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if complaint := judge(pkg, imported, allowed); complaint != "" {
			complaints = append(complaints, name+": "+complaint)
		}
	}
	return complaints, nil
}

// judge says what is wrong with an import, or nothing.
func judge(pkg, imported string, allowed []string) string {
	if ours, is := strings.CutPrefix(imported, module+"/"); is {
		if within(ours, allowed) || strings.HasPrefix(ours, pkg+"/") && strings.HasPrefix(pkg, "transports/") {
			return ""
		}
		return fmt.Sprintf("%s: %s may not import it", imported, pkg)
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return "" // the standard library
	}
	if slices.Contains(standardOnly, pkg) {
		return fmt.Sprintf("%s: %s imports the standard library only", imported, pkg)
	}
	for dependency, home := range homes {
		if within(imported, []string{dependency + "/..."}) && !within(pkg, home) {
			return fmt.Sprintf("%s is imported outside %s", imported, strings.Join(home, ", "))
		}
	}
	return ""
}

// allowedFor finds the longest key of arrows that fits.
func allowedFor(pkg string) (allowed []string, known bool) {
	longest := -1
	for key, values := range arrows {
		if within(pkg, []string{key}) && len(key) > longest {
			allowed, known, longest = values, true, len(key)
		}
	}
	return allowed, known
}

// within reports whether one of the patterns fits a package.
func within(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		folder, deep := strings.CutSuffix(pattern, "...")
		folder = strings.TrimSuffix(folder, "/")
		return pattern == pkg || deep && (folder == "" || pkg == folder || strings.HasPrefix(pkg, folder+"/"))
	})
}
