package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/transports/lab"
)

// labStory is a campaign of months on a lab without a wire, in the time of a
// bubble of testing/synctest: only what is typed takes real time, and every
// date is the same each time.
type labStory struct {
	t     *testing.T
	fleet *lab.Fleet
	dir   string
	yaml  string // campaign.yaml as it stands
	roles map[string]*role
	// linux and windows are the hosts that have a product and no fault.
	linux, windows []string
}

// role is what a host is in the story.
type role struct {
	site, tag  string
	credential string // default that of its platform
	gone       bool   // has left the inventory
}

// labFaults and labWindowsFaults are what goes wrong in the story.
const (
	labFaults = "refused=2,silent=1,wrong-host-key=1,login-refused=1,lock-held=1,uninstaller-fails=1,lies=2,residue=1,hangs=1," +
		"reboot-needed=1,reboot-lost=1"
	labWindowsFaults = "wrong-password=1,no-scheduler=1,reinstalls=1,wrong-certificate=1"
)

// storyCampaign lets changes be made at weekends, and in the branches early on
// Mondays.
const storyCampaign = `campaign: kaspersky-2026
mandate: bod-17-01
issued: 2026-10-01
inventory: [hosts.csv]
playbooks: [kaspersky/kesl, kaspersky/klnagent, kaspersky/kes-windows]
credentials:
  linux: {user: root, key: lab_key}
  guest: {user: guest, key: lab_key, become: sudo}
  windows: {user: ops, password: 'file:windows_password', auth: ntlm}
defaults: {transport: ssh, credential: linux, platform: linux, zone: America/New_York}
ssh: {known_hosts: known_hosts, host_keys: strict, config: none}
waves: [1, 5, 100%]
stop: {failed: 100%, failed_hosts: 50, unreachable: 100%}
windows:
  - {days: [sat, sun], start: "22:00", length: 6h, sites: [hq, plant]}
  - {days: [mon], start: "03:00", length: 3h, sites: [branch]}
reboot: {policy: never}
timing: {job: 20m, poll: 5s, plan_expiry: 14d}
report:
  agency: Department of Examples
  contact: {name: Ann Operator, mail: ann@example.gov}
  components: [Headquarters, Plant North, Branch Offices]
  mission: Publishing of examples
  replacement: Microsoft Defender for Endpoint
  requirements: {anti-malware: SI-3 rests on the removed product until its replacement runs}
  challenges: [laptops that are away]
`

// zones are those of the sites.
var zones = map[string]string{"hq": "America/New_York", "plant": "America/New_York", "branch": "America/Chicago"}

