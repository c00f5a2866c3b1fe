package ssh

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kevinburke/ssh_config"
	"pgregory.net/rapid"

	"oust/transports"
)

// configured is a resolver for an ssh_config file with that text.
func configured(t testing.TB, text string) (*resolver, *logBuffer) {
	t.Helper()
	home, log := t.TempDir(), &logBuffer{}
	path := filepath.Join(home, "config")
	writeFile(t, path, text)
	config := Config{ConfigFile: path, Home: home, Logger: log.logger()}.WithDefaults()
	r, err := newResolver(config, &notes{log: config.Logger})
	if err != nil {
		t.Fatal(err)
	}
	return r, log
}

// inWords is what a peer came to, in the order of a command line.
func (p *peer) inWords() string {
	w := fmt.Sprintf("%s@%s", p.user, p.endpoint())
	for _, key := range append([]string{p.cred.KeyFile}, p.identities...) {
		if key != "" {
			w += " key " + filepath.Base(key)
		}
	}
	if p.cred.CertificateFile != "" {
		w += " certificate " + filepath.Base(p.cred.CertificateFile)
	}
	for _, file := range p.trust.files {
		if !strings.HasSuffix(file, "known_hosts") {
			w += " trust " + filepath.Base(file)
		}
	}
	for i := range p.via {
		w += " via " + p.via[i].inWords()
	}
	return w
}

// TestSSHConfigIsHonoured asks for the host web1 with no address, port, user
// or key of its own, unless the target says so.
func TestSSHConfigIsHonoured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		target       transports.Target
		want         string
	}{
		{name: "HostName", config: "Host web1\n HostName 10.0.0.1\n User u\n", want: "u@10.0.0.1:22"},
		{name: "HostName with %h", config: "Host web*\n HostName %h.example.org\n User u\n", want: "u@web1.example.org:22"},
		{name: "HostName yields to an address", config: "HostName 10.0.0.1\nUser u\n",
			target: transports.Target{Address: "192.0.2.7"}, want: "u@192.0.2.7:22"},
		{name: "HostName for an address that is the name", config: "Host web1\n HostName 10.0.0.1\n User u\n",
			target: transports.Target{Address: "web1"}, want: "u@10.0.0.1:22"},
		{name: "Port", config: "User u\nPort 2222\n", want: "u@web1:2222"},
		{name: "Port yields", config: "User u\nPort 2222\n", target: transports.Target{Port: 22}, want: "u@web1:22"},
		{name: "User yields", config: "User u\n", target: transports.Target{Credential: transports.Credential{User: "ops"}}, want: "ops@web1:22"},
		{name: "IdentityFile, each of them", config: "User u\nIdentityFile ~/.ssh/one\nIdentityFile ~/.ssh/two\nIdentityFile none\n", want: "u@web1:22 key one key two"},
		{name: "IdentityFile with tokens", config: "User u\nIdentityFile %d/%h-%r-%p-%n-%%\n", want: "u@web1:22 key web1-u-22-web1-%"},
		{name: "IdentityFile yields", config: "User u\nIdentityFile ~/one\n",
			target: transports.Target{Credential: transports.Credential{KeyFile: "/own"}}, want: "u@web1:22 key own"},
		{name: "CertificateFile", config: "User u\nIdentityFile ~/one\nCertificateFile ~/one-cert.pub\n", want: "u@web1:22 key one certificate one-cert.pub"},
		{name: "UserKnownHostsFile", config: "User u\nUserKnownHostsFile ~/a \"~/b c\"\n", want: "u@web1:22 trust a trust b c"},
		{name: "ProxyJump", config: "Host web1\n ProxyJump jump@bastion:2200\nHost *\n User u\n", want: "u@web1:22 via jump@bastion:2200"},
		{name: "ProxyJump chain", config: "Host web1\n ProxyJump one,two\nHost one\n HostName 10.0.0.1\n User first\nHost *\n User u\n",
			want: "u@web1:22 via first@10.0.0.1:22 via u@two:22"},
		{name: "a bastion behind a bastion", config: "Host web1\n ProxyJump one\nHost one\n ProxyJump zero\nHost *\n User u\n",
			want: "u@web1:22 via u@zero:22 via u@one:22"},
		{name: "ProxyJump none", config: "Host web1\n ProxyJump none\nHost *\n ProxyJump one\n User u\n", want: "u@web1:22"},
		{name: "ProxyJump before ProxyCommand", config: "User u\nProxyJump one\nProxyCommand nc %h %p\nHost one\n ProxyJump none\n", want: "circle"},
		{name: "the first value counts", config: "Host web1\n Port 1\nHost *\n Port 2\n User u\n", want: "u@web1:1"},
		{name: "negation", config: "Host * !web1\n Port 1\nHost *\n User u\n", want: "u@web1:22"},
		{name: "case, equals signs, quotes, CRLF and comments", config: "# all\r\nHOST=web1\r\n  pOrT = 2222 # here\r\n\r\nuser \"u\"\r\n", want: "u@web1:2222"},
		{name: "Match all", config: "Match all\n Port 7\n User u\n", want: "u@web1:7"},
		{name: "Match host", config: "Match host web1,db1\n Port 7\nMatch host other\n Port 8\nMatch all\n User u\n", want: "u@web1:7"},
		{name: "Match host after HostName", config: "Host web1\n HostName x.%h\nMatch host x.web1\n Port 7\nMatch originalhost web1\n User u\n", want: "u@x.web1:7"},
		{name: "matched by address", config: "Host 192.0.2.*\n Port 7\n User u\n", target: transports.Target{Address: "192.0.2.7"}, want: "u@192.0.2.7:7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, log := configured(t, c.config)
			c.target.Host = "web1"
			p, err := r.target(c.target)
			if c.want == "circle" {
				if err == nil || !strings.Contains(err.Error(), "circle") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p.inWords()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if log.String() != "" {
				t.Errorf("it says %s", log.String())
			}
		})
	}
}

