// Package creds resolves references to secrets: env:NAME for a variable of
// the environment, file:PATH for the first line of a file that only its owner
// can read. Errors name the reference, never the value.
package creds

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"oust/transports"
)

// maxSecret bounds a secret's file, in bytes.
const maxSecret = 64 << 10

// Resolver resolves references.
type Resolver struct {
	// Dir is where relative paths start.
	Dir string
	// Getenv looks a variable up; nil means os.LookupEnv.
	Getenv func(name string) (string, bool)
}

// Resolve returns the secret that a reference means; "" gives an empty secret.
func (r Resolver) Resolve(ref string) (transports.Secret, error) {
	kind, what, ok := strings.Cut(ref, ":")
	switch {
	case ref == "":
		return transports.Secret{}, nil
	case ok && kind == "env" && what != "":
		return r.env(what)
	case ok && kind == "file" && what != "":
		return r.file(what)
	}
	// The reference may be a secret that somebody wrote out: do not repeat it.
	return transports.Secret{}, errors.New("not a reference to a secret; write env:NAME or file:PATH")
}

func (r Resolver) env(name string) (transports.Secret, error) {
	lookup := r.Getenv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, ok := lookup(name)
	if !ok || value == "" {
		return transports.Secret{}, fmt.Errorf("env:%s: the variable is not set; export it before you run oust", name)
	}
	return transports.NewSecret(value), nil
}

func (r Resolver) file(name string) (transports.Secret, error) {
	path := name
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	} else if !filepath.IsAbs(name) {
		path = filepath.Join(r.Dir, name)
	}
	value, err := readSecret(path)
	if err != nil {
		return transports.Secret{}, fmt.Errorf("file:%s: %w", name, err)
	}
	return transports.NewSecret(value), nil
}

func readSecret(path string) (string, error) {
	info, err := os.Stat(path) // before the open, which waits for ever on a pipe
	if err == nil && !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil {
		return "", err
	}
	switch {
	case !info.Mode().IsRegular():
		return "", errors.New("not a regular file")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("others can read it (mode %04o); run: chmod 600 %s", info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("longer than %d bytes", maxSecret)
	}
	line, _, _ := bytes.Cut(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return "", errors.New("its first line is empty; the secret stands there")
	}
	return string(line), nil
}
