package cmdexe

import (
	"context"
	"io"
	"time"
)

// Files is the file system that a session works on. Paths are absolute, with
// a drive and backslashes, cleaned of . and .. and of a trailing backslash;
// their letters' case does not matter. Errors wrap fs.ErrNotExist,
// fs.ErrExist, fs.ErrPermission or ErrNotDir, or have words of their own.
type Files interface {
	Stat(path string) (Info, error)
	// List returns what is in a folder, in the order in which NTFS lists it:
	// by name, without regard to case.
	List(path string) ([]Info, error)
	Open(path string) (io.ReadCloser, error)
	// Create makes a file or, with appending, goes on at its end.
	Create(path string, appending bool) (io.WriteCloser, error)
	// Mkdir makes one folder; what is above it is there.
	Mkdir(path string) error
	// Remove removes a file or an empty folder.
	Remove(path string) error
	// Rename fails with fs.ErrExist if something is at the new path.
	Rename(from, to string) error
}

// Info is one file or folder.
type Info struct {
	Name string // without its folder, in its own case
	Dir  bool
	// Link is true for a junction or a symbolic link.
	Link bool
	Size int64
	Time time.Time
}

// Program is an external program. It returns its exit code, and before that
// if ctx ends.
type Program func(ctx context.Context, call *Call) (exit int)

// Call is what a program is started with.
type Call struct {
	// Name is the word by which it was called, without quotes.
	Name string
	// Line is the rest of the command line as cmd hands it on: after its own
	// percent signs, carets and redirections, with quotes as they are.
	Line string
	// Args are the words of Line by the rules of Microsoft's C runtime.
	Args []string
	// Dir is the current folder; Getenv reads a variable, whatever its case;
	// Environ is all of them, as NAME=value, in the order of their names.
	Dir            string
	Getenv         func(name string) string
	Environ        func() []string
	Stdin          io.Reader // never nil
	Stdout, Stderr io.Writer
}

// Config is one machine as a session sees it.
type Config struct {
	Files Files
	// Lookup finds a program by a name without folder, such as reg or
	// reg.exe, or by an absolute path; nil if there is none. Batch files are
	// found by the interpreter itself.
	Lookup func(name string) Program
	// Env are the variables at the start, as NAME=value.
	Env []string
	// Dir is the current folder at the start.
	Dir            string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Now is the machine's clock, in its own zone; Sleep waits by it, until
	// ctx ends.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	// Version is what VER prints, such as
	// "Microsoft Windows [Version 10.0.19045.3803]".
	Version string
	// CodePage is what CHCP prints before it is changed, such as 437.
	CodePage int
}
