// Package campaign reads and makes campaign folders: campaign.yaml and what
// stands beside it.
package campaign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/strictyaml"
)

// FileName is the name of the campaign's file in its folder.
const FileName = "campaign.yaml"

// Limits of what a campaign may set.
const (
	maxHostsAtOnce = 100_000
	maxWaves       = 1000
	maxName        = 100
)

// Load reads the campaign of a folder. Errors name the file and, where there
// is one, the line; every reference to a secret is checked for its form, and
// none is resolved. Campaign.Milestones and Terms are left to the caller.
func Load(dir string) (remediate.Campaign, error) {
	path := filepath.Join(dir, FileName)
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return remediate.Campaign{}, fmt.Errorf("%s: there is no campaign here; make one with 'oust init DIR', or name its folder with -C", path)
	}
	if err != nil {
		return remediate.Campaign{}, fmt.Errorf("read the campaign: %w", err)
	}
	return parse(dir, path, data)
}

// readFile reads a file of at most the size that strictyaml takes, and one
// byte more so that it can say so.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, strictyaml.DefaultLimit+1))
}

func parse(dir, path string, data []byte) (remediate.Campaign, error) {
	var f file
	if err := strictyaml.Decode(path, data, &f); err != nil {
		return remediate.Campaign{}, err
	}
	if err := placed(path, data, f.check()); err != nil {
		return remediate.Campaign{}, err
	}
	return f.campaign(dir), nil
}

// placed joins problems into one error and gives each its line.
func placed(path string, data []byte, found []problem) error {
	if len(found) == 0 {
		return nil
	}
	lines := strictyaml.Lines(data)
	texts := make([]string, len(found))
	for i, p := range found {
		if p.line > 0 {
			texts[i] = fmt.Sprintf("%s:%d: %s: %s", path, p.line, p.key, p.text)
			continue
		}
		texts[i] = place(path, lines, p.key) + ": " + p.text
	}
	return errors.New(strings.Join(texts, "\n"))
}

// Place says where a key of a campaign's file stands, as FILE:LINE: KEY, for
// errors that only show when the campaign is used. KEY is the path to it, such
// as credentials.linux.password.
func Place(dir, key string) string {
	path := filepath.Join(dir, FileName)
	data, err := readFile(path)
	if err != nil {
		return fmt.Sprintf("%s: %s", path, key)
	}
	return place(path, strictyaml.Lines(data), key)
}

func place(path string, lines map[string]int, key string) string {
	if n, ok := lines[key]; ok {
		path = fmt.Sprintf("%s:%d", path, n)
	}
	return fmt.Sprintf("%s: %s", path, key)
}

// campaign brings the file into the domain's form.
func (f *file) campaign(dir string) remediate.Campaign {
	read := &problems{} // check has told them
	c := remediate.Campaign{
		Dir: dir, Name: f.Campaign, Mandate: f.Mandate, Issued: f.Issued.Time, Finish: f.Finish.Time,
		Inventory: f.Inventory, Playbooks: f.Playbooks, Secrets: f.Secrets,
		Creds: map[string]remediate.CredentialSpec{},
		Defaults: remediate.HostDefaults{
			Transport: f.Defaults.Transport, Credential: f.Defaults.Credential, Zone: f.Defaults.Zone,
			Site: f.Defaults.Site, Platform: remediate.Platform(f.Defaults.Platform),
		},
		SSH: remediate.SSHSettings{
			KnownHosts: paths(dir, f.SSH.KnownHosts), HostKeys: f.SSH.HostKeys, Config: f.SSH.Config,
		},
		WinRM: remediate.WinRMSettings{
			CA: Path(dir, f.WinRM.CA), Fingerprints: f.WinRM.Fingerprints, Verify: f.WinRM.Verify,
			Plain: f.WinRM.Plain, Proxy: f.WinRM.Proxy, Jump: f.WinRM.Jump, JumpCredential: f.WinRM.JumpCred,
			Krb5Conf: Path(dir, f.WinRM.Krb5Conf),
		},
		Look:   remediate.LookSettings{PowerShell: f.Look.PowerShell},
		Limits: remediate.Concurrency{Hosts: or(f.Concurrency.Hosts, 500), PerSite: or(f.Concurrency.PerSite, 200)},
		Stop: remediate.StopRules{
			Failed: float64(or(f.Stop.Failed, 0.05)), FailedHosts: or(f.Stop.FailedHosts, 20),
			Unreachable: float64(or(f.Stop.Unreachable, 0.30)), Classes: f.classStops(read), Bare: f.Stop.BareHosts,
		},
		Timing:  f.Timing.domain(),
		Windows: f.windows(read), Blackouts: f.blackouts(read), Retry: f.retries(read), Reboot: f.reboots(read),
		Watch: f.watched(read), Reverify: f.reverified(read),
		Form: f.Report.domain(), Ledger: f.Ledger.domain(dir),
	}
	if c.SSH.Config != "" && c.SSH.Config != "none" {
		c.SSH.Config = Path(dir, c.SSH.Config)
	}
	if c.SSH.HostKeys == "" {
		c.SSH.HostKeys = "strict"
	}
	if c.WinRM.Verify == "" {
		c.WinRM.Verify = "full"
	}
	for name, cr := range f.Credentials {
		c.Creds[name] = cr.spec(dir)
	}
	for _, w := range f.Waves {
		c.Waves = append(c.Waves, remediate.WaveSize(w))
	}
	return c
}

func (t timing) domain() remediate.Timing {
	return remediate.Timing{
		Connect: time.Duration(t.Connect), Probe: time.Duration(t.Probe), LaunchWait: time.Duration(t.LaunchWait),
		Job: time.Duration(t.Job), Poll: time.Duration(t.Poll), BusyWait: time.Duration(t.BusyWait),
		PlanExpiry: time.Duration(t.PlanExpiry), Expected: time.Duration(t.Expected),
	}.WithDefaults()
}

func (c credential) spec(dir string) remediate.CredentialSpec {
	return remediate.CredentialSpec{
		User: c.User, Key: Path(dir, c.Key), KeyPassphrase: c.KeyPassphrase, Certificate: Path(dir, c.Certificate),
		Agent: c.Agent, Password: c.Password, Become: c.Become, BecomePassword: c.BecomePassword,
		Auth: c.Auth, Realm: c.Realm, Keytab: Path(dir, c.Keytab), CCache: Path(dir, strings.TrimPrefix(c.CCache, "FILE:")),
	}
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// Path resolves a path of the campaign's file: ~ is the home folder, and a
// relative path starts in the campaign's folder. Empty stays empty.
func Path(dir, p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}

func paths(dir string, ps []string) []string {
	out := make([]string, 0, len(ps))
	for _, p := range ps {
		out = append(out, Path(dir, p))
	}
	return out
}
