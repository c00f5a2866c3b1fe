package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oust/remediate/campaign"
	"oust/remediate/sqlite"
	"oust/testdata/bench/timing"
)

// Files in the campaign's folder.
const (
	hostsFile = "hosts.csv"
	rowsFile  = "rows.tsv" // a line for each row that the store has of a host
)

// childMake makes the campaign.
const childMake = "make"

// campaignYAML has change windows and a blackout, as a campaign has.
const campaignYAML = `campaign: records
mandate: bod-17-01
issued: %s
inventory: [` + hostsFile + `]
playbooks: [kaspersky]
credentials:
  linux: {user: root, key: ~/.ssh/id_ed25519}
  windows: {user: ops, password: env:OUST_WINDOWS_PASSWORD}
waves: [1, 5, 5%%, 25%%, 100%%]
stop: {failed: 100%%, failed_hosts: 1000000, unreachable: 100%%}
windows:
  - {days: [sat, sun], start: "22:00", length: 6h, tags: [server]}
  - {days: weekdays, start: "12:00", length: 2h, tags: [office]}
blackouts:
  - {from: 2099-12-20, to: 2100-01-03, why: year-end freeze}
reboot: {policy: in-window}
`

// ensureCampaign makes the campaign's folder, unless it is there.
func ensureCampaign(ctx context.Context, s settings) error {
	_, err := os.Stat(filepath.Join(s.dir, rowsFile)) // is written last
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fmt.Fprintf(os.Stderr, "records: a campaign of %d hosts is made in %s\n", s.hosts, s.dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	const most = time.Hour
	_, err = timing.Run(ctx, ".", most, nil, []string{self, "-child", childMake, "-dir", s.dir, "-hosts", fmt.Sprint(s.hosts)})
	return err
}

// makeCampaign makes the folder with all that is in it.
func makeCampaign(ctx context.Context, s settings) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	m, err := makeModels(ctx)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	yaml := fmt.Sprintf(campaignYAML, now.Add(-60*24*time.Hour).Format(time.DateOnly))
	if err := os.WriteFile(filepath.Join(s.dir, campaign.FileName), []byte(yaml), 0o600); err != nil {
		return err
	}
	hosts := members(s.hosts, m)
	if err := writeHosts(filepath.Join(s.dir, hostsFile), hosts); err != nil {
		return err
	}
	if err := fillStore(ctx, s.dir, now, m, hosts); err != nil {
		return err
	}
	return writeRows(ctx, s.dir)
}

func writeHosts(path string, hosts []member) error {
	var b strings.Builder
	b.WriteString("name,address,port,platform,transport,credential,site,zone,owner,tags\n")
	for i := range hosts {
		h := &hosts[i].host
		fmt.Fprintf(&b, "%s,%s,,%s,%s,%s,%s,%s,%s,%s\n", h.Name, h.Address, h.Platform, h.Transport, h.Credential, h.Site, h.Zone, h.Owner, strings.Join(h.Tags, " "))
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// writeRows writes what the store has of each host as a line of text.
func writeRows(ctx context.Context, dir string) (err error) {
	store, err := sqlite.OpenReadOnly(ctx, filepath.Join(dir, sqlite.FileName), sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	f, err := os.Create(filepath.Join(dir, rowsFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	for st, err := range store.HostStates(ctx) {
		if err != nil {
			return err
		}
		if _, err := w.WriteString(rowText(st)); err != nil {
			return err
		}
	}
	return w.Flush()
}

// storeSize is how many bytes the store takes on disk.
func storeSize(dir string) (int64, error) {
	info, err := os.Stat(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
