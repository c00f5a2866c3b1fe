package ssh

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

func TestUnknownKeySaysHowToAddIt(t *testing.T) {
	p := newPlace(t)
	writeFile(t, p.known, "")
	p.at("192.0.2.2:2222", p.server.serve)
	target := p.target()
	target.Port = 2222
	err := dialOnce(t, p.config(), target)
	if transports.ClassOf(err) != transports.Untrusted {
		t.Fatalf("class %s: %v", transports.ClassOf(err), err)
	}
	for _, want := range []string{
		"[192.0.2.2]:2222", fingerprint(p.server.keys[0].PublicKey()),
		"ssh-keyscan -p 2222 -t ed25519 192.0.2.2 >> " + p.known,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if n := p.server.logins.Load(); n != 0 {
		t.Errorf("%d logins at a host that is not known", n)
	}
}

func TestChangedKeyShowsBoth(t *testing.T) {
	for _, mode := range []string{HostKeysStrict, HostKeysAcceptNew} {
		p := newPlace(t)
		other := newSigner(t).PublicKey()
		writeFile(t, p.known, "# first line\n")
		p.knows(t, "192.0.2.2", other)
		config := p.config()
		config.HostKeys = mode
		err := dialOnce(t, config, p.target())
		if transports.ClassOf(err) != transports.Untrusted {
			t.Fatalf("%s: class %s: %v", mode, transports.ClassOf(err), err)
		}
		for _, want := range []string{
			"has changed", fingerprint(other), fingerprint(p.server.keys[0].PublicKey()), p.known + ":2", "ssh-keygen -R",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", mode, err, want)
			}
		}
	}
}

// TestSeveralHostKeys: the host has two, one of which is known.
func TestSeveralHostKeys(t *testing.T) {
	p := newPlace(t)
	ecdsa := newECDSA(t)
	p.server.keys = []xssh.Signer{ecdsa, p.server.keys[0]}
	if err := dialOnce(t, p.config(), p.target()); err != nil {
		t.Errorf("with the ed25519 key known: %v", err)
	}
	writeFile(t, p.known, "")
	p.knows(t, "192.0.2.2", ecdsa.PublicKey())
	if err := dialOnce(t, p.config(), p.target()); err != nil {
		t.Errorf("with the ECDSA key known: %v", err)
	}
	p.server.keys = p.server.keys[1:] // the known one is gone
	if err := dialOnce(t, p.config(), p.target()); transports.ClassOf(err) != transports.Untrusted {
		t.Errorf("without the known key: class %s: %v", transports.ClassOf(err), err)
	}
}

func TestHostCertificates(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	ca, otherCA, host := newSigner(t), newSigner(t), newECDSA(t)
	certify := func(ca xssh.Signer, principal string, before time.Time) xssh.Signer {
		cert := &xssh.Certificate{
			Key: host.PublicKey(), CertType: xssh.HostCert, ValidPrincipals: []string{principal},
			ValidAfter: uint64(now.Add(-time.Hour).Unix()), ValidBefore: uint64(before.Unix()),
		}
		if err := cert.SignCert(rand.Reader, ca); err != nil {
			t.Fatal(err)
		}
		signer, err := xssh.NewCertSigner(cert, host)
		if err != nil {
			t.Fatal(err)
		}
		return signer
	}
	later := now.Add(time.Hour)
	authority := "@cert-authority 192.0.2.* " + keyText(ca.PublicKey()) + "\n"
	for _, c := range []struct {
		name, known string
		key         xssh.Signer
		class       transports.Class
	}{
		{"good", authority, certify(ca, "192.0.2.2", later), ""},
		{"of another authority", authority, certify(otherCA, "192.0.2.2", later), transports.Untrusted},
		{"for another host", authority, certify(ca, "192.0.2.3", later), transports.Untrusted},
		{"expired", authority, certify(ca, "192.0.2.2", now.Add(-time.Minute)), transports.Untrusted},
		{"revoked key", authority + "@revoked * " + keyText(host.PublicKey()), certify(ca, "192.0.2.2", later), transports.Untrusted},
		{"revoked authority", authority + "@revoked * " + keyText(ca.PublicKey()), certify(ca, "192.0.2.2", later), transports.Untrusted},
		{"authority for other hosts", "@cert-authority 198.51.100.* " + keyText(ca.PublicKey()), certify(ca, "192.0.2.2", later), transports.Untrusted},
		{"expired, and the key is known", authority + "192.0.2.2 " + keyText(host.PublicKey()), certify(ca, "192.0.2.2", now.Add(-time.Minute)), ""},
		{"a plain key where an authority is known", authority, host, transports.Untrusted},
	} {
		for _, mode := range []string{HostKeysStrict, HostKeysAcceptNew} {
			if c.name == "authority for other hosts" && mode == HostKeysAcceptNew {
				continue // its plain key is new, see below
			}
			t.Run(c.name+" "+mode, func(t *testing.T) {
				p := newPlace(t)
				p.server.keys = []xssh.Signer{c.key, host} // as sshd does
				writeFile(t, p.known, c.known)
				config := p.config()
				config.HostKeys, config.Now = mode, func() time.Time { return now }
				err := dialOnce(t, config, p.target())
				if transports.ClassOf(err) != c.class {
					t.Errorf("class %q, want %q: %v", transports.ClassOf(err), c.class, err)
				}
			})
		}
	}
}