// newLabStory makes the hosts and the campaign's folder. It is called in a
// bubble.
func newLabStory(t *testing.T) *labStory {
	t.Helper()
	s := &labStory{t: t, dir: filepath.Join(t.TempDir(), "campaign"), yaml: storyCampaign, roles: map[string]*role{}}
	s.at("2026-10-01 08:00")
	faults, err := lab.ParseFaults(labFaults)
	if err != nil {
		t.Fatal(err)
	}
	windows, err := lab.ParseWindowsFaults(labWindowsFaults)
	if err != nil {
		t.Fatal(err)
	}
	s.fleet, err = lab.Start(context.WithoutCancel(t.Context()), lab.Config{
		Hosts: 24, Windows: 10, Seed: 10, Faults: faults, WindowsFaults: windows, Clean: 0.15, Offline: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.fleet.WriteCampaign(s.dir); err != nil {
		t.Fatal(err)
	}
	s.write("campaign.yaml", s.yaml)
	s.linux, s.windows = s.plain("lab"), s.plain("win")
	for i, h := range s.fleet.Hosts() {
		s.roles[h.Name] = &role{site: []string{"hq", "plant"}[i%2], tag: "main"}
	}
	return s
}

// at lets the time come.
func (s *labStory) at(minute string) {
	s.t.Helper()
	when, err := time.Parse("2006-01-02 15:04", minute)
	if err != nil {
		s.t.Fatal(err)
	}
	wait := time.Until(when.Add(5 * time.Second)) // off the full minute
	if wait <= 0 {
		s.t.Fatalf("%s has passed: it is %s", minute, time.Now().UTC())
	}
	time.Sleep(wait)
}

// oust types a command, and wants its exit code.
func (s *labStory) oust(want int, args ...string) string {
	s.t.Helper()
	var out, told bytes.Buffer
	a := &app{
		Streams: Streams{In: strings.NewReader(""), Out: &out, Err: &told}, now: time.Now, logger: hclog.NewNullLogger(),
		reach: s.fleet.Dialer(),
	}
	code := a.run(s.t.Context(), append([]string{"-C", s.dir}, args...))
	s.t.Logf("%s $ oust %s\n%s%s", time.Now().UTC().Format(time.DateTime), strings.Join(args, " "), out.String(), told.String())
	if code != want {
		s.t.Fatalf("oust %s: exit code %d, want %d", strings.Join(args, " "), code, want)
	}
	return out.String()
}

// file is the path of a file of the campaign.
func (s *labStory) file(name string) string { return filepath.Join(s.dir, name) }

func (s *labStory) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// set changes campaign.yaml.
func (s *labStory) set(from, to string) {
	s.t.Helper()
	if !strings.Contains(s.yaml, from) {
		s.t.Fatalf("campaign.yaml has no %q", from)
	}
	s.yaml = strings.Replace(s.yaml, from, to, 1)
	s.write("campaign.yaml", s.yaml)
}

// with are the hosts with any of the faults, by name.
func (s *labStory) with(faults ...string) []string {
	return s.hosts(func(h lab.HostInfo) bool { return slices.Contains(faults, h.Fault) })
}

// plain are the hosts of a platform, lab or win, that have a product and no
// fault.
func (s *labStory) plain(platform string) []string {
	return s.hosts(func(h lab.HostInfo) bool {
		return h.Fault == "" && len(h.Products) > 0 && strings.HasPrefix(h.Name, platform+"-")
	})
}

func (s *labStory) hosts(keep func(lab.HostInfo) bool) []string {
	var out []string
	for _, h := range s.fleet.Hosts() {
		if keep(h) {
			out = append(out, h.Name)
		}
	}
	return out
}

// tag puts hosts into the part of the campaign that is planned by that tag.
func (s *labStory) tag(tag string, hosts ...string) {
	for _, h := range hosts {
		s.roles[h].tag = tag
	}
}

// fault gives a host a fault, or takes it away.
func (s *labStory) fault(host, fault string) {
	s.t.Helper()
	if err := s.fleet.SetFault(host, fault); err != nil {
		s.t.Fatal(err)
	}
}

// exempt exempts a host.
func (s *labStory) exempt(host, until, reason string, more ...string) {
	s.t.Helper()
	s.oust(0, append([]string{"exempt", host, "--reason", reason, "--approver", "J. Doe, CISO", "--until", until}, more...)...)
}

// inventory writes hosts.csv by the roles of the hosts; more are rows of hosts
// that the lab does not have.
func (s *labStory) inventory(more ...string) {
	s.t.Helper()
	var b strings.Builder
	b.WriteString("name,address,port,platform,transport,credential,site,zone,owner,tags\n")
	for _, h := range s.fleet.Hosts() {
		r := s.roles[h.Name]
		platform, transport, credential := "linux", "ssh", cmp.Or(r.credential, "linux")
		if strings.HasPrefix(h.Name, "win-") {
			platform, transport, credential = "windows", "winrm", "windows"
		}
		if !r.gone {
			fmt.Fprintf(&b, "%s,%s,%d,%s,%s,%s,%s,%s,%s-ops@example.gov,%s\n",
				h.Name, h.Address, h.Port, platform, transport, credential, r.site, zones[r.site], r.site, r.tag)
		}
	}
	for _, row := range more {
		b.WriteString(row + "\n")
	}
	s.write("hosts.csv", b.String())
}
