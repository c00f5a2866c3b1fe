package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/probe"
	"oust/remediate/storetest"
	"oust/transports"
	"oust/transports/lab"
)

// model is a look at a simulated host that others repeat under their names.
type model struct {
	look remediate.Look
	// script is the digest of the script that removes what was found.
	script string
}

// models are looks of each kind of host.
type models struct {
	found, clean []model
	scripts      []string
}

// makeModels looks at a small simulated fleet, and plans its removal.
func makeModels(ctx context.Context) (*models, error) {
	fleet, err := lab.Start(ctx, lab.Config{Hosts: 60, Windows: 30, Seed: 3, Clean: 0.3, Offline: true})
	if err != nil {
		return nil, err
	}
	m, err := scanFleet(ctx, fleet)
	return m, errors.Join(err, fleet.Close())
}

func scanFleet(ctx context.Context, fleet *lab.Fleet) (*models, error) {
	library, err := playbooks.Embedded()
	if err != nil {
		return nil, err
	}
	store := storetest.NewMemory(time.Now)
	e, err := engine.New(engine.Config{
		Store: store, Dialer: fleet.Dialer(), Library: library, Campaign: remediate.Campaign{Name: "models", Waves: []remediate.WaveSize{{Share: 1}}},
		Target: func(h remediate.Host) (transports.Target, error) {
			user := "root"
			if h.Platform == remediate.Windows {
				user = "ops"
			}
			c := transports.Credential{User: user, Password: fleet.Password(), KeyFile: "key"}
			return transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Credential: c}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	var hosts []remediate.Host
	for _, info := range fleet.Hosts() {
		h := remediate.Host{Name: info.Name, Address: info.Address, Port: info.Port, Platform: remediate.Linux, Transport: remediate.TransportSSH}
		if strings.HasPrefix(info.OS, "windows-") || strings.HasPrefix(info.OS, "server-") {
			h.Platform, h.Transport = remediate.Windows, remediate.TransportWinRM
		}
		hosts = append(hosts, h)
	}
	if _, err := e.Scan(ctx, nil, hosts); err != nil {
		return nil, err
	}
	plan, err := e.Plan(ctx, hosts)
	if err != nil {
		return nil, err
	}
	return sortModels(ctx, store, plan)
}

// sortModels takes the last look at each host.
func sortModels(ctx context.Context, store remediate.Store, plan *remediate.Plan) (*models, error) {
	m := &models{}
	for _, s := range plan.Scripts {
		m.scripts = append(m.scripts, s.Digest)
	}
	scripts := map[string]string{}
	for _, h := range plan.Hosts {
		scripts[h.Name] = h.Script
	}
	for st, err := range store.HostStates(ctx) {
		if err != nil {
			return nil, err
		}
		for look, err := range store.HostLooks(ctx, st.Host) {
			if err != nil {
				return nil, err
			}
			switch {
			case look.Class != "":
			case scripts[st.Host] != "":
				m.found = append(m.found, model{look, scripts[st.Host]})
			case len(look.Findings) == 0:
				m.clean = append(m.clean, model{look: look})
			}
		}
	}
	if len(m.found) == 0 || len(m.clean) == 0 {
		return nil, fmt.Errorf("the simulated fleet gave %d looks with findings and %d without; some of each are needed", len(m.found), len(m.clean))
	}
	return m, nil
}

// as is the look as one at another host, with a boot and frames of its own, so
// that no two hosts have printed the same.
func (m model) as(x *member, kind remediate.LookKind, at time.Time) (remediate.Look, error) {
	l := m.look
	boot, raw := x.boot, l.Raw
	part := l.BootID
	if _, shutdown, ok := strings.Cut(l.BootID, windowsBoot); ok {
		part, boot = shutdown, strings.ToUpper(boot[:8]+boot[9:13]+boot[14:18])
	}
	frame, _, _ := bytes.Cut(raw, []byte(" "))
	if part == "" || !bytes.Contains(raw, []byte(part)) || len(frame) != 33 {
		return l, fmt.Errorf("the look at %s has no boot or no frames that can be made another host's", l.Host)
	}
	raw = bytes.ReplaceAll(raw, frame, []byte("@"+strings.ReplaceAll(x.boot, "-", "")))
	raw = bytes.ReplaceAll(raw, []byte(part), []byte(boot))
	l.BootID = strings.Replace(l.BootID, part, boot, 1)
	l.Host, l.Kind, l.At, l.Raw, l.RawDigest = x.host.Name, kind, at, raw, ""
	_, err := probe.Reparse(raw)
	return l, err
}

// windowsBoot stands in the boot id of a Windows host before what its registry
// says.
const windowsBoot = "shutdown-"
