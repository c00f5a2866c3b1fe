package kdclab

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Domain is the KDC of an Active Directory domain, which is Samba's.
type Domain struct {
	// Conf is the path of a krb5.conf for clients.
	Conf string

	dir string
	t   testing.TB
}

// The domain's realm, and the password of its accounts.
const (
	DomainRealm    = "CORP.TEST"
	DomainPassword = "Domain-lab-1 ü"
)

const (
	sambaTool = "/usr/bin/samba-tool"
	samba     = "/usr/sbin/samba"
	// sambaSetup is what a new domain is made of (package samba-ad-provision).
	sambaSetup = "/usr/share/samba/setup/provision.ldif"
)

// StartDomain makes a domain with the user, which takes a processor ten
// seconds, and starts its KDC. It needs root and Debian's packages samba-ad-dc and
// samba-ad-provision.
func StartDomain(t testing.TB) *Domain {
	t.Helper()
	if reason := noDomain(); reason != "" {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip(reason)
	}
	d := &Domain{dir: t.TempDir(), t: t}
	address := fmt.Sprintf("127.3.%d.%d", rand.IntN(256), 1+rand.IntN(254))
	d.tool("domain", "provision", "--targetdir="+d.dir, "--realm="+DomainRealm, "--domain=CORP", "--server-role=dc", "--dns-backend=NONE",
		"--host-name=dc1", "--host-ip="+address, "--adminpass="+DomainPassword,
		"--option=interfaces="+address+"/8", "--option=bind interfaces only=yes", "--option=krb5 port=8888", "--option=server services=kdc")
	d.tool("user", "create", User, DomainPassword, d.database())
	d.Conf = filepath.Join(d.dir, "clients.conf")
	text := "[realms]\n " + DomainRealm + " = {\n  kdc = " + net.JoinHostPort(address, "8888") + "\n }\n"
	if err := os.WriteFile(d.Conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.serve()
	return d
}

func noDomain() string {
	if os.Getuid() != 0 {
		return "no domain of Active Directory: Samba makes one for root alone"
	}
	for _, path := range []string{sambaTool, samba, sambaSetup} {
		if _, err := os.Stat(path); err != nil {
			return "no domain of Active Directory: " + path + " is not on this machine (packages samba-ad-dc, samba-ad-provision)"
		}
	}
	return ""
}

// Join makes a machine of the domain, known as HOST/NAME.corp.test as Windows
// machines are, and returns the path of a keytab of its account NAME$.
func (d *Domain) Join(name string) string {
	d.t.Helper()
	account, path := name+"$", filepath.Join(d.t.TempDir(), "keytab")
	d.tool("computer", "create", name, d.database())
	d.tool("user", "setpassword", account, "--newpassword="+DomainPassword, d.database())
	d.tool("spn", "add", "HOST/"+name+".corp.test", account, d.database())
	d.tool("domain", "exportkeytab", path, "--principal="+account)
	return path
}

func (d *Domain) settings() string { return "--configfile=" + filepath.Join(d.dir, "etc/smb.conf") }
func (d *Domain) database() string { return "-H" + filepath.Join(d.dir, "private/sam.ldb") }

func (d *Domain) tool(args ...string) {
	d.t.Helper()
	if args[1] != "provision" {
		args = append(args, d.settings())
	}
	if out, err := exec.Command(sambaTool, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("samba-tool %v: %v: %s", args, err, out)
	}
}

// serve runs the KDC until the end of the test, and returns when it says that
// it is ready, as it would to systemd.
func (d *Domain) serve() {
	d.t.Helper()
	socket := &net.UnixAddr{Name: filepath.Join(d.dir, "ready"), Net: "unixgram"}
	told, err := net.ListenUnixgram("unixgram", socket)
	if err != nil {
		d.t.Fatal(err)
	}
	defer told.Close()
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", samba, "-F", "-M", "single", "--no-process-group", "--debug-stdout", d.settings())
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket.Name)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	end, err := cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = end.Close()
		var killed *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &killed) {
			d.t.Error(err)
		}
		if d.t.Failed() {
			d.t.Logf("samba says: %s", &log)
		}
	})
	if err := told.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		d.t.Fatal(err)
	}
	for message := make([]byte, 4096); ; {
		n, err := told.Read(message)
		if err != nil {
			d.t.Fatalf("samba does not begin: %v", err)
		}
		if bytes.Contains(message[:n], []byte("READY=1")) {
			return
		}
	}
}