// TestSSHConfigSaysWhatItCannotHonour: what would lead elsewhere is an error
// with file and line, the rest a warning, once.
func TestSSHConfigSaysWhatItCannotHonour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		fatal        string // in the error
		said         string // in the log
	}{
		{name: "ProxyCommand", config: "User u\nProxyCommand nc %h %p\n", fatal: "config:2: ProxyCommand nc %h %p cannot be honoured"},
		{name: "ProxyCommand none", config: "User u\nProxyCommand none\n"},
		{name: "HostKeyAlias", config: "User u\nHostKeyAlias x\n", fatal: "HostKeyAlias x cannot be honoured"},
		{name: "of another host", config: "Host other\n ProxyCommand nc\nHost *\n User u\n"},
		{name: "under a Match that cannot be judged", config: "User u\nMatch exec true\n Port 7\n", fatal: "Port under Match exec true"},
		{name: "and harmless there", config: "User u\nMatch exec true\n IdentityFile ~/x\n", said: "line=2 option=Match"},
		{name: "under a Match of another host", config: "User u\nMatch host other exec true\n Port 7\n"},
		{name: "user in Match", config: "User u\nMatch user root\n HostName x\n", fatal: "HostName under Match user root"},
		{name: "StrictHostKeyChecking", config: "User u\nStrictHostKeyChecking no\n", said: "option=StrictHostKeyChecking value=no"},
		{name: "StrictHostKeyChecking yes", config: "User u\nStrictHostKeyChecking yes\n"},
		{name: "Ciphers", config: "User u\nCiphers aes128-cbc\n", said: "option=Ciphers"},
		{name: "ForwardAgent", config: "User u\nForwardAgent yes\n"},
		{name: "bad port", config: "User u\nPort 0\n", fatal: `config:2: port "0" is not a number from 1 to 65535`},
		{name: "unknown token", config: "User u\nIdentityFile ~/%Z\n", fatal: "% token"},
		{name: "too many bastions", config: "User u\nProxyJump a,b,c,d,e,f,g,h,i\n", fatal: "at most 8"},
		{name: "bad bastion", config: "User u\nProxyJump a b\n", fatal: "is not a name or an IP address"},
		{name: "circle", config: "Host web1\n ProxyJump a\nHost a\n ProxyJump web1\nHost *\n User u\n", fatal: "goes in a circle"},
		{name: "a known_hosts of another user", config: "User u\nUserKnownHostsFile ~root/x\n", fatal: "only ~ and ~/ are known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, log := configured(t, c.config)
			for range 2 {
				_, err := r.target(transports.Target{Host: "web1"})
				if (err != nil) != (c.fatal != "") || (err != nil && !strings.Contains(err.Error(), c.fatal)) {
					t.Errorf("error %v; want %q", err, c.fatal)
				}
			}
			if got := log.String(); (got != "") != (c.said != "") || !strings.Contains(got, c.said) || strings.Count(got, "\n") > 1 {
				t.Errorf("said %q; want %q, once", got, c.said)
			}
		})
	}
}

