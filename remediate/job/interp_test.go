package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
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
	goleak.VerifyTestMain(m)
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
		mask, err := strconv.ParseInt(args[1], 8, 32)
		if err != nil {
			return nil, err
		}
		syscall.Umask(int(mask))
		return []string{"true"}, nil
	}
	return args, nil
}
