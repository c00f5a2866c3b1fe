package main

import "fmt"

// tool is one way to do the work.
type tool struct {
	name, program string
	version       []string
	// before lists commands that are run before a removal and not measured.
	before       func(*work) [][]string
	look, remove func(*work) []string
	// pending is the exit code of a removal after which hosts wait for their
	// restart; 0 if the tool does not tell.
	pending int
	// atOnce is how many hosts are at work at once; 0 for what the command
	// line says.
	atOnce int
	note   string
}

// python is Debian's, which has Debian's packages.
const python = "/usr/bin/python3"

// tools lists what is compared, oust first if there is one.
func tools(s settings) []tool {
	all := []tool{
		{
			name: "pywinrm", program: python,
			version: []string{python, "-c", "import importlib.metadata as m; print('pywinrm', m.version('pywinrm'))"},
			look:    func(w *work) []string { return []string{python, w.path(scriptFile), "look", w.path(pythonFile)} },
			remove:  func(w *work) []string { return []string{python, w.path(scriptFile), "remove", w.path(pythonFile)} },
			note:    fmt.Sprintf("the loop of a script: one shell a host, %d threads, no plan, no records", s.forks),
		},
		{
			name: "ansible-playbook", program: "ansible-playbook", version: []string{"ansible-playbook", "--version"},
			look:   func(w *work) []string { return []string{"ansible-playbook", w.path(lookFile)} },
			remove: func(w *work) []string { return []string{"ansible-playbook", w.path(removeFile)} },
			note:   fmt.Sprintf("connection winrm, module raw, %d forks, no fact gathering; 1 task to look, 5 to remove", s.forks),
		},
	}
	if s.oust == "" {
		return all
	}
	ours := oust(s.oust)
	own := ours
	own.name, own.atOnce, own.version = fmt.Sprintf("oust, %d at once", ownAtOnce), ownAtOnce, nil
	own.note = "the same with the number of hosts at once that a campaign has by itself"
	return append([]tool{ours, own}, all...)
}

// ownAtOnce is what concurrency.hosts is in a campaign that does not say.
const ownAtOnce = 500

// oust's removal is measured from the plan on: the scan and the plan are made
// before a change window, not in it. It looks again itself.
func oust(program string) tool {
	in := func(w *work, args ...string) []string { return append([]string{program, "-C", w.dir}, args...) }
	return tool{
		name: "oust", program: program, version: []string{program, "--version"},
		before: func(w *work) [][]string { return [][]string{in(w, "scan"), in(w, "plan", "-o", "plan.json")} },
		look:   func(w *work) []string { return in(w, "scan") },
		remove: func(w *work) []string { return in(w, "apply", "plan.json") }, pending: 2,
		note: "`scan`, and `apply`: look, detached job, second look in a new session, records on disk",
	}
}
