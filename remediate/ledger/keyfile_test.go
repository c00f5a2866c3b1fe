package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"
)

func testSigner(t *testing.T) *Signer {
	t.Helper()
	s, err := NewSigner("oust/x")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func word(s string) func() (string, error) { return func() (string, error) { return s, nil } }

// quickWork makes scrypt quick.
const quickWork = 4

func TestKeyFile(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	idFile, hybridFile := filepath.Join(t.TempDir(), "id.txt"), filepath.Join(t.TempDir(), "hybrid.txt")
	for path, id := range map[string]fmt.Stringer{idFile: id, hybridFile: hybrid} {
		if err := os.WriteFile(path, []byte(id.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		lock   Lock
		unlock Unlock
		plain  bool
	}{
		"plain":      {plain: true},
		"passphrase": {lock: Lock{Passphrase: "correct horse"}, unlock: Unlock{Passphrase: word("correct horse")}},
		"identity":   {lock: Lock{Identity: idFile}, unlock: Unlock{Identity: idFile}},
		"hybrid":     {lock: Lock{Identity: hybridFile}, unlock: Unlock{Identity: hybridFile}},
		"either":     {lock: Lock{Passphrase: "x"}, unlock: Unlock{Passphrase: word("x"), Identity: idFile}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := testSigner(t), filepath.Join(t.TempDir(), "oust.key")
			if err := s.save(path, c.lock, quickWork); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil || strings.Contains(string(text), "PRIVATE") != c.plain {
				t.Errorf("%v: the file: %q", err, text)
			}
			if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%v: mode %v", err, info.Mode())
			}
			got, err := LoadSigner(path, c.unlock)
			if err != nil {
				t.Fatal(err)
			}
			if got.Public() != s.Public() || got.secret != s.secret {
				t.Errorf("another key was read")
			}
			if err := testSigner(t).Save(path, Lock{}); !errors.Is(err, fs.ErrExist) {
				t.Errorf("written over: %v", err)
			}
		})
	}
}

func TestSaveRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "oust.key")
	for name, lock := range map[string]Lock{"both": {Passphrase: "a", Identity: "b"}, "identity": {Identity: path + ".id"}} {
		if err := testSigner(t).Save(path, lock); err == nil {
			t.Errorf("%s: saved", name)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	if err := testSigner(t).Save(filepath.Join(path, "no", "folder"), Lock{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestLoadSignerRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := testSigner(t)
	sealed := filepath.Join(dir, "sealed")
	if err := s.save(sealed, Lock{Passphrase: "right"}, quickWork); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	locked := errors.New("the vault is shut")
	for name, c := range map[string]struct {
		path   string
		unlock Unlock
		want   string
	}{
		"missing":       {filepath.Join(dir, "gone"), Unlock{}, "it is not there"},
		"a folder":      {dir, Unlock{}, "not a regular file"},
		"not a key":     {write("words", "hello, world\n", 0o600), Unlock{}, "not a key"},
		"empty":         {write("empty", "", 0o600), Unlock{}, "not a key"},
		"public":        {write("public", s.Public(), 0o600), Unlock{}, "not a key"},
		"cut":           {write("cut", s.secret[:len(s.secret)-4], 0o600), Unlock{}, "not a key"},
		"long":          {write("long", strings.Repeat("x", maxKeyFile+1), 0o600), Unlock{}, "not a key"},
		"no passphrase": {sealed, Unlock{}, "it is encrypted"},
		"empty word":    {sealed, Unlock{Passphrase: word("")}, "it is encrypted"},
		"wrong":         {sealed, Unlock{Passphrase: word("wrong")}, "neither the passphrase nor"},
		"vault":         {sealed, Unlock{Passphrase: func() (string, error) { return "", locked }}, "the vault is shut"},
		"cut and age":   {write("cutage", string(whole[:len(whole)/2]), 0o600), Unlock{Passphrase: word("right")}, "open it"},
		"no identity":   {sealed, Unlock{Identity: filepath.Join(dir, "gone")}, "it is not there"},
		"bad identity":  {sealed, Unlock{Identity: write("id", "AGE-SECRET-KEY-1XYZ", 0o600)}, "not one of age"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := LoadSigner(c.path, c.unlock)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			for _, secret := range []string{"AGE-SECRET", "right", s.secret[len(s.secret)-10:]} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("a secret is told: %v", err)
				}
			}
		})
	}
	if _, err := LoadSigner(filepath.Join(dir, "gone"), Unlock{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if runtime.GOOS != "windows" {
		if _, err := LoadSigner(write("open", s.secret, 0o644), Unlock{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("error %v", err)
		}
	}
}
