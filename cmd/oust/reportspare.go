package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"oust/remediate/campaign"
)

// spareOwn refuses to write over what the campaign is made of, whatever --force
// says.
func (w *workspace) spareOwn(outs []reportOutput) error {
	var own []os.FileInfo // of those that are there
	for _, path := range w.ownFiles() {
		if info, err := os.Stat(path); err == nil {
			own = append(own, info)
		}
	}
	for _, o := range outs {
		there, err := os.Stat(o.path)
		if err != nil {
			continue
		}
		same := func(info os.FileInfo) bool { return os.SameFile(info, there) }
		if slices.ContainsFunc(own, same) || isPlan(o.path) {
			return fmt.Errorf("-o %s is a file of the campaign itself; choose another name", o.path)
		}
	}
	return nil
}

// isPlan reports whether a file is a plan: what was applied is evidence.
func isPlan(path string) bool {
	_, err := readPlanFile(path)
	return err == nil
}

// ownFiles are the paths of all files that the campaign is made of or names,
// whether they are there or not.
func (w *workspace) ownFiles() []string {
	c := &w.campaign
	names := []string{campaign.FileName, w.keyPath(), w.keyPath() + ".new", w.publicPath(), c.Ledger.Identity, fileOf(c.Ledger.Passphrase)}
	for _, ending := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
		names = append(names, storeName+ending)
	}
	names = append(names, "~/.ssh/known_hosts", c.Mandate, c.SSH.Config, c.WinRM.CA, c.WinRM.Krb5Conf)
	names = slices.Concat(names, c.Inventory, c.Playbooks, c.SSH.KnownHosts)
	for _, cred := range c.Creds {
		names = append(names, cred.Key, cred.Certificate, cred.Keytab, cred.CCache,
			fileOf(cred.KeyPassphrase), fileOf(cred.Password), fileOf(cred.BecomePassword))
	}
	for secret := range maps.Values(c.Secrets) {
		names = append(names, fileOf(secret))
	}
	var out []string
	for _, name := range names {
		if name != "" {
			out = append(out, campaign.Path(c.Dir, name))
		}
	}
	return out
}

// fileOf is the path in a reference to a secret, empty for one of another kind.
func fileOf(reference string) string {
	path, _ := strings.CutPrefix(reference, "file:")
	if path == reference {
		return ""
	}
	return path
}
