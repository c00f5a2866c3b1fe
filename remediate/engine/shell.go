package engine

import (
	"time"

	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
)

// A shell is how scripts run on the hosts of a platform.
type shell struct {
	// line runs a script from standard input; elevate says that it must
	// become root first.
	line    string
	elevate bool
	look    func(remediate.Questions, remediate.Nonce) ([]byte, error)
	scripts jobScripts
}

// launchTime bounds a launch. On Windows the job is written line by line, which
// takes time where a scanner looks at each; the launch itself stays no longer
// than it was told. On Unix it stays until it is cut off, so that its time is no
// longer; but where a first one was cut off before the host had taken the job,
// the host is slow, and is given more.
func (s shell) launchTime(t remediate.Timing, nth int) time.Duration {
	if s.elevate && nth <= 1 {
		return t.LaunchWait
	}
	return t.LaunchWait + t.Probe
}

// jobScripts makes the scripts about a job.
type jobScripts interface {
	Launch(job.Spec, remediate.Nonce) ([]byte, error)
	Join(id string, nonce remediate.Nonce) ([]byte, error)
	Clean(id string, nonce remediate.Nonce) ([]byte, error)
	Reboot(job.RebootSpec, remediate.Nonce) ([]byte, error)
}

var (
	unixShell = shell{
		line: remediate.ShLine, elevate: true, scripts: job.Layout{},
		look: func(q remediate.Questions, n remediate.Nonce) ([]byte, error) { return probe.Sh(q, n), nil },
	}
	windowsShell = shell{line: remediate.CmdLine, scripts: job.Windows{}, look: probe.Cmd}
)

func shellOf(p remediate.Platform) shell {
	if p == remediate.Windows {
		return windowsShell
	}
	return unixShell
}
