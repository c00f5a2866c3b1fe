package main

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"oust/transports/lab"
)

// TestScripts types commands as a user would; see testdata/script. Beyond the
// commands of testscript there are:
//
//	lab DIR HOSTS [FAULTS]   serves simulated hosts, with their campaign in DIR
//	exits CODE COMMAND...    runs a command that must end with that exit code
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SSH_AUTH_SOCK", "")
			env.Setenv("COLUMNS", "100")
			env.Setenv("GORACE", noRest)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"lab": scriptLab, "exits": scriptExits},
	})
}

func scriptLab(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: lab DIR HOSTS [FAULTS]")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	mix, err := lab.ParseFaults(strings.Join(args[2:], ""))
	ts.Check(err)
	fleet, err := lab.Start(context.Background(), lab.Config{Hosts: n, Seed: 1, Faults: mix, Speed: 100})
	ts.Check(err)
	ts.Defer(func() { _ = fleet.Close() })
	ts.Check(fleet.WriteCampaign(ts.MkAbs(args[0])))
	ts.Check(setTiming(ts.MkAbs(args[0]), "connect", "10s"))
	ts.Check(setTiming(ts.MkAbs(args[0]), "job", "3m"))
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}