func TestSSHConfigFiles(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(home, name)
		writeFile(t, path, text)
		return path
	}
	load := func(path string) (*resolver, error) {
		config := Config{ConfigFile: path, Home: home}.WithDefaults()
		return newResolver(config, &notes{log: config.Logger})
	}
	file("port", "Port 7\n")
	file("user", "Host web*\n User u\n")
	r, err := load(file("includes", "Include "+home+"/po* "+home+"/nothing\nHost web1\n Include "+home+"/user\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := r.target(transports.Target{Host: "web1"}); err != nil || p.inWords() != "u@web1:7" {
		t.Errorf("%v, %v", p, err)
	}
	for name, c := range map[string]struct{ path, want string }{
		"missing":        {filepath.Join(home, "none"), "no such file"},
		"itself":         {file("loop", "Include "+home+"/loop\n"), "does a file include itself?"},
		"below":          {file("outer", "\nInclude "+file("broken", "Include [\n")+"\n"), "outer:2: include: " + home + "/broken:1: include: "},
		"not text":       {file("binary", "Host a\x00b\n"), "not a text file"},
		"huge":           {file("huge", strings.Repeat("#\n", configMost)), "larger than"},
		"broken pattern": {file("pattern", "Include [\n"), "syntax error in pattern"},
	} {
		if _, err := load(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if r, err := load(""); err != nil || r.file != nil {
		t.Errorf("no ~/.ssh/config: %v", err)
	}
}

// TestSettingsLikeOpenSSH compares with ssh -G on files of lines that both
// honour.
func TestSettingsLikeOpenSSH(t *testing.T) {
	t.Parallel()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(err)
		}
		t.Skip("no ssh here to compare with")
	}
	path, files := filepath.Join(t.TempDir(), "config"), rapid.Custom(configText)
	for seed := range 40 {
		text := files.Example(seed)
		writeFile(t, path, text)
		for _, host := range []string{"web1", "web2"} {
			out, err := exec.Command(ssh, "-G", "-F", path, host).CombinedOutput()
			if err != nil {
				t.Fatalf("ssh -G: %v\n%s\n%s", err, out, text)
			}
			if diff := cmp.Diff(theirSettings(out), ourSettings(t, path, host)); diff != "" {
				t.Errorf("ssh -G %s and we differ (-ssh +ours):\n%s\n%s", host, diff, text)
			}
		}
	}
}

