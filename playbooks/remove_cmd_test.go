package playbooks

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oust/remediate"
	"oust/transports/lab/cmdexe"
)

// linked is a file system in which some folders are junctions.
type linked struct {
	*cmdexe.Memory
	links map[string]string // from, in lower case, to; behind a ! one that cannot be removed
	// before runs before each operation.
	before func(op string)
}

func (l *linked) real(path string) string {
	lower := strings.ToLower(path)
	for from, to := range l.links {
		if strings.HasPrefix(lower, from+`\`) {
			return strings.TrimPrefix(to, "!") + path[len(from):]
		}
	}
	return path
}

func (l *linked) Stat(path string) (cmdexe.Info, error) {
	l.before("stat")
	if _, ok := l.links[strings.ToLower(path)]; ok {
		return cmdexe.Info{Name: path[strings.LastIndexByte(path, '\\')+1:], Dir: true, Link: true}, nil
	}
	return l.Memory.Stat(l.real(path))
}

func (l *linked) List(path string) ([]cmdexe.Info, error) {
	l.before("list")
	if to, ok := l.links[strings.ToLower(path)]; ok {
		return l.Memory.List(strings.TrimPrefix(to, "!"))
	}
	return l.Memory.List(l.real(path))
}

func (l *linked) Remove(path string) error {
	l.before("remove")
	if to, ok := l.links[strings.ToLower(path)]; ok {
		if strings.HasPrefix(to, "!") {
			return fs.ErrPermission
		}
		delete(l.links, strings.ToLower(path))
		return nil
	}
	return l.Memory.Remove(l.real(path))
}

// removeOn runs a function for a target on a Windows host with these files, and
// returns the verdict and what is left of them.
func removeOn(t interface{ Fatal(...any) }, ctx context.Context, function, target string, links map[string]string, before func(op string), files ...string) (string, []string) {
	m := cmdexe.NewMemory()
	for _, f := range append(files, `C:\job\x`, `C:\Data\y`) {
		if err := m.WriteFile(f, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	set, err := remediate.SetCmd("target", target)
	if err != nil {
		t.Fatal(err)
	}
	script := []string{"@echo off", "setlocal EnableExtensions DisableDelayedExpansion", `set "step=1"`, `set "soft=yes"`, `set "more="`, `set "changed=no"`, set,
		"call :" + function, "cd", "exit /b 0", ":record1", `>>"C:\job\result" echo %verdict%%more%`, `>>"C:\job\result" cd`, "goto :eof"}
	for _, name := range []string{"base", "file"} {
		text, err := preludes.ReadFile("prelude/cmd/" + name + ".cmd")
		if err != nil {
			t.Fatal(err)
		}
		script = append(script, strings.Split(strings.ReplaceAll(string(text), "\r", ""), "\n")...)
	}
	if err := m.WriteFile(`C:\job\t.cmd`, []byte(strings.Join(script, "\r\n"))); err != nil {
		t.Fatal(err)
	}
	host := &linked{Memory: m, links: links, before: before}
	if before == nil {
		host.before = func(string) {}
	}
	var out bytes.Buffer
	cmdexe.Run(ctx, cmdexe.Config{Files: host, Lookup: func(string) cmdexe.Program { return nil }, Dir: `C:\job`, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Env: []string{`OUST_DIR=C:\job`, "SystemDrive=C:"}, Now: time.Now, Version: "Microsoft Windows [Version 10.0.19045.3803]", CodePage: 437}, `/d /s /c "C:\job\t.cmd"`)
	host.before = func(string) {}
	var left []string
	for _, f := range files {
		if _, err := m.Stat(f); err == nil {
			left = append(left, f)
		}
	}
	result := ""
	if r, err := m.Open(`C:\job\result`); err == nil {
		text, _ := io.ReadAll(r)
		result = string(text)
		_ = r.Close()
	}
	verdict, folder, _ := strings.Cut(strings.ReplaceAll(result, "\r\n", "\n"), "\n")
	if strings.TrimSpace(folder) != `C:\job` {
		t.Fatal("the script is in another folder when it ends: ", folder, out.String())
	}
	return verdict, left
}

// TestRemoveJunctions: a junction goes and what it points to stays; nothing is
// removed through one, at any depth, also where it comes while the script looks.
func TestRemoveJunctions(t *testing.T) {
	t.Parallel()
	const widget, data, precious = `C:\Program Files\Acme\Widget`, `C:\Program Files\Acme\Widget\data`, `C:\Precious\Widget\data`
	late := map[string]string{}
	for name, c := range map[string]struct {
		target  string
		links   map[string]string
		before  func(op string)
		verdict string
		left    int // of the two files
	}{
		"a folder":                {widget, nil, nil, "ok", 1},
		"nothing there":           {`C:\Program Files\Acme\Other`, nil, nil, "absent", 2},
		"not a path":              {`C:\`, nil, nil, "failed: left alone: its path is not deep enough", 2},
		"empty":                   {``, nil, nil, "absent", 2},
		"a junction":              {`C:\Data\Widget`, map[string]string{`c:\data\widget`: `C:\Precious\Widget`}, nil, "ok", 2},
		"below a junction":        {`C:\Data\Widget`, map[string]string{`c:\data`: `C:\Precious`}, nil, "failed: left alone: a folder above it is a link", 2},
		"deep below a junction":   {`C:\Data\Widget\data`, map[string]string{`c:\data`: `C:\Precious`}, nil, "failed: left alone: a folder above it is a link", 2},
		"a junction that stays":   {`C:\Data\Widget`, map[string]string{`c:\data\widget`: `!C:\Precious\Widget`}, nil, "failed", 2},
		"a junction that is late": {`C:\Program Files\Acme\Widget`, late, lateLink(late), "failed: left alone: a folder above it is a link", 2},
	} {
		verdict, left := removeOn(t, t.Context(), "remove_tree", c.target, c.links, c.before, data, precious)
		if verdict != c.verdict || len(left) != c.left {
			t.Errorf("%s: %q, left %q; want %q and %d files", name, verdict, left, c.verdict, c.left)
		}
		if c.links != nil && len(left) == 2 && left[1] != precious {
			t.Errorf("%s: what the junction points to is gone", name)
		}
	}
}

// lateLink puts a junction in the place of a folder after a few looks, as
// somebody would who waits for the first look to be over.
func lateLink(links map[string]string) func(op string) {
	looks := 0
	return func(string) {
		if looks++; looks == 4 {
			links[`c:\program files\acme`] = `C:\Precious`
		}
	}
}

// TestRemoveOnlyThatOnWindows: whatever letters a name has, that one path goes.
func TestRemoveOnlyThatOnWindows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "a b", "100%", "%X%", "^", "&", "&echo x", "(x)", "x)", "!", "=", "'", ";", ",", "ä", "a^b", "%~1", "-x", "@"})
		name := `C:\Acme\own-` + strings.Join(rapid.SliceOfN(part, 1, 3).Draw(r, "name"), "")
		kept := []string{`C:\Acme\own\x`, `C:\Acme\x`, `C:\x`, name + `x\x`}
		files := append([]string{name + `\x`, name + `\deep\x`}, kept...)
		verdict, left := removeOn(r, t.Context(), "remove_tree", name, nil, nil, files...)
		if verdict != "ok" || strings.Join(left, "|") != strings.Join(kept, "|") {
			r.Fatalf("%s: %s, left %q", name, verdict, left)
		}
	})
}

// TestRemoveEmptyOnWindows: an empty folder goes; one with something in it stays,
// and so does a junction, which would hide what another product has behind it.
func TestRemoveEmptyOnWindows(t *testing.T) {
	t.Parallel()
	const vendor, other = `C:\Program Files\Acme`, `C:\Elsewhere\Other\x`
	for name, c := range map[string]struct {
		links   map[string]string
		files   []string
		verdict string
	}{
		"nothing there": {nil, []string{other}, "absent"},
		"not empty":     {nil, []string{vendor + `\x`}, "absent"},
		"a junction":    {map[string]string{strings.ToLower(vendor): `C:\Elsewhere`}, []string{other, `C:\Program Files\x`}, "absent"},
	} {
		links := len(c.links)
		verdict, left := removeOn(t, t.Context(), "remove_empty", vendor, c.links, nil, c.files...)
		if verdict != c.verdict || len(left) != len(c.files) || len(c.links) != links {
			t.Errorf("%s: %q, left %q and links %v; want %q", name, verdict, left, c.links, c.verdict)
		}
	}
}
