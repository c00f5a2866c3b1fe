package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"oust/remediate"
	"oust/remediate/campaign"
	"oust/remediate/engine"
	"oust/remediate/ledger"
)

// ready makes the engine of a run, and records what the run works with.
func (w *workspace) ready(ctx context.Context, sink engine.Sink) (*engine.Engine, error) {
	e, err := w.engine(sink)
	if err != nil {
		return nil, err
	}
	return e, w.recordSettings(ctx, e.Probes())
}

// recordSettings puts what a run works with into the ledger, unless its newest
// record of that kind says the same.
func (w *workspace) recordSettings(ctx context.Context, probes []remediate.FileDigest) error {
	now, err := w.settings()
	now.Probes = probes
	if err != nil {
		return fmt.Errorf("record the settings: %w", err)
	}
	last, err := w.store.LastSettings(ctx)
	if err != nil && !errors.Is(err, remediate.ErrNotFound) {
		return fmt.Errorf("record the settings: %w", err)
	}
	if err == nil {
		same, err := sameSettings(last.Text, now)
		if err != nil || same {
			return err
		}
	}
	return w.store.Note(ctx, remediate.Record{Kind: remediate.RecordSettings, At: w.a.now().UTC(), Body: now})
}

// sameSettings reports whether a record says those settings.
func sameSettings(text []byte, now remediate.Settings) (bool, error) {
	n, r, err := ledger.Decode(text)
	if err != nil {
		return false, err
	}
	r.Body = now
	again, err := ledger.Encode(n, r)
	return bytes.Equal(again, text), err
}

// settings are those of the campaign as it was read.
func (w *workspace) settings() (remediate.Settings, error) {
	text, err := os.ReadFile(filepath.Join(w.campaign.Dir, campaign.FileName))
	if err != nil {
		return remediate.Settings{}, err
	}
	inventory, err := w.inventoryDigests()
	return remediate.Settings{
		Campaign: remediate.Digest(text), Inventory: inventory,
		Mandate:   remediate.FileDigest{Name: w.campaign.Terms.Name, Digest: w.campaign.Terms.Digest},
		Playbooks: w.library.Refs(), Lowered: lowered(w.campaign, len(w.hosts)), Version: version(),
	}, err
}

// resolvedName stands for all hosts as they were read, whatever files, folders
// or pipes they came from.
const resolvedName = "(hosts as resolved)"

// maxInventoryFile bounds the files whose digests are taken, in bytes.
const maxInventoryFile = 256 << 20

// inventoryDigests are those of the files that the campaign names, and of the
// hosts that they gave.
func (w *workspace) inventoryDigests() ([]remediate.FileDigest, error) {
	var out []remediate.FileDigest
	for _, name := range w.campaign.Inventory {
		path := campaign.Path(w.campaign.Dir, name)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() { // a folder, or standard input: the hosts tell
			continue
		}
		text, err := readAtMost(path, maxInventoryFile)
		if err != nil {
			return nil, err
		}
		out = append(out, remediate.FileDigest{Name: name, Digest: remediate.Digest(text)})
	}
	hosts := slices.Clone(w.hosts)
	for i := range hosts {
		hosts[i].Origin = "" // a comment that moves lines changes no host
	}
	text, err := json.Marshal(hosts)
	if err != nil {
		return nil, err
	}
	return append(out, remediate.FileDigest{Name: resolvedName, Digest: remediate.Digest(text)}), nil
}

// lowered names the settings of a campaign of so many hosts that lower a guard,
// sorted.
func lowered(c remediate.Campaign, hosts int) []string {
	var out []string
	add := func(is bool, what string) {
		if is {
			out = append(out, what)
		}
	}
	add(c.SSH.HostKeys == "accept-new", "ssh.host_keys: accept-new")
	add(c.WinRM.Verify == "none", "winrm.verify: none")
	add(c.WinRM.Plain, "winrm.plain: true")
	for name, spec := range c.Creds {
		add(spec.Auth == "basic", "credentials."+name+".auth: basic")
	}
	add(c.Stop.Failed >= 1, "stop.failed: "+percent(c.Stop.Failed))
	add(c.Stop.FailedHosts < 0, "stop.failed_hosts: none")
	add(c.Stop.Unreachable >= 1, "stop.unreachable: "+percent(c.Stop.Unreachable))
	add(len(c.Waves) > 0 && (c.Waves[0].Share >= 1 || hosts > 1 && c.Waves[0].Hosts >= hosts), "waves: all hosts at once")
	add(c.Reboot.Policy == remediate.RebootAlways, "reboot.policy: always")
	for class, rule := range c.Retry {
		add(rule.Tries < 0, "retry."+string(class)+".tries: without end")
	}
	slices.Sort(out)
	return out
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', -1, 64) + "%" }
