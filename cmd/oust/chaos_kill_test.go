package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports"
	"oust/transports/lab"
	"oust/transports/transporttest/sshdlab"
)

// What goes wrong on simulated hosts. Each fault leaves a host in a state that
// is certain.
var (
	chaosFaults        = lab.FaultMix{{Fault: "slow", Hosts: 1}, {Fault: "drop", Hosts: 2}, {Fault: "uninstaller-fails", Hosts: 1}, {Fault: "lies", Hosts: 1}, {Fault: "login-refused", Hosts: 1}}
	chaosWindowsFaults = lab.FaultMix{{Fault: "shell-killed", Hosts: 1}, {Fault: "installer-fails", Hosts: 1}, {Fault: "no-exit-code", Hosts: 1}, {Fault: "reboot-needed", Hosts: 1}}
)

// share is campaigns of one kind. most bounds the kills of each: on Windows a
// kill leaves a shell on every host that it was at, and a host has 30 until
// they time out.
type share struct{ hosts, windows, kills, most, lines int }

// TestKilledAllTheTime kills oust 170 times: apply, serve and retry, on
// simulated hosts of both kinds with faults, in windows that are open. The
// hosts themselves say what has happened. Under the race detector there are 52
// kills; make test has all of them without it.
func TestKilledAllTheTime(t *testing.T) {
	t.Parallel()
	shares := []share{{hosts: 14, windows: 10, kills: 50, most: 12, lines: 40}, {hosts: 24, kills: 120, most: 40, lines: 14}}
	if raceDetector {
		shares[0].kills, shares[1].kills = shares[0].most, shares[1].most
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var all totals
	t.Run("shares", func(t *testing.T) {
		for i, s := range shares {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				rnd := rand.New(rand.NewPCG(seed, uint64(i)))
				for killed := 0; killed < s.kills; {
					killed += killedLab(t, rnd, s, min(s.most, s.kills-killed), &all)
					if t.Failed() {
						return
					}
				}
			})
		}
	})
	all.log(t)
	if want := shares[0].kills + shares[1].kills; all.kills != want && !t.Failed() {
		t.Errorf("%d kills, want %d", all.kills, want)
	}
}

// killedLab is one campaign, and returns how often oust was killed in it.
func killedLab(t *testing.T, rnd *rand.Rand, s share, kills int, all *totals) int {
	t.Helper()
	config := lab.Config{Hosts: s.hosts, Windows: s.windows, Clean: 0.1, Seed: rnd.Uint64(), Speed: 50, Faults: chaosFaults}
	if s.windows > 0 {
		config.WindowsFaults = chaosWindowsFaults
	}
	fleet, dir := newLab(t, config)
	defer func() { _ = fleet.Close() }()
	edit(t, filepath.Join(dir, "campaign.yaml"), "waves: [1, 5, 25%, 100%]",
		"waves: [1, 5, 100%]\nwindows: [{days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', length: 24h}]")
	edit(t, filepath.Join(dir, "campaign.yaml"), "poll: 1s", "poll: 100ms")
	c := &chaos{dir: dir, plan: filepath.Join(dir, "plan.json"), rnd: rnd, lines: s.lines, pause: 60 * time.Millisecond}
	must(t, 2, dir, "scan") // a host refuses the login
	must(t, 0, dir, "plan", "-o", c.plan)
	c.rage(t, kills)
	c.settle(t)
	attempts, starts := labTruth(t, fleet, dir)
	all.add(c, len(fleet.Hosts()), attempts, starts)
	return c.kills
}

// labTruth holds the store against the hosts, and against its ledger.
func labTruth(t *testing.T, fleet *lab.Fleet, dir string) (attempts, starts int) {
	t.Helper()
	known, attempts := records(t, dir)
	standing := map[remediate.Standing]int{}
	for _, h := range fleet.Hosts() {
		truth, err := fleet.State(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		r := known[h.Name]
		standing[r.Standing]++
		starts += len(truth.Starts)
		oncePerAttempt(t, truth, r)
		standsTrue(t, truth, r)
		if h.Class != "auth" && leftFolder(t, fleet, h) {
			t.Errorf("%s: a folder of an attempt is left", h.Name)
		}
	}
	must(t, 0, dir, "audit")
	s := status(t, dir)
	for of, n := range standing {
		if s.Standing[of] != n {
			t.Errorf("status: %d hosts %s, the truth is %d", s.Standing[of], of, n)
		}
	}
	return attempts, starts
}

// oncePerAttempt: each uninstaller was started under an attempt of the store,
// and not twice under one; where it works, once in all.
func oncePerAttempt(t *testing.T, truth lab.HostState, r record) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range truth.Starts {
		if !slices.Contains(r.attempts, s.Attempt) {
			t.Errorf("%s: the uninstaller of %s ran under attempt %q, the store knows %v", truth.Name, s.Product, s.Attempt, r.attempts)
		}
		if seen[s.Attempt+s.Product] {
			t.Errorf("%s (%s): the uninstaller of %s ran twice in attempt %s", truth.Name, truth.Fault, s.Product, s.Attempt)
		}
		seen[s.Attempt+s.Product] = true
	}
	if truth.Outcome != "failed" && (ranTwice(truth.Starts) || len(truth.Starts) != len(truth.Products)) {
		t.Errorf("%s (%s): uninstallers of %v ran: %+v", truth.Name, truth.Fault, truth.Products, truth.Starts)
	}
}

