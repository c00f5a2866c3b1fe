package cmdexe

import (
	"errors"
	"io"
	"io/fs"
	"testing"
)

func read(t *testing.T, f Files, path string) string {
	t.Helper()
	r, err := f.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestClonesOfMemoryDoNotSeeEachOther(t *testing.T) {
	m := NewMemory()
	if err := m.WriteFile(`C:\A\b.txt`, []byte("one")); err != nil {
		t.Fatal(err)
	}
	c := m.Clone()
	w, err := c.Create(`c:\a\B.TXT`, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("two")); err != nil {
		t.Fatal(err)
	}
	if err := m.Rename(`C:\A`, `C:\Z`); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m, `C:\z\b.txt`); got != "one" {
		t.Errorf("the original reads %q", got)
	}
	if got := read(t, c, `C:\A\b.txt`); got != "onetwo" {
		t.Errorf("the clone reads %q", got)
	}
	if _, err := m.Stat(`C:\A`); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of what was renamed: %v", err)
	}
}

func TestMemoryRefuses(t *testing.T) {
	m := NewMemory()
	if err := m.WriteFile(`C:\A\b.txt`, nil); err != nil {
		t.Fatal(err)
	}
	m.Deny = func(op, path string) error {
		if op == "remove" && path == `C:\A\b.txt` {
			return fs.ErrPermission
		}
		return nil
	}
	for name, c := range map[string]struct{ got, want error }{
		"folder that holds something": {m.Remove(`C:\A`), errNotEmpty},
		"denied":                      {m.Remove(`C:\A\b.txt`), fs.ErrPermission},
		"there already":               {m.Mkdir(`c:\a`), fs.ErrExist},
		"no folder":                   {m.Mkdir(`C:\X\Y`), fs.ErrNotExist},
		"below a file":                {m.Mkdir(`C:\A\b.txt\c`), ErrNotDir},
		"into itself":                 {m.Rename(`C:\A`, `C:\A\B`), fs.ErrPermission},
		"a drive":                     {m.Remove(`C:`), fs.ErrPermission},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
