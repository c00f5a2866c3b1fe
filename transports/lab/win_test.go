package lab

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports"
	"oust/transports/lab/windows"
	"oust/transports/winrm"
)

// winDialer is a client that trusts the fleet's authority; plain goes over
// HTTP, sealed by NTLM.
func winDialer(t *testing.T, f *Fleet, plain bool) *winrm.Dialer {
	t.Helper()
	ca := filepath.Join(t.TempDir(), authorityFile)
	if err := os.WriteFile(ca, f.Authority(), 0o600); err != nil {
		t.Fatal(err)
	}
	if plain {
		ca = ""
	}
	d, err := winrm.NewDialer(winrm.Config{CAFile: ca, Plain: plain, Farewell: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func winTarget(f *Fleet, i int) transports.Target {
	h := f.windows[i].info()
	return transports.Target{
		Host: h.Name, Address: h.Address, Port: h.Port,
		Credential: transports.Credential{Name: "windows", User: "ops", Password: f.Password(), Auth: "ntlm"},
	}
}

// winRun runs lines of cmd on a Windows host.
func winRun(t *testing.T, d transports.Dialer, target transports.Target, lines ...string) (transports.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := d.Dial(ctx, target)
	if err != nil {
		return transports.Result{}, err
	}
	defer func() { _ = c.Close() }()
	return c.Run(ctx, transports.Command{
		Line: remediate.CmdLine, Stdin: []byte(strings.Join(append(lines, "exit"), "\r\n") + "\r\n"), Timeout: time.Minute, MaxOutput: 1 << 20,
	})
}

// TestWindowsLogins: a host answers over TLS and over HTTP on one port, and
// refuses a wrong password.
func TestWindowsLogins(t *testing.T) {
	f := newFleet(t, Config{Windows: 1})
	for _, plain := range []bool{false, true} {
		r, err := winRun(t, winDialer(t, f, plain), winTarget(f, 0), "whoami")
		if err != nil || !bytes.Contains(r.Stdout, []byte(`lab\ops`)) {
			t.Errorf("plain %t: %v, %q", plain, err, r.Stdout)
		}
	}
	bad := winTarget(f, 0)
	bad.Credential.Password = transports.NewSecret("another")
	if _, err := winRun(t, winDialer(t, f, false), bad, "whoami"); err == nil || !strings.Contains(err.Error(), "refused the login") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestWindowsReboot: commands end with the boot, and the host comes back on
// its port as another boot.
func TestWindowsReboot(t *testing.T) {
	f := newFleet(t, Config{Windows: 1, Speed: 1000})
	d := winDialer(t, f, false)
	before, err := f.State("win-0001")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := winRun(t, d, winTarget(f, 0), "waitfor never <nul")
		ended <- err
	}()
	for !slices.Contains(f.windows[0].machine.Processes(), "waitfor.exe") {
		runtime.Gosched()
	}
	if err := f.Reboot("win-0001"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("a command outlived the restart")
	}
	after, err := f.State("win-0001")
	if err != nil || after.BootID == before.BootID || after.Port != before.Port {
		t.Errorf("%v: boot id %q, before %q", err, after.BootID, before.BootID)
	}
	if r, err := winRun(t, d, winTarget(f, 0), "hostname"); err != nil || !bytes.Contains(r.Stdout, []byte("WIN-0001")) {
		t.Errorf("after the restart: %v %q", err, r.Stdout)
	}
}

func TestWindowsFaults(t *testing.T) {
	f := newFleet(t, Config{Windows: 1, Delay: time.Millisecond})
	for _, c := range []struct{ fault, want string }{
		{faultRefused, "refused"}, {faultLogin, "refused the login"}, {faultCertificate, "signed by no authority"},
		{"quota", "2150859173"}, {faultSlow, ""}, {"", ""},
	} {
		if err := f.SetFault("win-0001", c.fault); err != nil {
			t.Fatal(err)
		}
		_, err := winRun(t, winDialer(t, f, false), winTarget(f, 0), "ver")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.fault, err, c.want)
		}
	}
	if err := f.SetFault("win-0001", "lock-held"); err == nil || !strings.Contains(err.Error(), "no fault is called") {
		t.Errorf("a fault of other hosts: %v", err)
	}
	if err := f.Drop("win-0001"); err != nil {
		t.Error(err)
	}
}

// TestWindowsDraw: the same seed gives the same fleet, and faults of
// uninstallers fall on hosts with a product.
func TestWindowsDraw(t *testing.T) {
	mix, err := ParseWindowsFaults("lies=3,refused=10%,residue=2")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Windows: 40, Clean: 0.3, Seed: 5, WindowsFaults: mix}
	a, b := c.winLots(), c.winLots()
	counts, clean := map[string]int{}, 0
	for i := range a {
		if a[i].fault != b[i].fault || a[i].release != b[i].release || !slices.Equal(a[i].products, b[i].products) {
			t.Fatalf("host %d differs", i)
		}
		counts[a[i].fault]++
		if len(a[i].products) == 0 {
			clean++
		}
		if a[i].fault == windows.FaultLies && len(a[i].products) == 0 {
			t.Errorf("host %d has no product to lie about", i)
		}
	}
	if counts["lies"] != 3 || counts["refused"] != 4 || counts["residue"] != 2 || clean != 12 {
		t.Errorf("faults %v, %d hosts without products", counts, clean)
	}
	if _, err := ParseWindowsFaults("lie=1"); err == nil || !strings.Contains(err.Error(), "did you mean lies?") {
		t.Errorf("an unknown fault: %v", err)
	}
	if _, err := Start(t.Context(), Config{Windows: 1, WindowsFaults: FaultMix{{Fault: "lies", Hosts: 2}}}); err == nil {
		t.Error("more faults than hosts")
	}
}

// TestWindowsCampaign: the folder has what a campaign needs for both kinds of
// hosts, and the password for its owner only.
func TestWindowsCampaign(t *testing.T) {
	f := newFleet(t, Config{Hosts: 1, Windows: 2})
	dir := t.TempDir()
	if err := f.WriteCampaign(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, hostsFile))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 || !slices.Contains(rows[3], "winrm") || !slices.Contains(rows[1], "ssh") {
		t.Errorf("%v: %q", err, rows)
	}
	info, err := os.Stat(filepath.Join(dir, passwordFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password: %v %v", info, err)
	}
	yaml, err := os.ReadFile(filepath.Join(dir, campaignFile))
	if err != nil || !strings.Contains(string(yaml), "winrm: {ca: "+authorityFile+"}") || strings.Contains(string(yaml), f.secret) {
		t.Errorf("%v:\n%s", err, yaml)
	}
	if n := len(f.Hosts()); n != 3 {
		t.Errorf("%d hosts", n)
	}
}

// TestWindowsMemory: hosts share what they have in common.
func TestWindowsMemory(t *testing.T) {
	const hosts = 300
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := newFleet(t, Config{Windows: hosts})
	d := winDialer(t, f, false)
	if _, err := winRun(t, d, winTarget(f, 0), "md C:\\x", "reg add HKLM\\SOFTWARE\\X /f >nul"); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / hosts
	if each > 200<<10 { // 5,000 hosts in 1 GB
		t.Errorf("%d bytes for each host", each)
	}
	t.Logf("%d bytes of heap for each host", each)
}