// standsTrue compares where the store says that a host stands with the host.
func standsTrue(t *testing.T, truth lab.HostState, r record) {
	t.Helper()
	gone := len(truth.Installed)+len(truth.Files) == 0
	want := map[string]remediate.Standing{"removed": remediate.StandRemoved, "nothing-to-do": remediate.StandClear}[truth.Outcome]
	switch {
	case want != "" && (!gone || r.Standing != want || r.Class != ""):
		t.Errorf("%s (%s): gone is %t, and it stands %s %s %s", truth.Name, truth.Fault, gone, r.Standing, r.Class, r.Detail)
	case truth.Outcome == "reboot-pending" && r.Last.Kind != remediate.OutcomeRebootPending:
		t.Errorf("%s (%s): it waits for a restart, and ended %+v", truth.Name, truth.Fault, r.Last)
	case truth.Outcome == "failed" && (string(r.Class) != truth.Class || r.Standing == remediate.StandRemoved || r.Standing == remediate.StandClear):
		t.Errorf("%s (%s): must fail with %s, and stands %s %s %s", truth.Name, truth.Fault, truth.Class, r.Standing, r.Class, r.Detail)
	}
}

// leftFolder asks a host whether the folder of attempts is still there.
func leftFolder(t *testing.T, fleet *lab.Fleet, h lab.HostInfo) bool {
	t.Helper()
	login := transports.Credential{User: "root", KeyFile: "key"}
	ask := transports.Command{Line: "/bin/sh", Stdin: []byte("test -e /var/lib/oust && echo there'is' || echo it is gone\n")}
	if strings.HasPrefix(h.Name, "win-") {
		login = transports.Credential{User: "ops", Password: fleet.Password()}
		ask = transports.Command{Line: remediate.CmdLine, Stdin: []byte("@if exist \"%ProgramFiles%\\oust\\\" (echo there^is) else echo it is gone\r\n")}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := fleet.Dialer().Dial(ctx, transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Credential: login})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	res, err := conn.Run(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	there, gone := strings.Contains(string(res.Stdout), "thereis"), strings.Contains(string(res.Stdout), "it is gone")
	if there == gone {
		t.Fatalf("%s: asked for the folder: %q %q", h.Name, res.Stdout, res.Stderr)
	}
	return there
}

// TestRealHostsKilledAllTheTime kills oust 30 times over real hosts, with dpkg
// and rpm.
func TestRealHostsKilledAllTheTime(t *testing.T) {
	t.Parallel()
	const kills = 30
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 4, RPM: 2, Packages: sshdlab.All})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var all totals
	for all.kills < kills && !t.Failed() {
		if all.campaigns > 0 {
			if err := l.Reset(); err != nil {
				t.Fatal(err)
			}
		}
		for i := range l.Hosts {
			l.SetFault(i, fmt.Sprintf("slow:%d@kesl", 1+i%3))
		}
		dir := realCampaign(t, l, rootCredential)
		c := &chaos{dir: dir, plan: filepath.Join(dir, "plan.json"), rnd: rnd, lines: 14, pause: 400 * time.Millisecond}
		must(t, 0, dir, "scan")
		must(t, 0, dir, "plan", "-o", c.plan)
		c.rage(t, min(12, kills-all.kills))
		c.settle(t)
		attempts, starts := realTruth(t, l, dir)
		all.add(c, len(l.Hosts), attempts, starts)
	}
	all.log(t)
}

// realTruth holds the store against real hosts from which all must be gone.
func realTruth(t *testing.T, l *sshdlab.Lab, dir string) (attempts, starts int) {
	t.Helper()
	known, attempts := records(t, dir)
	for i, h := range l.Hosts {
		for _, name := range []string{"kesl", "kesl-gui", "klnagent64"} {
			if l.Installed(i, name) {
				t.Errorf("%s: still has %s", h.Name, name)
			}
		}
		n := l.Uninstalls(i)
		starts += n
		if n != 3 {
			t.Errorf("%s: %d uninstallers of 3 products ran", h.Name, n)
		}
		if r := known[h.Name]; r.Standing != remediate.StandRemoved || r.Class != "" {
			t.Errorf("%s stands %s %s %s", h.Name, r.Standing, r.Class, r.Detail)
		}
		if out, exit := l.Exec(i, "test", "-e", "/var/lib/oust"); exit != 1 {
			t.Errorf("%s: a folder of an attempt is left: %s", h.Name, out)
		}
	}
	return attempts, starts
}
