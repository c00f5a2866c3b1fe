package campaign

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// check lists everything that is wrong with the values, in the file's order.
func (f *file) check() []problem {
	var p problems
	p.need("campaign", f.Campaign, "the campaign's name")
	if len(f.Campaign) > maxName || strings.ContainsFunc(f.Campaign, func(r rune) bool { return r < ' ' }) {
		p.add("campaign", "at most %d characters, on one line", maxName)
	}
	p.need("mandate", f.Mandate, "such as bod-17-01, or the path of a file")
	if f.Issued.IsZero() {
		p.add("issued", "missing; the day the mandate was issued, such as 2026-10-01")
	}
	if !f.Finish.IsZero() && f.Finish.Before(f.Issued.Time) {
		p.add("finish", "is before issued")
	}
	if len(f.Inventory) == 0 {
		p.add("inventory", "missing; name the files that hold the hosts, such as [hosts.csv]")
	}
	f.checkCredentials(&p)
	for _, name := range slices.Sorted(maps.Keys(f.Secrets)) {
		p.reference("secrets."+name, f.Secrets[name])
	}
	f.checkSettings(&p)
	f.checkForm(&p)
	f.checkLedger(&p)
	return p.list
}

func (f *file) checkCredentials(p *problems) {
	names := slices.Sorted(maps.Keys(f.Credentials))
	for _, name := range names {
		c, at := f.Credentials[name], "credentials."+name
		if c.User == "" && c.CCache == "" && !f.sshConfigRead() {
			p.add(at+".user", "missing; the user to log in as")
		}
		p.reference(at+".password", c.Password)
		p.reference(at+".key_passphrase", c.KeyPassphrase)
		p.reference(at+".become_password", c.BecomePassword)
		if c.Key == "" && !c.Agent && c.Password == "" && c.Auth != "kerberos" && !f.sshConfigRead() {
			p.add(at, "says no way to log in; give key, agent: true or password")
		}
		if c.Certificate != "" && c.Key == "" && !c.Agent {
			p.add(at+".certificate", "needs the key that it belongs to")
		}
		p.oneOf(at+".become", c.Become, "", "sudo")
		f.checkAuth(p, at+".auth", c)
		checkKerberos(p, at, c)
		if c.BecomePassword != "" && c.Become == "" {
			p.add(at+".become_password", "without become: sudo it is never used")
		}
	}
	if d := f.Defaults.Credential; d != "" && !slices.Contains(names, d) {
		p.add("defaults.credential", "there is no credential %q%s", d, meant(d, names))
	}
}

// checkAuth checks how a credential logs in over WinRM.
func (f *file) checkAuth(p *problems, at string, c credential) {
	p.oneOf(at, c.Auth, "", "basic", "ntlm", "kerberos", "certificate")
	switch {
	case c.Auth == "basic" && f.WinRM.Plain:
		p.add(at, "basic sends the password as it is, and winrm.plain has nothing that hides it; use ntlm or TLS")
	case (c.Auth == "basic" || c.Auth == "ntlm") && c.Password == "":
		p.add(at, "%s needs a password", c.Auth)
	case c.Auth == "certificate" && (c.Certificate == "" || c.Key == ""):
		p.add(at, "certificate needs certificate and key, the paths of PEM files")
	case c.Auth == "certificate" && f.WinRM.Plain:
		p.add(at, "a certificate needs TLS; take winrm.plain out")
	}
}

// cacheType is how the name of a credential cache begins that is not a path.
var cacheType = regexp.MustCompile(`^[A-Za-z]{2,}:`)

// checkKerberos checks what only a login by Kerberos uses.
func checkKerberos(p *problems, at string, c credential) {
	for _, key := range []struct{ name, value string }{{"realm", c.Realm}, {"keytab", c.Keytab}, {"ccache", c.CCache}} {
		if key.value != "" && c.Auth != "kerberos" {
			p.add(at+"."+key.name, "without auth: kerberos it is never used")
		}
	}
	if c.Keytab != "" && c.CCache != "" {
		p.add(at+".ccache", "the account comes from keytab or from ccache, not from both; take one out")
	}
	if cacheType.MatchString(c.CCache) && !strings.HasPrefix(c.CCache, "FILE:") {
		p.add(at+".ccache", "only a cache in a file can be read; make one with kinit -c FILE:PATH")
	}
	if c.Auth == "kerberos" && c.Realm != "" && strings.Contains(c.User, "@") && !strings.HasSuffix(strings.ToLower(c.User), "@"+strings.ToLower(c.Realm)) {
		p.add(at+".realm", "is another than that of user")
	}
}

// sshConfigRead reports whether an ssh_config file may name the user and the
// key that a credential leaves out.
func (f *file) sshConfigRead() bool { return f.SSH.Config != "none" }

