package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/storetest"
	"oust/transports"
	"oust/transports/ssh"
	"oust/transports/transporttest/sshdlab"
	"oust/transports/transporttest/winelab"
	"oust/transports/winrm"
)

// mixedRig is an engine over real sshd hosts and Windows hosts of wine.
type mixedRig struct {
	linux   *sshdlab.Lab
	windows []*winelab.Host
	store   *storetest.Memory
	hosts   []remediate.Host
	engine  *engine.Engine
	config  engine.Config

	mu     sync.Mutex
	events []engine.Event
}

// windowsSecrets are the passwords of the products on wine hosts.
func windowsSecrets() map[string]string {
	return map[string]string{"kes_windows_password": winelab.KESPassword, "klnagent_windows_password": winelab.AgentPassword}
}

// newMixedRig starts linux hosts with sshd and as many of wine as there are
// options.
func newMixedRig(t *testing.T, linux sshdlab.Options, secrets map[string]string, windows ...winelab.Options) *mixedRig {
	t.Helper()
	r := &mixedRig{store: storetest.NewMemory(time.Now)}
	for i, o := range windows {
		o.Name = fmt.Sprintf("win%d", i+1)
		h := winelab.Start(t, o)
		r.windows = append(r.windows, h)
		r.hosts = append(r.hosts, remediate.Host{Name: o.Name, Address: h.Target.Address, Port: h.Target.Port,
			Platform: remediate.Windows, Transport: remediate.TransportWinRM})
	}
	if linux.Hosts+linux.RPM > 0 {
		r.linux = sshdlab.Start(t, linux)
		for _, h := range r.linux.Hosts {
			r.hosts = append(r.hosts, remediate.Host{Name: h.Name, Address: h.Addr, Port: h.Port})
		}
	}
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	r.config = engine.Config{
		Store: r.store, Dialer: r.dialer(t), Library: lib, Target: r.target,
		Campaign: remediate.Campaign{
			Name: "test", Stop: remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 1},
			Timing: remediate.Timing{
				Poll: 200 * time.Millisecond, BusyWait: time.Second, Connect: 10 * time.Second, Probe: 3 * time.Minute, LaunchWait: 2 * time.Minute,
			},
		},
		Secret: func(name string) (transports.Secret, error) {
			value, ok := secrets[name]
			if !ok {
				return transports.Secret{}, engine.ErrNoSecret
			}
			return transports.NewSecret(value), nil
		},
		Sink: engine.SinkFunc(func(e engine.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
		}),
	}
	r.engine, err = engine.New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *mixedRig) dialer(t *testing.T) transports.Dialer {
	t.Helper()
	var over ssh.Config
	over.ConfigFile = ssh.ConfigNone
	if r.linux != nil {
		over.KnownHosts = []string{r.linux.KnownHosts}
	}
	unix, err := ssh.NewDialer(over)
	if err != nil {
		t.Fatal(err)
	}
	var roots []byte
	for _, h := range r.windows {
		pem, err := os.ReadFile(h.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, pem...)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	windows, err := winrm.NewDialer(winrm.Config{CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(), windows.Close() })
	return transports.DialerFunc(func(ctx context.Context, target transports.Target) (transports.Conn, error) {
		if strings.HasPrefix(target.Host, "win") {
			return windows.Dial(ctx, target)
		}
		return unix.Dial(ctx, target)
	})
}

func (r *mixedRig) target(h remediate.Host) (transports.Target, error) {
	for _, w := range r.windows {
		if w.Target.Host == h.Name {
			return w.Target, nil
		}
	}
	return transports.Target{Host: h.Name, Address: h.DialAddress(), Port: h.Port,
		Credential: transports.Credential{User: sshdlab.Root, KeyFile: r.linux.KeyFile}}, nil
}

// plan scans and plans. A busy machine's wine now and then does not know one of
// its own programs; the look is then not whole, and is taken again, as the plan
// would have a person do.
func (r *mixedRig) plan(t *testing.T) *remediate.Plan {
	t.Helper()
	var plan *remediate.Plan
	for range 3 {
		sum, err := r.engine.Scan(t.Context(), nil, r.hosts)
		if err != nil {
			t.Fatal(err)
		}
		if sum.ExitCode() != engine.ExitOK {
			t.Fatalf("scan: %+v\n%+v", sum, r.events)
		}
		if plan, err = r.engine.Plan(t.Context(), r.hosts); err != nil {
			t.Fatal(err)
		}
		if len(plan.Hosts) == len(r.hosts) {
			return plan
		}
	}
	t.Fatalf("the plan has %d hosts of %d: %+v", len(plan.Hosts), len(r.hosts), plan.Left)
	return nil
}

func (r *mixedRig) apply(t *testing.T, plan *remediate.Plan) engine.Summary {
	t.Helper()
	sum, err := r.engine.Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// outcome is the last of a host, with its steps.
func (r *mixedRig) outcome(t *testing.T, host string) remediate.Attempt {
	t.Helper()
	var last remediate.Attempt
	for at, err := range r.store.HostAttempts(t.Context(), host) {
		if err != nil {
			t.Fatal(err)
		}
		last = at
	}
	return last
}

// gone checks on a wine host itself that nothing of products or jobs is left.
func gone(t *testing.T, h *winelab.Host) {
	t.Helper()
	const uninstall = `HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\`
	for _, key := range []string{uninstall + winelab.KESCode, uninstall + winelab.AgentCode} {
		if h.RegExists(key) {
			t.Errorf("%s: the key %s is still there", h.Target.Host, key)
		}
	}
	for _, path := range []string{`C:\Program Files (x86)\Kaspersky Lab`, `C:\Program Files\oust`} {
		if h.FileExists(path) {
			t.Errorf("%s: %s is still there", h.Target.Host, path)
		}
	}
}

// TestWindowsWrongPassword: the product keeps itself, and the host says so;
// the password stands nowhere in what is kept.
func TestWindowsWrongPassword(t *testing.T) {
	t.Parallel()
	const wrong = "n0t & the ^ p<a>ss!"
	r := newMixedRig(t, sshdlab.Options{}, map[string]string{"kes_windows_password": wrong}, winelab.Options{MSIs: []string{winelab.KES}})
	sum := r.apply(t, r.plan(t))
	at := r.outcome(t, "win1")
	if sum.Outcomes[remediate.OutcomeFailed] != 1 || at.Outcome.Class != remediate.ClassProtected {
		t.Errorf("outcome %+v\n%s\n%s", at.Outcome, at.Result, at.Log)
	}
	if text := fmt.Sprintf("%+v", at) + string(at.Log); strings.Contains(text, wrong) {
		t.Errorf("the password is in what is kept:\n%s", text)
	}
	if !strings.Contains(string(at.Log), "assword") {
		t.Errorf("the log of Windows Installer is not kept:\n%s", at.Log)
	}
	if r.windows[0].FileExists(`C:\Program Files\oust`) {
		t.Error("the attempt's folder is still there")
	}
}

// TestWindowsBusy: another installation that does not end makes the host busy;
// later the same plan removes the product.
func TestWindowsBusy(t *testing.T) {
	t.Parallel()
	r := newMixedRig(t, sshdlab.Options{}, windowsSecrets(), winelab.Options{MSIs: []string{winelab.KES}})
	plan := r.plan(t)
	r.windows[0].Busy(true)
	sum := r.apply(t, plan)
	at := r.outcome(t, "win1")
	if sum.Outcomes[remediate.OutcomeFailed] != 1 || at.Outcome.Class != remediate.ClassBusy || !strings.Contains(at.Result, " busy 1618 ") {
		t.Errorf("outcome %+v\n%s\n%s", at.Outcome, at.Result, at.Log)
	}
	r.windows[0].Busy(false)
	if sum := r.apply(t, plan); sum.Outcomes[remediate.OutcomeRebootPending] != 1 {
		at := r.outcome(t, "win1")
		t.Errorf("apply: %+v\n%s\n%s", at.Outcome, at.Result, at.Log)
	}
	gone(t, r.windows[0])
}

// consolePlaybook removes a product by its own uninstaller.
const consolePlaybook = `format: 1
name: acme/console
title: Acme Console
vendor: Acme
platforms: [windows]
detect:
  - uninstall: {names: [Acme Console]}
steps:
  - uninstaller: {arguments: /S, wait: 10s}
residue:
  - {path: '%ProgramFiles%\Acme Console'}
manual: call Acme
afterwards: nothing
confidence: unverified
sources:
  - {claim: all of it, source: a product of these tests, confidence: unverified}
`

// withPlaybook makes the rig's library one playbook alone.
func (r *mixedRig) withPlaybook(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "console.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lib, err := playbooks.LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r.config.Library = lib
	if r.engine, err = engine.New(r.config); err != nil {
		t.Fatal(err)
	}
}

// TestWindowsUninstallers: one that copies itself, ends at once with 0 and
// goes on working is waited for; one that lies is found out; one that fails
// fails.
func TestWindowsUninstallers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		product winelab.Product
		outcome remediate.OutcomeKind
		class   remediate.Class
	}{
		"copies itself": {winelab.Product{Name: "Acme Console", Seconds: 4}, remediate.OutcomeRemoved, ""},
		"lies":          {winelab.Product{Name: "Acme Console", Lies: true}, remediate.OutcomeFailed, remediate.ClassStillPresent},
		"fails":         {winelab.Product{Name: "Acme Console", Exit: 5, Lies: true}, remediate.OutcomeFailed, remediate.ClassUninstaller},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMixedRig(t, sshdlab.Options{}, nil, winelab.Options{})
			r.windows[0].InstallProduct(c.product)
			r.withPlaybook(t, consolePlaybook)
			r.apply(t, r.plan(t))
			at := r.outcome(t, "win1")
			if at.Outcome.Kind != c.outcome || at.Outcome.Class != c.class {
				t.Errorf("outcome %+v, want %s %s\n%s\n%s", at.Outcome, c.outcome, c.class, at.Result, at.Log)
			}
			if left := r.windows[0].FileExists(`C:\Program Files\Acme Console`); left != (c.class != "") {
				t.Errorf("the product's folder is there: %v", left)
			}
		})
	}
}

// TestWindowsBothViews: products of 32 and of 64 bit on one host, each with an
// entry in its own view of the registry, go by one script.
func TestWindowsBothViews(t *testing.T) {
	t.Parallel()
	r := newMixedRig(t, sshdlab.Options{}, windowsSecrets(), winelab.Options{MSIs: []string{winelab.KES, winelab.KES64}})
	const uninstall = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\`
	if !r.windows[0].RegExists(uninstall + winelab.KES64Code) {
		t.Fatal("the product of 64 bit is not in its view")
	}
	plan := r.plan(t)
	r.apply(t, plan)
	at := r.outcome(t, "win1")
	if at.Outcome.Kind != remediate.OutcomeRebootPending || strings.Count(at.Result, "with Windows Installer") != 2 {
		t.Errorf("outcome %+v\n%s\n%s", at.Outcome, at.Result, at.Log)
	}
	gone(t, r.windows[0])
	if r.windows[0].RegExists(uninstall+winelab.KES64Code) || r.windows[0].FileExists(`C:\Program Files\Kaspersky Lab\KES.12.3.0`) {
		t.Error("the product of 64 bit is still there")
	}
}

// TestWindowsConnectionCut: the network goes away in mid-uninstall; the job
// ends once, and the run joins it.
func TestWindowsConnectionCut(t *testing.T) {
	t.Parallel()
	r := newMixedRig(t, sshdlab.Options{}, windowsSecrets(), winelab.Options{MSIs: []string{winelab.KES, winelab.Agent}})
	plan := r.plan(t)
	var cut sync.Once
	r.config.Sink = engine.SinkFunc(func(e engine.Event) {
		if p, ok := e.(engine.HostStep); ok && p.Step == "launch" {
			cut.Do(func() {
				time.AfterFunc(1500*time.Millisecond, func() {
					r.windows[0].Cut()
					time.AfterFunc(3*time.Second, r.windows[0].Uncut)
				})
			})
		}
	})
	var err error
	if r.engine, err = engine.New(r.config); err != nil {
		t.Fatal(err)
	}
	sum := r.apply(t, plan)
	if sum.Outcomes[remediate.OutcomeRebootPending] != 1 {
		at := r.outcome(t, "win1")
		t.Errorf("apply: %+v\n%+v\n%s\n%s", sum, at.Outcome, at.Result, at.Log)
	}
	gone(t, r.windows[0])
}

// TestWindowsControllerKilled: the run ends in mid-uninstall; the next one
// joins the job, and no uninstaller runs twice.
func TestWindowsControllerKilled(t *testing.T) {
	t.Parallel()
	r := newMixedRig(t, sshdlab.Options{}, windowsSecrets(), winelab.Options{MSIs: []string{winelab.KES, winelab.Agent}})
	plan := r.plan(t)
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	r.config.Sink = engine.SinkFunc(func(e engine.Event) {
		if p, ok := e.(engine.HostStep); ok && p.Step == "launch" {
			time.AfterFunc(2*time.Second, kill)
		}
	})
	first, err := engine.New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = first.Apply(ctx, nil, plan, r.hosts, engine.ApplyOptions{})
	sum := r.apply(t, plan)
	at := r.outcome(t, "win1")
	if sum.Outcomes[remediate.OutcomeRebootPending] != 1 {
		t.Errorf("apply: %+v\n%+v\n%s\n%s", sum, at.Outcome, at.Result, at.Log)
	}
	if n := strings.Count(string(at.Log), "oust: step 1:"); n != 1 {
		t.Errorf("the first step ran %d times:\n%s", n, at.Log)
	}
	gone(t, r.windows[0])
}
