package lab

import (
	"context"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
	"oust/transports"
	"oust/transports/lab/windows"
)

// winScript runs a script on a Windows host over a connection of its own.
func winScript(ctx context.Context, d transports.Dialer, target transports.Target, text []byte) (transports.Result, error) {
	c, err := d.Dial(ctx, target)
	if err != nil {
		return transports.Result{}, err
	}
	defer func() { _ = c.Close() }()
	return c.Run(ctx, transports.Command{Line: remediate.CmdLine, Stdin: text, Timeout: 20 * time.Second, MaxOutput: job.MaxReport})
}

// winPlan looks at a host and renders the script that removes what is found.
func winPlan(ctx context.Context, t *testing.T, d transports.Dialer, target transports.Target) remediate.Script {
	t.Helper()
	library, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	n := remediate.NewNonce()
	look, err := probe.Cmd(library.Questions(remediate.Windows), n)
	if err != nil {
		t.Fatal(err)
	}
	r, err := winScript(ctx, d, target, look)
	if err != nil {
		t.Fatal(err)
	}
	facts, _, err := probe.Parse(r.Stdout, n)
	if err != nil {
		t.Fatal(err)
	}
	script, err := library.Render(playbooks.RenderInput{Facts: facts, Findings: library.Match(facts), BusyWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// TestWindowsJobs: whatever becomes of the connection in mid-uninstall, the
// job ends, its product is gone, and its uninstaller was started once.
func TestWindowsJobs(t *testing.T) {
	f := newFleet(t, Config{Windows: 6, Seed: 3, Speed: 50})
	d := winDialer(t, f, false)
	for i, fault := range []string{"", windows.FaultDrop, "shell-killed", "no-exit-code", "not-xml", "stall"} {
		t.Run(fault, func(t *testing.T) {
			w, target := f.windows[i], winTarget(f, i)
			if err := f.SetFault(w.name, fault); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			script := winPlan(ctx, t, d, target)
			id, n := remediate.NewID(time.Unix(1_800_000_000, 0)), remediate.NewNonce()
			launch, err := job.Windows{}.Launch(job.Spec{ID: id, Campaign: "c", Controller: "m", Wait: time.Hour, Script: []byte(script.Text)}, n)
			if err != nil {
				t.Fatal(err)
			}
			r, err := winScript(ctx, d, target, launch)
			if breaks := fault == windows.FaultDrop || fault == "shell-killed"; fault == "" && err != nil || breaks && err == nil {
				t.Errorf("the launch: %v", err)
			}
			report, _ := job.ParseReport(r.Stdout, n)
			for report.State != job.StateEnded && ctx.Err() == nil {
				n = remediate.NewNonce()
				join, err := job.Windows{}.Join(id, n)
				if err != nil {
					t.Fatal(err)
				}
				if r, err = winScript(ctx, d, target, join); err == nil {
					report, _ = job.ParseReport(r.Stdout, n)
				}
			}
			state, err := f.State(w.name)
			if err != nil || report.State != job.StateEnded || len(state.Installed) != 0 || len(state.Files) != 0 {
				t.Errorf("%v, %s: installed %q, files %q", err, report.State, state.Installed, state.Files)
			}
			for name, count := range state.Counts {
				if count != 1 {
					t.Errorf("the uninstaller of %s was started %d times", name, count)
				}
			}
			if len(state.Starts) == 0 || state.Starts[0].Attempt != id {
				t.Errorf("starts %v, want the attempt %s", state.Starts, id)
			}
		})
	}
}
