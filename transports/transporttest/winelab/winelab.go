// Package winelab runs Windows hosts for tests: prefixes of wine, each with a
// server of WinRM in front (package wsman) that runs real processes: cmd, reg
// and msiexec of wine, and stand-ins for schtasks, which wine lacks, and for
// shutdown.
//
// It needs wine and what testdata/hosts/setup.sh builds. Where these lack,
// Start skips the test and says why; with the environment variable
// OUST_NO_SKIP=1 it fails instead.
//
// What wine 8.0 does otherwise than Windows: exit codes are cut to 8 bits
// outside, so that every command runs below launcher.exe, which writes the
// code to a file; cmd reads only the first line of a script from a pipe, so
// that its input is a file; powershell and findstr are stubs that succeed;
// programs of 32 bits do not start, though packages of 32 bits install below
// WOW6432Node. No package here ends with 1618 or 3010. Users are not told apart:
// every login is the same administrator.
package winelab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// The account of every host, and the passwords that its packages ask for.
const (
	User     = "Administrator"
	Password = "oust lab $password"

	// KESPassword goes with KLLOGIN=KLAdmin, as KLPASSWD.
	KESPassword = "lab-password"
	// AgentPassword goes as KLUNINSTPASSWD, hexadecimal UTF-16LE.
	AgentPassword = "lab"
)

// Packages that InstallMSI knows, with their ProductCodes. The removal of both
// ends with 1603 without the right password.
const (
	KES   = "kes"
	KES64 = "kes64" // of 64 bit, and without a restart
	Agent = "klnagent"

	KESCode   = "{7EC66A94-0D0A-4BD0-9E5A-8E3E7F4C1A11}"
	KES64Code = "{7EC66A94-0D0A-4BD0-9E5A-8E3E7F4C1A31}"
	AgentCode = "{7EC66A94-0D0A-4BD0-9E5A-8E3E7F4C1A21}"
)

// Options says what a host starts with.
type Options struct {
	// Name is the host's name; default "wine".
	Name string
	// MSIs are installed before Start returns.
	MSIs []string
}

// Host is a running host. It ends with its test. Its methods fail the test
// when they cannot do their work, and are for the test's goroutine alone; its
// server serves any number of clients at once.
type Host struct {
	// Target reaches the host by NTLM.
	Target transports.Target
	// CAFile is the path of a PEM file with the server's certificate.
	CAFile string
	// Root is the folder of drive C.
	Root string

	t      testing.TB
	dir    string // all that is the host's own
	built  string // what testdata/hosts/wine/build.sh made
	server *wsman.Server
	gate   *gate
	lock   *os.File
	served chan error

	mu      sync.Mutex
	running map[int]bool // process groups of commands
	count   int
	down    bool
}

// Start starts a host and returns when it answers. It is stopped by t.Cleanup.
func Start(t testing.TB, o Options) *Host {
	t.Helper()
	built, err := builtPath()
	if err != nil {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatalf("wine hosts: %v (and OUST_NO_SKIP=1 forbids to skip)", err)
		}
		t.Skipf("wine hosts: %v", err)
	}
	if o.Name == "" {
		o.Name = "wine"
	}
	h := &Host{t: t, built: built, served: make(chan error, 1), running: map[int]bool{}}
	t.Cleanup(h.close)
	h.must(h.clone())
	h.must(h.serve(o.Name))
	h.boot()
	for _, name := range o.MSIs {
		h.InstallMSI(name)
	}
	return h
}

func (h *Host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("wine hosts: %v", err)
	}
}

// serve puts the server on a free port of 127.0.0.1.
func (h *Host) serve(name string) error {
	config, pem, err := serverTLS(name)
	if err != nil {
		return err
	}
	h.CAFile = filepath.Join(h.dir, "ca.pem")
	if err := os.WriteFile(h.CAFile, pem, 0o600); err != nil {
		return err
	}
	h.server, err = wsman.New(wsman.Config{Backend: h, Logins: login, NTLM: true, Basic: true, TLS: config})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.gate = newGate(l)
	go func() { h.served <- h.server.Serve(h.gate) }()
	h.Target = transports.Target{
		Host: name, Address: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port,
		Credential: transports.Credential{Name: "wine", User: User, Password: transports.NewSecret(Password), Auth: "ntlm"},
	}
	return nil
}

func login(user, _ string) (transports.Secret, bool) {
	return transports.NewSecret(Password), strings.EqualFold(user, User)
}

// Cut drops the host's connections and every new one, until Uncut.
func (h *Host) Cut() { h.gate.shut(true) }

// Uncut takes connections again.
func (h *Host) Uncut() { h.gate.shut(false) }

// InstallMSI installs a package by its name.
func (h *Host) InstallMSI(name string) {
	h.t.Helper()
	line := `msiexec /i "Z:` + strings.ReplaceAll(filepath.Join(h.built, name+".msi"), "/", `\`) + `" /qn /norestart`
	if out, exit := h.Exec(line); exit != 0 {
		h.t.Fatalf("wine hosts: install %s: exit code %d: %s", name, exit, out)
	}
}

// Exec runs a command line with cmd /c, past the server, and returns what it
// printed on both outputs and its exit code.
func (h *Host) Exec(line string) (output string, exit int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), execTimeout)
	defer cancel()
	var out lockedBuffer
	p, err := h.Start(ctx, wsman.Command{Line: line, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
	if err == nil {
		exit, err = p.Wait()
	}
	if err != nil {
		h.t.Fatalf("wine hosts: run %s: %v: %s", line, err, out.String())
	}
	return out.String(), exit
}

// Busy makes msiexec end with 1618, as while another installation never ends,
// or gives wine's own back.
func (h *Host) Busy(busy bool) {
	h.t.Helper()
	const override = `"HKCU\Software\Wine\DllOverrides" /v msiexec.exe /f`
	own := filepath.Join(h.Root, "windows", "system32", "msiexec.exe")
	if !busy {
		h.Exec("reg delete " + override)
		h.must(os.Rename(own+".own", own))
		return
	}
	stand, err := os.ReadFile(filepath.Join(h.built, "busy.exe"))
	h.must(err)
	h.must(errors.Join(os.Rename(own, own+".own"), os.WriteFile(own, stand, 0o755)))
	h.Exec("reg add " + override + " /d native")
}

// RegExists reports whether a key of the registry exists, in the view of 64 bits.
func (h *Host) RegExists(key string) bool {
	h.t.Helper()
	_, exit := h.Exec(`reg query "` + key + `" >nul 2>nul`)
	return exit == 0
}

// FileExists reports whether a file or folder exists; path is like
// C:\Program Files\x, with the letters as they are on the disk.
func (h *Host) FileExists(path string) bool {
	h.t.Helper()
	rest, ok := strings.CutPrefix(path, `C:\`)
	if !ok {
		h.t.Fatalf("wine hosts: %s is not on drive C", path)
	}
	_, err := os.Lstat(filepath.Join(h.Root, strings.ReplaceAll(rest, `\`, "/")))
	return err == nil
}

// close ends the server and every process of the host.
func (h *Host) close() {
	var err error
	if h.server != nil {
		err = h.server.Close()
		if e := <-h.served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	if h.dir != "" {
		err = errors.Join(err, h.halt(), os.RemoveAll(h.dir))
		if h.lock != nil {
			_ = h.lock.Close()
		}
	}
	if err != nil {
		h.t.Errorf("wine hosts: %v", fmt.Errorf("stop: %w", err))
	}
}

var _ wsman.Backend = (*Host)(nil)
