package playbooks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

const defaultGrace = 10 * time.Second

// acts returns what a step does on a host with these facts: nothing for a
// package step whose managers have none of its names there.
func (s Step) acts(playbook string, f *remediate.Facts) []act {
	a := act{playbook: playbook}
	switch {
	case s.Package != nil:
		var out []act
		for _, m := range s.Package.Managers {
			if s.Package.has(f, m) {
				out = append(out, packageAct(playbook, m, s.Package))
			}
		}
		return out
	case s.Service != nil:
		a.what = "stop and disable " + noun("service", s.Service.Names)
		a.uses, a.call = []string{"service"}, append([]string{"stop_service"}, s.Service.Names...)
	case s.Process != nil:
		a.what = "end " + noun("process", append(slices.Clone(s.Process.Paths), s.Process.Names...))
		a.uses, a.call = []string{"process"}, s.Process.call()
	case s.File != nil:
		a.what = "remove " + s.File.Path
		a.uses, a.call = []string{"file"}, []string{"remove_tree", s.File.Path}
	case s.Script != nil:
		a.what = s.Script.What
		a.uses, a.call = []string{"script"}, []string{"run_script", s.Script.Exit.table(), s.Script.Text}
	}
	return []act{a}
}

// has reports whether the manager has one of the step's packages, in any
// state.
func (s *PackageStep) has(f *remediate.Facts, manager string) bool {
	return slices.ContainsFunc(f.Packages, func(p remediate.Package) bool {
		return p.Manager == manager && slices.Contains(s.Names, p.Name)
	})
}

func packageAct(playbook, manager string, s *PackageStep) act {
	exit := s.Exit
	if len(exit) == 0 {
		exit = defaultExit()
	}
	on, remove, verb, force := "on_dpkg", "purge", "purge", ""
	switch {
	case manager == remediate.ManagerRPM:
		on, remove, verb = "on_rpm", "erase", "erase"
	case s.ForceReinstreq:
		remove, force = "force_purge", " --force-remove-reinstreq"
	}
	return act{
		playbook: playbook,
		what:     fmt.Sprintf("%s %s with %s%s", verb, strings.Join(s.Names, " "), manager, force),
		uses:     []string{"package", manager},
		call:     append([]string{"packages", on, remove, exit.table()}, s.Names...),
	}
}

// defaultExit is what dpkg and rpm mean by their exit codes: 0 is success,
// anything else a failure (dpkg(1), exit status; rpm(8)). Which failures are
// another installer's lock, their messages tell; see prelude/dpkg.sh and
// prelude/rpm.sh.
func defaultExit() ExitCodes { return ExitCodes{0: remediate.StepOK} }

func (s *ProcessStep) call() []string {
	grace, _ := s.grace() // checked when the playbook was loaded
	call := append([]string{"end_processes", strconv.Itoa(int(grace / time.Second))}, s.Paths...)
	return append(append(call, "--"), s.Names...)
}

// table is the exit codes as the function meaning reads them.
func (e ExitCodes) table() string {
	var words []string
	for _, code := range slices.Sorted(maps.Keys(e)) {
		words = append(words, fmt.Sprintf("%d=%s", code, e[code]))
	}
	return strings.Join(words, " ")
}

func noun(word string, names []string) string {
	if len(names) == 1 {
		return "the " + word + " " + names[0]
	}
	if strings.HasSuffix(word, "s") {
		word += "e"
	}
	return "the " + word + "s " + words(names)
}