func (f *file) checkSettings(p *problems) {
	p.oneOf("defaults.transport", f.Defaults.Transport, "", remediate.TransportSSH, remediate.TransportWinRM)
	p.oneOf("defaults.platform", f.Defaults.Platform, "", string(remediate.Linux), string(remediate.MacOS), string(remediate.Windows))
	if z := f.Defaults.Zone; z != "" {
		if _, err := time.LoadLocation(z); err != nil {
			p.add("defaults.zone", "%q is not a time zone such as Europe/Berlin", z)
		}
	}
	p.oneOf("ssh.host_keys", f.SSH.HostKeys, "", "strict", "accept-new")
	f.checkWinRM(p)
	p.between("concurrency.hosts", f.Concurrency.Hosts, 1, maxHostsAtOnce)
	p.between("concurrency.per_site", f.Concurrency.PerSite, 1, maxHostsAtOnce)
	p.between("stop.failed_hosts", f.Stop.FailedHosts, 0, maxCount)
	if len(f.Waves) > maxWaves {
		p.add("waves", "at most %d", maxWaves)
	}
	p.between("stop.bare_hosts", f.Stop.BareHosts, 0, maxCount)
	f.classStops(p)
	windows := f.windows(p)
	f.blackouts(p)
	f.retries(p)
	f.watched(p)
	f.checkRebootFits(p, windows, f.reboots(p))
	f.reverified(p)
	if d := time.Duration(f.Timing.Expected); d > remediate.MaxWindow {
		p.add("timing.expected", "%s is longer than a window can be, %s", days(d), days(remediate.MaxWindow))
	}
}

var (
	fingerprint = regexp.MustCompile(`^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$`)
	proxyForm   = regexp.MustCompile(`^(http|socks5)://[^/@\s]+:[0-9]{1,5}/?$`)
)

func (f *file) checkWinRM(p *problems) {
	w := f.WinRM
	p.oneOf("winrm.verify", w.Verify, "", "full", "none")
	for i, s := range w.Fingerprints {
		if !fingerprint.MatchString(s) {
			p.add("winrm.fingerprints", "entry %d is not a SHA-256 sum of 64 hexadecimal digits; see openssl x509 -fingerprint -sha256", i+1)
		}
	}
	pinned := w.CA != "" || len(w.Fingerprints) > 0
	switch {
	case w.CA != "" && len(w.Fingerprints) > 0:
		p.add("winrm.fingerprints", "a certificate is checked by ca or by fingerprints, not by both; take one out")
	case w.Plain && (pinned || w.Verify == "none"):
		p.add("winrm.plain", "without TLS there is no certificate; take ca, fingerprints and verify out")
	case w.Verify == "none" && pinned:
		p.add("winrm.verify", "none leaves ca and fingerprints unused; take it or them out")
	}
	switch {
	case w.Jump != "" && w.Proxy != "":
		p.add("winrm.jump", "hosts are reached through bastions or through a proxy, not both; take one out")
	case w.Jump == "" && w.JumpCred != "":
		p.add("winrm.jump_credential", "there is no winrm.jump that it would be for")
	case w.Jump != "" && w.JumpCred == "":
		p.add("winrm.jump_credential", "missing; name the credential that the bastions are logged in to with")
	case w.Jump != "":
		if _, ok := f.Credentials[w.JumpCred]; !ok {
			p.add("winrm.jump_credential", "there is no credential %q under credentials", w.JumpCred)
		}
	}
	// A proxy with a password in it is not repeated.
	if w.Proxy != "" && !proxyForm.MatchString(w.Proxy) {
		p.add("winrm.proxy", "write http://host:port or socks5://host:port, without a user")
	}
}

// problems collects what is wrong.
type problems struct{ list []problem }

// problem is what is wrong with one key, named by its path. The line is 0 where
// it is the key's.
type problem struct {
	key  string
	line int
	text string
}

func (p *problems) add(key, format string, args ...any) {
	p.list = append(p.list, problem{key, 0, fmt.Sprintf(format, args...)})
}

func (p *problems) need(key, value, what string) {
	if value == "" {
		p.add(key, "missing; %s", what)
	}
}

func (p *problems) oneOf(key, value string, known ...string) {
	if slices.Contains(known, value) {
		return
	}
	p.add(key, "%s", unknown(value, slices.DeleteFunc(slices.Clone(known), func(s string) bool { return s == "" })))
}

func unknown(value string, known []string) string {
	return fmt.Sprintf("%q is not known; want %s%s", value, strings.Join(known, " or "), meant(value, known))
}

func (p *problems) between(key string, value *int, from, to int) {
	if value != nil && (*value < from || *value > to) {
		p.add(key, "%d is not a number from %d to %d", *value, from, to)
	}
}

// reference refuses a secret that is written out. It never repeats the value.
func (p *problems) reference(key, value string) {
	if value == "" || strings.HasPrefix(value, "env:") && len(value) > 4 || strings.HasPrefix(value, "file:") && len(value) > 5 {
		return
	}
	p.add(key, "secrets do not stand in this file; write env:NAME or file:PATH")
}

func meant(typed string, known []string) string {
	if near := remediate.Nearest(typed, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
