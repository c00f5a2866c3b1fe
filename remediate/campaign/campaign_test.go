package campaign

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

const whole = `campaign: kaspersky-2026
mandate: bod-17-01
issued: 2026-10-01
finish: 2026-12-20
inventory: [hosts.csv, more.yaml]
playbooks: kaspersky
credentials:
  linux: {user: root, key: keys/id}
  ops: {user: ops, agent: true, password: env:PW, become: sudo, become_password: file:pw.txt}
secrets: {kes: file:secrets/kes.txt}
defaults: {transport: ssh, credential: linux, zone: America/New_York, site: hq}
ssh: {known_hosts: known_hosts, host_keys: accept-new, config: none}
winrm: {ca: corp-ca.pem}
look: {powershell: true}
concurrency: {hosts: 50, per_site: 20}
waves: [1, 5, 5%, 25%, 100%]
stop: {failed: 2.5%, failed_hosts: 0, unreachable: 100%}
timing: {connect: 5s, plan_expiry: 2d}
`

func TestParse(t *testing.T) {
	got, err := parse("/c", "/c/campaign.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	want := remediate.Campaign{
		Dir: "/c", Name: "kaspersky-2026", Mandate: "bod-17-01", Issued: day("2026-10-01"), Finish: day("2026-12-20"),
		Inventory: []string{"hosts.csv", "more.yaml"}, Playbooks: []string{"kaspersky"},
		Creds: map[string]remediate.CredentialSpec{
			"linux": {User: "root", Key: "/c/keys/id"},
			"ops":   {User: "ops", Agent: true, Password: "env:PW", Become: "sudo", BecomePassword: "file:pw.txt"},
		},
		Secrets:  map[string]string{"kes": "file:secrets/kes.txt"},
		Defaults: remediate.HostDefaults{Transport: "ssh", Credential: "linux", Zone: "America/New_York", Site: "hq"},
		SSH:      remediate.SSHSettings{KnownHosts: []string{"/c/known_hosts"}, HostKeys: "accept-new", Config: "none"},
		WinRM:    remediate.WinRMSettings{CA: "/c/corp-ca.pem", Verify: "full"},
		Look:     remediate.LookSettings{PowerShell: true},
		Limits:   remediate.Concurrency{Hosts: 50, PerSite: 20},
		Waves:    []remediate.WaveSize{{Hosts: 1}, {Hosts: 5}, {Share: 0.05}, {Share: 0.25}, {Share: 1}},
		Stop:     remediate.StopRules{Failed: 0.025, FailedHosts: 0, Unreachable: 1},
		Timing:   remediate.Timing{Connect: 5 * time.Second, PlanExpiry: 48 * time.Hour}.WithDefaults(),
		Reboot:   remediate.RebootSettings{}.WithDefaults(),
		Watch:    remediate.WatchSettings{}.WithDefaults(),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	edit := func(old, now string) string { return strings.Replace(whole, old, now, 1) }
	tests := []struct{ name, text, want string }{
		{"unknown key", edit("credentials:", "credntials:"), `campaign.yaml:7:1: unknown key "credntials"; did you mean "credentials"?`},
		{"unknown key below", edit("agent: true", "agnet: true"), `did you mean "agent"?`},
		{"no name", edit("campaign: kaspersky-2026\n", ""), "campaign.yaml: campaign: missing"},
		{"no inventory", edit("inventory: [hosts.csv, more.yaml]\n", ""), "inventory: missing"},
		{"bad date", edit("2026-10-01", "1.10.2026"), "campaign.yaml:3:9: \"1.10.2026\" is not a date"},
		{"finish first", edit("2026-12-20", "2025-12-20"), "finish: is before issued"},
		{"a secret written out", edit("env:PW", "hunter2"), "campaign.yaml:9: credentials.ops.password: secrets do not stand in this file"},
		{"a playbook's secret written out", edit("file:secrets/kes.txt", "hunter2"), "secrets.kes: secrets do not stand"},
		{"no way to log in", edit(", key: keys/id", ""), "credentials.linux: says no way to log in"},
		{"no user", edit("user: root, ", ""), "credentials.linux.user: missing"},
		{"unknown default", edit("credential: linux", "credential: linx"), `did you mean "linux"?`},
		{"unknown become", edit("become: sudo", "become: su"), `credentials.ops.become: "su" is not known; want sudo`},
		{"unknown host_keys", edit("accept-new", "ask"), `ssh.host_keys: "ask" is not known; want strict or accept-new`},
		{"unknown winrm setting", edit("{ca: corp-ca.pem}", "{cacert: x}"), `unknown key "cacert"`},
		{"unknown verify", edit("{ca: corp-ca.pem}", "{verify: nope}"), `winrm.verify: "nope" is not known; want full or none`},
		{"bad fingerprint", edit("{ca: corp-ca.pem}", "{fingerprints: [ab]}"), "winrm.fingerprints: entry 1 is not a SHA-256 sum"},
		{"two ways to trust", edit("{ca: corp-ca.pem}", "{ca: a, fingerprints: ["+strings.Repeat("ab", 32)+"]}"), "by ca or by fingerprints, not by both"},
		{"trust without TLS", edit("{ca: corp-ca.pem}", "{plain: true, ca: a}"), "winrm.plain: without TLS there is no certificate"},
		{"trust unused", edit("{ca: corp-ca.pem}", "{verify: none, ca: a}"), "leaves ca and fingerprints unused"},
		{"a proxy with a password", edit("{ca: corp-ca.pem}", "{proxy: 'http://u:hunter2@p:80'}"), "winrm.proxy: write http://host:port"},
		{"bastions and a proxy", edit("{ca: corp-ca.pem}", "{proxy: 'http://p:80', jump: b, jump_credential: linux}"), "winrm.jump: hosts are reached through bastions or through a proxy"},
		{"bastions without a login", edit("{ca: corp-ca.pem}", "{jump: b}"), "winrm.jump_credential: missing"},
		{"an unknown login of bastions", edit("{ca: corp-ca.pem}", "{jump: b, jump_credential: nobody}"), "there is no credential"},
		{"a login of no bastion", edit("{ca: corp-ca.pem}", "{jump_credential: linux}"), "there is no winrm.jump"},
		{"unknown auth", edit("agent: true,", "auth: digest,"), `credentials.ops.auth: "digest" is not known`},
		{"basic in the clear", strings.Replace(edit("agent: true,", "auth: basic,"), "{ca: corp-ca.pem}", "{plain: true}", 1), "basic sends the password as it is"},
		{"ntlm without a password", edit("agent: true, password: env:PW", "agent: true, auth: ntlm"), "credentials.ops.auth: ntlm needs a password"},
		{"kerberos' keys without kerberos", edit("agent: true,", "agent: true, keytab: k,"), "credentials.ops.keytab: without auth: kerberos it is never used"},
		{"two kerberos accounts", edit("agent: true,", "auth: kerberos, keytab: k, ccache: c,"), "comes from keytab or from ccache, not from both"},
		{"a cache that is no file", edit("agent: true,", "auth: kerberos, ccache: 'KCM:0',"), "credentials.ops.ccache: only a cache in a file"},
		{"two realms", edit("user: ops, agent: true,", "user: ops@A, auth: kerberos, realm: B,"), "credentials.ops.realm: is another than that of user"},
		{"half a certificate", edit("agent: true, ", "agent: true, auth: certificate, "), "certificate needs certificate and key"},
		{"unknown look setting", edit("{powershell: true}", "{powershel: true}"), `campaign.yaml:14:8: unknown key "powershel"; did you mean "powershell"?`},
		{"half a look", edit("{powershell: true}", "{powershell: maybe}"), "campaign.yaml:14:"},
		{"bad zone", edit("America/New_York", "America/Gotham"), "is not a time zone"},
		{"bad share", edit("2.5%", "250%"), "is not a share from 0% to 100%"},
		{"bad wave", edit("[1, 5,", "[0, 5,"), "is not a number of hosts"},
		{"bad time", edit("connect: 5s", "connect: 5"), "is not a time such as 30s"},
		{"no hosts at once", edit("hosts: 50", "hosts: 0"), "concurrency.hosts: 0 is not a number from 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse("/c", "/c/campaign.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("parse: %v; want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := parse("/c", "/c/campaign.yaml", []byte("campaign: a\n"))
	for _, want := range []string{"mandate: missing", "issued: missing", "inventory: missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse: %v; want %q in it", err, want)
		}
	}
}

// TestSSHConfigMayNameTheRest: what a credential leaves out can stand in
// ~/.ssh/config.
func TestSSHConfigMayNameTheRest(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("config: none", "config: ssh_config", "user: root, key: keys/id", "").Replace(whole)
	c, err := parse("/c", "/c/campaign.yaml", []byte(text))
	if err != nil || c.SSH.Config != "/c/ssh_config" || c.Creds["linux"] != (remediate.CredentialSpec{}) {
		t.Errorf("%+v, %v", c.Creds, err)
	}
}

// TestKerberosKeys: a cache of tickets is a way to log in, and names the user.
func TestKerberosKeys(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("user: root, key: keys/id", "auth: kerberos, ccache: 'FILE:cc'",
		"user: ops, agent: true, password: env:PW", "user: ops, auth: kerberos, realm: LAB, keytab: ~/k",
		"{ca: corp-ca.pem}", "{krb5_conf: krb5.conf}").Replace(whole)
	c, err := parse("/c", "/c/campaign.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]remediate.CredentialSpec{
		"linux": {Auth: "kerberos", CCache: "/c/cc"},
		"ops":   {User: "ops", Auth: "kerberos", Realm: "LAB", Keytab: Path("/c", "~/k"), Become: "sudo", BecomePassword: "file:pw.txt"},
	}
	if d := cmp.Diff(want, c.Creds); d != "" || c.WinRM.Krb5Conf != "/c/krb5.conf" {
		t.Errorf("%s%+v", d, c.WinRM)
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if got, want := Place(dir, "secrets.kes"), path+": secrets.kes"; got != want {
		t.Errorf("without a file %q, want %q", got, want)
	}
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	for key, line := range map[string]string{
		"secrets.kes": ":10", "credentials.ops.password": ":9", "credentials.ops.key_passphrase": "",
	} {
		if got, want := Place(dir, key), path+line+": "+key; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestInitLoads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `odd "name" ü`)
	issued := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	if err := Init(dir, "bod-17-01", issued, remediate.LedgerSettings{}); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Look.PowerShell {
		t.Error("a new campaign asks PowerShell")
	}
	if c.Mandate != "bod-17-01" || !c.Issued.Equal(issued) || c.Stop.FailedHosts != 20 || len(c.Waves) != 5 {
		t.Errorf("loaded %+v", c)
	}
	if err := Init(dir, "bod-17-01", issued, remediate.LedgerSettings{}); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("a second init: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "hosts.csv")); err != nil || string(b) != hostsHeader {
		t.Errorf("hosts.csv: %q, %v", b, err)
	}
}

// TestInitExamples: what stands in the template as an example is taken when
// its mark is removed.
func TestInitExamples(t *testing.T) {
	t.Parallel()
	text, err := initText("/c", "bod-17-01", time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), remediate.LedgerSettings{})
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile(`^# ( |[a-z_]+:)`)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if example.MatchString(line) {
			lines[i] = line[len("# "):]
		}
	}
	c, err := parse("/c", "/c/campaign.yaml", []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Windows) != 2 || len(c.Blackouts) != 1 || len(c.Retry) != 2 || len(c.Reverify) != 2 || c.Reboot.Policy != remediate.RebootInWindow || c.Secrets == nil || c.WinRM.CA == "" || c.Form.Agency == "" || len(c.Form.Costs) != 1 || c.Ledger.Passphrase == "" {
		t.Errorf("%+v", c)
	}
	if d := cmp.Diff(remediate.Timing{}.WithDefaults(), c.Timing); d != "" {
		t.Errorf("the template's times are not the built-in ones: %s", d)
	}
	reboot := c.Reboot
	reboot.Policy = ""
	if d := cmp.Diff(remediate.RebootSettings{}.WithDefaults(), reboot.WithDefaults()); d != "" {
		t.Errorf("nor what it says of restarts: %s", d)
	}
	if c.Watch != (remediate.WatchSettings{}.WithDefaults()) {
		t.Errorf("nor how hosts are watched: %+v", c.Watch)
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hosts.csv"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Init(dir, "bod-17-01", time.Now(), remediate.LedgerSettings{}); err == nil {
		t.Error("init wrote beside a hosts.csv that was there")
	}
	if _, err := os.Stat(filepath.Join(dir, FileName)); err == nil {
		t.Error("init left a campaign.yaml")
	}
}

func TestLoadWithoutCampaign(t *testing.T) {
	_, err := Load(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "oust init DIR") {
		t.Errorf("Load: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("waves: [1, 50%]"))
	f.Add([]byte(bare + weeks))
	f.Add([]byte(bare + "retry: {busy: {tries: 1.5, pause: [x], 3: {}}, auth: ~}\nwindows: [~, {}]\nstop: {classes: {busy: ~}}\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parse("/c", "/c/campaign.yaml", b) })
}

// TestInitLedger: what is said of the key stands in the file.
func TestInitLedger(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "c")
	key := remediate.LedgerSettings{Key: filepath.Join(dir, `a "b" \ c.key`), Passphrase: "env:LEDGER"}
	if err := Init(dir, "bod-17-01", time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), key); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir)
	if err != nil || c.Ledger != key {
		t.Errorf("%v: %+v, want %+v", err, c.Ledger, key)
	}
}