// configText draws an ssh_config file.
func configText(r *rapid.T) string {
	of := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(r, label) }
	pattern := func() string {
		return of("pattern", "web1", "web?", "*", "!web1", "!*2", "web1 web2", "* !web2", "WEB1", "x.web1", "10.0.0.1")
	}
	line := func() string {
		switch rapid.IntRange(0, 8).Draw(r, "line") {
		case 0:
			return "Host " + pattern()
		case 1:
			return "Match " + of("criterion", "host", "originalhost") + " " + strings.ReplaceAll(pattern(), " ", ",")
		case 2:
			return "Match all"
		case 3:
			return "HostName " + of("hostname", "10.0.0.1", "x.%h", "%h")
		case 4:
			return of("indent", "", "\t", "  ") + "Port " + of("port", "22", "2222")
		case 5:
			return "User" + of("equals", " ", "=", " = ") + of("user", "u1", "u2")
		case 6:
			return "IdentityFile " + of("key", "/k1", "/k2", "\"/k 3\"")
		case 7:
			return "ProxyJump " + of("jump", "none", "j1", "u@j2:2200", "j1,j2")
		}
		return of("other", "", "# comment", "UserKnownHostsFile /kh1", "UserKnownHostsFile /kh2 /kh3")
	}
	var lines []string
	for range rapid.IntRange(0, 9).Draw(r, "lines") {
		lines = append(lines, line())
	}
	return strings.Join(append(lines, of("last", "Host *", "Match all"), "User u0"), "\n") + "\n"
}

// theirSettings picks what we honour from the output of ssh -G.
func theirSettings(out []byte) map[string]string {
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "hostname", "user", "port", "userknownhostsfile", "proxyjump":
			got[key] = value
		case "identityfile":
			if strings.HasPrefix(value, "/") { // ~/.ssh/id_* are ssh's own
				got[key] += value + "\n"
			}
		}
	}
	if strings.HasPrefix(got["userknownhostsfile"], "/root/") || strings.Contains(got["userknownhostsfile"], "/.ssh/") {
		delete(got, "userknownhostsfile")
	}
	if got["proxyjump"] == "none" {
		delete(got, "proxyjump")
	}
	return got
}

func ourSettings(t *testing.T, path, host string) map[string]string {
	t.Helper()
	file, err := (&configLoader{}).load(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	set, err := file.settings(host, "")
	if err != nil {
		t.Fatal(err)
	}
	hostName, err := (&resolver{}).hostName(set, host)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"hostname": hostName, "user": set.user, "port": "22"}
	if set.port != 0 {
		got["port"] = fmt.Sprint(set.port)
	}
	for _, key := range set.identities {
		got["identityfile"] += key + "\n"
	}
	if len(set.knownHosts) > 0 {
		got["userknownhostsfile"] = strings.Join(set.knownHosts, " ")
	}
	if set.jump != "" && set.jump != "none" {
		got["proxyjump"] = set.jump
	}
	return got
}

// FuzzSSHConfig: any text is read or refused, and gives settings or an error.
func FuzzSSHConfig(f *testing.F) {
	f.Add([]byte("Host a !b\n Port 22\nMatch host x exec \"y z\"\n HostName %h\nIdentityFile=\"~/a b\" # c\n"))
	f.Add([]byte("Include x\n\tProxyJump a,b\r\n=\nHost \"\n\x01match0"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := &configFile{path: "config"}
		text, err := (&configLoader{}).prepare(file, raw, includeDepth) // an Include is an error there
		if err != nil {
			return
		}
		if bytes.Count(text, newline) != bytes.Count(bytes.ReplaceAll(raw, []byte("\r\n"), newline), newline) {
			t.Error("the lines are no longer where they were")
		}
		if file.blocks, err = ssh_config.DecodeBytes(text); err != nil {
			return
		}
		r := &resolver{cfg: Config{Home: "/h"}}
		set, err := file.settings("web1", "192.0.2.2")
		if err != nil {
			return
		}
		if set.port < 0 || set.port > 65535 {
			t.Errorf("port %d", set.port)
		}
		_, _ = r.hostName(set, "web1")
		_ = (&resolver{notes: &notes{log: Config{}.WithDefaults().Logger}}).judge(&set)
		_, _ = parseJump(set.jump)
		for _, key := range set.identities {
			_, _ = r.expand(key, &peer{address: "a", user: "u", host: "h", port: 22})
		}
	})
}
