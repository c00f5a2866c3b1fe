package lab_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/transports"
	"oust/transports/lab"
	"oust/transports/ssh"
	"oust/transports/transporttest"
)

// TestConformance runs the suite of all transports on a simulated host of
// each kind, as each kind of account, with one of each fault of the network.
func TestConformance(t *testing.T) {
	fleet, known := confFleet(t)
	hosts := make(map[string]lab.HostInfo)
	for _, h := range fleet.Hosts() {
		switch {
		case h.Fault != "":
			hosts[h.Fault] = h
		case hosts[h.OS].Name == "":
			hosts[h.OS] = h
		}
	}
	password, wrong := fleet.Password(), transports.NewSecret("not-the-password")
	key := filepath.Join(t.TempDir(), "key")
	if err := fleet.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	target := func(h lab.HostInfo, user string) transports.Target {
		return transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Credential: transports.Credential{Name: user, User: user, KeyFile: key}}
	}
	become := func(h lab.HostInfo, user string, password transports.Secret) *transports.Target {
		t := target(h, user)
		t.Credential.Become, t.Credential.BecomePassword = "sudo", password
		return &t
	}
	for _, c := range []struct{ os, user string }{
		{"debian", "root"}, {"ubuntu", "ops"}, {"rhel", "deploy"}, {"sles", "guest"}, {"alpine", "root"},
	} {
		t.Run(c.os+" "+c.user, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var logged bytes.Buffer
			logger := hclog.New(&hclog.LoggerOptions{Output: &logged, Mutex: &mu, Level: hclog.Trace})
			config := ssh.Config{KnownHosts: []string{known}, ConfigFile: ssh.ConfigNone, Logger: logger}
			dialer := func(t *testing.T) transports.Dialer { return newDialer(t, config) }
			at := hosts[c.os]
			faulty := func(config ssh.Config, target transports.Target) func(*testing.T) (transports.Dialer, transports.Target) {
				return func(t *testing.T) (transports.Dialer, transports.Target) { return newDialer(t, config), target }
			}
			stranger, brief, mistaken := config, config, target(at, "ops")
			stranger.KnownHosts = []string{filepath.Join(t.TempDir(), "none")}
			brief.KeyExchange = 50 * time.Millisecond
			mistaken.Credential.KeyFile, mistaken.Credential.Password = "", wrong
			transporttest.Run(t, transporttest.Harness{
				Dialer: dialer, Target: target(at, c.user), Signals: true,
				WrongPassword:     faulty(config, mistaken),
				UnknownKey:        faulty(stranger, target(at, c.user)),
				ChangedKey:        faulty(config, target(hosts["wrong-host-key"], c.user)),
				RefusedPort:       faulty(config, target(hosts["refused"], c.user)),
				SilentPeer:        faulty(brief, target(hosts["silent"], c.user)),
				ElevatePassword:   become(at, "ops", password),
				ElevateNoPassword: become(at, "deploy", transports.Secret{}),
				ElevateWrong:      become(at, "ops", wrong),
				ElevateForbidden:  become(at, "guest", password),
				Secrets:           []transports.Secret{password, wrong},
				Log: func() string {
					mu.Lock()
					defer mu.Unlock()
					return logged.String()
				},
			})
		})
	}
}

// confFleet is a fleet with a host of each kind without a fault, and its
// known_hosts file.
func confFleet(t *testing.T) (*lab.Fleet, string) {
	t.Helper()
	fleet, err := lab.Start(t.Context(), lab.Config{
		Hosts: 60, Seed: 1, Clean: 0.5,
		Faults: lab.FaultMix{{Fault: "refused", Hosts: 1}, {Fault: "silent", Hosts: 1}, {Fault: "wrong-host-key", Hosts: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fleet.Close() })
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(fleet.KnownHosts()), 0o600); err != nil {
		t.Fatal(err)
	}
	return fleet, known
}

func newDialer(t *testing.T, config ssh.Config) *ssh.Dialer {
	t.Helper()
	d, err := ssh.NewDialer(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}
