package engine

import (
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

// jobScripts makes the scripts about a job.
type jobScripts interface {
	Launch(job.Spec, remediate.Nonce) ([]byte, error)
	Join(id string, nonce remediate.Nonce) ([]byte, error)
	Clean(id string, nonce remediate.Nonce) ([]byte, error)
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
