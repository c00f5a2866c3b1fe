package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// interpName is the name under which this test binary is a shell made of
// mvdan.cc/sh, the interpreter of the simulated hosts.
const interpName = "mvdan-sh"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == interpName {
		os.Exit(interpret(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// interpreter makes the shell and returns its path.
func interpreter(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), interpName)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// interpret is sh: "-c TEXT" or a file.
func interpret(args []string) int {
	var text string
	if len(args) == 2 && args[0] == "-c" {
		text = args[1]
	} else {
		b, err := os.ReadFile(args[0])
		if err != nil {
			return 127
		}
		text = string(b)
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "sh")
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 2
	}
	runner, err := interp.New(
		interp.StdIO(os.Stdin, os.Stdout, os.Stderr),
		interp.CallHandler(missingBuiltins),
	)
	if err != nil {
		return 1
	}
	err = runner.Run(context.Background(), file)
	if status, ok := errors.AsType[interp.ExitStatus](err); ok {
		return int(status)
	}
	if err != nil {
		return 1
	}
	return 0
}

// missingBuiltins stands in for builtins that the interpreter lacks.
func missingBuiltins(_ context.Context, args []string) ([]string, error) {
	switch args[0] {
	case "kill":
		return append([]string{"/bin/kill"}, args[1:]...), nil
	case "umask":
		syscall.Umask(0o077)
		return []string{"true"}, nil
	}
	return args, nil
}
