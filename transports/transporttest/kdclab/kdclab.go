// Package kdclab runs a real KDC of MIT Kerberos for tests, on a loopback port
// with a realm of its own that ends with the test. It needs Debian's packages
// krb5-kdc, krb5-admin-server and krb5-user, and no root. Where these lack,
// Start skips the test and says why; with the environment variable
// OUST_NO_SKIP=1 it fails instead.
package kdclab

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Realm is the realm of the KDCs that Start starts.
const Realm = "LAB.TEST"

// Account and password of a user that every KDC has.
const (
	User     = "svc-oust"
	Password = "Kerberos lab $password ü"
)

// KDC is a running KDC.
type KDC struct {
	// Conf is the path of a krb5.conf for clients. It leads through a proxy
	// that counts.
	Conf string
	// Counter counts what clients have asked.
	Counter *Counter

	realm string
	dir   string
	env   []string
	t     testing.TB
}

// programs are where Debian has them, which need not be on the PATH.
var programs = map[string]string{
	"krb5kdc": "/usr/sbin/krb5kdc", "kdb5_util": "/usr/sbin/kdb5_util", "kadmin.local": "/usr/sbin/kadmin.local", "kinit": "/usr/bin/kinit",
}

// Start starts a KDC with the user, and returns when it answers.
func Start(t testing.TB) *KDC {
	t.Helper()
	k := prepare(t, Realm)
	k.configure(k)
	k.serve()
	return k
}

// StartTrusting starts the KDC of a second realm, whose hosts the accounts of
// the first one may log in to. The first KDC, and no file of the clients,
// knows that hosts below domain are in the second realm.
func StartTrusting(t testing.TB, realm, domain string) (first, second *KDC) {
	t.Helper()
	first, second = prepare(t, Realm), prepare(t, realm)
	for _, k := range []*KDC{first, second} {
		k.configure(first, second)
		k.Admin("addprinc", "-pw", "trust", "krbtgt/"+realm+"@"+Realm)
	}
	aware := first.write("kdc-krb5.conf", string(first.read(first.Conf))+"[domain_realm]\n ."+domain+" = "+realm+"\n")
	first.env = append(first.env, "KRB5_CONFIG="+aware)
	first.serve()
	first.env = append(first.env, "KRB5_CONFIG="+first.Conf)
	second.serve()
	return first, second
}

// prepare makes what there is before the files.
func prepare(t testing.TB, realm string) *KDC {
	t.Helper()
	for name, path := range programs {
		if _, err := os.Stat(path); err != nil {
			reason := "no real KDC: " + name + " is not on this machine (packages krb5-kdc, krb5-admin-server, krb5-user)"
			if os.Getenv("OUST_NO_SKIP") == "1" {
				t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
			}
			t.Skip(reason)
		}
	}
	k := &KDC{dir: t.TempDir(), t: t, realm: realm}
	k.Counter = newCounter(t, freeAddress(t))
	return k
}

// configure writes the files, in which all realms stand, and makes the
// database.
func (k *KDC) configure(all ...*KDC) {
	k.t.Helper()
	var realms strings.Builder
	for _, r := range all {
		fmt.Fprintf(&realms, " %s = {\n  kdc = %s\n }\n", r.realm, r.Counter.Address)
	}
	k.Conf = k.write("krb5.conf", `[libdefaults]
 default_realm = `+k.realm+`
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
`+realms.String())
	profile := k.write("kdc.conf", `[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = `+k.Counter.upstream+`
[realms]
 `+k.realm+` = {
  database_name = `+filepath.Join(k.dir, "principal")+`
  key_stash_file = `+filepath.Join(k.dir, "stash")+`
  acl_file = `+filepath.Join(k.dir, "acl")+`
  max_renewable_life = 7d
 }
[logging]
 kdc = STDERR
 default = STDERR
`)
	k.env = append(os.Environ(), "KRB5_CONFIG="+k.Conf, "KRB5_KDC_PROFILE="+profile, "KRB5CCNAME="+filepath.Join(k.dir, "none"))
	k.run("kdb5_util", "-r", k.realm, "create", "-s", "-P", "master")
	k.Admin("addprinc", "+requires_preauth", "-pw", Password, User)
}

// keeper ends a program when standard input does, as it also does when the
// test is killed.
const keeper = `exec 3<&0; "$@" 3<&- & pid=$!; { read -r _ <&3; kill -9 $pid; } >/dev/null 2>&1 & wait $pid`

// serve runs the KDC until the end of the test.
func (k *KDC) serve() {
	k.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", programs["krb5kdc"], "-n", "-r", k.realm)
	cmd.Env = k.env
	end, err := cmd.StdinPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		var last string
		told := false
		for lines := bufio.NewScanner(log); lines.Scan(); {
			last = lines.Text()
			if !told && strings.Contains(last, "commencing operation") {
				close(ready)
				told = true
			}
		}
		_ = cmd.Wait()
		ended <- last
		close(ended)
	}()
	k.t.Cleanup(func() {
		_ = end.Close()
		for range ended {
		}
	})
	select {
	case <-ready:
	case last := <-ended:
		k.t.Fatalf("krb5kdc ended: %s", last)
	case <-time.After(20 * time.Second):
		k.t.Fatal("krb5kdc does not begin")
	}
}

// Admin changes the database, by one command of kadmin.
func (k *KDC) Admin(query ...string) string {
	k.t.Helper()
	return k.run("kadmin.local", append([]string{"-r", k.realm}, query...)...)
}

// Service makes a service such as HTTP/localhost, and returns the path of a
// keytab with its keys.
func (k *KDC) Service(name string) string {
	k.t.Helper()
	k.Admin("addprinc", "-randkey", name)
	return k.Keytab(name)
}

// Keytab writes the keys of an account or service, which stay the same, and
// returns the path.
func (k *KDC) Keytab(name string) string {
	k.t.Helper()
	path := filepath.Join(k.t.TempDir(), "keytab")
	k.Admin("ktadd", "-norandkey", "-k", path, name)
	return path
}

// Kinit logs the user in by MIT's client, and returns the credential cache.
func (k *KDC) Kinit(options ...string) string {
	k.t.Helper()
	path := filepath.Join(k.t.TempDir(), "ccache")
	cmd := exec.Command(programs["kinit"], append(options, "-c", path, User)...)
	cmd.Env, cmd.Stdin = k.env, strings.NewReader(Password+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		k.t.Fatalf("kinit: %v: %s", err, out)
	}
	return path
}

// Env is the environment for MIT's clients.
func (k *KDC) Env() []string { return k.env }

func (k *KDC) run(name string, args ...string) string {
	k.t.Helper()
	cmd := exec.Command(programs[name], args...)
	cmd.Env = k.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		k.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

func (k *KDC) write(name, text string) string {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	return path
}

func (k *KDC) read(path string) []byte {
	k.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		k.t.Fatal(err)
	}
	return data
}

// freeAddress is one that nothing listens on now. It is of a loopback address
// of its own, so that no connection of others takes the port meanwhile.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.2.%d.%d:0", rand.IntN(256), 1+rand.IntN(254)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr())
}