// acceptor is a place that records new keys.
func acceptor(t *testing.T) (*place, Config, *[]string) {
	p := newPlace(t)
	p.known = filepath.Join(p.dir, "new folder", "known_hosts")
	config := p.config()
	config.HostKeys = HostKeysAcceptNew
	var mu sync.Mutex
	said := &[]string{}
	config.OnNewKey = func(host, address, print string) {
		mu.Lock()
		defer mu.Unlock()
		*said = append(*said, host+" "+address+" "+print)
	}
	return p, config, said
}

func TestAcceptNewRecords(t *testing.T) {
	p, config, said := acceptor(t)
	d := newDialer(t, config)
	for range 3 {
		conn, err := d.Dial(t.Context(), p.target())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	key := p.server.keys[0].PublicKey()
	if diff := cmp.Diff([]string{"web1 192.0.2.2 " + fingerprint(key)}, *said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	raw, err := os.ReadFile(p.known)
	if err != nil {
		t.Fatal(err)
	}
	if want := "192.0.2.2 " + keyText(key) + "\n"; string(raw) != want {
		t.Errorf("known_hosts %q, want %q", raw, want)
	}
	info, err := os.Stat(p.known)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	config.HostKeys = HostKeysStrict
	if err := dialOnce(t, config, p.target()); err != nil {
		t.Errorf("strict afterwards: %v", err)
	}
	p.server.keys = []xssh.Signer{newSigner(t)}
	config.HostKeys = HostKeysAcceptNew
	if err := dialOnce(t, config, p.target()); transports.ClassOf(err) != transports.Untrusted {
		t.Errorf("changed afterwards: %v", err)
	}
}

// TestAcceptNewInParallel: two dialers, as of two processes, meet many hosts
// at once and write one file.
func TestAcceptNewInParallel(t *testing.T) {
	p, config, said := acceptor(t)
	const hosts = 40
	servers := make([]*server, hosts)
	for i := range servers {
		servers[i] = newServer(t)
		p.at(fmt.Sprintf("10.0.0.%d:22", i), servers[i].serve)
	}
	var wg sync.WaitGroup
	for range 2 {
		d := newDialer(t, config)
		for i := range hosts {
			wg.Go(func() {
				target := p.target()
				target.Host, target.Address = fmt.Sprintf("h%d", i), fmt.Sprintf("10.0.0.%d", i)
				conn, err := d.Dial(t.Context(), target)
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				conn.Close()
			})
		}
	}
	wg.Wait()
	raw, err := os.ReadFile(p.known)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, s := range servers {
		want = append(want, fmt.Sprintf("10.0.0.%d %s", i, keyText(s.keys[0].PublicKey())))
	}
	got := strings.Split(strings.TrimSpace(string(raw)), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("known_hosts (-want +got):\n%s", diff)
	}
	if len(*said) != hosts {
		t.Errorf("%d keys were said to be new, want %d", len(*said), hosts)
	}
}

// TestAcceptNewSeesOthers: another process recorded another key meanwhile.
func TestAcceptNewSeesOthers(t *testing.T) {
	p, config, said := acceptor(t)
	if err := os.MkdirAll(filepath.Dir(p.known), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, p.known, "# old line without its end")
	d := newDialer(t, config)
	p.at("192.0.2.9:22", newServer(t).serve)
	target := p.target()
	target.Address = "192.0.2.9"
	conn, err := d.Dial(t.Context(), target) // reads the file, and appends
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	p.knows(t, "192.0.2.2", newSigner(t).PublicKey())
	_, err = d.Dial(t.Context(), p.target())
	if transports.ClassOf(err) != transports.Untrusted || !strings.Contains(err.Error(), p.known+":3") {
		t.Errorf("class %s: %v", transports.ClassOf(err), err)
	}
	if len(*said) != 1 {
		t.Errorf("said %v, want only the first host", *said)
	}
	raw, err := os.ReadFile(p.known)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(raw), "\n"); len(lines) != 4 || lines[0] != "# old line without its end" || !strings.HasPrefix(lines[1], "192.0.2.9 ") {
		t.Errorf("known_hosts %q", raw)
	}
}

func TestAcceptNewThatCannotWrite(t *testing.T) {
	p, config, said := acceptor(t)
	writeFile(t, filepath.Dir(p.known), "a file where the folder should be")
	err := dialOnce(t, config, p.target())
	if transports.ClassOf(err) != transports.Internal && transports.ClassOf(err) != transports.Unsupported && transports.ClassOf(err) != transports.Untrusted {
		t.Errorf("class %s: %v", transports.ClassOf(err), err)
	}
	if err == nil || len(*said) != 0 || p.server.logins.Load() != 0 {
		t.Errorf("error %v, said %v: the host was trusted without a record", err, *said)
	}
}

// TestKnownHostsReadOnce: ten thousand hosts read the file once.
func TestKnownHostsReadOnce(t *testing.T) {
	p := newPlace(t)
	d := newDialer(t, p.config())
	for i := range 2 {
		conn, err := d.Dial(t.Context(), p.target())
		if err != nil {
			t.Fatalf("dial %d: %v", i, err)
		}
		conn.Close()
		writeFile(t, p.known, "")
	}
}

func TestLateHostKeyIsNoLogin(t *testing.T) {
	check := &hostKeyCheck{passed: make(chan struct{}, 1)}
	if !stageOver(check, nil) || stageOver(check, check.passed) {
		t.Error("stageOver is wrong")
	}
	check.passed <- struct{}{}
	if !stageOver(check, check.passed) {
		t.Error("a key that has passed is not seen")
	}
}
