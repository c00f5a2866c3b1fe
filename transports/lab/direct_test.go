package lab

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/transporttest"
)

// offlineTarget is a host of an offline fleet, for an account that logs in by
// its name.
func offlineTarget(h HostInfo, user string) transports.Target {
	return transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Credential: transports.Credential{Name: user, User: user}}
}

// TestDirectConformance runs the suite of all transports on hosts of each kind
// without a wire.
func TestDirectConformance(t *testing.T) {
	f := newFleet(t, Config{
		Hosts: 60, Windows: 4, Seed: 1, Clean: 0.5, Speed: 1, Offline: true,
		Faults:        FaultMix{{Fault: "refused", Hosts: 1}, {Fault: "silent", Hosts: 1}, {Fault: "wrong-host-key", Hosts: 1}},
		WindowsFaults: FaultMix{{Fault: "refused", Hosts: 1}, {Fault: "silent", Hosts: 1}, {Fault: "wrong-certificate", Hosts: 1}},
	})
	hosts, windows := map[string]HostInfo{}, map[string]HostInfo{}
	for _, h := range f.Hosts() {
		switch {
		case f.winByName[h.Name] != nil:
			windows[h.Fault] = h
		case h.Fault != "":
			hosts[h.Fault] = h
		case hosts[h.OS].Name == "":
			hosts[h.OS] = h
		}
	}
	at := func(d transports.Dialer, target transports.Target) func(*testing.T) (transports.Dialer, transports.Target) {
		return func(*testing.T) (transports.Dialer, transports.Target) { return d, target }
	}
	d, wrong := f.Dialer(), transports.NewSecret("not-the-password")
	hasty := &direct{fleet: f, patience: 20 * time.Millisecond}
	for _, c := range []struct{ os, user string }{
		{"debian", "root"}, {"ubuntu", "ops"}, {"rhel", "deploy"}, {"sles", "guest"}, {"alpine", "root"},
	} {
		t.Run(c.os+" "+c.user, func(t *testing.T) {
			t.Parallel()
			become := func(user string, password transports.Secret) *transports.Target {
				target := offlineTarget(hosts[c.os], user)
				target.Credential.Become, target.Credential.BecomePassword = "sudo", password
				return &target
			}
			mistaken := offlineTarget(hosts[c.os], "ops")
			mistaken.Credential.Password = wrong
			transporttest.Run(t, transporttest.Harness{
				Dialer: func(*testing.T) transports.Dialer { return d }, Target: offlineTarget(hosts[c.os], c.user), Signals: true,
				WrongPassword:     at(d, mistaken),
				ChangedKey:        at(d, offlineTarget(hosts["wrong-host-key"], c.user)),
				RefusedPort:       at(d, offlineTarget(hosts["refused"], c.user)),
				SilentPeer:        at(hasty, offlineTarget(hosts["silent"], c.user)),
				ElevatePassword:   become("ops", f.Password()),
				ElevateNoPassword: become("deploy", transports.Secret{}),
				ElevateWrong:      become("ops", wrong),
				ElevateForbidden:  become("guest", f.Password()),
				Secrets:           []transports.Secret{f.Password(), wrong},
			})
		})
	}
	t.Run("windows", func(t *testing.T) {
		t.Parallel()
		mistaken := offlineTarget(windows[""], `LAB\ops`)
		mistaken.Credential.Password = wrong
		transporttest.Run(t, transporttest.Harness{
			Shell:  "cmd",
			Dialer: func(*testing.T) transports.Dialer { return d }, Target: offlineTarget(windows[""], "ops"),
			WrongPassword: at(d, mistaken),
			ChangedKey:    at(d, offlineTarget(windows["wrong-certificate"], "ops")),
			RefusedPort:   at(d, offlineTarget(windows["refused"], "ops")),
			SilentPeer:    at(hasty, offlineTarget(windows["silent"], "ops")),
			Secrets:       []transports.Secret{f.Password(), wrong},
		})
	})
}

// TestOfflineCampaign: the hosts of an offline fleet have addresses of their
// own, and there is no authority.
func TestOfflineCampaign(t *testing.T) {
	f := newFleet(t, Config{Hosts: 300, Windows: 300, Offline: true})
	seen := map[string]string{}
	for _, h := range f.Hosts() {
		if ip := net.ParseIP(h.Address); ip == nil || !benchmarks.Contains(ip) || seen[h.Address] != "" || h.Port == 0 {
			t.Errorf("%s has the address %s, which is also that of %q", h.Name, h.Address, seen[h.Address])
		}
		seen[h.Address] = h.Name
	}
	dir := t.TempDir()
	if err := f.WriteCampaign(dir); err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{campaignFile: true, hostsFile: true, passwordFile: true, authorityFile: false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s: %v, want it there: %v", name, err, there)
		}
	}
}

// benchmarks is the network for benchmarks (RFC 2544, C.2.2).
var benchmarks = net.IPNet{IP: net.IPv4(198, 18, 0, 0), Mask: net.CIDRMask(15, 32)}
