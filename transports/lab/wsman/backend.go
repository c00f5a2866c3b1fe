package wsman

import (
	"context"
	"errors"
	"io"
)

// Backend is the operating system behind a server.
type Backend interface {
	// Start starts a command and returns without waiting for its end. ctx is
	// the life of the command: when it ends, the command must be ended, with
	// its children; context.Cause says why: ErrTerminated, ErrCtrlC or
	// ErrShellGone.
	//
	// An error means that nothing runs. A *Fault goes to the client as it is;
	// of other errors the client sees the words under code 2, "The system
	// cannot find the file specified".
	//
	// Start is called from many goroutines at once.
	Start(ctx context.Context, c Command) (Process, error)
}

// Process is a command that runs.
type Process interface {
	// Wait waits until the command has ended and nothing more will be written
	// to its output. It is called once. The exit code is what Windows would
	// show, a signed number of 32 bits. An error means that the end is not
	// known: the shell then goes as if it were killed.
	Wait() (exit int, err error)
}

// Command is what a client wants to be run.
type Command struct {
	// User is the account that has logged in, without its domain.
	User string
	// Domain is the domain of the account as the client named it, or "".
	Domain string
	// Line is the command line: the command and its arguments, with a blank
	// between them. It is for cmd /c, unless SkipShell is set.
	Line string
	// SkipShell says that Line names a program and its arguments, to be
	// started without cmd (WINRS_SKIP_CMD_SHELL).
	SkipShell bool
	// Console says that Stdin stands for a console (WINRS_CONSOLEMODE_STDIN).
	Console bool
	// Shell is what the shell was made with.
	Shell Shell
	// Stdin ends when the client has sent its end, or when the command ends.
	Stdin io.Reader
	// Stdout and Stderr take output. They block while the client does not
	// fetch, and fail once the command is over.
	Stdout, Stderr io.Writer
}

// Shell is what a client wants of a shell.
type Shell struct {
	// CodePage is the code page of the console, 437 if none was asked for
	// (WINRS_CODEPAGE).
	CodePage int
	// NoProfile says that the user's profile need not be loaded
	// (WINRS_NOPROFILE).
	NoProfile bool
	// Dir is the folder that commands start in, or "" for the profile's.
	Dir string
	// Env are variables on top of the user's, as NAME=value.
	Env []string
}

// Why a command's context ends.
var (
	// ErrTerminated: the client has sent the signal terminate.
	ErrTerminated = errors.New("the client has terminated the command")
	// ErrCtrlC: the client has sent ctrl_c or ctrl_break. A command that ends
	// of it has the exit code ExitCtrlC.
	ErrCtrlC = errors.New("the client has sent ctrl-c")
	// ErrShellGone: the shell was deleted, was idle for too long, or its
	// server was closed.
	ErrShellGone = errors.New("the shell is gone")
)

// ExitCtrlC is the exit code of a command that ctrl-c has ended,
// STATUS_CONTROL_C_EXIT.
const ExitCtrlC = -1073741510

// Func is a Backend that runs every command as a goroutine of this function,
// which returns the exit code.
type Func func(ctx context.Context, c Command) (exit int)

// Start implements Backend.
func (f Func) Start(ctx context.Context, c Command) (Process, error) {
	exit := make(chan int, 1)
	go func() { exit <- f(ctx, c) }()
	return running(exit), nil
}

type running chan int

func (r running) Wait() (int, error) { return <-r, nil }

var (
	_ Backend = Func(nil)
	_ Process = running(nil)
)
