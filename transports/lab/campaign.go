package lab

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Files of a campaign folder that WriteCampaign makes.
const (
	campaignFile   = "campaign.yaml"
	hostsFile      = "hosts.csv"
	keyFile        = "lab_key"
	knownHostsFile = "known_hosts"
	authorityFile  = "lab_ca.pem"
	passwordFile   = "windows_password"
)

// WriteCampaign makes a campaign folder for the fleet: campaign.yaml,
// hosts.csv, the key that logs in as root (readable by its owner only),
// known_hosts, and the state file, which is kept up to date from then on; for
// Windows hosts also the authority of their certificates, and the password of
// their administrator (readable by its owner only). The folder is made if it is not there; a campaign.yaml in it is an error.
func (f *Fleet) WriteCampaign(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the lab's campaign: %w", err)
	}
	key, err := f.keyPEM()
	if err != nil {
		return err
	}
	yaml, err := os.OpenFile(filepath.Join(dir, campaignFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the lab's campaign: %w", err)
	}
	_, err = yaml.WriteString(f.campaignYAML())
	if e := yaml.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write the lab's campaign: %w", err)
	}
	type campaignPart struct {
		name string
		data []byte
		perm os.FileMode
	}
	files := []campaignPart{
		{hostsFile, []byte(f.hostsCSV()), 0o644},
		{keyFile, key, 0o600},
		{knownHostsFile, []byte(f.KnownHosts()), 0o644},
	}
	if len(f.windows) > 0 {
		files = append(files, campaignPart{passwordFile, []byte(f.secret + "\n"), 0o600})
	}
	if f.winTLS != nil {
		files = append(files, campaignPart{authorityFile, f.winTLS.authority, 0o644})
	}
	for _, file := range files {
		if err := replaceFile(filepath.Join(dir, file.name), file.data, file.perm); err != nil {
			return err
		}
	}
	return f.DumpTo(filepath.Join(dir, StateFile))
}

func (f *Fleet) keyPEM() ([]byte, error) {
	block, err := ssh.MarshalPrivateKey(f.clientKey, "simulated fleet")
	if err != nil {
		return nil, fmt.Errorf("write the lab's key: %w", err)
	}
	return pem.EncodeToMemory(block), nil
}

// WriteKey writes the private key that logs in as any account of any host.
func (f *Fleet) WriteKey(path string) error {
	key, err := f.keyPEM()
	if err != nil {
		return err
	}
	return replaceFile(path, key, 0o600)
}

// ClientKey is the key that logs in as any account of any host.
func (f *Fleet) ClientKey() ed25519.PrivateKey { return f.clientKey }

// KnownHosts is a known_hosts file for the fleet, with the keys that the hosts
// have when they have no fault.
func (f *Fleet) KnownHosts() string {
	var b strings.Builder
	for _, h := range f.hosts {
		fmt.Fprintf(&b, "[%s]:%d %s", h.net.addr.IP, h.net.addr.Port, ssh.MarshalAuthorizedKey(h.key.PublicKey()))
	}
	return b.String()
}

func (f *Fleet) hostsCSV() string {
	var b strings.Builder
	if len(f.windows) > 0 {
		return f.mixedCSV()
	}
	b.WriteString("name,address,port,platform,site,tags\n")
	for i, h := range f.hosts {
		fmt.Fprintf(&b, "%s,%s,%d,linux,site-%d,%s\n", h.name, h.net.addr.IP, h.net.addr.Port, i%4+1, h.image.kind.id)
	}
	return b.String()
}

// mixedCSV is hostsCSV for a fleet with Windows hosts.
func (f *Fleet) mixedCSV() string {
	var b strings.Builder
	b.WriteString("name,address,port,platform,transport,credential,site,tags\n")
	for i, h := range f.hosts {
		fmt.Fprintf(&b, "%s,%s,%d,linux,ssh,lab,site-%d,%s\n", h.name, h.net.addr.IP, h.net.addr.Port, i%4+1, h.image.kind.id)
	}
	for i, w := range f.windows {
		addr := w.port.where()
		fmt.Fprintf(&b, "%s,%s,%d,windows,winrm,windows,site-%d,%s\n", w.name, addr.IP, addr.Port, i%4+1, w.image.Release.ID)
	}
	return b.String()
}

// Authority is the PEM of the authority that has signed the certificates of
// the Windows hosts; nil if there are none.
func (f *Fleet) Authority() []byte {
	if f.winTLS == nil {
		return nil
	}
	return f.winTLS.authority
}

// windowsYAML are the keys of a campaign for Windows hosts.
func (f *Fleet) windowsYAML() (credential, winrm string) {
	if len(f.windows) == 0 {
		return "", ""
	}
	if f.winTLS != nil {
		winrm = fmt.Sprintf("\nwinrm: {ca: %s}", authorityFile)
	}
	return fmt.Sprintf("\n  windows: {user: ops, password: 'file:%s', auth: ntlm}", passwordFile), winrm
}

// campaignYAML is a campaign whose limits let a run over the fleet go to its
// end in spite of the faults, and whose times fit the fleet's speed.
func (f *Fleet) campaignYAML() string {
	credential, winrm := f.windowsYAML()
	return fmt.Sprintf(`# A campaign for %d simulated hosts. It works while the lab runs.
campaign: lab
mandate: bod-17-01
issued: %s
inventory: [%s]
playbooks: [kaspersky]
credentials:
  lab: {user: root, key: %s}%s
defaults: {transport: ssh, credential: lab, platform: linux, zone: UTC}
ssh: {known_hosts: %s, host_keys: strict, config: none}%s
waves: [1, 5, 25%%, 100%%]
stop: {failed: 100%%, failed_hosts: %d, unreachable: 100%%}
timing: {connect: %s, probe: 2m, launch_wait: 10s, job: %s, poll: 1s, busy_wait: %s}
`, f.size(), f.clock.Now().UTC().Format("2006-01-02"), hostsFile, keyFile, credential, knownHostsFile, winrm, f.size(), f.connectTime(), f.jobTime(), f.busyTime())
}

func (f *Fleet) size() int { return len(f.hosts) + len(f.windows) }

// connectTime is what a login may take. A silent host holds up a small fleet
// for that long; a large one has the processors of its machine to share.
func (f *Fleet) connectTime() string {
	if f.size() > 100 {
		return "30s"
	}
	return "5s"
}

// jobTime is what a removal may take in real time: enough for an honest one,
// and short enough that one that hangs does not hold up a demonstration.
func (f *Fleet) jobTime() string {
	if f.config.Speed >= 5 {
		return "20s"
	}
	return "2m"
}

// busyTime is what a script waits for a lock, in the hosts' own time.
func (f *Fleet) busyTime() string {
	if f.config.Speed >= 5 {
		return "30s"
	}
	return "10s"
}
